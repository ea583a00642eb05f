#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A server blocks a host (1129) after max_connect_errors broken handshakes, and with it the application. Whatever happens to
# the server, the prober must not be the cause. In a network namespace of its own: a server never blocks 127.0.0.1, counts
# only hosts whose name it can find, and a black hole needs a packet filter.
use v5.36;
use Test::More;
use File::Temp ();
use RdsFailover::Mariadb;
use RdsFailover::Prober;

my $missing = RdsFailover::Mariadb::missing();
plan skip_all => $missing if $missing;
if (($ENV{RF_INSIDE} // '') ne "$$") {
    my @inside = $> == 0 ? ('unshare', '-nm') : ('unshare', '-Urnm');
    plan skip_all => 'namespaces: none can be made here' if system(@inside, 'true') != 0;
    exec @inside, 'sh', '-c', 'RF_INSIDE=$$ exec "$@"', 'sh', $^X, (map { "-I$_" } @INC), $0;
}

my $SERVER = '10.99.0.1';    # the kernel gives a connection from this host to it the same source address
my $hosts  = File::Temp->new;
print $hosts "127.0.0.1 localhost\n$SERVER web.rds.test\n";
close $hosts;
chmod 0644, "$hosts";
for my $command ("mount --bind $hosts /etc/hosts", 'ip link set lo up', "ip address add $SERVER/32 dev lo") {
    system($command) == 0 or die "$command: failed\n";
}

my $database = RdsFailover::Mariadb->new(address => $SERVER, port => 3306, options => ['--max-connect-errors=5']);
my $prober   = RdsFailover::Prober->new(dsn => $database->dsn);

sub survives ($what) {
    $prober->forget($SERVER);
    my $sample = $prober->ask($SERVER);
    is($sample->{cause}, 'none', "$what: the next login succeeds") or diag explain $sample;
    $prober->forget($SERVER);
    return;
}

subtest 'the counting works' => sub {
    is($prober->ask($SERVER)->{cause}, 'none', 'logged in');
    $prober->forget($SERVER);
    for (1 .. 7) {
        my $socket = IO::Socket::INET->new(PeerAddr => $SERVER, PeerPort => 3306) or die "$SERVER: $@";
        sysread $socket, my $greeting, 1;
        close $socket;
    }
    my $sample = $prober->ask($SERVER);
    is("$sample->{cause} $sample->{code}", 'blocked 1129', 'broken handshakes block this host, and the prober says so');
    $database->sql('FLUSH HOSTS');
    survives('after FLUSH HOSTS');
};

subtest 'a server that is stopped, again and again' => sub {
    for (1 .. 12) {
        $database->signal('STOP');
        my $ticket = $prober->probe($SERVER, 50);
        $prober->await(kind => 'probe', ticket => $ticket) for 1 .. 2;
        $database->signal('CONT');
        is($prober->await(kind => 'probe', cause => 'none')->{ticket}, $ticket, 'the pending login is answered');
        $prober->forget($SERVER);
    }
    survives('12 stops');
};

subtest 'a server that is stopped, and we give up' => sub {
    for (1 .. 12) {
        $database->signal('STOP');
        $prober->await(kind => 'probe', ticket => $prober->probe($SERVER, 20), pending => 1);
        $prober->forget($SERVER);
        $database->signal('CONT');
    }
    survives('12 aborted logins');
};

subtest 'the prober is killed in the middle of a login' => sub {
    for (1 .. 8) {
        $database->signal('STOP');
        my $victim = RdsFailover::Prober->new(dsn => $database->dsn);
        $victim->await(kind => 'probe', ticket => $victim->probe($SERVER, 20), pending => 1);
        kill 'KILL', $victim->pid;
        $victim->stop;
        $database->signal('CONT');
    }
    survives('8 killed probers');
};

subtest 'a wrong password' => sub {
    my $wrong = RdsFailover::Prober->new(dsn => $database->dsn(password => 'wrong'));
    is($wrong->ask($SERVER)->{cause}, 'refused', 'is refused') for 1 .. 12;
    survives('12 refusals');
};

subtest 'TLS that the server does not have' => sub {
    my $strict = RdsFailover::Prober->new(dsn => $database->dsn(query => '?ssl-mode=REQUIRED'));
    is($strict->ask($SERVER)->{cause}, 'tls', 'is told as it is') for 1 .. 40;
    survives('40 probes that found no TLS');
};

subtest 'a certificate with another name' => sub {
    my $tls = RdsFailover::Mariadb::certificates('shop.rds.test');
    $database->end('TERM');
    push @{ $database->{options} }, "--ssl-ca=$tls/ca.pem", "--ssl-cert=$tls/server.pem", "--ssl-key=$tls/server.key";
    $database->start;
    my $strict = RdsFailover::Prober->new(dsn => $database->dsn(host => 'other.rds.test', query => "?ssl-mode=VERIFY_IDENTITY&ssl-ca=$tls/ca.pem"));
    is($strict->ask($SERVER)->{cause}, 'tls', 'is told as it is') for 1 .. 40;
    survives('40 wrong names');
    my $right = RdsFailover::Prober->new(dsn => $database->dsn(host => 'shop.rds.test', query => "?ssl-mode=VERIFY_IDENTITY&ssl-ca=$tls/ca.pem"));
    for (1 .. 12) {
        $database->signal('STOP');
        $right->await(kind => 'probe', ticket => $right->probe($SERVER, 20), pending => 1);
        $right->forget($SERVER);
        $database->signal('CONT');
    }
    is($right->ask($SERVER)->{proven}, 1, '12 aborted TLS logins: the next one succeeds');
};

SKIP: {
    skip 'nft: not installed', 1 if !grep { -x "$_/nft" } split(/:/, $ENV{PATH}), '/usr/sbin', '/sbin';
    subtest 'a black hole' => sub {
        local $ENV{PATH} = "$ENV{PATH}:/usr/sbin:/sbin";
        my $drop = "table inet hole { chain in { type filter hook input priority 0; tcp dport 3306 drop; }; }";
        is($prober->ask($SERVER)->{cause}, 'none', 'logged in');
        is(system('nft', $drop), 0, 'packets are dropped from now on');
        my $kept = $prober->ask($SERVER, 100);
        is("$kept->{cause} $kept->{pending}", 'timeout 0', 'the kept connection is given up');
        my $new = $prober->ask($SERVER, 100);
        is("$new->{cause} $new->{pending}", 'timeout 0', 'a connection request too: nobody has taken it up');
        like($new->{text}, qr/no answer to the connection request/, 'in words');
        is($prober->ask($SERVER, 100)->{cause}, 'timeout', 'and so on') for 1 .. 5;
        is(system('nft', 'delete table inet hole'), 0, 'packets pass again');
        is($prober->ask($SERVER)->{cause}, 'none', 'and it is back');
        survives('the hole');
    };
}
done_testing;
