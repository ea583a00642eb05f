#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Each check's refusal; what could not be checked is said; dry runs. In memory: t/aws/scripts/world.py.
use v5.36;
use FindBin;

exec 'python3', "$FindBin::Bin/scripts/refusals.py" or die "python3: $!\n";
