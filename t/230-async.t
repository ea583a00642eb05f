#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Holding costs no worker: far more requests wait than there are threads, and the server goes on serving. What was on the
# connection before and comes after it is not lost: keep-alive, pipelining, TLS, HTTP/2.
use v5.36;
use Test::More;
use RdsFailover::Httpd;
use RdsFailover::Site;

my $mpm = $ENV{RF_MPM} || 'event';
plan skip_all => "event: the $mpm MPM holds by blocking; see t/235-blocking.t" if $mpm ne 'event';
# Two processes of five threads. Waiting costs none of them, so whoever is answered meanwhile proves that nobody blocks.
my %SMALL = (threads => 5, children => 2, factor => 200);

subtest '300 requests wait on 10 threads' => sub {
    my $site  = RdsFailover::Site->new(%SMALL);
    my $httpd = $site->httpd;
    cmp_ok($site->hold->{capacity} // 0, '>=', 300, 'the server knows that it can hold them');
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/app?$_", keep => $_ % 2, $_ % 3 ? () : (method => 'POST', body => "a=$_")) for 1 .. 300;
    ok($site->holds(300), 'all wait');
    is($httpd->get('/static.txt')->{body}, "static\n", "a file is served meanwhile ($_)") for 1 .. 20;
    is($httpd->get('/rds-status?json')->{status}, 200, 'the status, too');
    is($httpd->get('/rds-status?health')->{status}, 200, 'this server is healthy');
    is($httpd->get('/server-status?auto')->{status}, 200, 'mod_status answers');
    is($site->app->stats->{done}, 0, 'nothing was executed');
    $site->mend;
    ok($clients->settle, 'all are answered');
    $site->answers($clients, { 200 => 300 }, 'with one 200 each');
    is_deeply([out_of_order($clients)], [], 'its own');
    $site->ran_once([1 .. 300]);
    $site->drained;
    my $hold = $site->hold;
    is($hold->{released}, 300, 'all were released');
    is($hold->{held}, 300, 'and held once');
    cmp_ok($hold->{peak}, '==', 300, 'all at one time');
    is((grep { defined $_->{held} } $httpd->accessed), 300, 'the access log knows that they were held');
    $site->balanced;
};

subtest 'a connection that was there before, and goes on afterwards' => sub {
    # The event MPM closes kept connections while all its workers are busy, without a word: so more workers than connections.
    my $site    = RdsFailover::Site->new(%SMALL, threads => 12);
    my $clients = $site->clients;
    $clients->ask("/app?before-$_") for 1 .. 10;
    ok($clients->settle, 'ten ask');
    $site->answers($clients, { 200 => 10 }, 'and are answered');
    $site->break;
    $_->ask('/static.txt') for $clients->clients;
    ok($clients->settle, 'they ask again on the same connection, for a file');
    $site->answers($clients, { 200 => 20 }, 'and get it');
    my $n = 0;
    $_->ask('/app?held-' . ++$n) for $clients->clients;
    ok($site->holds(10), 'now they wait');
    $site->mend;
    ok($clients->settle, 'and go on');
    $site->answers($clients, { 200 => 30 }, 'with one answer each');
    # The server may close a connection after a held request, but must say so.
    my $closed = 0;
    for my $client ($clients->clients) { $client->may_ask ? $client->ask('/app?after') : $closed++ }
    diag("$closed of 10 connections were closed after the hold") if $closed;
    ok($clients->settle, 'the next request on the connection');
    $site->answers($clients, { 200 => 40 - $closed }, 'is answered, unless the server said that it would close');
    $site->drained;
    $site->balanced;
};

subtest 'requests pipelined behind one that waits are answered in order' => sub {
    my $site = RdsFailover::Site->new(%SMALL);
    $site->break;
    my $clients = $site->clients;
    for my $n (1 .. 20) {
        my $client = $clients->ask("/app?$n-1");
        $client->ask('/static.txt');
        $client->ask("/app?$n-2");
        $client->ask("/app?$n-3", method => 'POST', body => 'x' x 1000);
    }
    ok($site->holds(20), 'the first of each waits');
    is((grep { $_->heard } $clients->clients), 0, 'and nothing overtakes it');
    $site->mend;
    ok($clients->settle, 'all are answered');
    $site->answers($clients, { 200 => 80 }, 'every request of every connection');
    is_deeply([out_of_order($clients)], [], 'in order');
    $site->ran_once([map { my $n = $_; map { "$n-$_" } 1 .. 3 } 1 .. 20]);
    $site->drained;
    $site->balanced;
};

# Behind a body the server cannot see what follows without reading the body. It may close the connection after the answer, which
# tells the client (RFC 9112, 9.3.2) that what it sent behind has not been executed.
subtest 'requests pipelined behind a body that waits' => sub {
    my $site = RdsFailover::Site->new(%SMALL);
    $site->break;
    my $clients = $site->clients;
    for my $n (1 .. 20) {
        my $client = $clients->ask("/app?$n-1", method => 'POST', body => 'x' x 1000);
        $client->ask("/app?$n-2");
    }
    ok($site->holds(20), 'the first of each waits');
    $site->mend;
    ok($clients->settle, 'everyone is answered, or cut off');
    is((grep { $_->answer && $_->answer->{status} == 200 } $clients->clients), 20, 'who waited is answered');
    my @cut = grep { $_->answers == 1 } $clients->clients;
    is((grep { ($_->answer->{headers}{connection} // '') =~ /close/i } @cut), scalar @cut, 'who was cut off behind that was told');
    $site->drained;
    my $runs = $site->app->stats->{runs};
    is_deeply([grep { $runs->{"$_-1"} != 1 } 1 .. 20], [], 'each ran once');
    is((grep { /-2/ } keys %$runs), 20 - @cut, 'and of those who were cut off nothing ran');
    is_deeply([out_of_order($clients)], [], 'all in order');
    $site->balanced;
};

# Answers that are not for the request in whose place they came.
sub out_of_order ($clients) {
    my @wrong;
    for my $answer (map { $_->answers } $clients->clients) {
        my ($query) = $answer->{path} =~ /\?(.*)/;
        push @wrong, "$answer->{path}: $answer->{body}" if $answer->{body} !~ ($query ? qr/ \Q$query\E$/ : qr/^static$/);
    }
    return @wrong;
}

subtest 'three outages, on the same connections where they may be used again' => sub {
    my $site    = RdsFailover::Site->new(%SMALL);
    my $clients = $site->clients;
    my @open    = map { $clients->open } 1 .. 5;
    my $answers = 0;
    for my $round (1 .. 3) {
        $site->break;
        @open = map { $_->may_ask ? $_ : $clients->open } @open;
        $open[$_ - 1]->ask("/app?$round-$_") for 1 .. 5;
        ok($site->holds(5), "round $round: five wait");
        $site->mend;
        ok($clients->settle, 'and are answered');
        $site->drained;
    }
    $site->answers($clients, { 200 => 15 }, 'one answer each');
    $site->ran_once([map { my $n = $_; map { "$n-$_" } 1 .. 5 } 1 .. 3]);
    $site->balanced;
};

subtest 'what the application is told, and pages with server-side includes' => sub {
    my $site = RdsFailover::Site->new(%SMALL, conf => <<'CONF');
<Directory "/">
Options +Includes
</Directory>
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
CONF
    RdsFailover::Httpd::write_file($site->httpd->dir . '/htdocs/page.shtml', qq{<p><!--#include virtual="/app?ssi" --></p>\n});
    $site->break;
    my $clients = $site->clients;
    my @env  = map { $clients->ask('/env') } 1 .. 5;
    my @page = map { $clients->ask('/page.shtml') } 1 .. 5;
    ok($site->holds(10), 'all wait');
    $site->mend;
    ok($clients->settle, 'and go on');
    $site->answers($clients, { 200 => 10 }, 'with one 200 each');
    my ($epoch, $port) = ($site->httpd->database->{epoch}, $site->db->port);
    is((grep { $_->answer->{body} =~ /^RDSFAILOVER_STATE=(?:recovering|available)$/m } @env), 5, 'a script is told the new state');
    is((grep { $_->answer->{body} =~ /^RDSFAILOVER_EPOCH=$epoch$/m } @env), 5, 'and the epoch');
    is((grep { $_->answer->{body} =~ /^RDS_PORT=$port$/m } @env), 5, 'and where the database is');
    is((grep { $_->answer->{body} =~ m{<p>\w+ 0 ssi\n</p>} } @page), 5, 'what a page includes is no request of its own');
    $site->drained;
    is($site->hold->{held}, 10, 'each was held once');
    $site->balanced;
};

subtest 'HTTP/1.0' => sub {
    my $site = RdsFailover::Site->new(%SMALL);
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/app?$_", version => '1.0') for 1 .. 30;
    ok($site->holds(30), 'they wait like others');
    $site->mend;
    ok($clients->settle, 'and are answered');
    $site->answers($clients, { 200 => 30 }, 'once');
    ok($clients->until(sub { !grep { !$_->closed } $clients->clients }, 30), 'and the connection is closed');
    $site->balanced;
};

subtest 'TLS' => sub {
    plan skip_all => 'tls: mod_ssl is not installed' if !-e RdsFailover::Httpd::modules_dir() . '/mod_ssl.so';
    my $site    = RdsFailover::Site->new(%SMALL, tls => 1);
    my $clients = $site->clients(tls => 1);
    my @before  = map { $clients->ask("/app?before-$_") } 1 .. 5;
    ok($clients->settle, 'five connections are used before');
    $site->answers($clients, { 200 => 5 }, 'and answered');
    $site->break;
    $before[$_ - 1]->ask("/app?$_") for 1 .. 5;
    $clients->ask("/app?$_", method => 'POST', body => 'b' x (100 * $_)) for 6 .. 30;
    my $pipelined = $clients->ask('/app?31');
    $pipelined->ask("/app?$_") for 32 .. 34;
    my $large = $clients->ask('/app?35', method => 'POST', body => 'c' x 200_000);
    my $late  = $clients->ask('/app?36', method => 'POST', body => 'd' x 20_000, late => 1);
    my @leave = map { $clients->ask("/app?leaves-$_") } 1 .. 5;
    ok($site->holds(38), 'new and old ones wait');
    $_->leave for @leave;
    ok($site->holds(33), 'five leave, and are noticed');
    is($site->hold->{aborted}, 5, 'as such');
    is($site->httpd->get('/static.txt')->{status}, 200, 'a file is served');
    $late->send_body;
    $site->mend;
    ok($clients->settle, 'all are answered');
    $site->answers($clients, { 200 => 41, left => 5 }, 'with one 200 each');
    like($large->answer->{body}, qr/ 200000 35$/, 'a large body arrived whole');
    like($late->answer->{body}, qr/ 20000 36$/, 'a late one, too');
    $site->ran_once([(map { "before-$_" } 1 .. 5), 1 .. 36]);
    $site->drained;
    $site->balanced;
};

subtest 'HTTP/2' => sub {
    plan skip_all => 'http2: nghttp is not installed' if !grep { -x "$_/nghttp" } split /:/, $ENV{PATH};
    plan skip_all => 'http2: mod_http2 is not installed' if !-e RdsFailover::Httpd::modules_dir() . '/mod_http2.so';
    my $site  = RdsFailover::Site->new(threads => 10, children => 2, factor => 200, http2 => 1);
    my $httpd = $site->httpd;
    my $url   = 'http://127.0.0.1:' . $httpd->port;
    like(scalar qx{nghttp -nv '$url/static.txt' 2>&1}, qr/:status: 200/, 'a file comes over HTTP/2');
    $site->break;
    # Streams of two connections, and a file beside them on the same connection.
    my @client;
    for my $n (1, 2) {
        open $client[$n - 1], '-|', "nghttp -v '$url/app?$n-1' '$url/app?$n-2' '$url/static.txt' 2>&1" or die "nghttp: $!\n";
    }
    my $others = $site->clients;
    $others->ask("/app?other-$_") for 1 .. 20;
    ok($site->holds(24), 'four streams wait, and twenty others that cost no worker');
    my $leaves = open(my $from, '-|', qw(nghttp -nv), "$url/app?leaves-1", "$url/app?leaves-2") || die "nghttp: $!\n";
    ok($site->holds(26), 'two more come on a third connection');
    kill 'KILL', $leaves;
    close $from;
    ok($site->holds(24), 'which is closed, and that is noticed');
    is($site->hold->{aborted}, 2, 'as aborted');
    # A client that asks for HTTP/2 by Upgrade is held before it gets it.
    my $upgrade = $others->ask('/app?upgrade', headers => { Connection => 'Upgrade, HTTP2-Settings', Upgrade => 'h2c',
        'HTTP2-Settings' => 'AAMAAABkAAQAAP__' }, keep => 1);
    ok($site->holds(25), 'one that would like to change to HTTP/2 waits');
    is($httpd->get('/static.txt')->{status}, 200, 'a file is served');
    $site->mend;
    for my $n (1, 2) {
        my $text = do { local $/; my $from = $client[$n - 1]; scalar <$from> };
        is(scalar(() = $text =~ /:status: 200/g), 3, "connection $n: each stream has one answer");
        like($text, qr/ $n-$_$/m, "stream $_ its own") for 1, 2;
    }
    ok($others->until(sub { !grep { $_ != $upgrade && !$_->over } $others->clients }), 'the others, too');
    ok($others->until(sub { $upgrade->over || $upgrade->{interim} && $upgrade->{in} ne '' }), 'so is who wanted HTTP/2')
        or diag explain [@$upgrade{qw(interim in answers)}];
    is($others->tally->{200}, $upgrade->answers ? 21 : 20, 'one answer each');
    ok($site->comes_to_rest, 'nobody waits, or runs');
    $site->ran_once([(map { ("$_-1", "$_-2") } 1, 2), 'upgrade', map { "other-$_" } 1 .. 20]);
    $site->drained;
    $site->balanced;
};
done_testing;
