#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# After the release DNS goes back to the dead side. An application that connects by name would get its refusals until the resolver
# comes round again; requests wait instead, although the writer is well.
use v5.36;
use Test::More;
use RdsFailover::Story ();

my $story   = RdsFailover::Story->begin;
my $rig     = $story->rig;
my %address = (a => '127.0.0.11', b => '127.0.0.12');

my $told = $rig->fail('crash', outage => 2, rebuild => undef);
$rig->prime;
my $epoch = $story->wait_state('available', epoch => 2)->{epoch};

$rig->flip($told->{from});
$rig->prime;
my $status = $story->wait_state('outage');
is($status->{writer}{address}, $address{ $told->{to} }, 'DNS goes back to the dead side: an outage, and the writer is who it was');
is_deeply($status->{dns}{addresses}, [$address{ $told->{from} }], 'the name leads to the other');
my $held = $story->send(POST => '/ledger.php', body => 'token=astray');
$story->wait_held(1);

$rig->flip($told->{to});
$rig->prime;
$status = $story->wait_state('available', epoch => $epoch + 1);
is($story->answer($held)->{status}, 200, 'DNS comes back: the request that waited is answered');
is($rig->ledger->{astray}, 1, 'and has written once');
my ($back, $first) = @{ $status->{failovers} };
is($back->{to}, $first->{to}, 'two failovers are on record, to the same writer');
is($back->{cause}, 'unreachable', 'the second for what the name led to');
is(scalar(() = $story->log_lines('httpd-error.log', qr/RF0116/)), 1, 'which is said once');
is($story->imbalance($status->{hold}), 0, 'the counters add up');
done_testing;
