#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Two sites on one database server, each with its own user and schema, and a third that is not protected: none gets another's.
use v5.36;
use Test::More;
use RdsFailover::FakeMysql;
use RdsFailover::Httpd;

my $db = RdsFailover::FakeMysql->new;
my %dsn = map { $_ => $db->dsn(user => $_, password => "secret-of-$_", database => "schema_$_") } qw(one two);
my $httpd = RdsFailover::Httpd->new(
    conf     => 'RDSFailoverCheck interval=100ms fast=50ms timeout=300ms',
    location => 'RDSFailover on',
    after    => join('', map { "<VirtualHost *>\nServerName $_.test\nRDSFailoverDSN $dsn{$_}\n</VirtualHost>\n" } qw(one two))
        . "<VirtualHost *>\nServerName none.test\n</VirtualHost>\n");
my $start = $httpd->start;
ok($start->{up}, 'httpd starts') or diag $start->{said};
ok(RdsFailover::Httpd::wait_until(sub { my $d = $httpd->json->{databases}; @$d == 2 && !grep { $_->{state} ne 'available' } @$d }, 30),
    'two databases are available') or diag explain $httpd->json;
my %name = map { $_->{name} => 1 } @{ $httpd->json->{databases} };
is(scalar keys %name, 2, 'with names of their own: ' . join ', ', sort keys %name);

for my $site (qw(one two)) {
    my $body = $httpd->get('/env', host => "$site.test")->{body};
    like($body, qr/^RDS_USERNAME=$site$/m, "$site.test gets its user");
    like($body, qr/^RDS_PASSWORD=secret-of-$site$/m, 'its password');
    like($body, qr/^RDS_DB_NAME=schema_$site$/m, 'its schema');
    like($body, qr/^DATABASE_URL=\Q$dsn{$site}\E$/m, 'its URL');
    my ($other) = grep { $_ ne $site } qw(one two);
    unlike($body, qr/(?:secret-of-|schema_)$other/, 'and nothing of its neighbour');
}
unlike($httpd->get('/env', host => 'none.test')->{body}, qr/^(?:RDS_|DATABASE_URL|RDSFAILOVER_)/m, 'a site without a database gets nothing');

# The server goes away for both; both sites wait, and go on.
$db->set(behave => 'close')->drop;
ok(RdsFailover::Httpd::wait_until(sub { !grep { $_->{state} ne 'outage' } @{ $httpd->json->{databases} } }, 30), 'both are in an outage');
my @held = map { $httpd->begin('/env', host => "$_.test") } qw(one two);
ok(RdsFailover::Httpd::wait_until(sub { my $n = 0; $n += $_->{hold}{now} for @{ $httpd->json->{databases} }; $n == 2 }, 20), 'a visitor of each waits');
is($httpd->get('/env', host => 'none.test', timeout => 10)->{status}, 200, 'a visitor of the third does not');
$db->set(behave => 'ok');
is_deeply([map { $_->finish(30)->{status} } @held], [200, 200], 'both go on');
done_testing;
