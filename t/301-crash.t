#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The primary is killed, and later the one that took over; the site stays up both times. Without the module it does not.
use v5.36;
use Test::More;
use RdsFailover::Story;

my $story = RdsFailover::Story->new;
ok($story->wait_for_state('available'), 'available');
my %address = (a => '127.0.0.11', b => '127.0.0.12');

for my $round (1, 2) {
    my $run   = $story->play(sub ($rig) { my $at = $rig->fail('crash', outage => 4); $story->wait_for_state('available'); return $at });
    my $fault = $run->{plot};
    my $f     = $story->nobody_failed_after_detection($run, $fault->{fault});
    is($f->{from}, $address{ $fault->{from} }, "it was $fault->{from}");
    is($f->{to},   $address{ $fault->{to} },   "it is $fault->{to}");
    is($f->{epoch}, 1 + $round, 'a new epoch');
    like($f->{cause}, qr/^(?:lost|shutdown|unreachable)$/, 'the cause is told');
    $story->ledger_is_right($run);
    $story->counts_add_up;
    $story->rig->rebuild;
}

# The same without the module: were it not for the failures here, the figures above would prove nothing.
$story->rig->httpd('restart', module => 0);
my $run = $story->play(sub ($rig) { $rig->fail('crash', outage => 4) });
my $failed = grep { $_->{outcome} ne 'ok' } @{ $run->{requests} };
cmp_ok($failed, '>', 10, "without the module visitors see failures ($failed of " . @{ $run->{requests} } . ')');
done_testing;
