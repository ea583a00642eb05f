#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Without a certificate a former writer that accepts writes does not end an outage: it may be anybody's by now. DNS has to name it.
use v5.36;
use Test::More;
use RdsFailover::Story ();

my $story = RdsFailover::Story->begin(app => 'address');
my $rig   = $story->rig;
my $epoch = $story->status->{epoch};
$rig->fail('crash', outage => 2, rebuild => undef);
$rig->prime;
$story->wait_state('available', epoch => $epoch + 1);
$rig->rebuild;

my $failing = $story->fail_later('crash', outage => 2, dns => 4);
$story->wait_state('outage');
my $held = $story->send(POST => '/ledger.php', body => 'token=no-proof');
my $told = $story->await($failing);
is($story->status->{state}, 'outage', 'still an outage when DNS moves, long after the address accepts writes');
$rig->prime;
my $f = $story->failover($story->wait_state('available', epoch => $epoch + 2));
cmp_ok($f->{released}, '>=', $told->{dns_flipped} - 0.01, 'requests went on when DNS named the address');
my $answer = $story->answer($held);
is($answer->{status}, 200, 'the held write is done');
is($rig->ledger->{'no-proof'}, 1, 'once');
done_testing;
