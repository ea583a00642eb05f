#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What protected requests get: the DSN under every name, the verified address, the state; and what narrows it.
use v5.36;
use Test::More;
eval { require Apache::Test; Apache::Test->import(qw(-withtestmore)); require Apache::TestRequest; Apache::TestRequest->import(qw(GET)); 1 }
    or plan skip_all => 'apache-test: Apache::Test is not installed';

my $OURS = qr/^(?:DATABASE_URL|RDS_\w+|RDSFAILOVER_\w+)$/;
sub env_of ($path, %headers) {
    my $response = GET($path, %headers);
    is($response->code, 200, $path);
    return { grep { defined } map { /^(\w+)=(.*)$/ && $1 =~ $OURS ? (/^(\w+)=(.*)$/) : () } split /\n/, $response->content };
}
my $end = time + 30;
select undef, undef, undef, 0.05 while GET('/rds-status?health=db')->code != 200 && time < $end;
my $port = Apache::Test::vars('rf_db_port');

my $env = env_of('/cgi/env');
my %WANT = (
    DATABASE_URL        => "mysql://app:p%40ss%2Fw%C3%B6rd\@127.0.0.1:$port/shop?charset=utf8mb4",
    RDS_HOSTNAME        => '127.0.0.1', RDS_PORT => $port, RDS_DB_NAME => 'shop', RDS_USERNAME => 'app', RDS_PASSWORD => 'p@ss/wörd',
    RDS_HOSTADDR        => '127.0.0.1', RDSFAILOVER_STATE => 'available', RDSFAILOVER_EPOCH => '1', RDSFAILOVER_ATTEMPT => '1',
);
$env->{DATABASE_URL} =~ s/%([0-9a-f]{2})/'%' . uc $1/ge;
is_deeply($env, \%WANT, 'all ten variables');

is_deeply([sort keys %{ env_of('/cgi/env-off') }], ['RDSFAILOVER_STATE'], 'RDSFailover off: the state alone');
is_deeply([grep { !/^RDSFAILOVER_/ } keys %{ env_of('/cgi/env-hidden') }], [], 'RDSFailoverExpose off: nothing of the database');
is_deeply([sort keys %{ env_of('/cgi/env-two') }], [qw(RDSFAILOVER_STATE RDS_HOSTADDR)], 'RDSFailoverExpose with two names: these two');
unlike(GET('/cgi/env-two')->content, qr/p\@ss|p%40ss/i, 'and no password');

# A client cannot set what only the module may say.
$env = env_of('/cgi/env', 'RDSFAILOVER-STATE' => 'forged', 'RDS-HOSTADDR' => '6.6.6.6', 'X-Exempt' => 'no');
is($env->{RDSFAILOVER_STATE}, 'available', 'a header does not become the state');
is($env->{RDS_HOSTADDR}, '127.0.0.1', 'nor the address');

# The state is there as soon as the request is read: mod_rewrite and <If> can use it.
Apache::TestRequest::module('rewritten');
my $response = GET('/state');
is($response->code, 200, 'mod_rewrite saw the state');
is($response->header('X-If-State'), 'available', '<If> saw it');
done_testing();
