#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The new writer is met by a queue and not by a herd: while recovering, the application never has more connections than the release
# allowed at that moment. Without pacing it does. And with more arrivals than are let in, recovering ends and nobody is turned away.
use v5.36;
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(time sleep);
use RdsFailover::Story ();
use RdsFailover::Story::Failover qw(check_traffic check_counters);
use RdsFailover::Story::Sampler ();

my $story = RdsFailover::Story->begin(app => 'address', children => 60, outage => 8, conf => "RDSFailoverRelease concurrency=4\n");
my $rig   = $story->rig;
my $epoch = $story->status->{epoch};

# The application comes as a user of its own, so that its connections can be told from the probes'. It lets go of the database a
# moment before its answer is complete: a server takes a while to see that a client has left, and that is not the application's.
$rig->sql('writer', q{CREATE USER visitor@'%' IDENTIFIED BY 'secret'; GRANT ALL ON shop.* TO visitor@'%'});
$story->write_page('visit.php', <<'PHP');
<?php
$time = (float) ($_GET['s'] ?? 0.1);
$db = new mysqli(getenv('RDS_HOSTADDR'), 'visitor', 'secret', 'shop');
$db->query("SELECT SLEEP($time)");
$db->query('SELECT 1');
$db->close();
usleep(100000);
if (isset($_GET['fail'])) http_response_code(500);
echo "RIG-OK\n";
PHP

my @VISITS = ('visit 5 GET /visit.php?s=0.1 marker=RIG-OK', 'static 1 GET /static.txt marker=RIG-OK');

# Samples with more than was allowed, by the look before it or by the one after it.
sub over ($what, @samples) { return grep { $_->{$what} > max($_->{allowed}, $_->{next_allowed}) } @samples }

# A failover under load, watched. Returns what was sampled while the module paced, the failover and the traffic.
sub watched (%option) {
    my $rate    = $option{rate};
    my $traffic = $story->traffic(rate => $rate, kinds => $option{kinds}, timeout => 150);
    my $sampler = RdsFailover::Story::Sampler->start($story, $rig->writer eq 'a' ? 'b' : 'a', 'visitor');
    $rig->prime;
    my $told = $rig->fail('crash', outage => $option{outage}, rebuild => undef);
    $rig->prime;
    $epoch++;
    my $recovering = $story->wait_for('the release', sub {
        my $status = $story->status or return undef;
        return $status->{epoch} >= $epoch && $status->{state} =~ /^(?:recovering|available)$/;
    });
    $option{meanwhile}->() if $option{meanwhile};
    $story->wait_state('available', epoch => $epoch, limit => 120);
    $traffic->settle(20);
    $traffic->stop;
    my @samples = $sampler->stop;
    my $f = { %{ $story->failover($story->status) }, fault => $told->{fault} };
    my @paced = grep { $_->{allowed} && $_->{next_allowed} } @samples;
    return ({ all => \@samples, paced => \@paced }, $f, $traffic);
}

subtest 'paced' => sub {
    my ($seen, $f, $traffic) = watched(rate => 30, kinds => \@VISITS, outage => 8);
    my @paced = @{ $seen->{paced} };
    cmp_ok(scalar @paced, '>', 20, scalar(@paced) . ' samples of the release');
    my @over = over(connections => @paced);
    is(scalar @over, 0, 'never more connections than allowed at that moment') or diag(explain [ splice @over, 0, 5 ]);
    is(scalar over(statements => @paced), 0, 'nor statements');
    my (@steps, %most);
    for my $s (@paced) {
        push @steps, $s->{allowed} if !@steps || $steps[-1] != $s->{allowed};
        $most{ $s->{allowed} } = max($most{ $s->{allowed} } // 0, $s->{connections});
    }
    SKIP: {
        skip 'rig: this machine was too slow to see the first second', 2 if $paced[0]{t} > $f->{released} + 0.8;
        is($steps[0], 4, 'it begins with concurrency=');
        cmp_ok($most{4}, '>=', 3, 'which is used');
    }
    diag('allowed, and most connections: ' . join ', ', map {"$_: " . $most{$_}} @steps);
    check_traffic($story, $traffic, $f);
};

$rig->rebuild;
subtest 'not paced' => sub {
    $rig->httpd('graceful', conf => "RDSFailoverRelease concurrency=10000\n");
    $story->wait_state('available');
    my ($seen, $f, $traffic) = watched(rate => 30, kinds => \@VISITS, outage => 8);
    my $most = max map { $_->{connections} } grep { $_->{t} > $f->{released} && $_->{t} < $f->{released} + 1 } @{ $seen->{all} };
    cmp_ok($most, '>', 8, "$most connections within a second after the release, not 4 or 8: so this could have been seen");
    check_traffic($story, $traffic, $f);
};

# One at a time, and it stays at that: most pages fail, and so the release does not grow. Far more arrive than that serves.
$rig->rebuild;
subtest 'more than is let in' => sub {
    $rig->httpd('graceful', conf => "RDSFailoverRelease concurrency=1\n");
    $story->wait_state('available');
    my ($before, $took, $allowed, $waiting) = ($story->status->{hold});
    my ($seen, $f, $traffic) = watched(rate => 12, outage => 4, kinds => [ 'visit 1 GET /visit.php?s=0.3 marker=RIG-OK',
        'fails 6 GET /visit.php?s=0.3&fail expect=500 marker=RIG-OK', 'static 1 GET /static.txt marker=RIG-OK' ], meanwhile => sub {
            my $began = time;
            $story->wait_for('the end of recovering', sub {
                my $status = $story->status or return undef;
                ($allowed, $waiting) = @{ $status->{hold} }{qw(allowed now)} if $status->{state} eq 'recovering';
                return $status->{state} eq 'available';
            }, 90);
            $took = time - $began;
        });
    diag(sprintf 'recovering took %.1f s; at its end %s were allowed at once, and %d waited',
        $took, $allowed // 'any number', $waiting // 0);
    cmp_ok($took, '<', 65, 'recovering ends within a minute');
    cmp_ok($waiting // 0, '>', 10, 'though many still waited');
    is(scalar over(connections => @{ $seen->{paced} }), 0, 'never more connections than allowed');
    is(scalar(grep { ($_->{status} // 0) == 503 } $traffic->requests), 0, 'nobody is turned away');
    check_traffic($story, $traffic, $f);
    my $after = $story->status->{hold};
    cmp_ok($after->{troubled}, '>', $before->{troubled}, 'pages failed, as was meant');
};
is(join(' ', map { $story->status->{hold}{$_} } qw(rejected expired lost)), '0 0 0', 'nobody rejected, expired or lost');
check_counters($story);
done_testing;
