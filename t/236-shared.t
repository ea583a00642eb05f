#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What requests have in common that know nothing of each other: the threads of their process, and the Timeout of their address.
use v5.36;
use Test::More;
use RdsFailover::FakeMysql;
use RdsFailover::Httpd;
use RdsFailover::Site;

# Two virtual hosts on one address, the first with lines of its own.
sub virtual_hosts ($site, $of_a, $of_b) {
    my $httpd = $site->httpd;
    my $port  = $httpd->port;
    $httpd->configure(after => join '', map {"<VirtualHost 127.0.0.1:$port>\nServerName $_->[0]\n$_->[1]\n</VirtualHost>\n"}
        ['a', $of_a], ['b', $of_b]);
    ok($httpd->graceful_over(60), 'two virtual hosts') or $site->tell;
    return;
}

sub databases ($site) { my $json = $site->httpd->json; return $json ? @{ $json->{databases} } : () }
sub are ($site, $n, $state) {
    return RdsFailover::Httpd::wait_until(sub { $n == grep { $_->{state} eq $state } databases($site) }, 60) || $site->tell;
}
sub all_wait ($site, $n) {
    return RdsFailover::Httpd::wait_until(sub { my $now = 0; $now += $_->{hold}{now} for databases($site); return $now == $n }, 60)
        || $site->tell;
}

subtest 'two databases that come back together leave threads for everything else' => sub {
    my $site  = RdsFailover::Site->new(threads => 8, factor => 100, release => 'concurrency=10000');
    my $other = RdsFailover::FakeMysql->new;
    virtual_hosts($site, '', 'RDSFailoverDSN ' . $other->dsn);
    ok(are($site, 2, 'available'), 'and two databases');
    $site->app->set(hang => 1);
    $_->set(behave => 'close')->drop for $site->db, $other;
    ok(are($site, 2, 'outage'), 'both are lost');
    my $clients = $site->clients;
    for my $host (qw(a b)) { $clients->ask("/app?$host-$_", headers => { Host => $host }) for 1 .. 20 }
    ok(all_wait($site, 40), 'forty wait');
    $_->set(behave => 'ok') for $site->db, $other;
    # Two of eight threads are for others: conf/mpm-event-hold.conf.
    ok($clients->until(sub { $site->app->stats->{running} == 6 }, 60), 'six run, and never end') or $site->tell;
    is($site->httpd->get('/static.txt', timeout => 60)->{status}, 200, 'a file is served beside them');
    is($site->app->stats->{running}, 6, 'and still no more run');
    $site->app->set(hang => 0);
    ok($clients->settle, 'they end after all');
    $site->answers($clients, { 200 => 40 }, 'and all are answered');
};

subtest 'the first virtual host of the address is less patient' => sub {
    my $site = RdsFailover::Site->new(threads => 8);
    virtual_hosts($site, 'Timeout 2', 'Timeout 60');
    ok(are($site, 1, 'available'), 'and one database');
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/app?$_", headers => { Host => $_ }) for qw(a b);
    ok(all_wait($site, 2), 'two wait');
    my $since = time;
    $clients->until(sub { time - $since > 6 }, 30);
    ok(all_wait($site, 2), 'and still do when that Timeout has long been over');
    $site->mend;
    ok($clients->settle, 'they go on');
    $site->answers($clients, { 200 => 2 }, 'and are answered');
    $site->balanced;
};

# Whoever orders a hold waits until nothing executes any more.
for my $mpm (qw(event prefork)) {
    for my $replay (qw(off safe)) {
        subtest "$mpm, RDSFailoverReplay $replay: who was let go executes" => sub {
            my $site = RdsFailover::Site->new(mpm => $mpm, threads => 16, location => "RDSFailoverReplay $replay");
            $site->app->set(hang => 1);
            $site->break;
            my $clients = $site->clients;
            $clients->ask("/app?$_") for 1 .. 4;
            ok($site->holds(4), 'four wait');
            is($site->hold->{inflight}, 0, 'and do not execute');
            $site->mend;
            ok($clients->until(sub { $site->app->stats->{running} == 4 }, 60), 'they run');
            is($site->hold->{inflight}, 4, 'which is execution');
            $site->app->set(hang => 0);
            ok($clients->settle, 'they end');
            $site->drained;
            is($site->hold->{inflight}, 0, 'and execute no more');
        };
    }
}
done_testing;
