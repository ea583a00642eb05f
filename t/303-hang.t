#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The primary is stopped: its kernel goes on accepting connections that nobody answers.
use v5.36;
use Test::More;
use RdsFailover::Story;

my $story = RdsFailover::Story->new;
ok($story->wait_for_state('available'), 'available');
for my $round (1, 2) {
    my $run = $story->play(sub ($rig) { my $at = $rig->fail('hang', outage => 4); $story->wait_for_state('available'); return $at });
    my $f = $story->nobody_failed_after_detection($run, $run->{plot}{fault});
    is($f->{epoch}, 1 + $round, 'a new epoch');
    isnt($f->{from}, $f->{to}, 'another writer');
    like($f->{cause}, qr/^(?:timeout|lost)$/, "the cause is told: $f->{cause}");
    $story->ledger_is_right($run);
    $story->counts_add_up;
    $story->rig->rebuild;
}
done_testing;
