#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The visitors of a real Drupal while its database fails over: guests and an editor read, the editor writes articles. With us no page
# fails and no article is lost or doubled; without us they meet the outage.
use v5.36;
use Test::More;
use RdsFailover::Story::Drupal ();

my $lack = RdsFailover::Story::Drupal::missing();
plan skip_all => $lack if $lack;

my ($outage, $rate) = $ENV{RF_FULL} ? (15, 6) : (5, 4);

sub told ($who, $record) {
    note(sprintf '%s, %s: %d requests, slowest %.1f s; failed: %d GET, %d POST of %d; articles lost %d, doubled %d, there though refused %d',
        $who, $record->{kind}, $record->{requests}, $record->{slowest_ms} / 1000, (map { scalar @{ $record->{$_} } }
            qw(failed_gets failed_posts)), $record->{writes}, map { scalar @{ $record->{$_} } } qw(lost doubled ghosts));
    note("  $_->{kind} at $_->{due} s: ", $_->{status} // '-', ' after ', $_->{after_ms} // '-', " ms: $_->{why}")
        for @{ $record->{failed_gets} }, @{ $record->{failed_posts} };
    return;
}

{
    my $site = RdsFailover::Story::Drupal->begin(module => 1);
    for my $kind (qw(crash blackhole)) {
        my $record = $site->play($kind, outage => $outage, rate => $rate);
        told('with us', $record);
        cmp_ok($record->{writes}, '>', 5, "$kind: $record->{writes} articles were sent");
        is(join("\n", map {"$_->{kind} $_->{token}: $_->{why}"} grep { !$_->{begun} } @{ $record->{failed_gets} }), '',
            "$kind: no page failed") or diag($site->story->error_log);
        is(join("\n", map {"$_->{token}: $_->{why}"} grep { $_->{why} !~ /a write may have happened/ } @{ $record->{failed_posts} }), '',
            "$kind: no article failed of which Drupal knows that it was not written");
        is("@{ $record->{$_} }", '', "$kind: no article is $_") for qw(lost doubled);
    }
    $site->end;
}
{
    my $site = RdsFailover::Story::Drupal->begin(module => 0);
    for my $kind (qw(crash blackhole)) {
        my $record = $site->play($kind, outage => $outage, rate => $rate);
        told('without us', $record);
        cmp_ok(@{ $record->{failed_gets} } + @{ $record->{failed_posts} }, '>', 0, "$kind, without us: visitors see it");
    }
    $site->end;
}
done_testing;
