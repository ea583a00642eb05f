#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Names that do not resolve, resolve to garbage, to many addresses, to IPv6: the status says which, httpd goes on serving, and
# DNS alone neither starts nor ends an outage.
use v5.36;
use Test::More;
use RdsFailover::FakeDns;
use RdsFailover::FakeMysql;
use RdsFailover::Httpd;

my $CHECK = 'RDSFailoverCheck interval=100ms fast=50ms timeout=300ms app=address';
my $db    = RdsFailover::FakeMysql->new;
my $dns   = RdsFailover::FakeDns->new;
my $TARGET = { a => ['127.0.0.1'], ttl => 1 };

sub serve ($host = 'shop.rds.test', $resolver = '127.0.0.1:' . $dns->port) {
    my $httpd = RdsFailover::Httpd->new(location => 'RDSFailover on',
        conf => "RDSFailoverDSN ${\$db->dsn(host => $host)}\n$CHECK\nRDSFailoverResolver $resolver timeout=200ms");
    my $start = $httpd->start;
    ok($start->{up}, 'httpd starts') or diag $start->{said};
    return $httpd;
}
sub wait_dns ($httpd, $test) { return RdsFailover::Httpd::wait_until(sub { $test->($httpd->database->{dns} // {}) }, 20) }

# --- from the start: nothing is known, everything passes, the reason is told; and when the name resolves, all is well ---------------
for my $case (
    ['does not exist',          { behave => 'nxdomain' },                       qr/not found|no such|does not exist|NXDOMAIN/i],
    ['server fails',            { behave => 'servfail' },                       qr/\w/],
    ['server refuses',          { behave => 'refused' },                        qr/\w/],
    ['has no address',          { behave => 'empty' },                          qr/\w/],
    ['is answered with garbage', { behave => 'garbage' },                       qr/\w/],
    ['is answered with another question', { behave => 'liar' },                 qr/\w/],
    ['is not answered',         { behave => 'silent' },                         qr/answered within/],
    ['is a loop of CNAMEs',     { names => { 'shop.rds.test' => { cname => 'b.test' }, 'b.test' => { cname => 'shop.rds.test' } } }, qr/\w/],
    ['is a CNAME to nothing',   { names => { 'shop.rds.test' => { cname => 'b.test' } } }, qr/\w/],
) {
    my ($name, $say, $error) = @$case;
    subtest "a name that $name" => sub {
        $dns->set(behave => 'ok', names => {}, %$say);
        my $httpd = serve();
        ok(wait_dns($httpd, sub ($d) { !$d->{ok} && ($d->{error} // '') =~ $error }), 'the status says what is wrong')
            or diag explain $httpd->database->{dns};
        is($httpd->database->{state}, 'unknown', 'nothing is known');
        is($httpd->get('/env', timeout => 10)->{status}, 200, 'a protected page is let through');
        is($httpd->get('/static.txt')->{status}, 200, 'a file too');
        like($httpd->log, qr/RF01\d\d: .*shop/, 'the log names the database');
        unlike($httpd->log, qr/secret/, 'not its password');
        $dns->set(behave => 'ok', names => { 'shop.rds.test' => $TARGET });
        ok($httpd->wait_for_state('available'), 'when the name resolves, the database is available');
    };
}

# --- from available: DNS trouble is no outage -------------------------------------------------------------------------------------------
for my $behave (qw(nxdomain servfail empty garbage silent)) {
    subtest "DNS turns to $behave while the writer answers" => sub {
        $dns->set(behave => 'ok', names => { 'shop.rds.test' => $TARGET });
        my $httpd = serve();
        ok($httpd->wait_for_state('available'), 'available') or return;
        $dns->set(behave => $behave);
        ok(wait_dns($httpd, sub ($d) { !$d->{ok} }), 'the trouble is seen');
        my $database = $httpd->database;
        is($database->{state}, 'available', 'still available');
        is($database->{writer}{address}, '127.0.0.1', 'the writer stays');
        is_deeply($database->{failovers}, [], 'no failover is recorded');
        is($httpd->get('/env', timeout => 10)->{status}, 200, 'a protected page is served');
    };
}

# --- shapes of good answers ------------------------------------------------------------------------------------------------------------
subtest 'a chain of CNAMEs' => sub {
    $dns->set(behave => 'ok', names => {
        'shop.rds.test' => { cname => 'one.test', ttl => 60 }, 'one.test' => { cname => 'two.test', ttl => 5 },
        'two.test' => { a => ['127.0.0.1'], ttl => 7 } });
    my $httpd = serve();
    ok($httpd->wait_for_state('available'), 'available');
    my $seen = $httpd->database->{dns};
    is_deeply($seen->{cnames}, ['one.test', 'two.test'], 'the chain, in order') or diag explain $seen;
    is($seen->{ttl}, 5, 'the lowest TTL of the chain');
};

subtest 'ten addresses, one of them alive' => sub {
    $dns->set(behave => 'ok', names => { 'shop.rds.test' => { a => [map { "127.0.0.$_" } 101 .. 109, 1], ttl => 1 } });
    my $httpd = serve();
    ok($httpd->wait_for_state('available'), 'the live one is found') or diag explain $httpd->database;
    is($httpd->database->{writer}{address}, '127.0.0.1', 'and is the writer');
};

SKIP: {
    my $db6 = eval { require IO::Socket::IP; IO::Socket::IP->new(Listen => 1, LocalHost => '::1', LocalPort => 0) };
    skip 'ipv6: this machine has no ::1', 1 if !$db6;
    subtest 'IPv6' => sub {
        # The fake speaks IPv4; a listener that says nothing is enough to see where the prober goes.
        my $port = $db6->sockport;
        $dns->set(behave => 'ok', names => { 'shop.rds.test' => { aaaa => ['::1'], ttl => 1 } });
        my $httpd = RdsFailover::Httpd->new(location => 'RDSFailover on', conf => "RDSFailoverDSN mysql://app:secret\@shop.rds.test:$port/shop\n"
                . "$CHECK\nRDSFailoverResolver 127.0.0.1:${\$dns->port}");
        ok($httpd->start->{up}, 'httpd starts');
        ok(RdsFailover::Httpd::wait_until(sub { ($httpd->database->{probe}{address} // '') eq '::1' }, 20), '::1 is probed')
            or diag explain $httpd->database;
        is($httpd->get('/env', timeout => 10)->{status}, 200, 'a protected page is let through');
    };
}

subtest 'a name server that is not there' => sub {
    my $httpd = serve('shop.rds.test', '127.0.0.1:' . RdsFailover::Httpd::free_port());
    ok(wait_dns($httpd, sub ($d) { !$d->{ok} && length($d->{error} // '') }), 'the status says so') or diag explain $httpd->database->{dns};
    is($httpd->get('/env', timeout => 10)->{status}, 200, 'a protected page is let through');
};

subtest 'the first name server is dead, the second answers' => sub {
    $dns->set(behave => 'ok', names => { 'shop.rds.test' => $TARGET });
    my $httpd = serve('shop.rds.test', '127.0.0.1:' . RdsFailover::Httpd::free_port() . ' 127.0.0.1:' . $dns->port);
    ok($httpd->wait_for_state('available'), 'available');
};
done_testing;
