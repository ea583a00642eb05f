#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A healthy database under more load than it can take is slow. That is no outage, and no state that flaps.
use v5.36;
use Test::More;
use RdsFailover::Story;

my $story = RdsFailover::Story->new(rate => 60, children => 40);
ok($story->wait_for_state('available'), 'available');
my @states;
my $run = $story->play(sub ($rig) {
    my $end = time + 20;
    while (time < $end) {
        push @states, $story->database->{state};
        select undef, undef, undef, 0.1;
    }
}, mix => ['heavy 1 GET /ledger.php?work=40 marker=RIG-OK']);
my $db = $story->database;
my @ok = sort { $a <=> $b } map { $_->{latency_ms} } grep { $_->{outcome} eq 'ok' } @{ $run->{requests} };
cmp_ok($ok[@ok / 2], '>', 300, "the database is saturated: half of the pages take longer than $ok[@ok / 2] ms");
is($db->{epoch}, 1, 'no failover');
is_deeply($db->{failovers}, [], 'none on record');
is(scalar(grep { $_ eq 'outage' } @states), 0, 'never an outage');
my $suspect = grep { $_ eq 'suspect' } @states;
diag sprintf '%d of %d looks found it suspect; %d requests held', $suspect, scalar @states, $db->{hold}{held};
cmp_ok($suspect, '<=', @states / 10, 'hardly ever suspect');
is($db->{hold}{held}, $db->{hold}{released}, 'whoever was held for a moment was released');
done_testing;
