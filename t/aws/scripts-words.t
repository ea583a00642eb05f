#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The scripts' command lines against AWS's own model (botocore's): operations and options that exist, by their whole names.
use v5.36;
use FindBin;
use Test::More;
use RdsFailover::RdsApi ();

if (my $why = RdsFailover::RdsApi::why_not()) { plan skip_all => $why }
exec '/usr/bin/python3', "$FindBin::Bin/scripts/words.py" or die "python3: $!\n";
