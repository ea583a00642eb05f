#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Holding: who waits, who does not, how a wait ends. Each server has its own database that is broken and mended on purpose.
use v5.36;
use Test::More;
use JSON::PP qw(decode_json);
use RdsFailover::FakeMysql;
use RdsFailover::Httpd;

*wait_until = \&RdsFailover::Httpd::wait_until;
my $CHECK = 'RDSFailoverCheck interval=100ms fast=50ms timeout=300ms';
my $db    = RdsFailover::FakeMysql->new;

# A server whose database has just broken.
sub outage ($conf = '', $location = 'RDSFailover on', %more) {
    $db->set(behave => 'ok');
    my $httpd = RdsFailover::Httpd->new(conf => "RDSFailoverDSN ${\$db->dsn}\n$CHECK\n$conf", location => $location, %more);
    my $start = $httpd->start;
    ok($start->{up} && $httpd->wait_for_state('available'), 'available') or diag $start->{said};
    $db->set(behave => 'close')->drop;
    ok($httpd->wait_for_state('outage'), 'outage') or diag explain $httpd->database;
    return $httpd;
}
sub hold_of ($httpd) { return $httpd->database->{hold} }
sub holds ($httpd, $n) { return wait_until(sub { hold_of($httpd)->{now} == $n }, 20) }
sub sum_holds ($httpd) {
    my $h = hold_of($httpd);
    is($h->{released} + $h->{passed} + $h->{redirected} + $h->{expired} + $h->{aborted} + $h->{lost} + $h->{now}, $h->{held}, 'held is the sum of its parts')
        or diag explain $h;
}

# --- who waits -------------------------------------------------------------------------------------------------------------------
subtest 'every method waits and then runs, once' => sub {
    my $httpd = outage();
    my %held = map { $_ => $httpd->begin("/count?$_", method => $_, body => $_ =~ /^P/ ? "a=1" : '') } qw(GET POST PUT PATCH DELETE OPTIONS HEAD);
    ok(holds($httpd, 7), 'seven wait') or diag explain hold_of($httpd);
    is(scalar($httpd->runs), 0, 'none has run');
    $db->set(behave => 'ok');
    for my $method (sort keys %held) { is($held{$method}->finish(30)->{status}, 200, "$method is answered") }
    is_deeply([sort $httpd->runs], [sort map { "$_ $_" } keys %held], 'each ran once');
    is(hold_of($httpd)->{released}, 7, 'seven were released');
    sum_holds($httpd);
    my ($failover) = @{ $httpd->database->{failovers} };
    ok($failover && $failover->{outage_ms} > 0, 'the failover is recorded');
    is($failover->{held}, 7, 'with the requests it held');
};

subtest 'who does not wait' => sub {
    my $httpd = outage('SetEnvIf X-Exempt . no-rdsfailover', "RDSFailover on\n</Location>\n<Location /count>\nRDSFailover off");
    is($httpd->get('/static.txt', timeout => 10)->{status}, 200, 'a file');
    is($httpd->get('/rds-status?json', timeout => 10)->{status}, 200, 'the status handler');
    is($httpd->get('/server-status', timeout => 10)->{status}, 200, 'mod_status');
    is($httpd->get('/env', timeout => 10, headers => { 'X-Exempt' => 1 })->{status}, 200, 'an exempt request');
    is($httpd->get('/count', timeout => 10)->{status}, 200, 'RDSFailover off');
    is(hold_of($httpd)->{held}, 0, 'nothing was held');
    my $held = $httpd->begin('/env');
    ok(!$held->answered(0.3), 'while another request waits');
    like($httpd->get('/count', timeout => 10)->{body}, qr/done/, 'files and pages that need no database are served on');
    $db->set(behave => 'ok');
    my $answer = $held->finish(30);
    like($answer->{body}, qr/^RDSFAILOVER_STATE=(?:available|recovering)$/m, 'the released request has the fresh state');
};

subtest 'RDSFailover is off by default' => sub {
    my $httpd = outage('', '');
    is($httpd->get('/env', timeout => 10)->{status}, 200, 'served');
    is(hold_of($httpd)->{held}, 0, 'not held');
};

subtest 'RDSFailoverHold off' => sub {
    my $httpd = outage('', "RDSFailover on\nRDSFailoverHold off");
    my $answer = $httpd->get('/env', timeout => 10);
    is($answer->{status}, 200, 'served at once');
    like($answer->{body}, qr/^RDSFAILOVER_STATE=outage$/m, 'and told that there is an outage');
};

# --- how it ends --------------------------------------------------------------------------------------------------------------------
subtest 'then=error' => sub {
    my $httpd = outage('', "RDSFailover on\nRDSFailoverHold 1s then=error");
    my $answer = $httpd->get('/count', headers => { Accept => 'text/html' });
    is($answer->{status}, 503, '503 after the longest hold');
    cmp_ok($answer->{seconds}, '>=', 0.99, 'not before');
    like($answer->{headers}{'retry-after'} // '', qr/^\d+$/, 'Retry-After');
    like($answer->{headers}{'cache-control'} // '', qr/no-store/, 'not to be stored');
    like($answer->{headers}{'content-type'} // '', qr{^text/html}, 'a page');
    like($answer->{body}, qr/http-equiv="refresh"/, 'that reloads itself');

    $answer = $httpd->get('/count', method => 'POST', body => 'a=1');
    is($answer->{status}, 503, 'a POST too');
    unlike($answer->{body}, qr/http-equiv="refresh"/, 'whose page does not send the form again');
    like($answer->{body}, qr/not/, 'and says that nothing was done');

    for my $accept ('application/json', 'application/problem+json', 'application/json, */*;q=0.1') {
        $answer = $httpd->get('/count', headers => { Accept => $accept });
        is($answer->{headers}{'content-type'}, 'application/problem+json', "Accept: $accept gets a problem document");
        my $problem = eval { decode_json($answer->{body}) } // {};
        is($problem->{status}, 503, 'that parses');
    }
    $answer = $httpd->get('/count', headers => { Accept => 'text/html,application/xhtml+xml,*/*;q=0.8' });
    like($answer->{headers}{'content-type'} // '', qr{^text/html}, 'a browser gets the page');
    is(scalar($httpd->runs), 0, 'nothing was executed');
    is(hold_of($httpd)->{expired}, 6, 'all are counted');
    sum_holds($httpd);
};

subtest 'then=pass' => sub {
    my $httpd = outage('', "RDSFailover on\nRDSFailoverHold 1s then=pass");
    my $answer = $httpd->get('/count');
    is($answer->{status}, 200, 'it is let through');
    cmp_ok($answer->{seconds}, '>=', 0.99, 'after the longest hold');
    is(scalar($httpd->runs), 1, 'and ran');
    is(hold_of($httpd)->{passed}, 1, 'counted as passed');
    sum_holds($httpd);
};

subtest 'the client leaves' => sub {
    my $httpd = outage();
    my @held = map { $httpd->begin("/count?$_", method => 'POST', body => 'a=1') } 1 .. 3;
    ok(holds($httpd, 3), 'three wait');
    $held[1]->leave;
    ok(wait_until(sub { hold_of($httpd)->{aborted} == 1 }, 10), 'one leaves, and is seen to');
    $db->set(behave => 'ok');
    is_deeply([map { $held[$_]->finish(30)->{status} } 0, 2], [200, 200], 'the others are answered');
    is_deeply([sort $httpd->runs], ['POST 1', 'POST 3'], 'what left was not executed');
    sum_holds($httpd);
};

subtest 'a large body that nobody reads meanwhile' => sub {
    my $httpd = outage();
    my $held = $httpd->begin('/count', method => 'POST', body => 'x' x 60_000);
    ok(holds($httpd, 1), 'it waits');
    $db->set(behave => 'ok');
    is($held->finish(30)->{status}, 200, 'and is answered');
};

# --- limits ---------------------------------------------------------------------------------------------------------------------------
subtest 'queue=2' => sub {
    my $httpd = outage('RDSFailoverRelease queue=2', "RDSFailover on\nRDSFailoverHold 60s");
    my @held = map { $httpd->begin("/count?$_") } 1 .. 2;
    ok(holds($httpd, 2), 'two wait');
    my $answer = $httpd->get('/count?3', timeout => 10);
    is($answer->{status}, 503, 'the third gets the ending at once');
    is(hold_of($httpd)->{rejected}, 1, 'counted as rejected');
    is($httpd->get('/rds-status?health')->{status}, 503, 'a full queue is not healthy');
    $db->set(behave => 'ok');
    is_deeply([map { $_->finish(30)->{status} } @held], [200, 200], 'the two are answered');
    is($httpd->get('/rds-status?health')->{status}, 200, 'healthy again');
    sum_holds($httpd);
};

subtest 'queue=0' => sub {
    my $httpd = outage('RDSFailoverRelease queue=0');
    is($httpd->get('/count', timeout => 10)->{status}, 503, 'nobody waits');
};

subtest 'more requests than there is room for: files and the status are served all the same' => sub {
    my $httpd = outage('', "RDSFailover on\nRDSFailoverHold 60s", threads => 16);
    my $json     = $httpd->json;
    my $capacity = $json->{capacity}{requests};
    cmp_ok($capacity, '<', 40, "$capacity may wait");
    cmp_ok($capacity, '<', 16, 'and leave workers for the rest') if $json->{mpm} ne 'event';
    my @held = map { $httpd->begin("/count?$_") } 1 .. 40;
    ok(wait_until(sub { my $h = hold_of($httpd); ($h->{now} // 0) > 0 && $h->{now} + $h->{rejected} >= 40 }, 30),
        'all forty have arrived') or diag explain hold_of($httpd);
    cmp_ok(hold_of($httpd)->{now}, '<=', $capacity, 'not more than that wait');
    is($httpd->get('/static.txt', timeout => 20)->{status}, 200, 'a file is served');
    is($httpd->get('/rds-status?json', timeout => 20)->{status}, 200, 'the status too');
    $db->set(behave => 'ok');
    my %count;
    $count{ $_->finish(60)->{status} }++ for @held;
    is(($count{200} // 0) + ($count{503} // 0), 40, 'everyone gets an answer') or diag explain \%count;
    is(scalar($httpd->runs), $count{200} // 0, 'who was answered 200 ran once');
    sum_holds($httpd);
};

# --- dry run ----------------------------------------------------------------------------------------------------------------------------
subtest 'RDSFailoverDryRun' => sub {
    my $httpd = outage('RDSFailoverDryRun on');
    is($httpd->get('/count', timeout => 10)->{status}, 200, 'nothing is held');
    is(hold_of($httpd)->{held}, 0, 'held says so');
    is(scalar($httpd->logged('RF0302')), 1, 'the log says what would have been');
};

# --- one server, two databases ------------------------------------------------------------------------------------------------------------
subtest 'the outage of one database holds nobody of the other' => sub {
    my $other = RdsFailover::FakeMysql->new;
    my $httpd = outage('', 'RDSFailover on', after => "<VirtualHost *>\nServerName main.test\n</VirtualHost>\n"
            . "<VirtualHost *>\nServerName other.test\nRDSFailoverDSN ${\$other->dsn}\n</VirtualHost>\n");
    my $held = $httpd->begin('/env', host => 'main.test');
    ok(!$held->answered(0.3), 'a request of the one waits');
    my $answer = $httpd->get('/env', host => 'other.test', timeout => 10);
    is($answer->{status}, 200, 'a request of the other is served');
    like($answer->{body}, qr/^RDS_PORT=${\$other->port}$/m, 'with its own database');
    $db->set(behave => 'ok');
    is($held->finish(30)->{status}, 200, 'the first is released');
};
done_testing;
