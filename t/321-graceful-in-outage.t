#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# httpd is restarted and stopped gracefully in the middle of an outage, with requests waiting; one of its processes is killed; the
# module is taken out. Who waits elsewhere does not notice.
use v5.36;
use Test::More;
use Time::HiRes qw(time sleep);
use RdsFailover::Story ();
use RdsFailover::Story::Failover qw(check_traffic check_counters);

my $story = RdsFailover::Story->begin(app => 'address', tls => 1);
my $rig   = $story->rig;
my $epoch = $story->status->{epoch};

my $traffic = $story->traffic(rate => 15, kinds => \@RdsFailover::Story::Traffic::SHORT);
my $failing = $story->fail_later('crash', outage => 12);
$story->wait_state('outage');
for my $round (1 .. 5) {
    $story->wait_for('requests that wait', sub { $story->status->{hold}{now} >= 10 * $round });
    my $before = $story->report->{monitor}{pid};
    my $held   = $story->status->{hold}{now};
    $rig->httpd('graceful');
    $story->wait_for('the new monitor', sub { my $r = $story->report; $r && $r->{monitor}{pid} != $before });
    my $status = $story->status;
    is($status->{state}, 'outage', "graceful restart $round: still an outage");
    cmp_ok($status->{hold}{now}, '>=', $held, 'who waited still does');
    $story->wait_for('new ones that wait', sub { $story->status->{hold}{now} > $held + 5 });
}
my $told = $story->await($failing);
$rig->prime;
my $status = $story->wait_state('available', epoch => $epoch + 1);
is($status->{epoch}, $epoch + 1, 'one outage, to every generation');
is($story->report->{monitor}{restarts}, 0, 'the monitor was handed over, not restarted');
$traffic->settle;
my $f = $story->failover($story->status);
check_traffic($story, $traffic, { %$f, fault => $told->{fault} });
is(check_lost(), 0, 'no request was lost');
check_counters($story);
sub check_lost { return $story->status->{hold}{lost} }

# A process that is killed takes its own requests with it, and they are counted.
$rig->rebuild;
$failing = $story->fail_later('crash', outage => 4);
$story->wait_state('outage');
my $victim = $story->send(GET => '/ledger.php');
$story->wait_held(1);
my @serving = $story->serving;
is(scalar @serving, 1, 'one process holds the request') or BAIL_OUT('which process holds it is not known');
$story->signal(KILL => @serving);
is($story->answer($victim)->{status}, 0, 'its process killed, a request has no answer');
$story->wait_for('it is counted', sub { check_lost() == 1 });
my $other = $story->send(POST => '/ledger.php', body => 'token=after-kill');
$story->await($failing);
$rig->prime;
is($story->answer($other)->{status}, 200, 'others are held and answered');
$status = $story->wait_state('available', epoch => $epoch + 2);
is("$status->{hold}{lost} $status->{hold}{now} " . $story->imbalance($status->{hold}), '1 0 0', 'one lost, none waits, the sum is right');

# graceful-stop: no new requests, but who waits is still served.
$rig->rebuild;
$failing = $story->fail_later('crash', outage => 4);
$story->wait_state('outage');
my @waiting = map { $story->send(POST => '/ledger.php', body => "token=stop-$_") } 1 .. 3;
$story->wait_held(3);
my $httpd = $rig->status->{httpd}{pid};
$story->signal(WINCH => $httpd);
$story->await($failing);
$rig->prime;
is(join(' ', map { $story->answer($_)->{status} } @waiting), '200 200 200', 'graceful-stop: who waited is answered');
$story->wait_for('httpd is gone', sub { !grep { $_ == $httpd } $story->pids('apache2|httpd') });
is(join(' ', $story->pids('^rds-monitor|rdsfailover-prober')), '', 'the monitor and its prober are gone with it');
my $rows = $rig->ledger;
is(join(' ', map { $rows->{"stop-$_"} // 0 } 1 .. 3), '1 1 1', 'each write is there once');

# Taken out of the configuration. (That its monitor goes, a minute later, 140-monitor.t waits for.)
$rig->httpd('start');
$story->wait_state('available');
$rig->httpd('graceful', module => 0);
$story->wait_for('the module is gone', sub { $story->get('/rds-status?json')->{status} == 404 });
is($story->get('/static.txt')->{status}, 200, 'without the module httpd goes on');
done_testing;
