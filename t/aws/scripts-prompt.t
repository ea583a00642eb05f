#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The question before a change, at a terminal: yes, no, Ctrl-C. In memory: t/aws/scripts/world.py.
use v5.36;
use FindBin;

exec 'python3', "$FindBin::Bin/scripts/prompt.py" or die "python3: $!\n";
