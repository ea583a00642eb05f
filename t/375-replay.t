#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Requests that were inside PHP when the database went away: no GET fails, and of the POSTs only those of which the application
# itself does not know whether they wrote.
use v5.36;
use Test::More;
use RdsFailover::Story::Replay ();

my $story = RdsFailover::Story::Replay::begin();
for my $kind (qw(crash hang)) {
    my $record = RdsFailover::Story::Replay::play($story, $kind, rate => 12, outage => 6);
    my @broken = RdsFailover::Story::Replay::broken($record);
    cmp_ok($record->{requests}, '>', 100, "$kind: $record->{requests} requests");
    cmp_ok($record->{held}, '>', 0, "$kind: $record->{held} were held");
    is(join("\n", @broken), '', "$kind: nothing failed that need not") or diag($story->error_log);
    note("$_->{kind} $_->{token}: $_->{why}") for @{ $record->{failed_gets} }, @{ $record->{failed_posts} };
    note("$record->{withheld} answers withheld, $record->{replayed} ran again; longest $record->{longest_ms} ms");
}
done_testing;
