#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# prefork and mod_php: a held request keeps its process.
use v5.36;
use Test::More;
use RdsFailover::Story;

my $story = RdsFailover::Story->new(mpm => 'prefork', rate => 5);
ok($story->wait_for_state('available'), 'available');
for my $kind (qw(crash hang)) {
    my $run = $story->play(sub ($rig) { my $at = $rig->fail($kind, outage => 4); $story->wait_for_state('available'); return $at });
    $story->nobody_failed_after_detection($run, $run->{plot}{fault});
    $story->ledger_is_right($run);
    $story->counts_add_up;
    $story->rig->rebuild;
}
done_testing;
