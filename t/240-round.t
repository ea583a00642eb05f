#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Before what stands in front gives up, a waiting visitor is sent round by 307, and finds his old place in the queue with a signed
# cookie that no application sees. How long a leg is, no test here judges: what follows it is told by its answer.
use v5.36;
use File::Temp ();
use Test::More;
use RdsFailover::Httpd;
use RdsFailover::Site;

# Legs of 6 s.
my $LEGS = 'front=15s margin=9s';
# In all less than two of them: who kept his place gets the ending in the second, who did not is sent round again.
my $LESS_THAN_TWO = "RDSFailoverHold 10s $LEGS";
my %LARGE  = (method => 'POST', headers => { 'Content-Length' => 100_000_000 }, body => 'x' x 1000);
my %EXPECT = (method => 'POST', headers => { Expect => '100-continue' }, late => 1, body => 'a=1');
my $PLACE  = qr{(rds-place-[0-9a-f]{16})=([A-Za-z0-9+/]+)};

# The place that an answer gave, as a browser sends it back; undef if there was none.
sub place ($answer) {
    my ($name, $value) = ($answer->{headers}{'set-cookie'} // '') =~ /^$PLACE;/ or return;
    return "$name=$value";
}
sub status ($client) { return ($client->answer // {})->{status} }
sub is_sent_round ($client, $location, $what) {
    my $answer = $client->answer // { status => 0, headers => {} };
    my $good = $answer->{status} == 307 && ($answer->{headers}{location} // '') eq $location && defined place($answer);
    return ok($good, "$what is sent round to $location") || diag explain $answer;
}

subtest 'while all is well' => sub {
    my $site = RdsFailover::Site->new(conf => "<Location /env/off>\nRDSFailover off\n</Location>");
    my $sees = sub ($path, @cookies) {
        my $clients = $site->clients;
        my $client  = $clients->ask($path, headers => @cookies ? { Cookie => join "\r\nCookie: ", @cookies } : {});
        $clients->settle;
        return ($client->answer // { body => '' })->{body} =~ /^HTTP_COOKIE=(.*)$/m ? $1 : undef;
    };
    is($sees->('/env', 'a=1; b="2, 3"'), 'a=1; b="2, 3"', 'cookies are left as they are');
    is($sees->('/env', 'rds-place-0123456789abcdef=1AAAA'), undef, 'the application sees no place');
    is($sees->('/env', 'a=1; rds-place-0123456789abcdef=1AAAA; b=2'), 'a=1; b=2', 'among others');
    is($sees->('/env', 'a=1;rds-place-0=x;rds-place-1;b=2'), 'a=1;b=2', 'however they are separated');
    is($sees->('/env', 'a=1', 'rds-place-0=x; b=2', 'rds-place-1=x'), 'a=1; b=2', 'in several headers');
    is($sees->('/env', join('; ', 'a=1', map { "rds-place-$_=" . 'x' x 40 } 1 .. 100)), 'a=1', 'a hundred of them');
    is($sees->('/env'), undef, 'no cookie at all');
};

subtest 'what is sent round, what gets the ending, and who is known again' => sub {
    my $site  = RdsFailover::Site->new(location => $LESS_THAN_TWO, threads => 64);
    # Hosts of a fleet share nothing but the DSN.
    my $dsn   = $site->db->dsn;
    my $start = sub ($what, $conf, %env) {
        my %conf  = (conf => "$conf\n$RdsFailover::Site::CHECK", location => "RDSFailover on\n$LESS_THAN_TWO");
        my $httpd = RdsFailover::Httpd->new(%conf, env => \%env);
        ok($httpd->start->{up} && $httpd->wait_for_state('available', 60), "another host, $what");
        return $httpd;
    };
    my $secret = File::Temp->newdir('secret-XXXXXX', TMPDIR => 1);
    chmod 0755, "$secret";
    RdsFailover::Httpd::write_file("$secret/password", 'secret', 0644);
    my %other = (
        same      => $start->('with the same DSN', "RDSFailoverDSN $dsn"),
        different => $start->('with another password', 'RDSFailoverDSN ' . $site->db->dsn(password => 'different')),
        rotated   => $start->('with the password in a file', '', RDS_HOSTNAME => '127.0.0.1', RDS_PORT => $site->db->port,
            RDS_DB_NAME => 'shop', RDS_USERNAME => 'app', RDS_PASSWORD_FILE => "$secret/password"),
    );
    RdsFailover::Httpd::write_file("$secret/password", 'changed', 0644);
    my $changed = RdsFailover::Httpd::wait_until(sub { $other{rotated}->logged('RF0218') }, 60);
    ok($changed && $other{rotated}->wait_for_state('available', 60), 'which changes');
    $site->break;
    ok($other{$_}->wait_for_state('outage', 60), "outage there, too") for sort keys %other;

    my $first = $site->clients;
    my %sent = (
        get       => $first->ask('/app?get'),
        again     => $first->ask('/app?get'),
        post      => $first->ask('/app?post', method => 'POST', body => 'a=1'),
        put       => $first->ask('/app?put', method => 'PUT', body => 'x' x 65_000),
        head      => $first->ask('/app?head', method => 'HEAD'),
        slashes   => $first->ask('//evil.example/a?b=//c'),
        backslash => $first->ask('/\\evil.example/a'),
        absolute  => $first->ask('http://localhost//evil.example/a'),
        bytes     => $first->ask("/caf\xe9/a;b?\xff"),
        # Bodies that never come.
        large     => $first->ask('/app?large', %LARGE),
        chunked   => $first->ask('/app?chunked', method => 'POST', chunked => 1, late => 1),
        expect    => $first->ask('/app?expect', %EXPECT),
    );
    my %ended = (
        'HTTP/1.0'  => $first->ask('/app?old', version => '1.0'),
        'OPTIONS'   => $first->ask('/app?options', method => 'OPTIONS'),
        'an upgrade' => $first->ask('/app?upgrade', headers => { Connection => 'Upgrade', Upgrade => 'websocket' }),
    );
    my $there = $other{rotated}->begin('/app?there');
    my $n = keys(%sent) + keys %ended;
    ok($site->holds($n), "$n wait");
    ok($first->settle, 'and are answered');

    is_sent_round($sent{get},       '/app?get',            'GET');
    is_sent_round($sent{post},      '/app?post',           'POST');
    is_sent_round($sent{put},       '/app?put',            'PUT');
    is_sent_round($sent{head},      '/app?head',           'HEAD');
    is_sent_round($sent{slashes},   '/evil.example/a?b=//c', '//evil.example');
    is_sent_round($sent{backslash}, '/evil.example/a',     '/\\evil.example');
    is_sent_round($sent{absolute},  '/evil.example/a',     'an absolute target');
    is_sent_round($sent{bytes},     '/caf%E9/a;b?%FF',     'a target with bytes that may not stand in a header');
    is_sent_round($sent{large},     '/app?large',          'a large body that does not come');
    is_sent_round($sent{chunked},   '/app?chunked',        'a chunked one');
    is_sent_round($sent{expect},    '/app?expect',         'one that waits to be asked for');
    is_deeply($sent{expect}->answer->{interim}, [], 'and is not asked for');
    is($sent{$_}->answer->{headers}{connection}, 'close', "$_: what is left is no other request") for qw(large chunked expect);
    # A body that came whole is read: what the client sends behind it is the next request, unless the server said that it closes.
    my $closes = ($sent{put}->answer->{headers}{connection} // '') eq 'close';
    if (!$closes) { $sent{put}->ask('/static.txt'); $first->settle }
    ok($closes || ($sent{put}->answer(1) // { status => 0 })->{status} == 200, 'one that stays open goes on');
    is(status($ended{$_}), 503, "$_ gets the ending when its leg is over") for sort keys %ended;
    is($site->hold->{redirected}, keys %sent, 'they are counted as redirected');
    is($site->hold->{expired},    keys %ended, 'and as expired');

    my %headers = %{ $sent{get}->answer->{headers} };
    like($headers{'cache-control'} // '', qr/\bno-store\b/, 'the answer is not to be stored');
    like($headers{'set-cookie'}, qr{^$PLACE; Path=/app; Max-Age=30; HttpOnly$}, 'the cookie is for this path, for 30 s');
    like($sent{bytes}->answer->{headers}{'set-cookie'}, qr{; Path=/; }, 'or for all, where the path cannot be written');
    my %name = map { $_ => place($sent{$_}->answer) =~ s/=.*//r } grep { place($sent{$_}->answer) } keys %sent;
    is($name{again}, $name{get}, 'its name is the same for the same request');
    is(keys %{ { reverse %name } }, keys(%sent) - 2, 'and another for any other');

    # They come back, as browsers do, with all the cookies there are for this path.
    my $get    = place($sent{get}->answer);
    my $post   = place($sent{post}->answer);
    my $rotated = place($there->finish) // '';
    my $forged = $get =~ s/(.)$/$1 eq 'A' ? 'B' : 'A'/er;
    my $second = $site->clients;
    my $back   = sub ($path, $cookie, %options) { $second->ask($path, %options, headers => { Cookie => $cookie }) };
    my %kept = (
        'GET'               => $back->('/app?get',  "a=1; $post; $get"),
        'POST with a body'  => $back->('/app?post', "a=1; $post; $get", method => 'POST', body => 'a=1'),
        'sent round by a host with a new password' => $back->('/app?there', $rotated),
        'joined by a comma' => $back->('/app?get',  "a=1, $get"),
        'with a forged one' => $back->('/app?get',  "$forged; $get"),
        'HEAD'              => $back->('/app?head', place($sent{head}->answer), method => 'HEAD'),
        'a target with slashes before it' => $back->($sent{slashes}->answer->{headers}{location}, place($sent{slashes}->answer)),
        'a target with bytes' => $back->($sent{bytes}->answer->{headers}{location}, place($sent{bytes}->answer)),
    );
    my %lost = (
        'without the cookie'       => $second->ask('/app?get'),
        'with a forged one'        => $back->('/app?get', $forged),
        'with half of it'          => $back->('/app?get', substr $get, 0, -5),
        'with that of another URL' => $back->('/app?get', ($get =~ s/=.*//r) . ($post =~ s/.*?=/=/r)),
        'with another method'      => $back->('/app?get', $get, method => 'POST', body => 'a=1'),
    );
    my %there = map { $_ => $other{$_}->begin('/app?get', headers => { Cookie => $get }) } keys %other;
    $n = keys(%kept) + keys %lost;
    ok($second->settle, "$n came back, and are answered");
    is(status($kept{$_}), 503, "$_: its time is over, because it is the first one's") for sort keys %kept;
    is(status($lost{$_}), 307, "$_: it is a new arrival") for sort keys %lost;
    is($there{same}->finish->{status},      503, 'another host with the same DSN knows him');
    is($there{rotated}->finish->{status},   503, 'one that has a new password, too');
    is($there{different}->finish->{status}, 307, 'one with another password does not');
    is(scalar $site->app->stats->{done}, 0, 'nothing was executed');
    $site->balanced;
};

subtest 'the old place in the queue' => sub {
    my $site = RdsFailover::Site->new(location => "RDSFailoverHold 60s $LEGS", release => 'concurrency=1');
    $site->app->set(delay => 0.2);
    $site->break;
    my $early = $site->clients;
    $early->ask("/app?early-$_", method => $_ % 2 ? 'POST' : 'GET', body => $_ % 2 ? "n=$_" : '') for 1 .. 4;
    ok($site->holds(4), 'four wait');
    ok($early->settle, 'and are sent round');
    $site->answers($early, { 307 => 4 }, 'all of them');

    # Somebody else comes meanwhile.
    my $late = $site->clients;
    $late->ask("/app?late-$_") for 1 .. 4;
    ok($site->holds(4), 'four others wait');
    my $back = $site->clients;
    for my $answer (reverse map { $_->answer } $early->clients) {
        $back->ask($answer->{headers}{location}, method => $answer->{method}, headers => { Cookie => place($answer) },
            body => $answer->{path} =~ /-([13])$/ ? "n=$1" : '');
        $site->holds(4 + $back->clients);
    }
    $site->mend;
    ok($back->settle && $late->settle, 'all are answered');
    $site->answers($_, { 200 => 4 }, 'with a 200') for $back, $late;
    is_deeply([sort @{ $site->app->stats->{order} }[0 .. 3]], [map { "early-$_" } 1 .. 4], 'who came first goes first')
        or diag explain $site->app->stats->{order};
    $site->ran_once([map { ("early-$_", "late-$_") } 1 .. 4]);
    is($site->hold->{redirected}, 4, 'four legs ended by 307');
    $site->drained;
    $site->balanced;
};

subtest 'a client that follows' => sub {
    plan skip_all => 'curl: it is not installed' if !qx{curl --version 2>/dev/null};
    my $http2 = qx{curl --version} =~ /HTTP2/;
    my $site  = RdsFailover::Site->new(location => "RDSFailoverHold 60s $LEGS", tls => 1, http2 => 1, conf => 'LogLevel ssl:warn');
    my ($port, $tls_port) = ($site->httpd->port, $site->httpd->tls_port);
    my %how = (
        'HTTP/1.1'          => ['--http1.1', "http://127.0.0.1:$port"],
        'HTTP/1.1 with TLS' => ['--http1.1', "https://127.0.0.1:$tls_port"],
        $http2 ? ('HTTP/2'  => ['--http2', "https://127.0.0.1:$tls_port"]) : (),
    );
    my $dir  = $site->httpd->dir;
    my $form = RdsFailover::Httpd::write_file("$dir/form", 'x' x 200_000, 0644);
    $site->break;
    my (%out, @queries);
    for my $how (sort keys %how) {
        my ($version, $host) = @{ $how{$how} };
        for my $what (qw(get form large)) {
            # A body that is left unread is cut off by a reset of its stream, with NO_ERROR and after the whole answer (RFC 9113,
            # 8.1); curl 7.88 takes that for a failure.
            next if $what eq 'large' && $how eq 'HTTP/2';
            my $query = "$what-$how" =~ s/\W/-/gr;
            my @body  = $what eq 'form' ? ('-d', 'a=1') : $what eq 'large' ? ('--data-binary', "\@$form") : ();
            my @curl  = (qw(curl -sSkiL -b none --max-time 90), $version, @body, "$host/app?$query");
            open $out{"$how, $what"}, '-|', @curl or die "curl: $!\n";
            push @queries, $query;
        }
    }
    my $n = @queries;
    ok($site->holds($n), "$n wait");
    my $round = RdsFailover::Httpd::wait_until(sub { my $h = $site->hold; $h->{redirected} >= $n && $h->{now} == $n }, 60);
    ok($round, 'are sent round, and wait again') or $site->tell;
    $site->mend;
    for my $what (sort keys %out) {
        my $said = do { local $/; readline $out{$what} };
        close $out{$what};
        my @status = $said =~ m{^HTTP/[12.]+ (\d+)}mg;
        like("@{[grep { $_ ne '100' } @status]}", qr/^(?:307 )+200$/, "$what: sent round, and answered") or diag $said;
        my $secure = ($said =~ /^set-cookie: $PLACE;.*; Secure/mi) ? 1 : 0;
        is($secure, $what =~ m{TLS|HTTP/2} ? 1 : 0, 'the cookie is for TLS only where that is in use');
        like($said, qr/ 200000 large/, 'its body came') if $what =~ /large/;
    }
    $site->ran_once(\@queries);
    $site->drained;
    $site->balanced;
};

subtest 'HTTP/2, and a large body' => sub {
    plan skip_all => 'nghttp: it is not installed' if !qx{nghttp --version 2>/dev/null};
    my $site = RdsFailover::Site->new(location => "RDSFailoverHold 60s $LEGS", http2 => 1);
    my $form = RdsFailover::Httpd::write_file($site->httpd->dir . '/form', 'x' x 200_000, 0644);
    $site->break;
    my $said = qx{nghttp -nv -t 60 -d '$form' 'http://127.0.0.1:@{[ $site->httpd->port ]}/app?1' 2>&1};
    $said =~ s/\e\[[\d;]*m//g;
    like($said, qr/ recv .* :status: 307$/m, 'it is sent round') or diag $said;
    like($said, qr/ recv .* set-cookie: $PLACE; Path=\/app; /m, 'with its place');
    my @reset = $said =~ /recv RST_STREAM .*\n\s*\(error_code=(\w+)/g;
    is("@reset", 'NO_ERROR', 'the rest of the body is declined without an error');
    is(scalar $site->app->stats->{done}, 0, 'nothing was executed');
    $site->balanced;
};

subtest 'the ending reads no body either' => sub {
    my $site = RdsFailover::Site->new(location => 'RDSFailoverHold 1s');
    $site->break;
    my $clients = $site->clients;
    my $large  = $clients->ask('/app?1', %LARGE);
    my $small  = $clients->ask('/app?2', method => 'POST', headers => { 'Content-Length' => 10 }, body => 'x');
    my $expect = $clients->ask('/app?3', %EXPECT);
    ok($clients->settle, 'three bodies that do not come');
    $site->answers($clients, { 503 => 3 }, 'are not waited for');
    is($_->answer->{headers}{connection}, 'close', 'what is left of one is no other request') for $large, $small, $expect;
    $site->balanced;
};
done_testing;
