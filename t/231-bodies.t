#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A request that waits is not read further: whatever its body does meanwhile, the application gets it whole, once. And nobody who
# waits runs into a time limit that is meant for slow clients.
use v5.36;
use Digest::MD5 qw(md5_hex);
use Test::More;
use Time::HiRes qw(time);
use RdsFailover::Site;

# The fewest workers with which blocking MPMs can hold what is asked here.
my $blocking = ($ENV{RF_MPM} || 'event') ne 'event';
my %SMALL    = $blocking ? (threads => 40) : (threads => 5, factor => 50);

sub text ($n, $size) { return join '', map { sprintf "%07d ", $n * 1_000_000 + $_ } 1 .. $size / 8 }
sub is_whole ($client, $body, $what) {
    my $answer = $client->answer // { status => 0, body => 'no answer' };
    my $same   = $answer->{status} == 200 && index($answer->{body}, md5_hex($body)) == 0;
    return ok($same, "$what: the application got it whole") || diag "$answer->{status} $answer->{body}";
}

subtest 'bodies of every kind' => sub {
    # Those whose bodies come late run side by side, so that there must be a thread for each.
    my $site = RdsFailover::Site->new(%SMALL, threads => 40);
    $site->break;
    my $clients = $site->clients;
    my (%client, %body);
    my $ask = sub ($name, $size, %options) {
        $body{$name}   = text(1 + keys %body, $size);
        $client{$name} = $clients->ask($name =~ /cgi/ ? '/sum' : "/app?$name", method => 'POST', body => $body{$name}, %options);
    };
    $ask->('small',            2000);
    $ask->('at-once',          20_000);
    $ask->('large',            200_000);
    $ask->('chunked',          20_000,  chunked => 1);
    $ask->('large-chunked',    200_000, chunked => 1);
    $ask->('during',           20_000,  late => 1);
    $ask->('large-during',     200_000, late => 1);
    $ask->('chunked-during',   50_000,  late => 1, chunked => 1);
    $ask->('in-pieces',        20_000,  late => 1);
    $ask->('after',            20_000,  late => 1);
    $ask->('half-after',       20_000,  late => 1);
    $ask->('chunked-after',    20_000,  late => 1, chunked => 1);
    $ask->('large-after',      200_000, late => 1);
    $ask->('expect',           20_000,  late => 1, headers => { Expect => '100-continue' });
    $ask->('expect-chunked',   20_000,  late => 1, chunked => 1, headers => { Expect => '100-continue' });
    $ask->('expect-impatient', 20_000,  headers => { Expect => '100-continue' });
    $ask->('expect-cgi',       20_000,  late => 1, headers => { Expect => '100-continue' });
    $ask->('after-cgi',        200_000, late => 1);
    $ask->('put',              20_000,  method => 'PUT');
    $ask->('empty',            0);
    my $n = keys %client;
    my @expect = qw(expect expect-chunked expect-cgi);
    ok($site->holds($n), "$n wait");

    $client{$_}->send_body for qw(during large-during chunked-during);
    $client{'in-pieces'}->send_body(100)   for 1 .. 100;
    $client{'half-after'}->send_body(9999);
    $clients->turn(0.05) for 1 .. 10;
    is($site->hold->{now}, $n, 'a body that comes ends no wait');
    is((grep { $_->heard } values %client), 0, 'nobody is answered, nobody told to go on');
    is(scalar @{ $site->app->stats->{order} }, 0, 'nothing has reached the application');

    $site->mend;
    ok($clients->until(sub { !$site->hold->{now} }), 'they are released');
    ok($clients->until(sub { !grep { !$client{$_}->heard } @expect }), 'who asked is told to go on');
    is_deeply([map { $client{$_}{interim} } @expect], [([100]) x 3], 'with 100 Continue');
    $client{$_}->send_body for @expect, qw(in-pieces after half-after chunked-after large-after after-cgi);
    ok($clients->settle, 'all are answered');
    is_whole($client{$_}, $body{$_}, $_) for sort keys %client;
    $site->ran_once([grep { !/cgi/ } keys %client]);
    $site->drained;
    $site->balanced;
};

# mod_reqtimeout and Timeout are for clients that do not send. Who waits for the database has sent all, or need not yet.
subtest 'time limits shorter than the wait' => sub {
    my $site = RdsFailover::Site->new(%SMALL, load => ['reqtimeout'], timeout => 3,
        conf => 'RequestReadTimeout header=2 body=1', location => 'RDSFailoverHold 60s');
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/app?get-$_") for 1 .. 6;
    my (@client, @body);
    for (1 .. 6) {
        push @body, text($_, 20_000);
        push @client, $clients->ask("/app?post-$_", method => 'POST', body => $body[-1]);
    }
    my $late = $clients->ask('/app?late', method => 'POST', body => text(9, 20_000), late => 1);
    ok($site->holds(13), 'thirteen wait');
    # Longer than twice the longest of the limits: this is about what happens when they pass.
    my $end = time + 8;
    $clients->until(sub { time >= $end }, 30);
    is($site->hold->{now}, 13, 'and still do when the limits have passed twice');
    is((grep { $_->closed } $clients->clients), 0, 'nobody was cut off');
    $late->send_body;
    $site->mend;
    ok($clients->settle, 'all are answered');
    $site->answers($clients, { 200 => 13 }, 'with 200');
    is_whole($client[$_], $body[$_], 'post-' . ($_ + 1)) for 0 .. 5;
    is_whole($late, text(9, 20_000), 'late');
    my ($shortest) = sort { $a <=> $b } map { $_->{held} // 0 } grep { $_->{url} =~ m{^/app} } $site->httpd->accessed;
    cmp_ok($shortest, '>=', 7900, 'the shortest hold in the access log is longer than the limits');
    $site->ran_once(['late', map { ("get-$_", "post-$_") } 1 .. 6]);
    $site->balanced;
};

# Its body is not read for the application, so httpd has to get rid of it; a client that is still sending must be able to read.
subtest 'the ending reaches a client whose body nobody has read' => sub {
    my $site    = RdsFailover::Site->new(%SMALL, location => 'RDSFailoverHold 1s then=error');
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/app?$_", method => 'POST', body => 'x' x $_) for 100, 20_000, 200_000, 2_000_000;
    $clients->ask('/app?chunked', method => 'POST', body => 'x' x 200_000, chunked => 1);
    $clients->ask('/app?expect', method => 'POST', body => 'x' x 20_000, late => 1, headers => { Expect => '100-continue' });
    my $never = $clients->ask('/app?never', method => 'POST', body => 'x' x 20_000, late => 1);
    ok($clients->settle, 'everyone gets something');
    $site->answers($clients, { 503 => 7 }, 'the ending') or diag explain [map { [$_->{broke}, $_->{in}] } $clients->clients];
    is_deeply([map { @{ $_->{interim} } } map { $_->answers } $clients->clients], [], 'who expected 100 was not told to send');
    is($site->hold->{expired}, 7, 'all expired');
    is(scalar @{ $site->app->stats->{order} }, 0, 'and nothing was executed');
    # Whoever may go on with the connection is understood: no rest of a body is taken for a request.
    my $more = 0;
    $site->mend;
    $site->drained;
    for my $client ($clients->clients) {
        next if !$client->may_ask || $client == $never;
        $client->send_body if length $client->{body};
        $client->ask('/app?more');
        $more++;
    }
    ok($clients->settle, "$more go on with the same connection");
    $site->answers($clients, { 503 => 7, $more ? (200 => $more) : () }, 'and are answered');
    $site->balanced;
};
done_testing;
