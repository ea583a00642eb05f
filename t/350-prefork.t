#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# prefork with mod_php, where every held request takes a process: crash and hang.
use v5.36;
use Test::More;
use RdsFailover::Story::Failover qw(there_and_back);

for my $kind ([crash => 'lost'], [hang => 'timeout']) {
    subtest $kind->[0] => sub {
        there_and_back(kind => $kind->[0], cause => $kind->[1], rig => { mpm => 'prefork' }, rate => 5, turns => 1)->end;
    };
}
done_testing;
