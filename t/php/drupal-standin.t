#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The drivers above stand-ins that have the signatures of Drupal's database layer, 7, 9.4 to 10.1 and 10.2 to 11: what
# drupal-real.t does where there is a Drupal. That the signatures are true is looked at there.
use v5.36;
use FindBin qw($Bin);
use Test::More;
use RdsFailover::DrupalLayer;

my $missing = RdsFailover::DrupalLayer::missing();
plan skip_all => $missing if $missing;

my $database = RdsFailover::DrupalLayer::database();
for my $standin (qw(drupal7 drupal9 drupal11)) {
    RdsFailover::DrupalLayer::try_driver($database, "$Bin/standin/$standin", $standin);
}
done_testing;
