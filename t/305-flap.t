#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# After a crash, DNS alternates between the old and the new address.
use v5.36;
use Test::More;
use RdsFailover::Story::Failover qw(there_and_back);

there_and_back(kind => 'flap', cause => 'lost', outage => 3, fail => { flap => 5 });
done_testing;
