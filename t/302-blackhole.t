#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The writer's packets are dropped: nothing answers, nothing refuses.
use v5.36;
use Test::More;
use RdsFailover::Story::Failover qw(there_and_back);

there_and_back(kind => 'blackhole', cause => 'timeout');
done_testing;
