#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# An outage that began and ended while many requests were inside: outside of one, ten second attempts may run at once, or a fifth
# of all requests that run, and no more, however many fail at the same moment.
use v5.36;
use Test::More;
use RdsFailover::ReplayApp ();

my $missing = RdsFailover::ReplayApp::missing('fpm');
plan skip_all => $missing if $missing;

# $many requests are inside and fail, $others are inside and stay there; second runs stay inside, too.
sub at_once ($many, $others, $least, $most, %option) {
    my $app     = RdsFailover::ReplayApp->new('fpm', processes => $many + $others + 2);
    my $site    = $app->site(threads => 200, %option);
    my $clients = $site->clients;
    my @ids     = map {"one$_"} 1 .. $many;
    my @stay    = map {"stay$_"} 1 .. $others;
    $clients->ask($app->path($_, fail => 2)) for @ids;
    my $apart = $site->clients;
    $apart->ask($app->path($_, fail => 1, group => 'b')) for @stay;
    ok($clients->until(sub { !grep { !$app->runs($_) } @ids, @stay }, 60), 'all are inside');
    $site->break;
    $site->mend;
    $site->drained('the outage is over before any of them fails');
    $app->let_go(1);
    my $tried = sub { grep { $app->runs($_) == 2 } @ids };
    ok($clients->until(sub { ($clients->tally->{500} // 0) + $tried->() == $many }, 60), "$many have failed");
    my $again = $tried->();
    ok($again >= $least && $again <= $most, "from $least to $most of them run again: $again");
    my @refused = $site->httpd->logged('RF0311');
    is(scalar(grep {/a fifth of all requests/} @refused), $many - $again, 'the others are refused, with the reason');
    is(scalar @refused, $many - $again, 'and for no other');

    # Who is done makes room for another.
    $app->let_go(2);
    ok($clients->settle, 'all are answered');
    is($clients->tally->{500}, $many, 'who ran twice failed twice, with a healthy database, and that is that');
    $app->let_go(1, 'b');
    ok($apart->settle, 'the others fail, now that there is room');
    is($site->httpd->database->{replay}{withheld}, $again + $others, 'and run again') if $others <= 10;
    $site->balanced;
    return;
}

subtest 'ten'         => sub { at_once(30, 5, 10, 10) };
subtest 'ten, worker' => sub { at_once(30, 5, 10, 10, mpm => 'worker') };
# There are 55 at least and 80 at most all the while.
subtest 'a fifth'     => sub { at_once(25, 55, 11, 16) };
done_testing;
