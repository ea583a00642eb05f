#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Every kind of wrong server gets a clear sentence in the status, and httpd goes on serving. Which of them are outages and
# which only alarms is part of the contract: a wrong password must not take a site down that still works.
use v5.36;
use Test::More;
use RdsFailover::FakeMysql;
use RdsFailover::Httpd;

my $CHECK = 'RDSFailoverCheck interval=100ms fast=50ms timeout=300ms';

# [name, what the server says, what it is to a database that was available, what the status must say]. A database that never
# answered stays unknown: a wrong setting of ours must not hold the requests of a site that works.
my @SERVERS = (
    ['a healthy one',            {},                                             'available', undef],
    ['silence',                  { behave => 'silent' },                         'outage',    qr/timeout/],
    ['a greeting, then silence', { behave => 'stall' },                          'outage',    qr/timeout/],
    ['a login, then silence',    { behave => 'mute' },                           'outage',    qr/timeout/],
    ['closes at once',           { behave => 'close' },                          'outage',    qr/lost/],
    ['half a greeting',          { behave => 'truncated' },                      'outage',    qr/lost/],
    ['a web server',             { behave => 'http' },                           'alarm',   qr/protocol.*HTTP/s],
    ['noise',                    { behave => 'noise' },                          'alarm',   qr/protocol/],
    ['a wrong password',         { behave => 'refuse' },                         'alarm',   qr/refused.*1045.*Access denied/s],
    ['an unknown database',      { behave => 'refuse', error => [1049, '42000', "Unknown database 'shop'"] }, 'alarm', qr/refused.*1049/s],
    ['demands TLS',              { behave => 'refuse', error => [3159, 'HY000', 'Connections using insecure transport are prohibited'] },
        'alarm', qr/tls.*3159/s],
    ['too many connections',     { behave => 'deny', error => [1040, '08004', 'Too many connections'] }, 'alarm', qr/busy.*1040/s],
    ['host is blocked',          { behave => 'deny', error => [1129, 'HY000', "Host '127.0.0.1' is blocked"] }, 'alarm', qr/blocked.*1129/s],
    ['too many connections of this user', { behave => 'refuse', error => [1203, '42000', 'User app already has more than'] }, 'alarm', qr/busy.*1203/s],
    ['shutdown in progress',     { behave => 'refuse', error => [1053, '08S01', 'Server shutdown in progress'] }, 'outage', qr/shutdown.*1053/s],
    ['fails each query',         { behave => 'fail', error => [1290, 'HY000', 'running with the --read-only option'] }, 'outage', qr/read-only/],
    ['read_only',                { variables => {} },                            'outage',    qr/read-only.*read_only is on/s],
);
for my $case (@SERVERS) {
    my ($name, $say, $kind, $says) = @$case;
    my $state = $kind eq 'available' ? 'available' : 'unknown';
    subtest $name => sub {
        my $db = RdsFailover::FakeMysql->new;
        $db->set_variables(read_only => 1) if delete $say->{variables};
        $db->set(%$say);
        my $httpd = RdsFailover::Httpd->new(conf => "RDSFailoverDSN ${\$db->dsn}\n$CHECK", location => 'RDSFailover on');
        my $start = $httpd->start;
        ok($start->{up}, 'httpd starts') or return diag $start->{said};
        ok($httpd->wait_for_state($state, 10), "the state is $state") or diag explain $httpd->database;
        if ($says) {
            my $probe = {};
            my $shown = '';
            ok(RdsFailover::Httpd::wait_until(sub {
                    $probe = $httpd->database->{probe};
                    $shown = join ' ', map { $_ // '' } @$probe{qw(cause code error)};
                    $shown =~ $says;
                }, 10), "the status says it") or diag $shown;
            ok(length($probe->{advice} // ''), 'with advice');
        }
        # Alarms let everything through; so does a database that was never seen.
        is($httpd->get('/static.txt', timeout => 10)->{status}, 200, 'httpd serves files');
        is($httpd->get('/rds-status?health')->{status}, 200, 'this server is healthy');
        is($httpd->get('/rds-status?health=db')->{status}, $state eq 'available' ? 200 : 503, 'the database says what it is');
        is($httpd->get('/env', timeout => 10)->{status}, 200, 'a protected page is let through');

        # Whatever it was: once the server answers, the state is right again by itself.
        $db->set(behave => 'ok');
        $db->set_variables(read_only => 0);
        ok($httpd->wait_for_state('available', 15), 'and when the server is well, the state is available');
        is($httpd->get('/env', timeout => 20)->{status}, 200, 'and a protected page is served');
        unlike($httpd->log . $httpd->get('/rds-status?json')->{body} . $httpd->get('/rds-status')->{body}
            . $httpd->get('/rds-status?auto')->{body}, qr/secret/, 'the password is nowhere');
        ok($httpd->alive, 'httpd lives');
    };
}

# --- a server that is well and then is not: an outage if the database cannot be used, an alarm if only we cannot -------------------
for my $case (grep { $_->[0] ne 'a healthy one' } @SERVERS) {
    my ($name, $say, $kind) = @$case;
    my $outage = $kind eq 'outage';
    subtest "from healthy to: $name" => sub {
        my $db = RdsFailover::FakeMysql->new;
        my $httpd = RdsFailover::Httpd->new(conf => "RDSFailoverDSN ${\$db->dsn}\n$CHECK", location => 'RDSFailover on');
        $httpd->start;
        ok($httpd->wait_for_state('available', 15), 'healthy') or return;
        $name eq 'read_only' ? $db->set_variables(read_only => 1) : $db->set(%$say);
        $db->drop if $name ne 'read_only';
        if ($outage) {
            ok($httpd->wait_for_state('outage', 15), 'is an outage') or diag explain $httpd->database;
            my $held = $httpd->begin('/env');
            ok(!$held->answered(0.3), 'a protected request waits');
            is($httpd->get('/static.txt')->{status}, 200, 'a file does not');
            $db->set(behave => 'ok');
            $db->set_variables(read_only => 0);
            my $answer = $held->finish(30);
            is($answer->{status}, 200, 'and is answered when the server is back') or diag explain $answer;
        }
        else {
            # A broken connection holds requests for the one probe it takes to know better.
            ok(RdsFailover::Httpd::wait_until(sub { ($httpd->database->{probe}{cause} // '') =~ /\w/ }, 10), 'it is seen');
            is($httpd->get('/env', timeout => 10)->{status}, 200, 'a protected request is let through');
            isnt($httpd->database->{state}, 'outage', 'it is no outage');
            is_deeply([map { $_->{outage_ms} } @{ $httpd->database->{failovers} }], [], 'and none is recorded');
        }
    };
}

# --- the prober never breaks off a login that the server would count ------------------------------------------------------------------
subtest 'logins are completed' => sub {
    my $db = RdsFailover::FakeMysql->new;
    my $httpd = RdsFailover::Httpd->new(conf => "RDSFailoverDSN ${\$db->dsn}\n$CHECK");
    $httpd->start;
    ok($httpd->wait_for_state('available', 15), 'healthy');
    $httpd->graceful;
    ok(RdsFailover::Httpd::wait_until(sub { $db->saw('login') >= 2 }, 20), 'a graceful restart brings a new prober');
    $httpd->stop;
    is_deeply([grep { $_->{phase} eq 'login' } $db->saw('broken')], [], 'no login was broken off');
};

# --- several databases: none delays another ---------------------------------------------------------------------------------------------
subtest 'a silent database beside a healthy one' => sub {
    my ($bad, $good) = (RdsFailover::FakeMysql->new(say => { behave => 'silent' }), RdsFailover::FakeMysql->new);
    my $httpd = RdsFailover::Httpd->new(conf => $CHECK, after => join '', map { "<VirtualHost *>\nServerName $_->[0]\nRDSFailoverDSN "
                . $_->[1]->dsn . "\n</VirtualHost>\n" } ['bad.test', $bad], ['good.test', $good]);
    my $start = $httpd->start;
    ok($start->{up}, 'httpd starts') or return diag $start->{said};
    my %state;
    ok(RdsFailover::Httpd::wait_until(sub {
            %state = map { $_->{port} => $_->{state} } @{ ($httpd->json // {})->{databases} // [] };
            ($state{ $good->port } // '') eq 'available' && ($state{ $bad->port } // '') eq 'unknown';
        }, 30), 'each has its own state') or diag explain \%state;
    my $before = $good->saw('query');
    ok(RdsFailover::Httpd::wait_until(sub { $good->saw('query') >= $before + 10 }, 20), 'the healthy one is asked on');
};
done_testing;
