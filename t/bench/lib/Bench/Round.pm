# SPDX-License-Identifier: Apache-2.0
package Bench::Round;

# One outage: a crowd comes, is held for some seconds and is let go. What did it cost, and did everyone get one right answer?
#
#   my $figures = Bench::Round::run($server, clients => 2000, hold => 10, options => ['--post', 3000]);
#   say Bench::Round::header();
#   say Bench::Round::line('ours', $figures);
#
# $server has work, static, outage, release, tree; those of ours also settled, hold, stats. `during` is called with the crowd and
# the figures when all wait.

use v5.36;
use Bench::Crowd ();
use RdsFailover::Httpd ();
use Time::HiRes qw(time sleep);

# The work takes so long, so this is the shortest time in which those who run at once are served.
my $WORK_S = 0.02;
# The side visitor is alone at first, so that what it costs the server is known.
my $ALONE_S = 3;

*wait_until = \&RdsFailover::Httpd::wait_until;

# Pools, stacks and connections to the application are there before anything is measured.
sub warm_up ($server, %option) {
    my $crowd = Bench::Crowd->new(url => $server->work, clients => $option{clients} // 200,
        options => ['--connect-rate', 500, @{ $option{options} // [] }]);
    my $result = $crowd->finish;
    $result->{counts}{ok} or die 'the server does not answer: ' . JSON::PP::encode_json($result->{statuses}) . "\n";
    sleep 1;
    return;
}

sub run ($server, %option) {
    my ($n, $tree, $ours) = ($option{clients}, $server->tree, $server->can('hold'));
    my %f = (clients => $n, hold_s => $option{hold});
    if ($ours) { $server->stats(reset => 1) }
    else       { $server->{app}->ask('/reset') }
    $server->outage;
    $f{memory_kb}{before} = $tree->memory;
    my $crowd = Bench::Crowd->new(url => $server->work, clients => $n, side => $server->static, options => ['--before', $ALONE_S,
        '--timeout', $option{hold} + 240, '--connect-rate', $option{rate} // 2000, @{ $option{options} // [] }]);
    sleep 0.5;
    my $alone = meter($tree);
    $crowd->wait_for('BEGUN') // die "rds-crowd did not begin\n";
    $f{cpu_percent}{side} = $alone->();
    $f{ready} = $crowd->wait_for('READY') // die "rds-crowd ended early\n";
    my $until = time + $option{hold};
    # The last ones have been sent, but perhaps not read.
    wait_until(sub { ($server->hold->{now} // 0) >= $n }, $option{hold} < 20 ? $option{hold} : 20, 0.1) if $ours;
    sleep 0.5;
    $f{held} = $server->hold->{now} if $ours;
    $f{memory_kb}{full} = $tree->memory;
    $option{during}->($crowd, \%f) if $option{during};
    my $holding = meter($tree);
    my $left    = $until - time;
    sleep($left > 1 ? $left : 1);
    $f{cpu_percent}{hold} = $holding->();
    $f{memory_kb}{held}   = $tree->memory;
    $f{descriptors}       = $tree->descriptors;
    my $flip = time;
    $server->release;
    $f{crowd} = $crowd->finish($option{hold} + 300);
    $f{settled} = $server->settled ? 1 : 0 if $ours;
    # What the application counted, and what follows from the times in its answers.
    $f{at_once} = $ours && !$server->{php} ? 0 + $server->stats->{max} : $server->{app} ? $server->{app}->max : $f{crowd}{at_once};
    if (my $last = $f{crowd}{times}{last_answer}) {
        $f{drain_s}     = $last - $f{crowd}{times}{first_answer} + $WORK_S;
        $f{from_flip_s} = $last - $flip;
        $f{ideal_s}     = $f{crowd}{counts}{ok} * $WORK_S / ($f{at_once} || 1);
        $f{ratio}       = $f{drain_s} / $f{ideal_s};
    }
    sleep $option{rest} // 3;
    $f{memory_kb}{after} = $tree->memory;
    $f{kb_per_held} = ($f{memory_kb}{full} - $f{memory_kb}{before}) / ($f{held} || $n);
    $f{kb_after}    = ($f{memory_kb}{after} - $f{memory_kb}{before}) / ($f{held} || $n);
    return \%f;
}

# Percent of one processor since this call; undef for too short a time.
sub meter ($tree) {
    my ($began, $used) = (time, $tree->cpu);
    return sub { return time - $began < 0.9 ? undef : 100 * ($tree->cpu - $used) / (time - $began) };
}

# What holding costs, the side visitor's part taken away; httpd and its monitor.
sub cpu ($f) {
    my ($hold, $side) = @{ $f->{cpu_percent} }{qw(hold side)};
    return defined $hold && defined $side ? ($hold > $side ? $hold - $side : 0) : undef;
}

# True if everyone who stayed got exactly one right answer to each request.
sub everyone ($f) {
    my $counts = $f->{crowd}{counts};
    return !$counts->{wrong} && !$counts->{none} && !$counts->{extra} && $counts->{ok} > 0;
}

# How far the order of the starts was from that of the arrivals, in ms: { process, host } => [p99, most]. A request is displaced by
# how much later than itself somebody came who was started before it. undef where the application does not tell.
sub order ($f) {
    my $order = $f->{crowd}{order};
    return undef if !$order->{server}{n};
    my %worst = (process => [0, 0], host => [@{ $order->{server} }{qw(p99_ms max_ms)}]);
    for my $one (values %{ $order->{processes} }) {
        for my $i (0, 1) { my $ms = $one->{ (qw(p99_ms max_ms))[$i] } // 0; $worst{process}[$i] = $ms if $ms > $worst{process}[$i] }
    }
    return \%worst;
}

# How many each process had, which bounds how soon the last of them can be let go.
sub shares ($f) {
    my @n = sort { $a <=> $b } map { $_->{n} } grep { $_->{n} } values %{ $f->{crowd}{order}{processes} };
    return @n > 1 && @n < 10 ? 'processes had ' . join(', ', @n) : ();
}

my @COLUMNS = (
    ['clients',     '%d',   sub ($f) { $f->{clients} }],
    ['ok',          '%d',   sub ($f) { $f->{crowd}{counts}{ok} }],
    ['KB/held',     '%.1f', sub ($f) { $f->{kb_per_held} }],
    ['after',       '%.1f', sub ($f) { $f->{kb_after} }],
    ['drain s',     '%.2f', sub ($f) { $f->{drain_s} }],
    ['x ideal',     '%.2f', sub ($f) { $f->{ratio} }],
    ['at once',     '%d',   sub ($f) { $f->{at_once} }],
    ['p99 hold',    '%.1f', sub ($f) { $f->{crowd}{side}{hold}{p99} }],
    ['p99 drain',   '%.1f', sub ($f) { $f->{crowd}{side}{drain}{p99} }],
    ['CPU %',       '%.2f', \&cpu],
);

sub header () { return join ' ', sprintf('%-22s', 'server'), map { sprintf '%9s', $_->[0] } @COLUMNS }

sub line ($name, $f) {
    return join ' ', sprintf('%-22s', $name), map { my ($title, $format, $value) = @$_; $value = $value->($f);
        sprintf '%9s', defined $value ? sprintf $format, $value : '-' } @COLUMNS;
}

1;
