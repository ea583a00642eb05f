#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The driver under the database layer of a real Drupal, 7 or 9.4 to 11, that DRUPAL_ROOT names; and whether the stand-ins, with which
# it is tested elsewhere, have the signatures of that.
use v5.36;
use Test::More;
use RdsFailover::DrupalLayer;

plan skip_all => 'drupal: not run: DRUPAL_ROOT is not set' if !$ENV{DRUPAL_ROOT};
my $missing = RdsFailover::DrupalLayer::missing();
plan skip_all => $missing if $missing;

RdsFailover::DrupalLayer::same_signatures($ENV{DRUPAL_ROOT}, 'Drupal');
RdsFailover::DrupalLayer::try_driver(RdsFailover::DrupalLayer::database(), $ENV{DRUPAL_ROOT}, 'Drupal');
done_testing;
