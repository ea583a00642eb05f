#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The prober before a real MariaDB, with TLS and without, stopped, killed and restarted.
use v5.36;
use Test::More;
use RdsFailover::Mariadb;
use RdsFailover::Prober;

my $missing = RdsFailover::Mariadb::missing();
plan skip_all => $missing if $missing;

my $tls = RdsFailover::Mariadb::certificates('shop.rds.test');
my $database = RdsFailover::Mariadb->new(options => ["--ssl-ca=$tls/ca.pem", "--ssl-cert=$tls/server.pem", "--ssl-key=$tls/server.key"]);
my $at = $database->address;

sub prober (%part) { return RdsFailover::Prober->new(dsn => $database->dsn(%part)) }
my @MODES = (
    [ 'without TLS', query => '?ssl-mode=DISABLED' ],
    [ 'with TLS', host => 'shop.rds.test', query => "?ssl-mode=VERIFY_IDENTITY&ssl-ca=$tls/ca.pem" ],
);

for my $mode (@MODES) {
    my ($name, %part) = @$mode;
    subtest $name => sub {
        my $prober = prober(%part);
        my $first  = $prober->ask($at);
        is("$first->{cause} $first->{login}", 'none 1', 'logged in') or diag explain $first;
        is($first->{server}, $database->sql('SELECT @@hostname'), 'host name');
        is($first->{version}, $database->sql('SELECT @@version'), 'version');
        is($first->{pool}, 16 << 20, 'buffer pool');
        is($first->{proven}, $part{host} ? 1 : 0, 'identity');
        is($prober->ask($at)->{login}, 0, 'the connection is kept');
        is($database->sql(q{SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'app'}), 1, 'there is one');

        $database->sql('SET GLOBAL read_only = 1');
        is($prober->ask($at)->{cause}, 'read-only', 'read_only');
        $database->sql('SET GLOBAL read_only = 0');
        is($prober->ask($at)->{cause}, 'none', 'and back');

        $database->sql(q{KILL USER app});
        my $lost = $prober->await(kind => 'idle-lost');
        like($lost->{cause}, qr/^(?:lost|shutdown)$/, 'a killed connection is noticed unasked');

        is($prober->ask($at)->{login}, 1, 'a new login');
        $database->signal('STOP');
        my $stopped = $prober->ask($at, 200);
        is("$stopped->{cause} $stopped->{pending}", 'timeout 0', 'a stopped server: the kept connection is given up');
        my $ticket = $prober->probe($at, 200);
        is($prober->await(kind => 'probe', ticket => $ticket)->{pending}, 1, 'a new login stays pending');
        $database->signal('CONT');
        my $back = $prober->await(kind => 'probe', cause => 'none');
        is("$back->{ticket} $back->{login}", "$ticket 1", 'and is answered when the server goes on, without a further question');

        my $killed = RdsFailover::Prober::now();
        $database->kill_now;
        my $gone = $prober->await(kind => 'idle-lost');
        is($gone->{cause}, 'lost', 'a killed server is noticed unasked');
        diag sprintf 'kill -9 to sample: %.1f ms', ($gone->{at} - $killed) / 1000;
        is($prober->ask($at)->{cause}, 'unreachable', 'then nothing listens');
        $database->start;
        is($prober->ask($at)->{cause}, 'none', 'then it is back');
        $database->end('TERM');
        my $bye = $prober->await(kind => 'idle-lost');
        like($bye->{cause}, qr/^(?:lost|shutdown)$/, 'an orderly end is noticed unasked');
        $database->start;
        ok($prober->stop, 'the prober ends');
    };
}

for my $case (
    [ 'wrong password', { password => 'wrong' }, 'refused', 1045 ],
    [ 'unknown user', { user => 'nobody' }, 'refused', 1045 ],
    [ 'wrong database', { database => 'other' }, 'refused', 1044 ],
    [ 'wrong name', { host => 'other.rds.test', query => "?ssl-mode=VERIFY_IDENTITY&ssl-ca=$tls/ca.pem" }, 'tls', 2026 ],
    [ 'wrong name, not checked', { host => 'other.rds.test', query => "?ssl-mode=VERIFY_CA&ssl-ca=$tls/ca.pem" }, 'none', 0 ],
    [ 'wrong authority', { host => 'shop.rds.test', query => "?ssl-mode=VERIFY_CA&ssl-ca=$tls/other.pem" }, 'tls', 2026 ],
    [ 'unknown authority', { host => 'shop.rds.test', query => '?ssl-mode=VERIFY_IDENTITY' }, 'tls', 2026 ],
    [ 'no authority file', { host => 'shop.rds.test', query => '?ssl-mode=VERIFY_IDENTITY&ssl-ca=/nonexistent.pem' }, 'tls', 2026 ],
    [ 'certificate not checked', { host => 'other.rds.test', query => '?ssl-mode=REQUIRED' }, 'none', 0 ],
    [ 'TLS if there is', { query => '' }, 'none', 0 ],
) {
    my ($name, $part, $cause, $code) = @$case;
    my $sample = prober(%$part)->ask($at);
    is("$sample->{cause} $sample->{code}", "$cause $code", $name) or diag explain $sample;
    is($sample->{proven}, 0, "$name proves nothing");
    diag "$name: $sample->{text}" if $sample->{text};
}

my @tls_logins = map { (split /\t/, $database->sql("SHOW GLOBAL STATUS LIKE 'Ssl_finished_accepts'"))[1] } 1;
prober(query => '')->ask($at);
isnt((split /\t/, $database->sql("SHOW GLOBAL STATUS LIKE 'Ssl_finished_accepts'"))[1], $tls_logins[0], 'PREFERRED uses TLS where there is');

subtest 'TLS demanded by the server' => sub {
    $database->sql('SET GLOBAL require_secure_transport = 1');
    like(prober(query => '?ssl-mode=DISABLED')->ask($at)->{cause}, qr/^(?:tls|refused)$/, 'of one that does without');
    is(prober(query => '?ssl-mode=REQUIRED')->ask($at)->{cause}, 'none', 'of one that has it');
    $database->sql('SET GLOBAL require_secure_transport = 0');
};

subtest 'a short wait_timeout' => sub {
    $database->sql('SET GLOBAL wait_timeout = 1');
    my $prober = prober(query => '?ssl-mode=DISABLED');
    is($prober->ask($at)->{cause}, 'none', 'logged in');
    is($prober->sample(2.5), undef, 'does not end the kept connection');
    $database->sql('SET GLOBAL wait_timeout = 28800');
};

is((split /\t/, $database->sql("SHOW GLOBAL STATUS LIKE 'Aborted_clients'"))[1], 0, 'no connection was left without taking leave');
done_testing;
