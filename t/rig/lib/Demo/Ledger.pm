# SPDX-License-Identifier: Apache-2.0
# Lays what visitors were told about their writes beside what the database holds.
package Demo::Ledger;
use v5.36;
use List::Util qw(sum0);

# The driver's token file: {token => {outcome => acknowledged|failed|unknown, due, kind}}.
sub read_tokens ($path) {
    open my $in, '<', $path or die "cannot read $path: $!\n";
    my %said;
    while (my $line = <$in>) {
        chomp $line;
        my ($token, $outcome, $due, $done, $status, $kind) = split /\t/, $line;
        die "$path: not a line of rds-drive: $line\n" unless defined $kind && $outcome =~ /^(?:acknowledged|failed|unknown)$/;
        $said{$token} = { outcome => $outcome, due => $due, kind => $kind };
    }
    return \%said;
}

# $said as above; $rows: {token => number of rows}, as the database has them. Returns counts and the lists behind them:
#   lost     acknowledged, but absent
#   doubled  present more than once, whatever was said
#   ghosts   the visitor was told of a failure, and yet it is there
#   stray    present, but nobody sent it (tokens of another run are no fault; the caller restricts $rows)
sub check ($said, $rows) {
    my %present = %$rows;
    my %sum = (writes => scalar(keys %$said), acknowledged => 0, failed => 0, unknown => 0, unknown_written => 0, rows => sum0(values %present));
    my (@lost, @ghosts);
    for my $token (sort keys %$said) {
        my $outcome = $said->{$token}{outcome};
        $sum{$outcome}++;
        push @lost,   $token if $outcome eq 'acknowledged' && !$present{$token};
        push @ghosts, $token if $outcome eq 'failed'       && $present{$token};
        $sum{unknown_written}++ if $outcome eq 'unknown' && $present{$token};
    }
    my @doubled = sort grep { $present{$_} > 1 } keys %present;
    my @stray   = sort grep { !$said->{$_} } keys %present;
    return { %sum, lost => \@lost, doubled => \@doubled, ghosts => \@ghosts, stray => \@stray };
}

1;
