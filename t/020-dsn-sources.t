#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Where the DSN comes from: directive, DATABASE_URL, RDS_HOSTNAME and companions, any of them as NAME_FILE. What is wrong there
# is said in the log, without secrets, and the server goes on serving: a graceful restart must not take a working site down.
use v5.36;
use Test::More;
use RdsFailover::FakeMysql;
use RdsFailover::Httpd;

my $db   = RdsFailover::FakeMysql->new;
my $port = $db->port;
my $dir  = File::Temp->newdir(TMPDIR => 1);
my $n    = 0;

sub file ($text, $mode = 0644) { return RdsFailover::Httpd::write_file("$dir/" . ++$n, $text, $mode) }
sub serve ($env, $conf = '') {
    my $httpd = RdsFailover::Httpd->new(env => $env, conf => $conf, location => 'RDSFailover on');
    my $start = $httpd->start;
    ok($start->{up}, 'the server starts') or diag $start->{said};
    return ($httpd, $start->{said});
}
sub env_of ($httpd) { return { map { /^(\w+)=(.*)$/ ? ($1 => $2) : () } split /\n/, $httpd->get('/env')->{body} } }

# --- what works -----------------------------------------------------------------------------------------------------------
my %PARTS = (RDS_HOSTNAME => '127.0.0.1', RDS_PORT => $port, RDS_DB_NAME => 'shop', RDS_USERNAME => 'app', RDS_PASSWORD => 'p@ss/wörd');
my $URL   = "mysql://app:p%40ss%2Fw%C3%B6rd\@127.0.0.1:$port/shop";
my @WORKS = (
    ['the directive',                   {}, "RDSFailoverDSN $URL"],
    ['the directive before DATABASE_URL', { DATABASE_URL => 'mysql://other:x@127.0.0.9:9/other' }, "RDSFailoverDSN $URL"],
    ['DATABASE_URL',                    { DATABASE_URL => $URL }],
    ['DATABASE_URL before RDS_*',       { DATABASE_URL => $URL, RDS_HOSTNAME => '127.0.0.9', RDS_USERNAME => 'other' }],
    ['RDS_HOSTNAME and companions',     {%PARTS}],
    ['DATABASE_URL_FILE',               { DATABASE_URL_FILE => file("$URL\n") }],
    ['a file with CR LF',               { DATABASE_URL_FILE => file("$URL\r\n") }],
    ['RDS_PASSWORD_FILE beside the rest', { %PARTS, RDS_PASSWORD => undef, RDS_PASSWORD_FILE => file("p\@ss/wörd\n") }],
    ['every part in a file', { map { ("${_}_FILE" => file($PARTS{$_})) } keys %PARTS }],
);
for my $case (@WORKS) {
    my ($name, $env, $conf) = @$case;
    delete $env->{$_} for grep { !defined $env->{$_} } keys %$env;
    subtest $name => sub {
        my ($httpd) = serve($env, $conf // '');
        ok($httpd->wait_for_state('available'), 'the database is watched');
        my $got = env_of($httpd);
        is($got->{DATABASE_URL} =~ s/%2f/%2F/ri, $URL, 'the application gets the whole URL');
        is_deeply({ map { $_ => $got->{$_} } keys %PARTS }, \%PARTS, 'and every part');
        is($got->{RDS_HOSTADDR}, '127.0.0.1', 'and the verified address');
        is(($db->saw('login'))[-1]{user}, 'app', 'the prober logs in as the application');
        unlike($httpd->log, qr/p.?ss\/w|p%40ss/, 'no password in the log');
    };
}

# --- what does not -----------------------------------------------------------------------------------------------------------
my $missing = "$dir/missing";
my @WRONG = (
    ['no DSN anywhere',        {}, undef],
    ['a wrong scheme',         { DATABASE_URL => 'postgres://u:s3cret@h/db' },       qr/RF0201: .*DATABASE_URL.*mysql/],
    ['no host',                { DATABASE_URL => 'mysql:///db' },                     qr/RF0201: .*DATABASE_URL.*host/],
    ['a port of 70000',        { DATABASE_URL => 'mysql://u:s3cret@h:70000/db' },     qr/RF0201: .*DATABASE_URL.*65535/],
    ['a raw @ in the password', { DATABASE_URL => 'mysql://u:s3cret@x@h/db' },        qr/RF0201: .*DATABASE_URL.*%40/],
    ['an empty DATABASE_URL',  { DATABASE_URL => '' },                                undef],
    ['RDS_PORT that is no port', { RDS_HOSTNAME => 'h', RDS_PORT => 'x', RDS_PASSWORD => 's3cret' }, qr/RF0201: .*RDS_PORT.*65535/],
    ['RDS_HOSTNAME with a space', { RDS_HOSTNAME => 'h x', RDS_PASSWORD => 's3cret' }, qr/RF0201: .*RDS_HOSTNAME/],
    ['a file that is missing', { DATABASE_URL_FILE => $missing },                     qr/RF0201: .*DATABASE_URL_FILE.*\Q$missing\E.*No such file/],
    ['a file that is empty',   { DATABASE_URL_FILE => file('') },                     qr/RF0201: .*DATABASE_URL_FILE.*empty/],
    ['a file of 1 MB',         { DATABASE_URL_FILE => file('s3cret' x 174763) },      qr/RF0201: .*DATABASE_URL_FILE.*larger/],
    ['a directory',            { DATABASE_URL_FILE => "$dir" },                       qr/RF0201: .*DATABASE_URL_FILE.*\Q$dir\E/],
    ['a device',               { DATABASE_URL_FILE => '/dev/zero' },                  qr/RF0201: .*DATABASE_URL_FILE.*\/dev\/zero/],
    ['a file with a NUL',      { DATABASE_URL_FILE => file("mysql://u:s3cret\@h/d\0b") }, qr/RF0201: .*DATABASE_URL_FILE/],
    ['a file with two lines',  { DATABASE_URL_FILE => file("mysql://u:s3cret\@h/db\nmore\n") }, qr/RF0201: .*DATABASE_URL_FILE/],
    ['a password file that is missing', { RDS_HOSTNAME => 'h', RDS_PASSWORD_FILE => $missing }, qr/RF0201: .*RDS_PASSWORD_FILE.*No such file/],
);
push @WRONG, ['a file that nobody may read', { DATABASE_URL_FILE => file($URL, 0000) }, qr/RF0201: .*DATABASE_URL_FILE.*Permission denied/] if $> != 0;
for my $case (@WRONG) {
    my ($name, $env, $says) = @$case;
    subtest $name => sub {
        my ($httpd) = serve($env);
        like($httpd->log, $says, 'the log says what and where') if $says;
        is(scalar($httpd->logged('RF0201')), $says ? 1 : 0, $says ? 'once' : 'there is nothing to say');
        unlike($httpd->log, qr/s3cret/, 'without the secret');
        my $answer = $httpd->get('/env');
        is($answer->{status}, 200, 'a protected page is served');
        unlike($answer->{body}, qr/^RDSFAILOVER_|^RDS_HOSTADDR/m, 'with nothing pretended');
        is($httpd->get('/rds-status?health')->{status}, 200, 'the server is healthy');
        is($httpd->get('/rds-status?health=db')->{status}, 503, 'the database is not');
        is_deeply($httpd->json->{databases}, [], 'the status has no database');
        $httpd->graceful;
        is($httpd->get('/static.txt')->{status}, 200, 'and a graceful restart does not end it');
    };
}

# --- a mounted secret changes: no restart --------------------------------------------------------------------------------------
subtest 'rotation' => sub {
    my $secret = file("first\n");
    my ($httpd) = serve({ %PARTS{qw(RDS_HOSTNAME RDS_PORT RDS_DB_NAME RDS_USERNAME)}, RDS_PASSWORD_FILE => $secret });
    ok($httpd->wait_for_state('available'), 'watched');
    is(env_of($httpd)->{RDS_PASSWORD}, 'first', 'the first password');
    rename file("second\n"), $secret;
    ok(RdsFailover::Httpd::wait_until(sub { env_of($httpd)->{RDS_PASSWORD} eq 'second' }, 30), 'the second one arrives without a restart');
    rename file(''), $secret;
    ok(RdsFailover::Httpd::wait_until(sub { $httpd->log =~ /RDS_PASSWORD_FILE/ }, 30), 'a file that went empty is said');
    is(env_of($httpd)->{RDS_PASSWORD}, 'second', 'and the last good password stays');
    unlike($httpd->log . $httpd->get('/rds-status?json')->{body}, qr/first|second/, 'none of them is shown');
};
done_testing;
