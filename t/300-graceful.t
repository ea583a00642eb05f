#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The writer shuts down in order, as at a planned class change.
use v5.36;
use Test::More;
use RdsFailover::Story::Failover qw(there_and_back);

there_and_back(kind => 'graceful', cause => 'shutdown|lost');
done_testing;
