#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# An address that was the writer before is one again. With a certificate that proves the endpoint's name the outage ends before DNS
# has moved; without, it is DNS that has to name the address.
use v5.36;
use Test::More;
use RdsFailover::Story;

sub story (%rig) {
    my $story = RdsFailover::Story->new(app => 'address', %rig);
    ok($story->wait_for_state('available'), 'available');
    # Make both addresses known as writers.
    $story->rig->fail('crash', outage => 2);
    ok($story->wait_for_state('available'), 'the first failover is over');
    $story->rig->rebuild;
    my $run = $story->play(sub ($rig) { my $at = $rig->fail('crash', outage => 3, dns => 6); $story->wait_for_state('available'); return $at });
    my $f = $story->nobody_failed_after_detection($run, $run->{plot}{fault});
    $story->ledger_is_right($run);
    return ($f->{held_from} + ($f->{released_ms} - $f->{detected_ms}) / 1000, $run->{plot});
}

subtest 'proven by its certificate' => sub {
    my ($released, $at) = story(tls => 1);
    cmp_ok($released, '<', $at->{dns_flipped}, 'requests were released before DNS moved');
    diag sprintf '%.0f ms after the new writer accepted writes', 1000 * ($released - $at->{promoted});
};
subtest 'no certificate, no proof' => sub {
    my ($released, $at) = story();
    cmp_ok($released, '>=', $at->{dns_flipped}, 'requests waited until DNS named the address');
};
done_testing;
