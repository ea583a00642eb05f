#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The body of a request that runs twice: whole, exact, and never half.
use v5.36;
use Digest::MD5 qw(md5_hex);
use JSON::PP    qw(decode_json);
use Test::More;
use RdsFailover::ReplayApp ();

my $K = 1024;

sub text ($seed, $length) {
    srand $seed;
    my $block = join '', map { chr rand 256 } 1 .. 997;
    return substr $block x ($length / 997 + 1), 0, $length;
}

sub is_whole ($client, $body, $what) {
    my $answer = $client->answer or return fail("$what: no answer");
    my $seen = $answer->{status} == 200 ? decode_json($answer->{body}) : {};
    return is_deeply([@$seen{qw(run md5 length)}], [2, md5_hex($body), length $body], "$what: again, with all of its body");
}

# id => [length, chunked, is it repeated?]
my %BODY = (
    none    => [0,           0, 1],
    small   => [$K,          0, 1],
    limit   => [64 * $K,     0, 1],
    over    => [64 * $K + 1, 0, 0],
    huge    => [1024 * $K,   0, 0],
    smallc  => [$K,          1, 1],
    limitc  => [64 * $K,     1, 1],
    overc   => [64 * $K + 1, 1, 0],
);

sub bodies_are_given_again ($kind, %option) {
    my $app     = RdsFailover::ReplayApp->new($kind);
    my $site    = $app->site(%option);
    my $clients = $site->clients(tls => $option{tls});
    my (%at, %sent);
    for my $id (sort keys %BODY) {
        my ($length, $chunked) = @{ $BODY{$id} };
        $sent{$id} = text($length, $length);
        $at{$id} = $clients->ask($app->path($id, fail => 1, outcome => 'not-executed'), method => 'POST', body => $sent{$id},
            chunked => $chunked, headers => { 'Content-Type' => 'application/octet-stream' });
    }
    my @again = grep { $BODY{$_}[2] } sort keys %BODY;
    $app->fails_under($site, $clients, [keys %BODY], scalar @again);
    $site->mend;
    ok($clients->settle, 'all are answered');
    is_whole($at{$_}, $sent{$_}, $_) for @again;
    for my $id (grep { !$BODY{$_}[2] } sort keys %BODY) {
        my $answer = $at{$id}->answer // {};
        is($answer->{status}, 500, "$id: too large to be kept, its failure goes out");
        is($app->runs($id), 1, "$id: it ran once");
    }
    $site->drained;
    is(scalar $site->httpd->logged('RF0311'), 3, 'each refusal is logged');
    is($site->httpd->database->{replay}{refused}, 3, 'and counted');
    $site->balanced;
    return;
}

for (['fpm'], ['fpm', tls => 1], ['fpm', mpm => 'worker'], ['fpm', mpm => 'prefork'], ['mod_php'], ['mod_php', tls => 1], ['http'],
    ['http', tls => 1], ['cgi']) {
    my ($kind, %option) = @$_;
    subtest "@$_" => sub {
        my $missing = RdsFailover::ReplayApp::missing($kind);
        plan skip_all => $missing if $missing;
        bodies_are_given_again($kind, %option);
    };
}

# The proxy has read the body, or part of it, before it finds that nobody listens: that is the next attempt's.
sub backend_is_gone_too ($app) {
    # The monitor does not look before somebody asks it, so these are executed, and fail.
    my $site = $app->site(location => 'RDSFailoverReplay all', check => 'RDSFailoverCheck interval=10s fast=50ms timeout=300ms');
    my $clients = $site->clients;
    $app->end;
    $site->db->set(delay => 2);
    my %sent = map { $_ => text($_, $_) } $K, 40 * $K, 64 * $K;
    my %at = map { $_ => $clients->ask($app->path("post$_"), method => 'POST', body => $sent{$_}) } keys %sent;
    ok($site->holds(scalar keys %sent), 'all wait');
    $app->begin;
    $site->mend;
    ok($clients->settle, 'all are answered');
    is($site->httpd->database->{replay}{withheld}, 3, 'the first attempts of all were withheld');
    $site->drained;
    $site->balanced;
    return map { ($_ => { sent => $sent{$_}, answer => $at{$_}->answer // {} }) } keys %sent;
}

# httpd leaves a member of a balancer alone that it could not reach, but not if there is no other (forcerecovery).
for my $kind (qw(fpm http balancer)) {
    subtest "$kind: PHP-FPM is gone when the database is" => sub {
        my $missing = RdsFailover::ReplayApp::missing($kind);
        plan skip_all => $missing if $missing;
        my $app = RdsFailover::ReplayApp->new($kind);
        my %is  = backend_is_gone_too($app);
        for my $length (sort keys %is) {
            my ($sent, $answer) = @{ $is{$length} }{qw(sent answer)};
            my $seen = ($answer->{status} // 0) == 200 ? decode_json($answer->{body}) : {};
            is_deeply([@$seen{qw(md5 length)}], [md5_hex($sent), length $sent], "$length bytes");
            is($app->runs("post$length"), 1, 'which PHP saw once');
        }
    };
}
done_testing;
