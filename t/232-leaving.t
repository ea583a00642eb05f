#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A client that leaves while it waits is noticed, logged as 499 and counted, and its request never runs; nobody else is disturbed.
use v5.36;
use List::Util qw(shuffle);
use Test::More;
use Time::HiRes qw(time);
use RdsFailover::Httpd;
use RdsFailover::Site;

my $blocking = ($ENV{RF_MPM} || 'event') ne 'event';
my %SMALL    = $blocking ? (threads => 100) : (threads => 5, factor => 200);

sub logged_as ($site, $status) { return grep { $_->{status} == $status && $_->{url} =~ m{^/app} } $site->httpd->accessed }

subtest 'FIN and RST' => sub {
    my $site = RdsFailover::Site->new(%SMALL);
    $site->break;
    my $clients = $site->clients;
    my @post  = (method => 'POST', body => 'b' x 5000);
    my @stay  = map { $clients->ask("/app?stay-$_",  $_ % 2 ? () : @post) } 1 .. 20;
    my @leave = map { $clients->ask("/app?leave-$_", $_ % 2 ? () : @post) } 1 .. 20;
    # With something more behind what waits: unread bytes must not hide that the client has left.
    $_->ask('/static.txt') for @leave[0 .. 3];
    $leave[$_]->ask('/app?unread-body', method => 'POST', body => 'b' x 50_000) for 4, 5;
    ok($site->holds(40), 'forty wait');
    my $n = 0;
    for my $client (@leave) {
        my $from = time;
        $n++ % 2 ? $client->reset : $client->leave;
        next if $n > 6;
        my $seen = RdsFailover::Httpd::wait_until(sub { $site->hold->{now} == 40 - $n }, 30, 0.001);
        ok($seen, $n % 2 ? 'one that left with FIN is noticed' : 'one that left with RST is noticed');
        diag(sprintf 'noticed within %.0f ms', 1000 * (time - $from)) if $n > 4;
    }
    ok($site->holds(20), 'so are all at once');
    is($site->hold->{aborted}, 20, 'as aborted');
    ok($clients->until(sub { logged_as($site, 499) == 20 }, 30), 'the access log says 499') or $site->tell;
    is((grep { $_->{url} =~ /leave/ && ($_->{held} // 0) > 0 } logged_as($site, 499)), 20, 'and how long they were held');
    $site->mend;
    ok($clients->settle, 'the others are answered');
    is($clients->tally->{200}, 20, 'with 200');
    $site->drained;
    $site->ran_once([map { "stay-$_" } 1 .. 20], 'each of those who stayed ran once, of those who left none');
    is($site->hold->{aborted}, 20, 'still twenty aborted');
    $site->balanced;
};

# As in nginx: there is no telling a client that only stopped sending from one that has gone.
subtest 'a client that closed its sending side' => sub {
    my $site = RdsFailover::Site->new(%SMALL);
    $site->break;
    my $clients = $site->clients;
    my @half    = map { $clients->ask("/app?$_") } 1 .. 3;
    my $stays   = $clients->ask('/app?stays');
    ok($site->holds(4), 'four wait');
    $_->finish_sending for @half;
    ok($site->holds(1), 'three stop sending, and count as gone');
    is($site->hold->{aborted}, 3, 'as aborted');
    ok($clients->until(sub { !grep { !$_->closed } @half }, 30), 'their connections are closed');
    $site->mend;
    ok($clients->settle, 'the other is answered');
    is($stays->answer->{status}, 200, 'with 200');
    $site->ran_once(['stays']);
    $site->balanced;
};

subtest 'half of a crowd' => sub {
    my $count = $blocking ? 60 : 300;
    my $site  = RdsFailover::Site->new(%SMALL, children => $blocking ? 1 : 2);
    for my $round (1 .. 3) {
        $site->break;
        my $clients = $site->clients;
        $clients->ask("/app?$round-$_") for 1 .. $count;
        ok($site->holds($count), "$count wait");
        my @shuffled = shuffle($clients->clients);
        my @leave    = @shuffled[0 .. $count / 2 - 1];
        $_->reset for @leave[0 .. @leave / 2];
        $_->leave for @leave;
        my $from = time;
        ok($site->holds($count / 2), 'half of them leave');
        diag(sprintf 'all noticed within %.0f ms', 1000 * (time - $from));
        $site->mend;
        ok($clients->settle, 'the others are answered');
        $site->answers($clients, { 200 => $count / 2, left => $count / 2 }, 'with one 200 each');
        $site->drained;
        my @stayed = map { $_->answers ? $_->answer->{path} =~ /\?(.*)/ : () } $clients->clients;
        $site->ran_once(\@stayed, 'who left never ran');
        $site->app->reset;
        is($site->hold->{aborted}, $round * $count / 2, 'all who left are counted');
    }
    $site->balanced;
};

# Who leaves while others are let go one by one: its place in the queue is given up, not used.
subtest 'leaving the queue while it drains' => sub {
    my $site = RdsFailover::Site->new(%SMALL, release => 'concurrency=1', location => 'RDSFailoverReplay off');
    $site->break;
    $site->app->set(hang => 1);
    my $clients = $site->clients;
    my @client  = map { my $client = $clients->ask("/app?$_"); $site->holds($_); $client } 1 .. 20;
    # Answers that fail keep the pace at one.
    $site->app->set(status => 500);
    $site->mend;
    ok($clients->until(sub { $site->app->stats->{running} >= 1 }, 30), 'the first runs');
    $client[$_]->leave for 10 .. 19;
    # On a machine that stands still for seconds the pace may have grown to them.
    my $ran = RdsFailover::Httpd::wait_until(sub {
        my $ran = grep { $_ > 10 } @{ $site->app->stats->{order} };
        return $site->hold->{aborted} == 10 - $ran ? $ran + 1 : 0;
    }, 30);
    ok($ran, 'ten others leave') or $site->tell;
    $site->app->set(hang => 0);
    ok($clients->settle, 'the first ten are answered');
    $site->answers($clients, { 500 => 10, left => 10 }, 'as the application did');
    $site->drained;
    is((grep { $_ > 10 } @{ $site->app->stats->{order} }), $ran - 1, 'who left the queue never ran');
    is((grep { $_ <= 10 } @{ $site->app->stats->{order} }), 10, 'who stayed did, once each');
    $site->balanced;
};

# It runs already: whether the application is told is httpd's business as without us. Its place must be given back.
subtest 'leaving while it runs' => sub {
    my $site = RdsFailover::Site->new(%SMALL, release => 'concurrency=1');
    $site->break;
    my $clients = $site->clients;
    my @client  = map { my $client = $clients->ask("/app?$_"); $site->holds($_); $client } 1 .. 5;
    $site->app->set(hang => 1);
    $site->mend;
    ok($clients->until(sub { $site->app->stats->{running} }, 30), 'the first runs');
    $client[0]->reset;
    $clients->turn(0.1) for 1 .. 3;
    $site->app->set(hang => 0);
    ok($clients->settle, 'the others go on');
    $site->answers($clients, { 200 => 4, left => 1 }, 'and are answered');
    $site->drained;
    $site->ran_once([1 .. 5]);
    is($site->hold->{aborted}, 0, 'none left the queue');
    is($site->hold->{released}, 5, 'five were released');
    $site->balanced;
};
done_testing;
