#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# HAProxy as the load balancer before two hosts: those that it asks for ?health stay in rotation through an outage and hold what comes,
# and one whose queue is full leaves it to the other; those that it asks for ?health=db are taken out.
use v5.36;
use Test::More;
use RdsFailover::FakeMysql;
use RdsFailover::Haproxy;
use RdsFailover::Httpd;

for my $lack (RdsFailover::Haproxy::missing()) { plan skip_all => "haproxy: $lack" }
my $wait = \&RdsFailover::Httpd::wait_until;
my $db   = RdsFailover::FakeMysql->new;
# Host a has room for three.
my %host = map {
    my $release = $_ eq 'a' ? "RDSFailoverRelease queue=3\n" : '';
    $_ => RdsFailover::Httpd->new(threads => 20, location => "RDSFailover on\nRDSFailoverHold 120s front=none",
        conf => "RDSFailoverDSN ${\$db->dsn}\nRDSFailoverCheck interval=100ms fast=50ms timeout=300ms\n$release")
} qw(a b);
for my $name (sort keys %host) {
    my $start = $host{$name}->start;
    ok($start->{up} && $host{$name}->wait_for_state('available'), "host $name is available") or BAIL_OUT($start->{said});
}
my $balancer = RdsFailover::Haproxy->new(servers => { map { $_ => $host{$_}->port } keys %host },
    health => { site => '/rds-status?health', strict => '/rds-status/health/db' });

sub statuses ($name) { my $s = $balancer->servers($name); return join ' ', map {"$_:$s->{$_}{status}"} sort keys %$s }
sub become ($name, $want, $what) { return ok($wait->(sub { statuses($name) eq $want }, 60), $what) || diag statuses($name) }
sub asked ($name, $url) { return scalar grep { $_->{url} eq $url } $host{$name}->accessed }

# A request that comes by the load balancer.
sub visit ($name, $path) { return RdsFailover::Httpd::begin({ port => $balancer->port($name) }, $path) }

become('site',   'a:UP b:UP', 'both are asked for ?health, and in rotation');
become('strict', 'a:UP b:UP', 'and for ?health=db, likewise');
is(visit(strict => '/count?before')->finish(20)->{status}, 200, 'visitors are answered');

$db->set(behave => 'close')->drop;
ok($host{$_}->wait_for_state('outage'), "host $_: an outage") for sort keys %host;
become('strict', 'a:DOWN b:DOWN', '?health=db takes both out');
is(visit(strict => '/count?turned-away')->finish(20)->{status}, 503, 'and visitors are turned away: so it is for alarms only');
my @held = map { visit(site => "/count?h$_") } 1 .. 4;
ok($wait->(sub { 4 == ($host{a}->database->{hold}{now} // 0) + ($host{b}->database->{hold}{now} // 0) }, 30), 'visitors who come by the other are held');
my %before = map { $_ => asked($_, '/rds-status?health') } keys %host;
ok($wait->(sub { !grep { asked($_, '/rds-status?health') < $before{$_} + 20 } keys %host }, 60), 'each host is asked another twenty times');
is(statuses('site'), 'a:UP b:UP', 'and is still in rotation');
is_deeply([map { $balancer->servers('site')->{$_}{failed} } qw(a b)], [0, 0], 'no check has failed');

# Three wait on a: two of the four above, and what comes to it directly.
my $more = 3 - $host{a}->database->{hold}{now};
push @held, map { $host{a}->begin("/count?direct$_") } 1 .. $more;
become('site', 'a:DOWN b:UP', 'a host whose queue is full is taken out');
my $before = $host{b}->database->{hold}{now};
my @others = map { visit(site => "/count?o$_") } 1 .. 4;
ok($wait->(sub { $before + 4 == ($host{b}->database->{hold}{now} // 0) }, 30), 'the other one takes what comes') or diag explain $host{b}->database->{hold};
is($host{a}->database->{hold}{rejected}, 0, 'and the full one has turned nobody away');

$db->set(behave => 'ok');
is_deeply([grep { $_ != 200 } map { $_->finish(60)->{status} } @held, @others], [], 'all are answered');
ok($host{$_}->wait_for_state('available'), "host $_ is available") for sort keys %host;
become($_, 'a:UP b:UP', "$_: both are in rotation") for qw(site strict);
is($balancer->servers('site')->{b}{downs}, 0, 'the host that had room was never out of it');
$balancer->stop;
ok($host{$_}->stop, "host $_ stops") for sort keys %host;
done_testing;
