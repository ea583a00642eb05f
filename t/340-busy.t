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
my (@traffic, %seen, $before);

sub slow { return grep { ($_->{latency_ms} // 0) > 1000 } map { $_->so_far } @traffic }

sub look ($seconds) {
    my $end = time + $seconds;
    while (time < $end) {
        my $state = $story->status->{state};
        $seen{$state}++ if $state ne ($before // '');
        $before = $state;
        sleep 0.05;
    }
}

# How much load it takes is the machine's: more and more, until answers take their time; then it goes on like that.
until (slow() > 10) {
    die "rig: 400 heavy requests a second do not saturate this database\n" if @traffic == 16;
    push @traffic, $story->traffic(rate => 25, kinds => ['heavy 9 GET /ledger.php?work=30 marker=RIG-OK',
        'insert 1 POST /ledger.php body=token={token} marker=RIG-OK'], timeout => '120s');
    look(3);
}
look(12);
note(25 * @traffic . ' requests a second');
$_->{child}->signal('INT') for @traffic;
cmp_ok(scalar slow(), '>', 20, 'the database is saturated: ' . slow() . ' answers took more than a second');
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
