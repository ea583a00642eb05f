#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# RDSFailoverAbortStale: PHP processes caught in a dead database are free while it is still dead. PHP's own settings would keep
# them for a minute (connecting) or a day (reading). And nothing else is touched.
use v5.36;
use Test::More;
use Time::HiRes qw(time sleep);
use RdsFailover::Story ();
use RdsFailover::Story::Stuck ();

my $CAUGHT = 5;

sub rights ($story, $pid) {
    my $text = $story->rig->capture('cat', "/proc/$pid/status");
    return { map { $_ => $text =~ /^$_:\s*([0-9a-f]+)$/m ? hex $1 : 'not told' } qw(CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs) };
}
sub local_ports (@lines) { return join ' ', sort map { /:(\d+)\s+\S+:3306\s/ ? $1 : () } @lines }

for my $kind (qw(blackhole hang)) {
    subtest $kind => sub {
        my $story = RdsFailover::Story->begin(conf => $RdsFailover::Story::Stuck::CONF . "RDSFailoverAbortStale on\n", php_settings => 0);
        my $rig   = $story->rig;
        my ($kept, $still);
        my $told = RdsFailover::Story::Stuck::play($story, $kind, caught => $CAUGHT, outage => 20, limit => $RdsFailover::Story::LIMIT, patient => 1,
            during => sub ($told) {
                # The login that is pending at a stopped server is what notices first that it goes on.
                $kept = local_ports(RdsFailover::Story::Stuck::sockets($story, $told->{side}, 'rdsfailover-pro'));
                sleep 1.5;    # three passes
                $still = local_ports(RdsFailover::Story::Stuck::sockets($story, $told->{side}, 'rdsfailover-pro'));
            });
        my $status = $told->{status};
        cmp_ok($told->{caught}, '>', $CAUGHT, "$told->{caught} sockets of PHP hung, $told->{connecting} of them connecting");
        ok($told->{freed}, 'PHP is free') or diag "$told->{left} sockets are left\n" . $story->error_log;
        cmp_ok($told->{freed} // 1e99, '<', $told->{fail}{promoted}, 'while the database is still dead');
        note(sprintf 'freed after detection: %.2f s', $told->{freed} - $told->{declared}) if $told->{freed};
        if ($kind eq 'hang') {
            ok(length $kept, "the prober has a login pending (from port $kept)");
            is($still, $kept, 'and keeps it');
        }
        my $done = $story->wait_state('available', epoch => $status->{epoch} // 1);
        $done = $story->wait_for('the failover to end', sub { my $s = $story->status; $s && $s->{state} eq 'available' && $s->{failovers}[0]{to} && $s });
        cmp_ok($done->{failovers}[0]{sockets_aborted}, '>=', $CAUGHT, "on the record: $done->{failovers}[0]{sockets_aborted} sockets");
        is($done->{sockets}{aborted}, $done->{failovers}[0]{sockets_aborted}, 'in all as many');
        cmp_ok($done->{failovers}[0]{sockets_freed_ms} // 1e9, '<', $done->{failovers}[0]{outage_ms}, 'the first long before there was a writer');
        ok($done->{sockets}{destroys}, 'they are destroyed, not only counted');
        my ($metric) = $story->get('/rds-status?metrics')->{body} =~ /^rdsfailover_sockets_aborted_total\{[^}]*\} (\d+)$/m;
        is($metric, $done->{sockets}{aborted}, 'the metric says so too');
        is(scalar(() = $story->error_log =~ / RF0118: /g), 1, 'it is said once');

        # What the new writer has open lives on, and PHP works.
        my $answer = $story->get('/ledger.php?work=1');
        like($answer->{body}, qr/RIG-OK/, 'a page works') or diag "$answer->{status} $answer->{body}";
        my $aborted = $story->status->{sockets}{aborted};
        my @works = map { $story->send(GET => '/ledger.php?work=30') } 1 .. 10;
        is(scalar(grep { $story->answer($_)->{body} =~ /RIG-OK/ } @works), 10, 'ten that take a while work');
        is($story->status->{sockets}{aborted}, $aborted, 'no socket of theirs is touched');

        my $monitor = $story->report->{monitor}{pid};
        is_deeply(rights($story, $monitor), { CapInh => 0, CapPrm => 4096, CapEff => 4096, CapBnd => 0, CapAmb => 0, NoNewPrivs => 1 },
            'the monitor has CAP_NET_ADMIN and nothing else');
        my ($prober) = $story->pids('rdsfailover-prober');
        is_deeply(rights($story, $prober), { CapInh => 0, CapPrm => 0, CapEff => 0, CapBnd => 0, CapAmb => 0, NoNewPrivs => 1 },
            'the prober has nothing');
        $rig->httpd('graceful', conf => $RdsFailover::Story::Stuck::CONF);
        my $next = $story->wait_for('another monitor', sub { my $r = $story->report; $r && $r->{monitor}{pid} != $monitor && $r->{monitor}{pid} });
        is(rights($story, $next)->{CapEff}, 0, 'switched off, the next monitor has nothing either');
        is($story->wait_for('the status', sub { $story->status })->{sockets}, undef, 'and the status has no sockets');
        $story->end;
    };
}
done_testing;
