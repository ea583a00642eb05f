#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# RdsFailoverTracker: a table of cases, in PHP.
use v5.36;
use FindBin qw($Bin);

if (!grep { -x "$_/php" } split /:/, $ENV{PATH}) {
    say '1..0 # SKIP php: not installed';
    exit;
}
exec 'php', '-d', 'display_errors=stderr', '-d', 'error_reporting=-1', "$Bin/drupal/tracker.php" or die "php: $!\n";
