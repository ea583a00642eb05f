#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Processes come and go while requests wait in them: graceful restart and stop, MaxConnectionsPerChild, and a process that is
# killed. Nobody else notices, and the counters stay right.
use v5.36;
use Test::More;
use RdsFailover::Httpd;
use RdsFailover::Site;

*wait_until = \&RdsFailover::Httpd::wait_until;
my $mpm      = $ENV{RF_MPM} || 'event';
my $blocking = $mpm ne 'event';
my %SMALL    = $blocking ? (threads => 100, children => 2) : (threads => 5, children => 2, factor => 200);

sub children_are ($site, $n) {
    return wait_until(sub { $site->httpd->children == $n }, 60) || diag explain [$site->httpd->children];
}

subtest 'graceful restarts, five in a row' => sub {
    my $many = $blocking ? 20 : 300;
    my $more = $blocking ? 4 : 40;
    my $site = RdsFailover::Site->new(%SMALL, spare => 14, factor => 400, $mpm eq 'prefork' ? (threads => 200, children => 1) : ());
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/app?$_", method => $_ % 3 ? 'GET' : 'POST', body => $_ % 3 ? '' : 'b' x 3000) for 1 .. $many;
    ok($site->holds($many), "$many wait");
    my $n = $many;
    for my $round (1 .. 5) {
        ok($site->httpd->graceful_over(60), "graceful restart $round");
        is($site->httpd->database->{state}, 'outage', 'still an outage');
        is($site->hold->{now}, $n, 'who waited still does');
        is((grep { $_->closed || $_->answers } $clients->clients), 0, 'nobody was cut off');
        $clients->ask('/app?' . ++$n) for 1 .. $more;
        ok($site->holds($n), "$more more wait");
        is($site->httpd->get('/static.txt')->{status}, 200, 'a file is served');
    }
    # Those of a generation that is on its way out are noticed when they leave, as all are.
    my @leave = ($clients->clients)[0 .. 4];
    $_->leave for @leave;
    ok($site->holds($n - 5), 'five of the first generation leave, and are noticed');
    $site->mend;
    ok($clients->settle, 'all are answered');
    $site->answers($clients, { 200 => $n - 5, left => 5 }, 'with one 200 each');
    $site->drained;
    $site->ran_once([6 .. $n]);
    my $hold = $site->hold;
    is_deeply([@$hold{qw(held released aborted lost)}], [$n, $n - 5, 5, 0], 'every generation is counted, none is lost');
    is($site->httpd->json->{monitor}{restarts}, 0, 'the monitor was handed over each time');
    ok(children_are($site, $mpm eq 'prefork' ? 4 : 2), 'the processes of old generations have ended') if $mpm ne 'prefork';
    $site->balanced;
};

subtest 'graceful stop' => sub {
    my $many = $blocking ? 20 : 100;
    my $site = RdsFailover::Site->new(%SMALL);
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/app?$_") for 1 .. $many;
    ok($site->holds($many), "$many wait");
    $site->watch->ok;
    $site->httpd->graceful_stop;
    ok(wait_until(sub { $site->httpd->get('/static.txt', timeout => 5)->{status} == 0 }, 30), 'nobody new gets in');
    is((grep { $_->closed } $clients->clients), 0, 'nobody is cut off');
    $site->mend;
    ok($clients->settle, 'who waited is answered');
    is_deeply($clients->tally, { 200 => $many }, 'with one 200 each');
    $site->ran_once([1 .. $many]);
    ok(wait_until(sub { !$site->httpd->alive }, 60), 'then httpd ends');
};

subtest 'MaxConnectionsPerChild' => sub {
    plan skip_all => "event: a process of $mpm holds one request for each of its workers" if $blocking;
    # Each process may serve twenty connections, those of the status included, and goes on with the others when it has.
    my $site = RdsFailover::Site->new(%SMALL, spare => 30, per_child => 20);
    $site->break;
    my $clients = $site->clients;
    for my $n (1 .. 150) {
        $clients->ask("/app?$n");
        $clients->turn(0.005);
    }
    ok($site->holds(150), '150 wait, in several generations of processes');
    cmp_ok(scalar($site->httpd->children), '>', 3, 'processes on their way out keep those who wait');
    $site->mend;
    ok($clients->settle, 'all are answered');
    $site->answers($clients, { 200 => 150 }, 'with one 200 each');
    $site->drained;
    $site->ran_once([1 .. 150]);
    is($site->hold->{lost}, 0, 'none is lost');
    $site->balanced;
};

subtest 'a process is killed' => sub {
    my $many = $blocking ? 40 : 100;
    my $site = RdsFailover::Site->new(%SMALL);
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/app?$_") for 1 .. $many;
    ok($site->holds($many), "$many wait");
    my ($victim) = $site->httpd->children_connected_to_client($clients->clients);
    kill 'KILL', $victim;
    ok(wait_until(sub { $clients->turn(0.02); $site->hold->{lost} }, 30), 'it is missed');
    $clients->turn(0.05) for 1 .. 5;
    my $lost = grep { $_->closed } $clients->clients;
    cmp_ok($lost, '>', 0, "$lost of them were in one process, and are cut off");
    is($site->hold->{lost}, $lost, 'as many are counted as lost');
    is($site->hold->{now}, $many - $lost, 'the others wait on');
    ok($site->httpd->logged('RF0215'), 'the log says so');
    my @new = map { $clients->ask("/app?new-$_") } 1 .. 10;
    ok($site->holds($many - $lost + 10), 'new ones join them');
    $site->mend;
    ok($clients->settle, 'all are answered');
    $site->answers($clients, { 200 => $many - $lost + 10, none => $lost }, 'but those who were cut off');
    $site->drained;
    my $stats = $site->app->stats;
    is((grep { $_ != 1 } values %{ $stats->{runs} }), 0, 'nobody ran twice');
    is(scalar @{ $stats->{order} }, $many - $lost + 10, 'nor did anyone who was lost');
    $site->balanced;
};

# With one place to run, a process that dies with it must not keep it.
subtest 'a process is killed while what it let go runs' => sub {
    my $site = RdsFailover::Site->new(%SMALL, release => 'concurrency=1', location => 'RDSFailoverReplay off');
    $site->break;
    # Answers that fail keep the pace at one.
    $site->app->set(hang => 1, status => 500);
    my $clients = $site->clients;
    my $many = 40;
    $clients->ask("/app?$_") for 1 .. $many;
    ok($site->holds($many), "$many wait");
    $site->mend;
    ok(wait_until(sub { $site->app->stats->{running} }, 30), 'the first runs');
    my ($victim) = $site->httpd->children_connected_to($site->app->port);
    ok($victim, 'in one process') && kill 'KILL', $victim;
    ok(wait_until(sub { $clients->turn(0.02); $site->app->stats->{broken} }, 30), 'the application sees it end');
    $site->app->set(hang => 0);
    ok($clients->settle, 'all who were not in that process are answered') or $site->tell;
    my $tally = $clients->tally;
    cmp_ok($tally->{500} // 0, '>', 0, "$tally->{500} of them");
    is(($tally->{500} // 0) + ($tally->{none} // 0), $many, 'everyone else was cut off with the process');
    $site->drained;
    my $hold  = $site->hold;
    my $stats = $site->app->stats;
    is($hold->{lost} + $stats->{broken}, $tally->{none}, 'as many as are counted as lost, and what ran') or $site->tell;
    is((grep { $_ != 1 } values %{ $stats->{runs} }), 0, 'nobody ran twice');
    is($hold->{running} // 0, 0, 'no place to run is taken any more');
    $site->balanced;
};

# Who waits does not notice; who is left without any monitor goes on, in the end, and is counted as what he was.
subtest 'the monitor is killed, and then stands still' => sub {
    my $many = $blocking ? 20 : 60;
    my $site = RdsFailover::Site->new(%SMALL);
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/app?$_") for 1 .. $many;
    ok($site->holds($many), "$many wait");
    my $first = $site->httpd->monitor_pid;
    kill 'KILL', $first;
    ok(wait_until(sub { my $pid = $site->httpd->monitor_pid; $pid && $pid != $first }, 60), 'the monitor dies; there is another');
    is($site->hold->{now}, $many, 'they wait on');
    $site->mend;
    ok($clients->settle, 'and are let go by it');
    $site->answers($clients, { 200 => $many }, 'with one 200 each');
    is($site->hold->{released}, $many, 'as released');
    $site->drained;

    $site->break;
    my $again = $site->clients;
    $again->ask('/app?' . ($many + $_)) for 1 .. $many;
    ok($site->holds($many), "$many wait again");
    my $second = $site->httpd->monitor_pid;
    kill 'STOP', $second;
    ok($again->settle, 'the monitor says nothing any more: they are let through');
    kill 'CONT', $second;
    $site->answers($again, { 200 => $many }, 'with one 200 each');
    is($site->hold->{passed}, $many, 'as passed');
    $site->ran_once([1 .. 2 * $many]);
    $site->mend;
    $site->drained;
    $site->balanced;
};

# An ungraceful restart cuts everyone off, which nothing can change; what is left on the board must be true.
subtest 'restart' => sub {
    my $many = $blocking ? 20 : 60;
    my $site = RdsFailover::Site->new(%SMALL, release => 'concurrency=1');
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/app?$_") for 1 .. $many;
    ok($site->holds($many), "$many wait");
    my $before = $site->httpd->monitor_pid;
    $site->httpd->restart;
    ok($clients->settle, 'all are cut off');
    is_deeply($clients->tally, { none => $many }, 'without an answer');
    ok(wait_until(sub { my $pid = $site->httpd->monitor_pid; $pid && $pid != $before }, 60), 'httpd is there again');
    my $hold = $site->hold;
    # Where each keeps a worker, that may have seen its client go before it went itself.
    is($hold->{lost} + ($blocking ? $hold->{aborted} : 0), $many, 'they are counted as lost') or $site->tell;
    is("$hold->{now} $hold->{held}", "0 $many", 'and nobody waits');
    my $again = $site->clients;
    $again->ask("/app?again-$_") for 1 .. 10;
    ok($site->holds(10), 'it holds again');
    $site->mend;
    ok($again->settle, 'and lets go');
    $site->answers($again, { 200 => 10 }, 'with one 200 each');
    $site->drained;
    $site->balanced;
};

# Nothing may wait for those who wait.
subtest 'stop' => sub {
    my $site = RdsFailover::Site->new(%SMALL);
    $site->break;
    my $clients = $site->clients;
    my $many = $blocking ? 20 : 60;
    $clients->ask("/app?$_", method => 'POST', body => 'b' x 1000) for 1 .. $many;
    ok($site->holds($many), "$many wait");
    $site->watch->ok;
    ok($site->httpd->stop, 'httpd stops when it is told to');
    ok($clients->settle, 'all are cut off');
    is_deeply($clients->tally, { none => $many }, 'without an answer');
    is(scalar(() = $site->httpd->log =~ /AH00045|AH00046/g), 0, 'and no process had to be killed') or diag $site->httpd->log;
};
done_testing;
