#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# When an answer is withheld and when not: whose fault it was, what RDSFailoverReplay allows, how often, and what has begun.
use v5.36;
use JSON::PP qw(decode_json);
use Test::More;
use RdsFailover::ReplayApp ();

my $missing = RdsFailover::ReplayApp::missing('fpm');
plan skip_all => $missing if $missing;

subtest 'a failure of its own, with a healthy database, goes out as it is' => sub {
    my $app  = RdsFailover::ReplayApp->new('fpm');
    my $site = $app->site;
    $app->let_go(1);
    my $own = $site->httpd->get($app->path('own', fail => 1, size => 5000, outcome => 'not-executed'));
    is($own->{status}, 500, 'its status');
    is($own->{body}, 'FAILED ' . 'x' x 4993, 'its body');
    is($own->{headers}{'x-failed'}, 'yes', 'its headers');
    is($own->{headers}{etag}, '"failed"', 'all of them');
    is($own->{headers}{'rds-failover-outcome'}, undef, 'but not the word');
    is($app->runs('own'), 1, 'it ran once');
    my $fine = $site->httpd->get($app->path('fine', word => 'unknown'));
    is($fine->{status}, 200, 'an answer that is fine but says `unknown`');
    is($fine->{headers}{'rds-failover-outcome'}, undef, 'loses the word');
    is($app->runs('fine'), 1, 'and ran once');
    is_deeply([$site->httpd->logged('RF0311'), $site->httpd->logged('RF0312')], [], 'nothing is logged');
    is($site->httpd->database->{replay}{$_}, 0, "$_: none") for qw(withheld refused failed);
};

subtest 'the monitor does not answer' => sub {
    my $app  = RdsFailover::ReplayApp->new('fpm');
    my $site = $app->site;
    my $pid  = $site->httpd->monitor_pid;
    kill 'STOP', $pid;
    $app->let_go(1);
    my $answer = $site->httpd->get($app->path('own', fail => 1));
    kill 'CONT', $pid;
    is($answer->{status}, 500, 'the failure goes out');
    is($app->runs('own'), 1, 'and is not repeated');
};

# mode => [statuses of: GET unknown, PUT, PUT unknown, POST, POST not-executed, POST unknown]
my %MODE = (
    off        => [500, 500, 500, 500, 500, 500],
    safe       => [500, 500, 500, 500, 200, 500],
    idempotent => [200, 200, 200, 500, 200, 500],
    all        => [200, 200, 200, 200, 200, 200],
);
my @ASKED = (['GET', 'unknown'], ['PUT', ''], ['PUT', 'unknown'], ['POST', ''], ['POST', 'not-executed'], ['POST', 'unknown']);

for my $mode (qw(off safe idempotent all)) {
    subtest "RDSFailoverReplay $mode" => sub {
        my $app     = RdsFailover::ReplayApp->new('fpm');
        my $site    = $app->site(location => "RDSFailoverReplay $mode");
        my $clients = $site->clients;
        my $n = 0;
        for (@ASKED) {
            my ($method, $word) = @$_;
            $clients->ask($app->path('case' . $n++, fail => 1, $word ? (outcome => $word) : ()), method => $method);
        }
        my $waiting = grep { $_ == 200 } @{ $MODE{$mode} };
        $app->fails_under($site, $clients, [map { "case$_" } 0 .. $#ASKED], $waiting);
        $site->mend;
        ok($clients->settle, 'all are answered');
        is_deeply([map { ($_->answer // {})->{status} } $clients->clients], $MODE{$mode}, 'as the mode says');
        is_deeply([map { $app->runs("case$_") } 0 .. $#ASKED], [map { $_ == 200 ? 2 : 1 } @{ $MODE{$mode} }], 'executed as often');
        $site->drained;
        $site->balanced;
    };
}

subtest 'dry run' => sub {
    my $app     = RdsFailover::ReplayApp->new('fpm');
    my $site    = $app->site(conf => 'RDSFailoverDryRun on');
    my $clients = $site->clients;
    $clients->ask($app->path('dry', fail => 1));
    $app->fails_under($site, $clients, ['dry'], 0);
    ok($clients->settle, 'it is answered');
    $site->answers($clients, { 500 => 1 }, 'with its failure');
    is($app->runs('dry'), 1, 'it ran once');
    is(scalar $site->httpd->logged('RF0310'), 1, 'and it is said that it would have been repeated');
};

subtest 'an answer that has begun is not repeated' => sub {
    my $app     = RdsFailover::ReplayApp->new('fpm');
    my $site    = $app->site(conf => "<Proxy \"unix:${\$app->dir}/sock|fcgi://localhost/\" flushpackets=on>\n</Proxy>");
    my $clients = $site->clients;
    my $client  = $clients->ask($app->path('begun', fail => 1, first => 1));
    ok($clients->until(sub { $client->{in} =~ /begun/ }, 60), 'its beginning is at the client');
    $app->fails_under($site, $clients, ['begun'], 0);
    ok($clients->settle, 'it ends');
    like($client->answer->{body}, qr/\Abegun\nFAILED x+\z/, 'as the application ended it, once');
    is($app->runs('begun'), 1, 'it ran once');
};

# The second attempt waits in the application until the database has died again.
subtest 'a failover during a replay' => sub {
    my $app     = RdsFailover::ReplayApp->new('fpm');
    my $site    = $app->site(location => 'RDSFailoverReplay safe attempts=3');
    my $clients = $site->clients;
    my $twice   = $clients->ask($app->path('twice', fail => 2));
    my $ever    = $clients->ask($app->path('ever', fail => 99));
    $app->fails_under($site, $clients, [qw(twice ever)], 2);
    for my $run (2, 3) {
        my @again = $run == 2 ? qw(twice ever) : 'ever';
        $site->mend;
        ok($clients->until(sub { !grep { $app->runs($_) != $run } @again }, 60), "attempt $run is inside");
        $clients->until(sub { $twice->over }, 60) if $run == 3;
        $site->break;
        $app->let_go($run);
        ok($site->holds(2), 'both wait') if $run == 2;
    }
    ok($clients->settle, 'both are answered');
    my $answer = $twice->answer;
    is($answer->{status}, 200, 'two failures, three attempts: 200');
    is(decode_json($answer->{body})->{attempt}, 3, 'from the third');
    is($ever->answer->{status}, 500, 'it fails for ever: its failure');
    is($ever->answer->{headers}{'x-failed'}, 'yes', 'with its headers');
    is($app->runs('ever'), 3, 'after three attempts');
    my $logged = $app->logged($site, qw(twice ever));
    is_deeply([map { scalar @{ $logged->{$_} } } qw(twice ever)], [1, 1], 'one line each in the access log');
    $site->mend;
    $site->drained;
    $site->balanced;
};

subtest 'the client leaves while its request waits to run again' => sub {
    my $app     = RdsFailover::ReplayApp->new('fpm');
    my $site    = $app->site;
    my $clients = $site->clients;
    my $client  = $clients->ask($app->path('left', fail => 1));
    $app->fails_under($site, $clients, ['left'], 1);
    $client->leave;
    ok($site->holds(0), 'nobody waits any more');
    $site->mend;
    $site->drained;
    is($app->runs('left'), 1, 'it did not run again');
    is($site->httpd->database->{replay}{failed}, 1, 'which is counted as a replay that failed');
    $site->balanced;
};

subtest 'the hold ends while a request waits to run again' => sub {
    my $app     = RdsFailover::ReplayApp->new('fpm');
    my $site    = $app->site(location => 'RDSFailoverHold 3s front=none');
    my $clients = $site->clients;
    $clients->ask($app->path('ends', fail => 1));
    $app->fails_under($site, $clients, ['ends'], 1);
    ok($clients->settle, 'it is answered');
    $site->answers($clients, { 503 => 1 }, 'with the ending');
    is($clients->{clients}[0]->answer->{headers}{'x-failed'}, undef, 'which is not the failure of the first attempt');
    is($app->runs('ends'), 1, 'it did not run again');
    $site->mend;
    $site->drained;
    $site->balanced;
};

subtest 'a graceful restart while a request waits to run again' => sub {
    my $app     = RdsFailover::ReplayApp->new('fpm');
    my $site    = $app->site;
    my $clients = $site->clients;
    $clients->ask($app->path('waits', fail => 1));
    $app->fails_under($site, $clients, ['waits'], 1);
    ok($site->httpd->graceful_over, 'graceful');
    $site->mend;
    ok($clients->settle, 'it is answered');
    $site->answers($clients, { 200 => 1 }, 'with 200');
    is($app->runs('waits'), 2, 'it ran twice');
    $site->drained;
};
done_testing;
