#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What a client's connection goes through when its requests run twice: several on one connection, one that is sent round by 307
# between two attempts, and a part of an answer.
use v5.36;
use Digest::MD5 qw(md5_hex);
use JSON::PP qw(decode_json);
use Test::More;
use RdsFailover::ReplayApp ();

my $missing = RdsFailover::ReplayApp::missing('fpm');
plan skip_all => $missing if $missing;

# Each is inside when the database dies once more. After a wait without a worker a connection is closed unless the next request is
# already there.
sub four_on_one_connection ($mpm, %ask) {
    my $app     = RdsFailover::ReplayApp->new('fpm');
    my $site    = $app->site(mpm => $mpm);
    my $clients = $site->clients;
    my $client  = $clients->open;
    my @ids     = map {"turn$_"} 1 .. 4;
    my $next    = sub ($id) { $client->ask($app->path($id, fail => 1)) };
    if ($ask{pipelined}) { $client->hold_back; $next->($_) for @ids; $client->hold_back(0) }
    for my $n (0 .. 3) {
        $next->($ids[$n]) if !$ask{pipelined};
        $app->fails_under($site, $clients, [$ids[$n]], 1) if !$ask{pipelined};
        if ($ask{pipelined}) {
            ok($clients->until(sub { $app->runs($ids[$n]) }, 60), "$ids[$n] is inside");
            $site->break;
            $app->let_go(1);
            ok($site->holds(1), 'it waits');
        }
        $app->not_yet(1);
        $site->mend;
        ok($clients->until(sub { $client->answers > $n || $client->closed }, 60), "$ids[$n] is answered");
        $site->drained("$ids[$n] is over");
    }
    is_deeply([map { $_->{status} } $client->answers], [200, 200, 200, 200], 'four answers on one connection');
    is_deeply([map { my $seen = eval { decode_json($_->{body}) } // {}; "$seen->{id} $seen->{run}" } $client->answers],
        [map {"$_ 2"} @ids], 'in order, each by its second attempt');
    is($site->httpd->database->{replay}{succeeded}, 4, 'four replays');
    my $static = $client->may_ask ? $client->ask('/static.txt') : undef;
    if ($static) {
        ok($clients->settle, 'and another request on it');
        is($client->answer(4)->{body}, "static\n", 'is answered');
    }
    elsif (!$ask{pipelined}) { fail('the connection was closed') }
    $site->balanced;
    return;
}

subtest 'four on one connection, pipelined, event' => sub { four_on_one_connection('event', pipelined => 1) };
subtest "four on one connection, $_" => sub { four_on_one_connection($_) } for qw(worker prefork);

subtest 'sent round by 307 between two attempts' => sub {
    my $app  = RdsFailover::ReplayApp->new('fpm');
    # Legs of 6 s.
    my $site    = $app->site(location => 'RDSFailoverHold 60s front=15s margin=9s');
    my $clients = $site->clients;
    my $body    = join '', map { chr 32 + $_ % 90 } 1 .. 20_000;
    my $path    = $app->path('round', fail => 1, outcome => 'not-executed');
    my $client  = $clients->ask($path, method => 'POST', body => $body);
    $clients->ask($app->path('never', fail => 1), method => 'POST', body => $body);
    # The second fails too, says nothing of what it did, and goes out.
    $app->fails_under($site, $clients, [qw(round never)], 1);
    ok($clients->settle, 'both have an answer');
    my $answer = $client->answer // {};
    is($answer->{status}, 307, 'the request that may run again is sent round');
    is($answer->{headers}{location}, $path, 'to the same URL');
    my ($place) = ($answer->{headers}{'set-cookie'} // '') =~ /^(rds-place-[^;]+)/;
    ok($place, 'with its place');
    is_deeply([grep {/^(?:x-failed|etag|rds-failover-outcome)$/} keys %{ $answer->{headers} }], [], 'and nothing of its first attempt');
    is($answer->{headers}{'cache-control'}, 'no-store', 'nor of its caching');
    is(($clients->clients)[1]->answer->{status}, 500, 'the one that may not is not sent round');
    # The place is that of its method and URL.
    my $back = $clients->ask($path, method => 'POST', body => $body, headers => { Cookie => $place });
    ok($site->holds(1), 'back again it waits');
    $site->mend;
    ok($clients->settle, 'it is answered');
    my $seen = eval { decode_json($back->answer->{body}) } // {};
    is_deeply([@$seen{qw(run length md5)}], [2, length $body, md5_hex($body)], 'by its second run, with all of its body');
    $site->drained;
    my $replay = $site->httpd->database->{replay};
    is($replay->{withheld}, $replay->{succeeded} + $replay->{failed}, 'what was withheld is accounted for');
    $site->balanced;
};

# Whatever httpd makes of a range without a failure it makes of it after one.
for my $kind (qw(fpm http mod_php)) {
    subtest "a part of an answer, $kind" => sub {
        my $absent = RdsFailover::ReplayApp::missing($kind);
        plan skip_all => $absent if $absent;
        my $app     = RdsFailover::ReplayApp->new($kind);
        my $site    = $app->site;
        my $clients = $site->clients;
        my %range   = (headers => { Range => 'bytes=1000-1099' });
        my $calm    = $clients->ask($app->path('range', large => 5000), %range);
        ok($clients->settle, 'all is well: it is answered');
        $app->forget;
        my $client = $clients->ask($app->path('range', large => 5000, fail => 1), %range);
        $app->fails_under($site, $clients, ['range'], 1);
        $site->mend;
        ok($clients->settle, 'it is answered');
        my ($want, $got) = map { $_->answer // {} } $calm, $client;
        is($got->{status}, $want->{status}, "with $want->{status}, as when all is well");
        # The part is of the padding, and before it all is as long as ever but the state, which differs.
        my ($wanted, $given) = map { join ' ', $_->{headers}{'accept-ranges'} // '', ($_->{headers}{'content-range'} // '') =~ s{/.*}{}r } $want, $got;
        is($given, $wanted, 'the same part');
        is($got->{body}, 'y' x 100, 'and that alone') if $want->{status} == 206;
        is($app->runs('range'), 2, 'by the second attempt');
        $site->drained;
        $site->balanced;
    };
}
done_testing;
