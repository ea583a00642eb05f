#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A database that is healthy but saturated: slow for everybody, yet no outage, no failover, and next to no added wait.
use v5.36;
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(time sleep);
use RdsFailover::Story ();

# Threads enough for all who wait for PHP: what the status says must be seen meanwhile.
my $story   = RdsFailover::Story->begin(children => 12, workers => 600);
my $epoch   = $story->status->{epoch};
my $traffic = $story->traffic(rate => 25, kinds => ['heavy 9 GET /ledger.php?work=30 marker=RIG-OK',
    'insert 1 POST /ledger.php body=token={token} marker=RIG-OK'], timeout => '120s');
my ($end, %seen, $before) = (time + 15);
while (time < $end) {
    my $state = $story->status->{state};
    $seen{$state}++ if $state ne ($before // '');
    $before = $state;
    sleep 0.05;
}
my @slow = grep { ($_->{latency_ms} // 0) > 1000 } $traffic->so_far;
cmp_ok(scalar @slow, '>', 10, 'the database is saturated: ' . @slow . ' answers took more than a second');
$traffic->{child}->signal('INT');
my $status = $story->wait_state('available');
is($status->{epoch}, $epoch, 'the same epoch');
is(scalar @{ $status->{failovers} }, 0, 'no failover on record');
is($seen{outage} // 0, 0, 'no outage was seen');
my $hold = $status->{hold};
is($hold->{held}, $hold->{released} + $hold->{aborted}, 'who was held on suspicion went on, or left');
my @held = map {/held=(\d+)/} $story->log_lines('httpd-access.log', qr/held=\d/);
note(sprintf '%d times suspect, %d requests held, the longest for %d ms; threshold %d ms at the end', $seen{suspect} // 0,
    $hold->{held}, max(0, @held), $status->{probe}{late_ms});
done_testing;
