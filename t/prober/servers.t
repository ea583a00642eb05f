#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The prober before servers that each say one thing.
use v5.36;
use Test::More;
use RdsFailover::FakeMysql;
use RdsFailover::Prober;

my $server = RdsFailover::FakeMysql->new;
my $at     = $server->address;
my $prober = RdsFailover::Prober->new(dsn => $server->dsn);

# Whatever was open is closed, and the server says something else.
sub says (%say) { $prober->forget($at); $server->set(behave => 'ok', %say); return }

subtest 'a writer' => sub {
    my $first = $prober->ask($at);
    is($first->{cause},    'none',       'good');
    is($first->{login},    1,            'the first verdict has a login in it');
    is($first->{server},   'fake-a',     'host name');
    is($first->{version},  '8.0.39',     'version');
    is($first->{pool},     134217728,    'buffer pool');
    is($first->{ro},       0,            'takes writes');
    is($first->{proven},   0,            'without TLS nothing is proven');
    my $second = $prober->ask($at);
    is("$second->{cause} $second->{login}", 'none 0', 'the connection is kept');
    is(scalar $server->saw('login'), 1, 'one login in all');
    like(($server->saw('query'))[-1]{sql}, qr/super_read_only/, 'super_read_only is asked for where it exists');
};

for my $variable (qw(read_only innodb_read_only super_read_only)) {
    $server->set_variables($variable => 1);
    my $sample = $prober->ask($at);
    is("$sample->{cause} $sample->{ro} $sample->{login}", 'read-only 1 0', "$variable is noticed on the kept connection");
    like($sample->{text}, qr/^\Q$variable\E is on$/, 'and named');
    is($sample->{server}, 'fake-a', 'with the facts of the server');
    $server->set_variables($variable => 0);
}

subtest 'leaving' => sub {
    is($prober->ask($at)->{cause}, 'none', 'logged in');
    $prober->forget($at);
    my $next = $prober->ask($at);
    is($next->{login}, 1, 'after FORGET it is a new login');
    is(scalar $server->saw('quit'),   1, 'the old connection was taken leave of');
    is(scalar $server->saw('broken'), 0, 'none was broken');
};

subtest 'a server that goes away between two probes' => sub {
    is($prober->ask($at)->{cause}, 'none', 'logged in');
    $server->drop;
    my $lost = $prober->await(kind => 'idle-lost');
    is("$lost->{cause} $lost->{code} $lost->{address} $lost->{ticket}", "lost 2013 $at 0", 'is reported unasked');
    is($prober->ask($at)->{login}, 1, 'the next probe logs in');
};

subtest 'a server that says why it goes' => sub {
    $server->set(error => [1053, '08S01', 'Server shutdown in progress']);
    is($prober->ask($at)->{cause}, 'none', 'logged in');
    $server->farewell;
    my $lost = $prober->await(kind => 'idle-lost');
    is("$lost->{cause} $lost->{code} $lost->{text}", 'shutdown 1053 Server shutdown in progress', 'its words are passed on');
};

for my $case (
    [ 'too many connections', { behave => 'deny', error => [1040, '08004', 'Too many connections'] }, 'busy', 1040, qr/Too many/ ],
    [ 'host blocked', { behave => 'deny', error => [1129, 'HY000', 'Host is blocked'] }, 'blocked', 1129, qr/blocked/ ],
    [ 'wrong password', { behave => 'refuse', error => [1045, '28000', 'Access denied'] }, 'refused', 1045, qr/Access denied/ ],
    [ 'wrong database', { behave => 'refuse', error => [1049, '42000', 'Unknown database'] }, 'refused', 1049, qr/Unknown/ ],
    [ 'demands TLS', { behave => 'refuse', error => [3159, 'HY000', 'Connections using insecure transport are prohibited'] }, 'tls', 3159, qr/insecure/ ],
    [ 'closes at once', { behave => 'close' }, 'lost', 2013, qr/Lost connection/ ],
    [ 'half a greeting', { behave => 'truncated' }, 'lost', 2013, qr/Lost connection/ ],
    [ 'a web server', { behave => 'http' }, 'protocol', 0, qr{not a MySQL server: it begins with "HTTP/1.1 400 Bad Request"} ],
    [ 'noise', { behave => 'noise' }, 'protocol', 0, qr/not a MySQL server/ ],
    [ 'going down', { behave => 'fail', error => [1053, '08S01', 'Server shutdown in progress'] }, 'shutdown', 1053, qr/shutdown/ ],
) {
    my ($name, $say, $cause, $code, $text) = @$case;
    says(%$say);
    my $sample = $prober->ask($at);
    is("$sample->{cause} $sample->{code} $sample->{pending}", "$cause $code 0", "$name: $cause");
    like($sample->{text}, $text, "$name: in words");
}

says(behave => 'trickle');
is($prober->ask($at)->{cause}, 'none', 'a greeting that trickles in is a greeting');

for my $behave (qw(silent stall)) {
    subtest "a server that stays $behave" => sub {
        says(behave => $behave);
        my $before = () = $server->saw('accept');
        my $ticket = $prober->probe($at, 100);
        my $first  = $prober->await(kind => 'probe', ticket => $ticket);
        is("$first->{cause} $first->{pending}", 'timeout 1', 'the verdict comes, the attempt goes on');
        like($first->{text}, qr/does not get on with the login/, 'in words');
        is($prober->await(kind => 'probe', ticket => $ticket)->{pending}, 1, 'and comes again with each further timeout');
        my $renewed = $prober->probe($at, 100);
        is($prober->await(kind => 'probe', ticket => $renewed)->{pending}, 1, 'a new probe takes over the attempt');
        my $after = () = $server->saw('accept');
        is($after - $before, 1, 'there was one connection');
        $prober->forget($at);
    };
}

subtest 'a server that falls silent on the kept connection' => sub {
    says();
    is($prober->ask($at)->{cause}, 'none', 'logged in');
    $server->set(behave => 'mute');
    my $sample = $prober->ask($at, 100);
    is("$sample->{cause} $sample->{pending}", 'timeout 0', 'the question is given up');
    like($sample->{text}, qr/does not answer/, 'in words');
    $server->set(behave => 'ok');
    is($prober->ask($at)->{login}, 1, 'and the next probe starts afresh');
};

subtest 'nothing listens' => sub {
    my $sample = $prober->ask('127.0.0.77');
    is("$sample->{cause} $sample->{code} $sample->{address}", 'unreachable 2002 127.0.0.77', 'refused')
        or diag explain $sample;
};

for my $query ('?ssl-mode=REQUIRED', '?ssl-mode=VERIFY_IDENTITY') {
    says(behave => 'deny', error => [1040, '08004', 'Too many connections']);
    my $sample = RdsFailover::Prober->new(dsn => $server->dsn(query => $query))->ask($at);
    is("$sample->{cause} $sample->{code} $sample->{text}", 'busy 1040 Too many connections', "$query: an error before TLS keeps its number");
}

subtest 'TLS is demanded of a server without it' => sub {
    says();
    my $strict = RdsFailover::Prober->new(dsn => $server->dsn(query => '?ssl-mode=REQUIRED'));
    my $before = () = $server->saw('login');
    my $sample = $strict->ask($at);
    is("$sample->{cause} $sample->{code}", 'tls 2026', 'refused by us');
    like($sample->{text}, qr/does not offer it/, 'in words');
    my $after = () = $server->saw('login');
    is($after, $before, 'and never logged in to');
};

subtest 'a server that asks for the password itself' => sub {
    for my $plugin (qw(mysql_clear_password dialog auth_gssapi_client mysql_old_password)) {
        says(behave => 'switch', plugin => $plugin);
        my $sample = $prober->ask($at);
        is("$sample->{cause} $sample->{code}", 'refused 5010', "$plugin: gets no login");
        like($sample->{text}, qr/not allowed on this connection$/, 'in our words');
    }
    is(scalar $server->saw('proof'), 0, 'and no proof');
    says(behave => 'switch', plugin => 'mysql_native_password');
    $prober->ask($at);
    is(scalar $server->saw('proof'), 1, 'mysql_native_password does');
};

subtest 'one address does not delay another' => sub {
    my $other = RdsFailover::FakeMysql->new(address => '127.0.0.78', port => $server->port, say => { behave => 'silent' });
    says();
    my $slow = $prober->probe($other->address, 20_000);
    is($prober->ask($at)->{cause}, 'none', 'the other one answers meanwhile');
    is(scalar(grep { $_->{address} eq $other->address } $prober->skipped), 0, 'before the slow one does');
    $prober->forget($other->address);
};

subtest 'a monitor that is stopped' => sub {
    $server->set(behave => 'silent');
    $prober->forget($at);
    $prober->await(kind => 'probe', ticket => $prober->probe($at, 2));
    kill 'STOP', $prober->{helper};
    sleep 1;    # a verdict each 2 ms: more than the socket holds
    kill 'CONT', $prober->{helper};
    says();
    is($prober->ask($at)->{cause}, 'none', 'finds its prober alive');
    cmp_ok(scalar($prober->skipped), '>', 10, 'and what it said meanwhile');
};

subtest 'a new DSN' => sub {
    is($prober->ask($at)->{cause}, 'none', 'logged in');
    $prober->configure($server->dsn(user => 'other'));
    is($prober->ask($at)->{login}, 1, 'is a new login');
    is(($server->saw('login'))[-1]{user}, 'other', 'with the new user');
};

# What the monitor must not destroy.
subtest 'its sockets' => sub {
    says();
    is($prober->ask($at)->{cause}, 'none', 'logged in');
    my ($kept) = sockets_to($server->port);
    ok((grep { $_ eq $kept } $prober->sockets), "it tells the connection it keeps ($kept)");
    says(behave => 'silent');
    is($prober->ask($at, 200)->{cause}, 'timeout', 'a login that hangs');
    my ($pending) = sockets_to($server->port);
    isnt($pending // 'none', $kept, 'is on another connection');
    ok((grep { $_ eq $pending } $prober->sockets), "it tells that, too ($pending)");
    ok(!(grep { $_ eq $kept } $prober->sockets), 'and not the one that is closed');
};

my $status = do { open my $in, '<', '/proc/' . $prober->pid . '/status'; local $/; <$in> };
like($status, qr/^NoNewPrivs:\s+1$/m, 'the prober can gain no rights');
unlike(do { open my $in, '<', '/proc/' . $prober->pid . '/cmdline'; local $/; <$in> }, qr/secret/, 'the password is not in its arguments');
ok($prober->stop, 'ends by itself when the monitor does');
done_testing;

# Inodes of this host's sockets to that port that somebody holds.
sub sockets_to ($port) {
    open my $in, '<', '/proc/net/tcp' or die "/proc/net/tcp: $!\n";
    my $to = sprintf '0100007F:%04X', $port;
    return grep {$_} map { (split)[9] } grep { (split)[2] eq $to } <$in>;
}
