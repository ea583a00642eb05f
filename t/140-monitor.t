#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The monitor's life: killed, stopped, handed over at a graceful restart, gone with its parent. Requests are never the worse for it.
use v5.36;
use Test::More;
use RdsFailover::FakeMysql;
use RdsFailover::Httpd;
use Time::HiRes qw(time sleep);

*wait_until = \&RdsFailover::Httpd::wait_until;
my $CHECK = 'RDSFailoverCheck interval=100ms fast=50ms timeout=300ms';

sub serve ($db, %more) {
    my $httpd = RdsFailover::Httpd->new(conf => "RDSFailoverDSN ${\$db->dsn}\n$CHECK", location => 'RDSFailover on', %more);
    my $start = $httpd->start;
    ok($start->{up}, 'httpd starts') or diag $start->{said};
    ok($httpd->wait_for_state('available'), 'available') or diag explain $httpd->json;
    return $httpd;
}
sub breaks ($db) { $db->set(behave => 'close')->drop }
sub alive ($pid) { return $pid && kill 0, $pid }
# Processes whose parent is the given one.
sub children_of ($pid) { return map { m{/proc/(\d+)/} } grep { ((split ' ', RdsFailover::Httpd::slurp($_) =~ s/.*\) //r)[1] // 0) == $pid } glob '/proc/[0-9]*/stat' }
sub new_monitor ($httpd, $old) { return wait_until(sub { my $pid = $httpd->monitor_pid; $pid && $pid != $old && $pid }, 20) }

# --- kill -9 in each state ------------------------------------------------------------------------------------------------------------
subtest 'killed while available' => sub {
    my $db = RdsFailover::FakeMysql->new;
    my $httpd = serve($db);
    my $old = $httpd->monitor_pid;
    my ($prober) = children_of($old);
    ok($prober, 'the monitor has a prober');
    my $epoch = $httpd->database->{epoch};
    kill 'KILL', $old;
    is($httpd->get('/env', timeout => 10)->{status}, 200, 'a request at once');
    my $new = new_monitor($httpd, $old);
    ok($new, 'a new monitor');
    ok($httpd->wait_for_state('available', 10), 'the state is right again');
    is($httpd->database->{epoch}, $epoch, 'in the same epoch');
    is_deeply($httpd->database->{failovers}, [], 'no failover is made of it');
    ok(wait_until(sub { !alive($prober) }, 10), 'the old prober is gone');
    ok($httpd->json->{monitor}{restarts} >= 1, 'the restart is counted');
};

subtest 'killed in an outage, with requests held' => sub {
    my $db = RdsFailover::FakeMysql->new;
    my $httpd = serve($db);
    breaks($db);
    ok($httpd->wait_for_state('outage'), 'an outage');
    my @held = map { $httpd->begin("/count?$_") } 1 .. 5;
    ok(wait_until(sub { $httpd->database->{hold}{now} == 5 }, 10), 'five requests are held');
    my $old = $httpd->monitor_pid;
    kill 'KILL', $old;
    ok(new_monitor($httpd, $old), 'a new monitor');
    ok($httpd->wait_for_state('outage', 10), 'still an outage');
    is($httpd->database->{hold}{now}, 5, 'with five held');
    $db->set(behave => 'ok');
    is_deeply([map { $_->finish(30)->{status} } @held], [(200) x 5], 'all are answered when the database is back');
    is(scalar($httpd->runs), 5, 'each ran once');
    is(scalar(@{ $httpd->database->{failovers} }), 1, 'it was one failover');
};

subtest 'killed when the database comes back' => sub {
    my $db = RdsFailover::FakeMysql->new;
    my $httpd = serve($db);
    breaks($db);
    ok($httpd->wait_for_state('outage'), 'an outage');
    my $held = $httpd->begin('/count');
    ok(wait_until(sub { $httpd->database->{hold}{now} == 1 }, 10), 'a request is held');
    kill 'KILL', $httpd->monitor_pid;
    $db->set(behave => 'ok');
    is($held->finish(30)->{status}, 200, 'it is answered');
    ok($httpd->wait_for_state('available'), 'and the state becomes available');
};

subtest 'killed again and again' => sub {
    my $db = RdsFailover::FakeMysql->new;
    my $httpd = serve($db);
    my $failed = 0;
    for (1 .. 5) {
        my $old = $httpd->monitor_pid;
        kill 'KILL', $old;
        $failed++ if $httpd->get('/env', timeout => 10)->{status} != 200;
        new_monitor($httpd, $old);
    }
    is($failed, 0, 'no request failed');
    ok($httpd->wait_for_state('available'), 'available in the end');
    is(scalar(grep { RdsFailover::Httpd::slurp("/proc/$_/cmdline") =~ /rdsfailover-prober/ } map { children_of($_) } children_of($httpd->pid)),
        1, 'one prober is left');
};

# --- the monitor stands still: readers see an old board, and pass ------------------------------------------------------------------------------
subtest 'stopped (SIGSTOP)' => sub {
    my $db = RdsFailover::FakeMysql->new;
    my $httpd = serve($db);
    breaks($db);
    ok($httpd->wait_for_state('outage'), 'an outage');
    my $monitor = $httpd->monitor_pid;
    my $held = $httpd->begin('/count');
    ok(wait_until(sub { $httpd->database->{hold}{now} == 1 }, 10), 'a request is held');
    kill 'STOP', $monitor;
    is($held->finish(40)->{status}, 200, 'it goes through when the board has been old for a while: the module gone wrong is the module gone');
    is($httpd->get('/env', timeout => 20)->{status}, 200, 'so do new ones');
    is($httpd->get('/rds-status?health')->{status}, 200, 'the server is healthy');
    kill 'CONT', $monitor;
    ok($httpd->wait_for_state('outage'), 'the monitor goes on where it was');
    ok($httpd->stop, 'and the server stops');
    ok(wait_until(sub { !alive($monitor) }, 10), 'with it');
};

subtest 'the server stops while the monitor is stopped' => sub {
    my $httpd = serve(RdsFailover::FakeMysql->new);
    my $monitor = $httpd->monitor_pid;
    my ($prober) = children_of($monitor);
    kill 'STOP', $monitor;
    ok($httpd->stop, 'the server stops');
    ok(wait_until(sub { !alive($monitor) }, 10), 'the monitor is gone');
    ok(wait_until(sub { !alive($prober) }, 10), 'the prober too') or kill 'KILL', $prober;
};

# --- the prober is hurt ----------------------------------------------------------------------------------------------------------------------
subtest 'the prober is killed, then stopped' => sub {
    my $db = RdsFailover::FakeMysql->new;
    my $httpd = serve($db);
    my $monitor = $httpd->monitor_pid;
    for my $signal (qw(KILL STOP)) {
        my ($prober) = children_of($monitor);
        kill $signal, $prober;
        ok(wait_until(sub { my ($new) = children_of($monitor); $new && $new != $prober && !alive($prober) }, 20), "after $signal there is a new prober, and the old one is gone");
        is($httpd->get('/env', timeout => 20)->{status}, 200, 'a request is served');
        ok($httpd->wait_for_state('available'), 'available');
        is($httpd->monitor_pid, $monitor, 'the monitor is the same');
    }
    breaks($db);
    ok($httpd->wait_for_state('outage'), 'the new prober sees an outage');
};

# --- restarts --------------------------------------------------------------------------------------------------------------------------------
subtest 'graceful restart in an outage' => sub {
    my $db = RdsFailover::FakeMysql->new;
    my $httpd = serve($db);
    breaks($db);
    ok($httpd->wait_for_state('outage'), 'an outage');
    my @held = map { $httpd->begin("/count?$_") } 1 .. 8;
    ok(wait_until(sub { $httpd->database->{hold}{now} == 8 }, 10), 'eight requests are held');
    my $old = $httpd->monitor_pid;
    $httpd->graceful;
    ok(new_monitor($httpd, $old), 'a new monitor');
    ok(wait_until(sub { !alive($old) }, 10), 'the old one is gone');
    my @later = map { $httpd->begin("/count?later$_") } 1 .. 3;
    ok(wait_until(sub { ($httpd->database->{hold}{now} // 0) == 11 }, 20), 'old and new generation hold together') or diag explain $httpd->database->{hold};
    $db->set(behave => 'ok');
    is_deeply([map { $_->finish(30)->{status} } @held, @later], [(200) x 11], 'none is lost');
    is(scalar($httpd->runs), 11, 'each ran once');
    my $hold = $httpd->database->{hold};
    is($hold->{released} + $hold->{passed} + $hold->{redirected} + $hold->{expired} + $hold->{aborted} + $hold->{lost} + $hold->{now}, $hold->{held}, 'the sum of section 7 holds')
        or diag explain $hold;
};

subtest 'graceful restarts in a row while available' => sub {
    my $db = RdsFailover::FakeMysql->new;
    my $httpd = serve($db);
    my $epoch = $httpd->database->{epoch};
    for (1 .. 5) {
        my $old = $httpd->monitor_pid;
        $httpd->graceful;
        new_monitor($httpd, $old);
        is($httpd->get('/env', timeout => 20)->{status}, 200, 'a request is served');
    }
    ok($httpd->wait_for_state('available'), 'available');
    is($httpd->database->{epoch}, $epoch, 'the epoch has not moved');
    is_deeply($httpd->database->{failovers}, [], 'no failover');
    ok(wait_until(sub { 1 == grep { RdsFailover::Httpd::slurp("/proc/$_/comm") =~ /rdsfailover|rds-mon|monitor/ } children_of($httpd->pid) }, 10), 'one monitor')
        or diag map { "$_ " . RdsFailover::Httpd::slurp("/proc/$_/comm") } children_of($httpd->pid);
};

subtest 'restart (HUP)' => sub {
    my $db = RdsFailover::FakeMysql->new;
    my $httpd = serve($db);
    my $old = $httpd->monitor_pid;
    $httpd->restart;
    ok(new_monitor($httpd, $old), 'a new monitor');
    ok($httpd->wait_for_state('available'), 'available');
    ok(wait_until(sub { !alive($old) }, 10), 'the old one is gone');
};

subtest 'the module is removed by a graceful restart' => sub {
    my $httpd = serve(RdsFailover::FakeMysql->new);
    my $monitor = $httpd->monitor_pid;
    $httpd->configure(module => 0, conf => '', location => '');
    $httpd->graceful;
    ok(wait_until(sub { $httpd->get('/rds-status?json')->{status} != 200 }, 20), 'the module is gone');
    is($httpd->get('/static.txt')->{status}, 200, 'the server serves');
    ok(wait_until(sub { !alive($monitor) }, 90), 'and so is its monitor');
};

subtest 'kill -9 of the server' => sub {
    my $httpd = serve(RdsFailover::FakeMysql->new);
    my $monitor = $httpd->monitor_pid;
    my ($prober) = children_of($monitor);
    my @workers = grep { $_ != $monitor } children_of($httpd->pid);
    kill 'KILL', $httpd->pid;
    ok(wait_until(sub { !alive($monitor) }, 10), 'the monitor is gone');
    ok(wait_until(sub { !alive($prober) }, 10), 'the prober too');
    kill 'KILL', @workers;
};
done_testing;
