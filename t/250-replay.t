#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Requests that are inside an application when the database dies: their answers are withheld, they run again, and nothing of the
# first attempt is left. Under every kind of application, and every MPM.
use v5.36;
use JSON::PP qw(decode_json);
use Test::More;
use RdsFailover::ReplayApp ();

# What each is told, and what becomes of it: `again` or the status that goes out.
my %CASE = (
    plain      => [{}, 'again'],
    not_found  => [{ status => 404, outcome => 'not-executed' }, 'again'],
    elsewhere  => [{ status => 303, outcome => 'not-executed' }, 'again'],
    fine       => [{ status => 200, outcome => 'not-executed' }, 'again'],
    bad_gate   => [{ status => 502 }, 'again'],
    busy       => [{ status => 503 }, 'again'],
    late       => [{ status => 504 }, 'again'],
    page       => [{ size => 3_000_000 }, 'again'],
    empty      => [{ empty => 1 }, 'again'],
    info       => [{ path_info => '/a/b' }, 'again'],
    large      => [{ large => 250_000 }, 'again'],
    head       => [{ }, 'again', method => 'HEAD'],
    same       => [{ modified => 'not' }, 'again'],
    said_ok    => [{ outcome => 'not-executed' }, 'again', method => 'POST', body => 'a=1'],
    client     => [{ }, 500, method => 'POST', body => 'a=1', headers => { 'RDS-Failover-Outcome' => 'not-executed' }],
    two_words  => [{ 'outcome[]' => ['not-executed', 'unknown'] }, 500],
    and_back   => [{ 'outcome[]' => ['unknown', 'not-executed'] }, 500],
    word_twice => [{ 'outcome[]' => ['not-executed', 'not-executed'] }, 500],
    post       => [{ }, 500, method => 'POST', body => 'a=1'],
    unknown    => [{ outcome => 'unknown' }, 500],
    garbage    => [{ outcome => 'perhaps' }, 500],
    missing    => [{ status => 404 }, 404],
    teapot     => [{ status => 501 }, 501],
);

sub first_attempts_fail ($kind, @mpm) {
    my $app     = RdsFailover::ReplayApp->new($kind);
    my $site    = $app->site(map { (mpm => $_) } @mpm);
    my $clients = $site->clients;
    my %client;
    for my $id (sort keys %CASE) {
        my ($told, undef, %how) = @{ $CASE{$id} };
        $client{$id} = $clients->ask($app->path($id, fail => 1, %$told), headers => { 'RDS-Failover-Outcome' => 'unknown' }, %how);
    }
    my @again = grep { $CASE{$_}[1] eq 'again' } keys %CASE;
    $app->fails_under($site, $clients, [keys %CASE], scalar @again);
    $site->mend;
    ok($clients->settle, 'all are answered');
    for my $id (sort keys %CASE) {
        my ($told, $what, %how) = @{ $CASE{$id} };
        my $answer = $client{$id}->answer or do { fail("$id: no answer"); next };
        my %header = %{ $answer->{headers} };
        is($header{'rds-failover-outcome'}, undef, "$id: the application's word does not reach the client");
        if ($what ne 'again') {
            is($answer->{status}, $what, "$id: its failure goes out");
            is($header{'x-failed'}, 'yes', "$id: with its headers");
            like($answer->{body}, qr/^FAILED /, "$id: and its body");
            is($app->runs($id), 1, "$id: it ran once");
            next;
        }
        is($answer->{status}, $told->{modified} ? 304 : 200, "$id: the second answer");
        is_deeply([grep { defined } @header{qw(x-failed etag)}], [], "$id: none of the first one's headers");
        unlike($header{'set-cookie'} // '', qr/failed/, "$id: nor its cookie");
        is($app->runs($id), 2, "$id: it ran twice");
        next if $told->{modified} || ($how{method} // '') eq 'HEAD';
        my ($json, $rest) = $answer->{body} =~ /\A(\{.*?\})(y*)\z/s or do { fail("$id: a whole answer"); next };
        my $seen = decode_json($json);
        is(length $rest, $told->{large} // 0, "$id: a whole answer");
        # mod_proxy_http sends no environment.
        is($seen->{attempt}, 2, "$id: the application knows which attempt it is") if $kind ne 'http';
        is($seen->{path_info}, $told->{path_info}, "$id: PATH_INFO") if $told->{path_info};
    }
    $site->drained;
    my $logged = $app->logged($site, keys %CASE);
    is_deeply([map { scalar @{ $logged->{$_} // [] } } sort keys %CASE], [map { 1 } keys %CASE], 'each has one line in the access log');
    is_deeply([grep { $logged->{$_}[0]{attempts} != 2 || $logged->{$_}[0]{held} !~ /^\d+$/ } @again], [],
        'which says that there were two attempts, and how long it waited');
    is($site->httpd->database->{replay}{$_->[0]}, $_->[1], "counted: $_->[0]")
        for [withheld => scalar @again], [succeeded => scalar @again], [failed => 0];
    $site->balanced;
    return;
}

for (['fpm'], ['fpm', 'worker'], ['fpm', 'prefork'], ['mod_php'], ['http'], ['cgi'], ['cgi', 'prefork']) {
    my ($kind, @mpm) = @$_;
    subtest "@$_" => sub {
        my $missing = RdsFailover::ReplayApp::missing($kind);
        plan skip_all => $missing if $missing;
        first_attempts_fail($kind, @mpm);
    };
}
done_testing;
