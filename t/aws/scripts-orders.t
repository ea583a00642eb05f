#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Orders to a web host over real HTTP: taken, or sent elsewhere.
use v5.36;
use FindBin;
use Test::More;

exec '/usr/bin/python3', "$FindBin::Bin/scripts/orders.py" or die "python3: $!\n";
