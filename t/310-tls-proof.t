#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The new writer is an address that was the writer before. With app=address and a certificate that proves the endpoint's name,
# the outage ends before DNS has moved.
use v5.36;
use Test::More;
use RdsFailover::Story ();
use RdsFailover::Story::Failover qw(check_traffic check_counters);

my $story = RdsFailover::Story->begin(tls => 1, app => 'address');
my $rig   = $story->rig;
my $epoch = $story->status->{epoch};
$rig->fail('crash', outage => 2, rebuild => undef);
$rig->prime;
$story->wait_state('available', epoch => $epoch + 1);
$rig->rebuild;

my $traffic = $story->traffic(kinds => \@RdsFailover::Story::Traffic::SHORT);
$rig->prime;
my $told   = $rig->fail('crash', outage => 3, dns => 5, rebuild => undef);
my $status = $story->wait_state('available', epoch => $epoch + 2);
my $f      = $story->failover($status);
is($f->{to}, '127.0.0.11', 'the writer is the one it was at first');
cmp_ok($f->{released}, '<',  $told->{dns_flipped}, 'requests went on before DNS pointed to it');
cmp_ok($f->{released}, '>=', $told->{promoted} - 0.01, 'and not before it accepted writes');
note(sprintf 'from accepting writes to release %.0f ms', 1000 * ($f->{released} - $told->{promoted}));
$traffic->settle;
check_traffic($story, $traffic, { %$f, fault => $told->{fault} });
check_counters($story);
is($story->status->{epoch}, $epoch + 2, 'DNS, when it follows, is no new event');
done_testing;
