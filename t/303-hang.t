#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The writer stops in its tracks with its port open: it accepts and says nothing.
use v5.36;
use Test::More;
use RdsFailover::Story::Failover qw(there_and_back);

there_and_back(kind => 'hang', cause => 'timeout');
done_testing;
