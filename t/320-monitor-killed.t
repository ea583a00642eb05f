#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The monitor is killed in every state, its prober too, and stopped: requests are never the worse for it, and the state is soon
# right again. Against a real database, with traffic.
use v5.36;
use Test::More;
use Time::HiRes qw(time sleep);
use RdsFailover::Story ();
use RdsFailover::Story::Failover qw(check_traffic check_counters);

my $story = RdsFailover::Story->begin(app => 'address', tls => 1);
my $rig   = $story->rig;
my $epoch = $story->status->{epoch};

# Kill the monitor and wait until another one has looked and says one of these states.
sub kill_monitor ($what, $right) {
    my $before = $story->report->{monitor};
    my $since  = time;
    $story->signal(KILL => $before->{pid});
    my $seen = $story->wait_for("a new monitor that says $right", sub {
        my $report = $story->report or return undef;
        my $now    = $report->{databases}[0];
        return undef if $report->{monitor}{pid} == $before->{pid} || $now->{stale} || $now->{state} !~ /^(?:$right)$/;
        return RdsFailover::Story::epoch($now->{probe}{last} // return undef) > $since ? $now : undef;
    });
    pass("killed while $what: $seen->{state}");
    note(sprintf 'killed while %s: right again after %.0f ms', $what, 1000 * (time - $since));
    return $seen;
}

my $traffic = $story->traffic(rate => 15, kinds => \@RdsFailover::Story::Traffic::SHORT);
my $restarts = $story->report->{monitor}{restarts};
is(kill_monitor('available', 'available')->{epoch}, $epoch, 'in the same epoch');

# The prober alone.
my ($prober) = $story->pids('rdsfailover-prober');
$story->signal(KILL => $prober);
$story->wait_for('another prober', sub { my @now = $story->pids('rdsfailover-prober'); @now && $now[0] != $prober });
my $probes = $story->status->{probe}{count};
$story->wait_for('that probes', sub { $story->status->{probe}{count} > $probes + 1 });
my $status = $story->wait_state('available');
is($status->{epoch}, $epoch, 'a prober that is killed is replaced, and nothing else happens');

# A monitor that stands still knows nothing any more.
my $monitor = $story->report->{monitor}{pid};
$story->signal(STOP => $monitor);
$story->wait_state('unknown');
is($story->get('/ledger.php')->{status}, 200, 'the monitor stopped: unknown, and requests pass');
$story->signal(CONT => $monitor);
is($story->wait_state('available')->{epoch}, $epoch, 'it goes on: available, the same epoch');
is(scalar @{ $story->status->{failovers} }, 0, 'none of it counts as a failover');

my $failing = $story->fail_later('hang', outage => 7);
$story->wait_state('suspect|outage');
kill_monitor('suspect', 'suspect|outage');
$story->wait_state('outage');
kill_monitor('in an outage', 'outage');
my $told = $story->await($failing);
$rig->prime;
$status = $story->wait_state('available', epoch => $epoch + 1);
my $f = $story->failover($status);
$traffic->settle;
check_traffic($story, $traffic, { %$f, fault => $told->{fault} });
check_counters($story);

# Recovering lasts as long as a held request has not left: here one whose process stands still.
$rig->rebuild;
$failing = $story->fail_later('crash', outage => 2);
$story->wait_state('outage');
my $held = $story->send(GET => '/ledger.php');
$story->wait_held(1);
my @serving = $story->serving;
SKIP: {
    # The status is served by another process, or nothing can be seen.
    skip 'rig: the held request\'s process is not found', 2 if @serving != 1;
    $story->signal(STOP => @serving);
    $story->await($failing);
    $rig->prime;
    $story->wait_state('recovering', epoch => $epoch + 2);
    kill_monitor('recovering', 'recovering|available');
    $story->signal(CONT => @serving);
    is($story->answer($held)->{status}, 200, 'and its request is answered');
}
$status = $story->wait_state('available', epoch => $epoch + 2);
is(scalar @{ $status->{failovers} }, 2, 'two failovers happened, and two are on record');
is($story->imbalance($status->{hold}), 0, 'the counters add up');
cmp_ok($story->report->{monitor}{restarts}, '>=', $restarts + 3, 'restarts are counted');
done_testing;
