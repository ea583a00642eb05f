#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# How those who waited are let go: first in, first out, so many at once, newcomers behind them; and what becomes of those for whom
# there is no room, or no time.
use v5.36;
use Test::More;
use Time::HiRes qw(time);
use RdsFailover::FakeMysql;
use RdsFailover::Httpd;
use RdsFailover::Site;

my $mpm      = $ENV{RF_MPM} || 'event';
my $blocking = $mpm ne 'event';
# One process, so that the order is strict. Blocking MPMs need a thread for each who waits.
my %ONE = $blocking ? (threads => 100) : (threads => 8, factor => 200);
my @TOO_MANY = (behave => 'fail', error => [1203, '42000', 'User app has more than max_user_connections']);

# $n requests, each surely in the queue before the next one comes.
sub queue_up ($site, $clients, $from, $to, %options) {
    for my $n ($from .. $to) {
        $clients->ask("/app?$n", %options);
        $site->holds($n) or return 0;
    }
    return 1;
}

# Seconds until the first of them had an answer.
sub shortest ($clients) { return (sort { $a <=> $b } map { $_->answer->{at} - $_->answer->{asked_at} } $clients->clients)[0] }

# The most that may have been inside at once if a release began with $concurrency and has lasted so long: twice as many each second.
sub at_most ($concurrency, $seconds) { return $concurrency * 2**int($seconds) }

subtest 'first in, first out; newcomers behind' => sub {
    # With one place to run, the order in the application is the order in which they were let go.
    my $site = RdsFailover::Site->new(%ONE, release => 'concurrency=1');
    $site->app->set(hang => 1);
    $site->break;
    my $clients = $site->clients;
    ok(queue_up($site, $clients, 1, 20), 'twenty wait, one after the other');
    $site->mend;
    ok($clients->until(sub { $site->httpd->database->{state} eq 'recovering' }, 30), 'the release begins');
    # The pace stays at one while the database complains.
    $site->db->set(@TOO_MANY);
    ok($clients->until(sub { $site->app->stats->{running} }, 30), 'the first runs');
    for my $n (21 .. 25) {
        $clients->ask("/app?$n");
        ok($clients->until(sub { $site->hold->{held} == $n }, 30), 'a newcomer has to wait, too') or $site->tell;
    }
    $site->app->set(hang => 0, delay => 0.02);
    ok($clients->settle, 'all are answered');
    $site->answers($clients, { 200 => 25 }, 'with one 200 each');
    $site->mend;
    $site->drained;
    my $stats = $site->app->stats;
    my @order = @{ $stats->{order} };
    # Should the machine have stood still for so long that the pace grew, those inside together may have overtaken each other.
    my @wrong = grep { abs($order[$_ - 1] - $_) >= $stats->{peak} } 1 .. @order;
    if ($mpm eq 'prefork') { diag "across processes the order is as near as they are quick: @order" }
    else                   { is("@wrong", '', "who came first went first: @order") or diag "$stats->{peak} at once at most" }
    is(scalar @order, 25, 'each once');
    $site->balanced;
};

subtest 'never more at once than allowed' => sub {
    my $many = 60;
    for my $concurrency (1, 4) {
        my %two  = (%ONE, threads => $blocking ? 100 : 20, children => 2);
        my $site = RdsFailover::Site->new(%two, release => "concurrency=$concurrency");
        $site->app->set(delay => 0.02);
        $site->break;
        my $clients = $site->clients;
        $clients->ask("/app?$_") for 1 .. $many;
        ok($site->holds($many), "concurrency=$concurrency: $many wait");
        my $from = time;
        $site->mend;
        ok($clients->settle, 'all are answered');
        my $took  = time - $from;
        my $stats = $site->app->stats;
        $site->answers($clients, { 200 => $many }, 'with one 200 each');
        diag(sprintf 'concurrency=%d: %d requests of 20 ms in %.2f s, %d at once', $concurrency, $many, $took, $stats->{peak});
        cmp_ok($stats->{peak}, '>=', 1, 'there was something to count');
        cmp_ok($stats->{peak}, '<=', at_most($concurrency, $took), 'never more on the host than allowed, two processes together');
        $site->drained;
        is($site->hold->{running}, 0, 'every place to run was given back');
        cmp_ok($site->watch->stop->{most}{running}, '<=', at_most($concurrency, $took), 'the status never said more either');
        $site->ran_once([1 .. $many]);
        $site->balanced;
    }
};

# Without its pace, the same release has everybody inside at once: the test above would see it.
subtest 'a release without limits' => sub {
    my $site = RdsFailover::Site->new(%ONE, threads => 50, children => 2, factor => 50, release => 'concurrency=10000');
    $site->app->set(hang => 1);
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/app?$_") for 1 .. 60;
    ok($site->holds(60), 'sixty wait');
    $site->mend;
    # A process keeps some of its threads for others: forty of fifty run here at the same time.
    ok($clients->until(sub { $site->app->stats->{peak} >= 40 }, 30), 'far more than 32 are inside at once') or $site->tell;
    is($site->httpd->get('/static.txt', timeout => 30)->{status}, 200, 'and still a file is served');
    is($site->httpd->get('/rds-status?health', timeout => 30)->{status}, 200, 'the health check, too');
    $site->app->set(hang => 0);
    ok($clients->settle, 'all are answered');
    $site->answers($clients, { 200 => 60 }, 'with one 200 each');
    $site->drained;
    $site->balanced;
};

# The application is as slow as it likes: whoever is let go must never take the last threads.
subtest 'threads are kept for files while a crowd is let go' => sub {
    plan skip_all => "event: under $mpm waiting itself takes the threads" if $blocking;
    my $site = RdsFailover::Site->new(threads => 5, children => 1, factor => 100, release => 'concurrency=10000');
    $site->app->set(hang => 1);
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/app?$_") for 1 .. 50;
    ok($site->holds(50), 'fifty wait');
    $site->mend;
    ok($clients->until(sub { $site->app->stats->{running} >= 3 }, 30), 'threads run what was let go');
    is((grep { $site->httpd->get('/static.txt', timeout => 30)->{status} == 200 } 1 .. 50), 50, 'fifty files are served meanwhile');
    cmp_ok($site->app->stats->{peak}, '<', 5, 'by what was kept');
    $site->app->set(hang => 0);
    ok($clients->settle, 'all are answered');
    $site->answers($clients, { 200 => 50 }, 'with one 200 each');
    $site->drained;
    cmp_ok($site->app->stats->{peak}, '<', 5, 'all the time') or $site->tell;
    $site->balanced;
};

# --- what holds the pace back ---------------------------------------------------------------------------------------------------
# Ninety requests of 100 ms: at a pace that doubles, eight are inside in the third second and all is over in it.
sub paced ($name, $then, $status) {
    subtest $name => sub {
        my $site = RdsFailover::Site->new(%ONE, threads => $blocking ? 130 : 40, release => 'concurrency=2');
        $site->app->set(delay => 0.1, status => $status);
        $site->break;
        my $clients = $site->clients;
        $clients->ask("/app?$_") for 1 .. 90;
        ok($site->holds(90), 'ninety wait');
        my $from = time;
        $site->mend;
        ok($clients->until(sub { $site->httpd->database->{state} eq 'recovering' }, 30), 'the release begins');
        $site->db->set(%$then);
        my $said = time - $from;
        ok($clients->settle(120), 'all are answered');
        my $peak = $site->app->stats->{peak};
        $site->answers($clients, { $status => 90 }, "with $status");
        # The second in which it was said may still have counted as a good one.
        cmp_ok($peak, '<=', at_most(2, $said + 1), "the pace did not grow: $peak at once at most");
        $site->mend;
        $site->drained;
        is(scalar($site->httpd->logged('RF0103')), 1, 'and none of it was an outage');
        $site->balanced;
    };
}
paced('answers of the application fail', {}, 500);
paced('the database has grown slow', { delay => 0.15 }, 200);
paced('the database says too many connections', {@TOO_MANY}, 200);

# --- it ends ---------------------------------------------------------------------------------------------------------------------
subtest 'more arrivals than one at a time can serve' => sub {
    my $site = RdsFailover::Site->new(%ONE, threads => $blocking ? 150 : 20, release => 'concurrency=1');
    $site->app->set(delay => 0.1);
    $site->break;
    my $clients = $site->clients;
    my $n = 20;
    $clients->ask("/app?$_") for 1 .. $n;
    ok($site->holds(20), 'twenty wait');
    $site->mend;
    my ($next, $end, $state) = (0, time + 90, '');
    while ($state ne 'available' && time < $end) {
        # Thirty a second; one at a time would serve ten.
        if (time >= $next) { $clients->ask('/app?' . ++$n); $next = time + 0.033 }
        $clients->turn(0.01);
        $state = $site->httpd->database->{state} // '';
    }
    is($state, 'available', 'the release ends while they go on coming');
    ok($clients->settle, 'all are answered');
    $site->answers($clients, { 200 => $n }, "nobody was turned away, of $n");
    is($site->hold->{rejected}, 0, 'or counted as such');
    $site->ran_once([1 .. $n]);
    $site->balanced;
};

subtest 'the writer is lost again in the middle' => sub {
    my $site = RdsFailover::Site->new(%ONE, release => 'concurrency=1');
    $site->app->set(hang => 1);
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/app?$_") for 1 .. 30;
    ok($site->holds(30), 'thirty wait');
    $site->mend;
    ok($clients->until(sub { $site->app->stats->{running} }, 30), 'the first runs');
    $site->break;
    my $inside = $site->app->stats->{running};
    $site->app->set(hang => 0);
    ok($clients->until(sub { $site->app->stats->{done} == $inside }, 30), 'what ran is answered');
    my @new = map { $clients->ask("/app?$_") } 31 .. 40;
    ok($site->holds(40 - $inside), 'the others wait on, and newcomers with them');
    is($site->app->stats->{done}, $inside, 'none of them is let go');
    $site->mend;
    ok($clients->settle, 'now all are answered');
    $site->answers($clients, { 200 => 40 }, 'with one 200 each');
    $site->drained;
    $site->ran_once([1 .. 40]);
    is($site->httpd->database->{epoch}, 3, 'two outages, two epochs more');
    is($site->hold->{held}, 40, 'and each was held once') if !$inside;
    $site->balanced;
};

# Each has its own queue and its own places to run.
subtest 'two databases' => sub {
    my $other = RdsFailover::FakeMysql->new;
    my $site  = RdsFailover::Site->new(%ONE, release => 'concurrency=1', after => <<"CONF");
<VirtualHost *>
ServerName main.test
</VirtualHost>
<VirtualHost *>
ServerName other.test
RDSFailoverDSN ${\$other->dsn}
</VirtualHost>
CONF
    my $databases = sub { return { map { $_->{port} => $_ } @{ ($site->httpd->json // {})->{databases} // [] } } };
    my $state = sub ($db, $state) {
        return RdsFailover::Httpd::wait_until(sub { ($databases->()->{ $db->port }{state} // '') eq $state }, 60);
    };
    ok($state->($other, 'available'), 'the other one is available, too');
    $other->set(behave => 'close')->drop;
    $site->db->set(behave => 'close')->drop;
    ok($state->($site->db, 'outage') && $state->($other, 'outage'), 'both are lost');
    my $clients = $site->clients;
    my @one = map { $clients->ask("/app?$_", headers => { Host => 'main.test' }) } 1 .. 15;
    my @two = map { $clients->ask("/app?$_", headers => { Host => 'other.test' }) } 16 .. 30;
    my $wait = sub ($db, $n) { return RdsFailover::Httpd::wait_until(sub { $databases->()->{ $db->port }{hold}{now} == $n }, 60) };
    ok($wait->($site->db, 15) && $wait->($other, 15), 'fifteen wait for each');
    # The first one comes, and goes again with its only place to run taken.
    $site->app->set(hang => 1);
    $site->mend;
    ok($clients->until(sub { $site->app->stats->{running} }, 30), 'one of the first runs');
    $site->db->set(behave => 'close')->drop;
    ok($state->($site->db, 'outage'), 'and the first is lost again');
    my $inside = $site->app->stats->{running};
    is($databases->()->{ $other->port }{hold}{now}, 15, 'those of the second wait on');
    $site->app->set(hang => 0);
    $other->set(behave => 'ok');
    ok($clients->until(sub { !grep { !$_->over } @two }), 'the second comes back: its fifteen are answered');
    is((grep { !$_->over } @one), 15 - $inside, 'while those of the first wait on');
    $site->mend;
    ok($clients->settle, 'the first comes back, too');
    $site->answers($clients, { 200 => 30 }, 'with one 200 each');
    $site->ran_once([1 .. 30]);
    $site->balanced;
};

# --- no room, no time -------------------------------------------------------------------------------------------------------------
subtest 'queue=5' => sub {
    my $site = RdsFailover::Site->new(%ONE, release => 'queue=5');
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/app?$_") for 1 .. 5;
    ok($site->holds(5), 'five wait');
    my $sixth = $site->httpd->get('/app?6', timeout => 30);
    is($sixth->{status}, 503, 'the sixth gets the ending, while they still do');
    like($sixth->{headers}{'retry-after'} // '', qr/^\d+$/, 'with Retry-After');
    is($site->hold->{rejected}, 1, 'counted as rejected');
    is($site->hold->{now}, 5, 'the five wait on');
    is($site->httpd->get('/rds-status?health')->{status}, 503, 'a load balancer is told');
    ($clients->clients)[2]->leave;
    ok($site->holds(4), 'one leaves');
    my $seventh = $clients->ask('/app?7');
    ok($site->holds(5), 'and makes room for another');
    $site->mend;
    ok($clients->settle, 'they are answered');
    $site->answers($clients, { 200 => 5, left => 1 }, 'with 200');
    $site->ran_once([1, 2, 4, 5, 7]);
    $site->drained;
    is($site->httpd->get('/rds-status?health')->{status}, 200, 'healthy again');
    $site->balanced;
};

subtest 'then=error' => sub {
    my $site = RdsFailover::Site->new(%ONE, location => 'RDSFailoverHold 2s front=none then=error');
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/app?$_", method => $_ % 2 ? 'GET' : 'POST', body => $_ % 2 ? '' : 'a=1') for 1 .. 30;
    ok($clients->settle, 'thirty wait, and are answered though no writer came');
    $site->answers($clients, { 503 => 30 }, 'with the ending');
    is((grep { ($_->answer->{headers}{'retry-after'} // '') =~ /^\d+$/ } $clients->clients), 30, 'and Retry-After');
    cmp_ok(shortest($clients), '>=', 1.99, 'none before its time');
    is($site->hold->{expired}, 30, 'counted as expired');
    is(scalar @{ $site->app->stats->{order} }, 0, 'nothing was executed');
    $site->mend;
    $site->drained;
    is($site->httpd->get('/app?later')->{status}, 200, 'who comes later is served');
    $site->balanced;
};

subtest 'then=pass' => sub {
    my $site = RdsFailover::Site->new(%ONE, location => 'RDSFailoverHold 2s front=none then=pass');
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/app?$_", method => $_ % 2 ? 'GET' : 'POST', body => $_ % 2 ? '' : 'a=1') for 1 .. 30;
    ok($clients->settle, 'thirty wait, and are let through though no writer came');
    $site->answers($clients, { 200 => 30 }, 'to the application');
    cmp_ok(shortest($clients), '>=', 1.99, 'none before its time');
    is($site->hold->{passed}, 30, 'counted as passed');
    $site->ran_once([1 .. 30]);
    $site->balanced;
};

# Each has a timer of its own.
subtest 'some give up before the writer comes' => sub {
    my $site = RdsFailover::Site->new(%ONE, after => <<'CONF');
<Location "/app/short">
RDSFailoverHold 1s front=none
</Location>
CONF
    $site->break;
    my $clients = $site->clients;
    my @long  = map { $clients->ask("/app?$_") } 1 .. 10;
    my @short = map { $clients->ask("/app/short?$_") } 11 .. 20;
    ok($clients->until(sub { !grep { !$_->over } @short }, 60), 'ten that wait a second at most');
    is((grep { $_->answer->{status} == 503 } @short), 10, 'get the ending');
    is((grep { !$_->over } @long), 10, 'while ten others wait on');
    $site->mend;
    ok($clients->settle, 'they are answered');
    $site->answers($clients, { 200 => 10, 503 => 10 }, 'with 200');
    $site->ran_once([1 .. 10]);
    my $hold = $site->hold;
    is("$hold->{released} $hold->{expired}", '10 10', 'each is counted as what it was');
    $site->balanced;
};

subtest 'exempt, and a dry run' => sub {
    my $site = RdsFailover::Site->new(%ONE, conf => 'SetEnvIf X-Exempt . no-rdsfailover');
    $site->break;
    my $clients = $site->clients;
    $clients->ask('/app?held');
    ok($site->holds(1), 'one waits');
    my $exempt = $site->httpd->get('/app?exempt', headers => { 'X-Exempt' => 1 }, timeout => 30);
    is($exempt->{status}, 200, 'one with no-rdsfailover does not');
    is($site->hold->{held}, 1, 'and was not held');
    $site->mend;
    ok($clients->settle, 'the other goes on');
    $site->balanced;

    $site = RdsFailover::Site->new(%ONE, conf => 'RDSFailoverDryRun on');
    $site->break;
    $clients = $site->clients;
    $clients->ask("/app?$_") for 1 .. 30;
    ok($clients->settle, 'a dry run: all are answered while there is no writer');
    $site->answers($clients, { 200 => 30 }, 'by the application');
    my $hold = $site->hold;
    is("$hold->{held} $hold->{dry}", '0 30', 'none was held, thirty would have been');
    $site->mend;
    $site->drained;
    $site->balanced;
};
done_testing;
