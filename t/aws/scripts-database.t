#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What upgrade and downgrade ask the site's own database: by the DSN of the environment, never with the password where others see it.
use v5.36;
use JSON::PP ();
use Test::More;
use RdsFailover::Lint    qw(source_tree);
use RdsFailover::Mariadb ();

if (my $why = RdsFailover::Mariadb::missing()) { plan skip_all => $why }
my $database = RdsFailover::Mariadb->new;
$database->sql(q{GRANT PROCESS ON *.* TO app@'%'}, q{CREATE USER plain@'%' IDENTIFIED BY 'pa"ss\\\\#w:o/r@d'}, 'CREATE TABLE shop.t (a INT) ENGINE=InnoDB');
delete local @ENV{qw(DATABASE_URL DATABASE_URL_FILE RDS_HOSTNAME RDS_HOSTNAME_FILE RDS_PASSWORD_FILE)};
my $port = $database->{port};

sub ask ($longest, %environment) {
    local @ENV{ keys %environment } = values %environment;
    open my $from, '-|', 'python3', source_tree() . '/t/aws/scripts/ask_database.py', $longest or die "python3: $!\n";
    local $/;
    return JSON::PP::decode_json(<$from> // '{}');
}

is(ask(0)->{error}, 'neither DATABASE_URL nor RDS_HOSTNAME is set here', 'no DSN');
my %url = (DATABASE_URL => "mysql://app:secret\@127.0.0.1:$port/shop");
my $found = ask(0, %url);
is_deeply($found->{transactions}, [], 'no transaction is open');
ok($found->{numbers}{pool} > 1 << 20 && $found->{numbers}{data} > 0 && $found->{numbers}{data} <= $found->{numbers}{pool}, 'the buffer pool and what is in it')
    or diag explain $found;
is($found->{numbers}{max_connections}, 151, 'max_connections');
is($found->{takes_writes}, JSON::PP::true, 'it takes writes');
$database->sql('SET GLOBAL read_only = 1');
is(ask(0, %url)->{takes_writes}, JSON::PP::false, 'read-only it does not');
$database->sql('SET GLOBAL read_only = 0');

# A transaction that stays open, of a client that ends with its standard input.
open my $client, '|-', 'mariadb', '--no-defaults', '--host=127.0.0.1', "--port=$port", '--user=app', '--password=secret', '--unbuffered', 'shop' or die "mariadb: $!\n";
$client->autoflush(1);
say {$client} 'BEGIN; INSERT INTO t VALUES (1);';
my $end = time + 60;
my $open;
until (time > $end) {
    $open = ask(1, %url)->{transactions};
    last if @$open;
    select undef, undef, undef, 0.2;
}
is(scalar @$open, 1, 'an open transaction is found');
ok($open->[0][0] > 0 && $open->[0][1] >= 1, 'with its connection and its age') or diag explain $open;
is_deeply(ask(3600, %url)->{transactions}, [], 'one that is younger than asked for is not');
close $client;

# The five variables; a password with everything that an option file could misread; from a file.
my %five = (RDS_HOSTNAME => '127.0.0.1', RDS_PORT => $port, RDS_USERNAME => 'plain');
like(ask(0, %five, RDS_PASSWORD => 'wrong')->{error}, qr/Access denied for user 'plain'/, 'a wrong password is told');
my $password = q{pa"ss\#w:o/r@d};
like(ask(0, %five, RDS_PASSWORD => $password)->{error}, qr/PROCESS/, 'a user who may not look is told, after his login');
my $file = File::Temp->new;
say {$file} $password;
close $file;
like(ask(0, %five, RDS_PASSWORD_FILE => "$file")->{error}, qr/PROCESS/, 'the same with the password from a file');
like(ask(0, DATABASE_URL => 'mysql://app:secret@127.0.0.1:1/shop')->{error}, qr/127\.0\.0\.1: .*connect/i, 'nobody there is told');
done_testing;
