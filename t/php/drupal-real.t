#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The driver under the database layer of a real Drupal, 7 or 9.4 to 11, that DRUPAL_ROOT names.
use v5.36;
use FindBin qw($Bin);
use Test::More;
use RdsFailover::Mariadb;

plan skip_all => 'drupal: not run: DRUPAL_ROOT is not set' if !$ENV{DRUPAL_ROOT};
plan skip_all => 'php: not installed' if !grep { -x "$_/php" } split /:/, $ENV{PATH};
my $missing = RdsFailover::Mariadb::missing();
plan skip_all => $missing if $missing;

my $database = RdsFailover::Mariadb->new;
$database->sql(q{GRANT CONNECTION ADMIN ON *.* TO app@'%'});
my $script = -d "$ENV{DRUPAL_ROOT}/core" ? 'layer.php' : 'layer7.php';
my @said = qx{php -d display_errors=stderr "$Bin/drupal/$script" "$ENV{DRUPAL_ROOT}" 127.0.0.1 @{[ $database->{port} ]} app secret shop};
is($?, 0, 'the cases ran to their end');
for (@said) {
    if    (/^(not )?ok \d+ - (.*)/) { ok(!$1, $2) }
    elsif (/^1\.\.(\d+)/)           { is(scalar(grep { /^(?:not )?ok / } @said), $1, 'all of them were said') }
    else                            { diag $_ }
}
done_testing;
