# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Story::Replay;

# One failover under numbered traffic, as a record in which every failure has its name. For 375-replay.t and t/rig/runs.
#   my $story  = RdsFailover::Story::Replay::begin();
#   my $record = RdsFailover::Story::Replay::play($story, 'crash', outage => 15);
#   my @faults = RdsFailover::Story::Replay::broken($record);    sentences; none is right
# A record: {kind, reports (the application sends RDS-Failover-Outcome), from, to, requests, failed_gets, failed_posts (each {token,
# kind, due, status, after_ms, begun, why}), lost, doubled, ghosts (tokens), held, withheld, replayed, replayed_failed, refused, p99_ms,
# longest_ms, first_hold_ms, declared_ms (both from the fault)}; due is in seconds from the (first) fault.
use v5.36;
use List::Util qw(max);
use Time::HiRes qw(time sleep);
use Demo::Figures ();
use RdsFailover::Story ();

# Each request carries its number in the URL, so that the logs can be asked about it. Only autocommit and commit write.
our @MIX = (
    'page 6 GET /wp/?p={101-160}&n={token} marker=RIG-POST-',
    'query 10 GET /ledger.php?work=2&n={token} marker=RIG-OK',
    'autocommit 5 POST /ledger.php?n={token} body=token={token} marker=RIG-OK',
    'commit 5 POST /ledger.php?n={token} body="token={token}&mode=transaction" marker=RIG-OK',
    'look 4 POST /ledger.php?n={token} body="token={token}&mode=read" marker=RIG-OK',
);
my $WRITERS = qr/^(?:autocommit|commit)$/;
my $GETS    = qr/^(?:page|query)$/;

my $PATIENCE = 150;    # seconds the driver waits for an answer: as long as the rig's RDSFailoverHold

# %option as RdsFailover::Story->begin.
sub begin (%option) { return RdsFailover::Story->begin(conf => "RDSFailoverAbortStale on\n", %option) }

# %option: rate, outage, turns (failovers, one after the other), apart (seconds between one's promotion and the next one's fault),
# fail (more options of Rig's fail). The lost side is rebuilt before each.
sub play ($story, $kind, %option) {
    my $rig = $story->rig;
    $rig->rebuild;
    my $before  = $story->status;
    my $traffic = $story->traffic(rate => $option{rate} // 30, kinds => \@MIX, timeout => $PATIENCE);
    sleep 3;
    my @told;
    for my $turn (1 .. $option{turns} // 1) {
        if ($turn > 1) {
            $rig->rebuild;
            my $left = $told[-1]{promoted} + $option{apart} - time;
            sleep $left if $left > 0;
        }
        $rig->prime;
        my $epoch = $story->status->{epoch};
        push @told, $rig->fail($kind, outage => $option{outage}, rebuild => undef, %{ $option{fail} // {} });
        $story->wait_state('available|recovering', epoch => $epoch + 1);
    }
    # On a busy machine the backlog goes only when no more comes.
    $traffic->settle(15);
    $traffic->stop;
    $story->wait_state('available');
    return record($story, $traffic, $before, @told);
}

sub record ($story, $traffic, $before, @told) {
    my $after    = $story->status;
    my $ledger   = $traffic->ledger($WRITERS);
    my @requests = $traffic->requests;
    my @latency  = map { $_->{latency_ms} // () } @requests;
    my @failed   = map { named($story, $told[0]{fault}, $_) } $traffic->bad;
    my $f        = $story->failover($after, $#told);
    my $grown    = sub ($group, $key) { $after->{$group}{$key} - $before->{$group}{$key} };
    return {
        kind => $told[0]{kind}, reports => $story->rig->{outcome} ? 1 : 0, from => $told[0]{from}, to => $told[-1]{to},
        failovers => scalar @told, requests => scalar @requests,
        failed_gets  => [ grep { $_->{kind} =~ $GETS } @failed ],
        failed_posts => [ grep { $_->{kind} !~ $GETS } @failed ],
        writes => $ledger->{writes}, (map { $_ => $ledger->{$_} } qw(lost doubled ghosts)),
        held => $grown->('hold', 'held'), withheld => $grown->('replay', 'withheld'), replayed => $grown->('replay', 'succeeded'),
        replayed_failed => $grown->('replay', 'failed'), refused => $grown->('replay', 'refused'),
        p99_ms => whole(Demo::Figures::percentile(990, @latency)), longest_ms => whole(max(@latency)),
        first_hold_ms => whole(1000 * ($f->{hold} - $told[0]{fault})), declared_ms => whole(1000 * ($f->{declared} - $told[0]{fault})),
    };
}

sub whole ($number) { return int($number + 0.5) }

# Why: the module's own words, or else what the driver saw.
sub named ($story, $fault, $r) {
    my ($line) = $story->log_lines('httpd-error.log', qr/ RF0311: .*\bn=\Q$r->{token}\E /);
    my $said = $line && $line =~ /RF0311: .* (\(\d+\) and is not repeated: .*?)\s*$/ ? "RF0311: $1" : undef;
    return {
        token => $r->{token}, kind => $r->{kind}, due => sprintf('%.3f', $r->{due} - $fault) + 0, status => $r->{status},
        after_ms => $r->{latency_ms}, begun => ($r->{status} // 0) == 200 ? 1 : 0, why => $said // $r->{reason} // $r->{outcome},
    };
}

# A GET may fail only if its answer had begun, a POST only if the application itself did not know (or does not report on the rig); no
# write is lost or doubled.
sub broken ($record) {
    return (
        (map {"$_->{token}, a GET ($_->{kind}), failed: $_->{why}"} grep { !$_->{begun} } @{ $record->{failed_gets} }),
        (map {"$_->{token}, a POST ($_->{kind}), failed without need: $_->{why}"}
            grep { $record->{reports} && $_->{why} !~ /a write may have happened/ } @{ $record->{failed_posts} }),
        (map {"the write $_ is lost"} @{ $record->{lost} }), (map {"the write $_ is doubled"} @{ $record->{doubled} }),
    );
}

1;
