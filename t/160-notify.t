#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# RDSFailoverNotify: what a command is told and what it sees, and that none that fails, hangs or is gone disturbs the monitor.
use v5.36;
use Test::More;
use RdsFailover::FakeMysql;
use RdsFailover::Httpd;

*wait_until = \&RdsFailover::Httpd::wait_until;
my $CHECK = 'RDSFailoverCheck interval=100ms fast=50ms timeout=300ms';
my $db    = RdsFailover::FakeMysql->new;

# A server that runs a shell script with this text at each change; it may write below $httpd->dir/told.
sub serve ($script, %more) {
    $db->set(behave => 'ok');
    my $httpd = RdsFailover::Httpd->new(location => 'RDSFailover on', env => { RDS_PASSWORD => 'hidden', OF_NO_CONCERN => 1 }, %more);
    mkdir "$httpd->{dir}/told";
    chmod 0777, "$httpd->{dir}/told";
    RdsFailover::Httpd::write_file("$httpd->{dir}/told.sh", "#!/bin/sh\ncd '$httpd->{dir}/told'\n$script\n", 0755);
    $httpd->configure(conf => "RDSFailoverDSN ${\$db->dsn}\n$CHECK\nRDSFailoverNotify \"$httpd->{dir}/told.sh\" \"an argument\" \"\$(id);\"\n");
    my $start = $httpd->start;
    ok($start->{up} && $httpd->wait_for_state('available'), 'available') or diag $start->{said};
    return $httpd;
}
sub breaks () { $db->set(behave => 'close')->drop; return }
# What a script wrote, by file.
sub told ($httpd, $pattern = '*') { return map { RdsFailover::Httpd::slurp($_) } sort glob "$httpd->{dir}/told/$pattern" }
# The environments that were told, by the state they tell.
sub by_state ($httpd) {
    return map { my %env = /^(\w+)=(.*)$/mg; ($env{RDSFAILOVER_STATE} => \%env) } told($httpd, '*.env');
}
sub alive ($pid) { return $pid && -e "/proc/$pid" && RdsFailover::Httpd::slurp("/proc/$pid/stat") !~ /\) Z / }

subtest 'what is told' => sub {
    my $httpd = serve('{ env; echo "ARGUMENTS=$#,$1,$2"; } > $$.tmp && mv $$.tmp $$.env; echo said');
    ok(wait_until(sub { my %told = by_state($httpd); $told{available} }, 20), 'the start');
    breaks();
    ok($httpd->wait_for_state('outage'), 'an outage');
    ok(wait_until(sub { my %told = by_state($httpd); $told{outage} }, 20), 'is told');
    $db->set(behave => 'ok');
    ok($httpd->wait_for_state('available'), 'its end');
    ok(wait_until(sub { my %told = by_state($httpd); $told{recovering} }, 20), 'too');
    my %told = by_state($httpd);
    my $outage = $told{outage};
    like($outage->{RDSFAILOVER_CAUSE}, qr/^(?:lost|unreachable)$/, 'with its cause');
    is($outage->{RDSFAILOVER_EVENT}, 'state', 'a change of state');
    like($outage->{RDSFAILOVER_FROM}, qr/^(?:available|suspect)$/, 'from another');
    is($outage->{RDSFAILOVER_DATABASE}, $httpd->database->{name}, 'of which database');
    is($outage->{RDSFAILOVER_WRITER}, '127.0.0.1', 'whose writer that was');
    is($outage->{RDSFAILOVER_ORDER}, 'none', 'without an order');
    like($outage->{RDSFAILOVER_TIME}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'when');
    is($told{recovering}{RDSFAILOVER_EPOCH}, $outage->{RDSFAILOVER_EPOCH} + 1, 'the end has another epoch');
    is($outage->{ARGUMENTS}, '2,an argument,$(id);', 'the arguments are as written: no shell has seen them');
    is_deeply([grep { !/^(?:RDSFAILOVER_\w+|PATH|PWD|OLDPWD|SHLVL|_|ARGUMENTS)$/ } keys %$outage], [], 'nothing else is in the environment');
    unlike(join('', told($httpd)), qr/secret|hidden/, 'no password');
    ok(wait_until(sub { $httpd->log =~ /^said$/m }, 10), 'what it says is in the error log');
    is(scalar($httpd->logged('RF0305')), 0, 'none failed');
};

subtest 'a command that fails' => sub {
    my $httpd = serve('exit 3');
    ok(wait_until(sub { grep { /status 3/ } $httpd->logged('RF0305') }, 20), 'is said') or diag $httpd->log;
    unlink "$httpd->{dir}/told.sh";
    breaks();
    ok($httpd->wait_for_state('outage'), 'the monitor goes on');
    ok(wait_until(sub { grep { /status 127/ } $httpd->logged('RF0305') }, 20), 'so is one that has gone since the start') or diag $httpd->log;
    $db->set(behave => 'ok');
    ok($httpd->wait_for_state('available'), 'and on');
};

subtest 'commands that hang' => sub {
    my $httpd = serve('trap "" TERM; sleep 600 & echo $! > $$.pids.tmp; echo $$ >> $$.pids.tmp; mv $$.pids.tmp $$.pids; wait');
    for (1 .. 3) {
        breaks();
        ok($httpd->wait_for_state('outage'), 'an outage is seen');
        $db->set(behave => 'ok');
        ok($httpd->wait_for_state('available'), 'and its end');
    }
    my $monitor = $httpd->monitor_pid;
    my @pids;
    ok(wait_until(sub { @pids = map {split} told($httpd, '*.pids'); @pids == 8 }, 20), 'four commands run, and what they started')
        or diag "@pids";
    ok(scalar($httpd->logged('RF0307')), 'the others were left out, which is said');
    ok(wait_until(sub { !grep { alive($_) } @pids }, 60), 'in the end all of that is killed') or diag "@pids";
    ok(wait_until(sub { 4 == $httpd->logged('RF0306') }, 10), 'which is said') or diag $httpd->log;
    is($httpd->monitor_pid, $monitor, 'it is still the same monitor');
    is(scalar(grep { /\) Z $monitor / } map { RdsFailover::Httpd::slurp($_) } glob '/proc/[0-9]*/stat'), 0, 'and it left no zombie');
};

subtest 'what a command leaves behind' => sub {
    my $httpd = serve('sleep 600 & echo $! > $$.tmp; mv $$.tmp $$.left');
    my @left;
    ok(wait_until(sub { @left = map {split} told($httpd, '*.left') }, 20), 'one is started');
    ok(wait_until(sub { !grep { alive($_) } @left }, 20), 'and killed when its command has ended');
};

subtest 'what is no command' => sub {
    my $httpd = RdsFailover::Httpd->new;
    my $plain = RdsFailover::Httpd::write_file("$httpd->{dir}/plain", "#!/bin/sh\n", 0644);
    for my $wrong ('/nonexistent/notify', "\"$plain\"", "\"$httpd->{dir}\"", '') {
        $httpd->configure(conf => "RDSFailoverNotify $wrong\n");
        my $check = $httpd->check;
        ok(!$check->{ok}, "\"$wrong\" stops the start");
        like($check->{said}, qr/RDSFailoverNotify.*none/, 'and it is said what is accepted');
    }
    my $command = RdsFailover::Httpd::write_file("$httpd->{dir}/command", "#!/bin/sh\n", 0755);
    for my $right ("\"$command\" a b", 'command', 'none') {
        $httpd->configure(conf => "RDSFailoverNotify $right\n");
        my $check = $httpd->check;
        ok($check->{ok}, "$right is accepted") or diag $check->{said};
    }
    my $conf = "RDSFailoverDSN ${\$db->dsn}\nRDSFailoverNotify \"$command\" a\n";
    my %same = (none => 0, "\"$command\" b" => 0, "\"$command\"" => 0, "\"$command\" a" => 1);
    for my $other (sort keys %same) {
        $httpd->configure(conf => $conf, after => "<VirtualHost *:*>\nServerName other\nRDSFailoverNotify $other\n</VirtualHost>\n");
        my $start = $httpd->start;
        is($start->{up}, $same{$other}, "one database, with $other in one virtual host") or diag $start->{said};
        like($start->{said}, qr/RF0211/, 'which is said') if !$same{$other};
        $httpd->stop;
    }
};

# --- the examples -----------------------------------------------------------------------------------------------------------------
my %FACTS = (EVENT => 'state', DATABASE => 'sh"o\\p', ENDPOINT => 'e:3306', HOST => 'web1', FROM => 'suspect', STATE => 'outage', CAUSE => 'lost',
    EPOCH => 3, WRITER => '10.0.0.1', ORDER => 'none', TIME => '2026-11-22T18:10:00.250Z');
# Runs an example with a program of ours instead of the one it needs. @return what that was given: arguments, then standard input
sub example ($script, $program, $argument, %facts) {
    my $bin = File::Temp->newdir(TMPDIR => 1);
    RdsFailover::Httpd::write_file("$bin/$program", "#!/bin/sh\nfor a; do printf '%s\\n' \"\$a\"; done > '$bin/given'\ncat >> '$bin/given'\n", 0755);
    local %ENV = (PATH => "$bin:/usr/bin:/bin", map { ("RDSFAILOVER_$_" => $facts{$_}) } keys %facts);
    my $said = qx{sh '$script' '$argument' </dev/null 2>&1};
    return { status => $?, said => $said, given => RdsFailover::Httpd::slurp("$bin/given") };
}
subtest 'the examples' => sub {
    my $source = $ENV{RF_SRCDIR};
    my $url = File::Temp->new(TMPDIR => 1);
    print $url "https://hooks.example.com/secret\"x\n";
    close $url;
    my $hook = example("$source/conf/notify-webhook.sh", 'curl', "$url", %FACTS);
    is($hook->{status}, 0, 'the web hook') or diag $hook->{said};
    my ($body) = $hook->{given} =~ /^(\{.*\})$/m;
    my $json = eval { JSON::PP->new->decode($body // '') };
    ok($json, 'sends JSON') or diag $hook->{given};
    is($json->{database}, $FACTS{DATABASE}, 'whatever the names are');
    is($json->{state}, 'outage', 'with the state');
    like($json->{text}, qr/is outage \(was suspect, lost\) on web1$/, 'and a sentence');
    like($hook->{given}, qr{^url = "https://hooks.example.com/secret\\"x"$}m, 'to the URL of the file');
    unlike($hook->{given} =~ s/^url = .*//mr, qr/hooks\.example/, 'which is on no command line');

    my $sns = example("$source/conf/notify-sns.sh", 'aws', 'arn:aws:sns:eu-west-1:123456789012:database', %FACTS);
    is($sns->{status}, 0, 'SNS') or diag $sns->{said};
    like($sns->{given}, qr/\Asns\npublish\n--region\neu-west-1\n--topic-arn\narn:aws:sns:eu-west-1:123456789012:database\n/, 'publishes to the topic');
    like($sns->{given}, qr/^sh"o\\p is outage \(web1\)$/m, 'with a subject');
    like($sns->{given}, qr/^CAUSE=lost$/m, 'and the facts');
    for my $script (qw(notify-webhook.sh notify-sns.sh)) {
        for my $step (['available', 'suspect'], ['suspect', 'available']) {
            my $quiet = example("$source/conf/$script", $script =~ /sns/ ? 'aws' : 'curl', "$url", %FACTS, FROM => $step->[0], STATE => $step->[1]);
            is_deeply([@$quiet{qw(status given)}], [0, ''], "$script: from $step->[0] to $step->[1] nobody is woken");
        }
    }
};
done_testing;
