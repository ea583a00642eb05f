# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Story::Order;

# In which order those who waited were answered, against the order in which they came. Pure.
use v5.36;
use Exporter 'import';
use List::Util qw(max sum0);

our @EXPORT_OK = qw(correlation largest_inversion);

# Requests are {due, latency_ms} as the driver writes them; every one has been answered.
sub answered ($r) { return $r->{due} + $r->{latency_ms} / 1000 }

sub ranks (@values) {
    my @order = sort { $values[$a] <=> $values[$b] } 0 .. $#values;
    my @rank;
    $rank[ $order[$_] ] = $_ for 0 .. $#order;
    return @rank;
}

# Spearman's: 1 when all were answered in the order in which they came, 0 when the one has nothing to do with the other. One answer
# that is late, of whatever cause, hardly moves it.
sub correlation (@requests) {
    my $n = @requests;
    return 1 if $n < 2;
    my @came     = ranks(map { $_->{due} } @requests);
    my @answered = ranks(map { answered($_) } @requests);
    return 1 - 6 * sum0(map { ($came[$_] - $answered[$_])**2 } 0 .. $n - 1) / ($n * ($n**2 - 1));
}

# By how many seconds somebody who was answered earlier had come later: the worst case.
sub largest_inversion (@requests) {
    my ($latest, $worst) = (0, 0);
    for my $r (sort { answered($a) <=> answered($b) } @requests) {
        $worst  = max($worst, $latest - $r->{due});
        $latest = max($latest, $r->{due});
    }
    return $worst;
}

1;
