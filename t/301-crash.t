#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The writer's process is killed. Without the module the same crash is seen by visitors, so this test can fail.
use v5.36;
use Test::More;
use Time::HiRes qw(sleep);
use RdsFailover::Story ();
use RdsFailover::Story::Failover qw(there_and_back);

subtest 'with the module' => sub { there_and_back(kind => 'crash', cause => 'lost')->end };

subtest 'without it' => sub {
    my $story   = RdsFailover::Story->begin(module => 0);
    my $traffic = $story->traffic;
    sleep 1;
    my $told = $story->rig->fail('crash', outage => 3, rebuild => undef);
    $story->rig->prime;
    sleep 0.5;
    my @bad = $traffic->stop->bad;
    my @due = grep { $_->{due} > $told->{fault} && $_->{due} < $told->{promoted} && $_->{kind} ne 'static' } $traffic->requests;
    cmp_ok(scalar @due, '>', 10, scalar(@due) . ' requests came while the database was away');
    my @failed = grep { $_->{outcome} ne 'ok' } @due;
    is(scalar @failed, scalar @due, 'and all of them failed');
    is(scalar(grep { $_->{kind} eq 'static' } @bad), 0, 'static files did not');
};
done_testing;
