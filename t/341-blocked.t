#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A server that stops and goes on, again and again, and that blocks whoever breaks off logins (max_connect_errors): the module's
# probes never get this host blocked (1129).
use v5.36;
use Test::More;
use Time::HiRes qw(sleep);
use RdsFailover::Story ();

my $story = RdsFailover::Story->begin();
my $rig   = $story->rig;
my ($server) = $rig->status->{sides}{a}{pid};
$rig->sql('writer', 'SET GLOBAL max_connect_errors = 2');
for my $round (1 .. 4) {
    $story->signal(STOP => $server);
    $story->wait_state('outage');
    sleep 1.2;
    $story->signal(CONT => $server);
    $story->wait_state('available', epoch => 1 + $round);
}
is($story->get('/ledger.php')->{status}, 200, 'after four hangs the application still gets in');
is($story->status->{probe}{cause}, undef, 'the probe too');

# The server does block: three connections that say nothing sensible.
my $rude = 'use IO::Socket::INET; for (1 .. 4) { my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.11", PeerPort => 3306) or next;'
    . ' sysread $s, my $greeting, 200; print $s "nonsense"; close $s }';
$rig->run($^X, '-e', $rude);
my $answer = $story->get('/ledger.php', headers => {});
is($answer->{status}, 500, 'whoever breaks off logins is blocked, so this could have been seen');
like($answer->{body}, qr/1129|blocked/i, 'by 1129');
is($story->status->{state}, 'available', 'which starts no outage');
$rig->sql('writer', 'FLUSH HOSTS');
done_testing;
