#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The writer goes on answering but takes no writes.
use v5.36;
use Test::More;
use RdsFailover::Story::Failover qw(there_and_back);

there_and_back(kind => 'readonly', cause => 'read-only');
done_testing;
