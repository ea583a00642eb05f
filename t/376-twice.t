#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Two failovers, the second one 20 s after the first is over: a request that runs again may be caught again.
use v5.36;
use Test::More;
use RdsFailover::Story::Replay ();

my $story  = RdsFailover::Story::Replay::begin(conf => "RDSFailoverAbortStale on\nRDSFailoverReplay safe attempts=3\n");
my $record = RdsFailover::Story::Replay::play($story, 'crash', rate => 12, outage => 5, turns => 2, apart => 20);
my @broken = RdsFailover::Story::Replay::broken($record);
is(scalar @{ $story->status->{failovers} }, 2, 'two failovers are on record');
is($record->{to}, 'a', 'there and back');
cmp_ok($record->{held}, '>', 0, "$record->{held} of $record->{requests} requests were held");
is(join("\n", @broken), '', 'nothing failed that need not') or diag($story->error_log);
note("$_->{kind} $_->{token}: $_->{why}") for @{ $record->{failed_gets} }, @{ $record->{failed_posts} };
note("$record->{withheld} answers withheld, $record->{replayed} ran again; longest $record->{longest_ms} ms");
done_testing;
