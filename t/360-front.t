#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# An outage several times as long as the patience of what stands in front of two hosts, which share nothing but the DSN. Who follows
# redirects sees no error, no write is lost or doubled, and those who came first go first. Who does not follow gets a 307, and what
# he asked for is not done. RF_FULL=1 runs it with 120 s behind 60 s.
use v5.36;
use Test::More;
use Time::HiRes qw(time sleep);
use RdsFailover::Story ();
use RdsFailover::Story::Failover qw(check_traffic check_counters);
use RdsFailover::Story::Order qw(correlation largest_inversion);

my ($FRONT, $OUTAGE, $LEGS) = $ENV{RF_FULL} ? (60, 120, 2) : (15, 40, 3);
my $story = RdsFailover::Story->begin(hosts => 2, front => $FRONT, app => 'address', outage => $OUTAGE, conf => <<'CONF');
RDSFailoverRelease concurrency=4
<Location /impatient.php>
    RDSFailoverHold 150s front=none
</Location>
CONF
my $rig   = $story->rig;
my $epoch = $story->status->{epoch};
$story->write_page('impatient.php', "<?php echo 'RIG-OK';\n");

my @short   = @RdsFailover::Story::Traffic::SHORT;
my $traffic = $story->traffic(rate => 20, kinds => \@short, timeout => $OUTAGE + 60);
my $once    = $story->traffic(rate => 2, follow => 0, timeout => $OUTAGE + 60,
    kinds => ['once 1 POST /ledger.php body=token={token} marker=RIG-OK', 'page 1 GET /ledger.php marker=RIG-OK']);
sleep 2;
$rig->prime;
my $failing = $story->fail_later('crash', outage => $OUTAGE);
$story->wait_state('outage');

# What the front does with a request that waits too long for it.
my $impatient = $story->send(GET => '/impatient.php');

# One visitor in slow motion: one leg on each host in turn, with nothing in his hands but the cookie.
my ($host, $legs, %cookie) = (1, 0);
my $answer;
while (1) {
    my $sent = $story->send(POST => '/ledger.php', at => $host, body => 'token=by-hand',
        headers => { Connection => 'close', (%cookie ? (Cookie => join '; ', map {"$_=$cookie{$_}"} sort keys %cookie) : ()) });
    $answer = $story->answer($sent, $OUTAGE + 60);
    last if $answer->{status} != 307 || $legs > 20;
    if (++$legs == 1) {
        is($answer->{headers}{location}, '/ledger.php', 'who waits is sent to the same URL');
        is($answer->{headers}{'cache-control'}, 'no-store', 'which no cache keeps');
        like($answer->{headers}{'set-cookie'} // '', qr/^rds-place-\w+=[^;]+;.*\bMax-Age=30\b.*\bHttpOnly\b/, 'with a place');
        cmp_ok($answer->{ended} - $answer->{began}, '<', $FRONT, 'before the front gives up');
    }
    $cookie{$1} = $2 if ($answer->{headers}{'set-cookie'} // '') =~ /^([^=]+)=([^;]*)/;
    $host = 3 - $host;
}
is($answer->{status}, 200, "after $legs legs, on each host in turn, he has his answer");
cmp_ok($legs, '>=', $LEGS - 1, 'there were legs');

my $told = $story->await($failing);
$rig->prime;
$story->wait_state('available', epoch => $epoch + 1, limit => 120);
is($rig->ledger->{'by-hand'}, 1, 'his write is there, once');
is($story->answer($impatient)->{status}, 504, 'without legs (front=none) the front gave up, so this could have been seen');
$traffic->settle(15);
$_->stop for $traffic, $once;

my $f = { %{ $story->failover_everywhere }, fault => $told->{fault} };
subtest 'who follows' => sub {
    check_traffic($story, $traffic, $f);
    my @requests = $traffic->requests;
    my ($most) = sort { $b <=> $a } map { $_->{redirects} // 0 } @requests;
    cmp_ok($most, '>=', $LEGS - 1, "sent round up to $most times");
    is(scalar(grep { $_->{redirects} } grep { $_->{kind} eq 'static' } @requests), 0, 'static files never');
};

subtest 'who came first goes first' => sub {
    my @waited = grep { $_->{kind} ne 'static' && $_->{outcome} eq 'ok' && $_->{due} > $f->{hold} && $_->{due} < $told->{promoted} }
        $traffic->requests;
    cmp_ok(scalar @waited, '>', 10 * $OUTAGE, scalar(@waited) . ' requests came during the outage and were answered');
    my ($first, $last) = (sort { $a <=> $b } map { $_->{due} + $_->{latency_ms} / 1000 } @waited)[ 0, -1 ];
    my $order = correlation(@waited);
    diag(sprintf '%d waited up to %.0f s and were answered within %.2f s; arrivals to answers: '
        . 'correlation %.3f, largest inversion %.1f s', scalar @waited, $last - $f->{hold}, $last - $first, $order, largest_inversion(@waited));
    # With a front that takes the cookies away it is about 0.
    cmp_ok($order, '>', 0.8, 'the order of answers is that of arrivals');
};

subtest 'who does not follow' => sub {
    my @requests = $once->requests;
    my @round    = grep { ($_->{status} // 0) == 307 } @requests;
    cmp_ok(scalar @round, '>', $OUTAGE, scalar(@round) . ' were sent round');
    my @other = grep { $_->{outcome} ne 'ok' && ($_->{status} // 0) != 307 && $_->{due} > $f->{hold} + 0.01 } @requests;
    is(scalar @other, 0, 'and nobody got anything else but his answer') or diag(explain \@other);
    my @late = grep { $_->{latency_ms} > 1000 * $FRONT } @round;
    is(scalar @late, 0, 'each before the front gives up');
    my $rows = $rig->ledger;
    is(scalar(grep { $_->{token} && $rows->{ $_->{token} } } @round), 0, 'what they asked for is not done');
};

check_counters($story);
# The sum of what clients saw is what the hosts say.
my $seen = $legs + grep({ ($_->{status} // 0) == 307 } $once->requests);
$seen += $_->{redirects} // 0 for $traffic->requests;
is($story->held('redirected'), $seen, "$seen times somebody was sent round");
is(scalar(grep { !$_->{hold}{redirected} } $story->statuses), 0, 'by both hosts');
is($story->held('expired'), 0, 'nobody came to the end of all patience');
done_testing;
