#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Throttled, broken and lost answers of AWS, and an RDS that does not do what it was asked. In memory: t/aws/scripts/world.py.
use v5.36;
use FindBin;

exec 'python3', "$FindBin::Bin/scripts/trouble.py" or die "python3: $!\n";
