#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A planned class change: the standby becomes larger, the primary is shut down in order; and back.
use v5.36;
use Test::More;
use RdsFailover::Story;

my $story = RdsFailover::Story->new;
ok($story->wait_for_state('available'), 'available');
for my $round (1, 2) {
    my $run = $story->play(sub ($rig) { my $at = $rig->fail('graceful', outage => 4, class => $round == 1 ? 'large' : 'small'); $story->wait_for_state('available'); return $at });
    my $f = $story->nobody_failed_after_detection($run, $run->{plot}{fault});
    is($f->{epoch}, 1 + $round, 'a new epoch');
    isnt($f->{from}, $f->{to}, 'another writer');
    like($f->{cause}, qr/^(?:lost|shutdown|unreachable)$/, "the cause is told: $f->{cause}");
    $story->ledger_is_right($run);
    $story->counts_add_up;
    $story->rig->rebuild;
}
done_testing;
