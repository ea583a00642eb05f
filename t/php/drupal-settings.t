#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Drupal's settings includes, in PHP.
use v5.36;
use FindBin qw($Bin);
use Test::More;

plan skip_all => 'php: not installed' if !grep { -x "$_/php" } split /:/, $ENV{PATH};
for my $version (7, 11) {
    my @said = qx{php -d display_errors=stderr "$Bin/drupal/settings.php" $version};
    is($?, 0, "$version: the cases ran to their end");
    for (@said) {
        if    (/^(not )?ok \d+ - (.*)/) { ok(!$1, "$version: $2") }
        elsif (/^1\.\.(\d+)/)           { is(scalar(grep { /^(?:not )?ok / } @said), $1, "$version: all of them were said") }
        else                            { diag $_ }
    }
}
done_testing;
