#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Orders by POST at the status handler: who may, what is accepted, what a hold does to requests and that it ends, whatever else does.
use v5.36;
use Test::More;
use Digest::SHA qw(sha1_base64);
use MIME::Base64 qw(encode_base64);
use RdsFailover::FakeMysql;
use RdsFailover::Httpd;
use Time::HiRes qw(time);

*wait_until = \&RdsFailover::Httpd::wait_until;
my $CHECK = 'RDSFailoverCheck interval=100ms fast=50ms timeout=300ms';
my $db    = RdsFailover::FakeMysql->new;
my $users = RdsFailover::Httpd::write_file(File::Temp->newdir(TMPDIR => 1, CLEANUP => 0) . '/users', "alice:{SHA}" . sha1_base64('wonder') . "=\n");
chmod 0755, $users =~ s{/users$}{}r;
END { unlink $users; rmdir $users =~ s{/users$}{}r }

# One who is known, and whose browser or script says that it means it.
my %ALICE = (Authorization => 'Basic ' . encode_base64('alice:wonder', ''));
my %MEANT = ('X-RDSFailover-Control' => 1, 'Content-Type' => 'application/x-www-form-urlencoded');

# /rds-status is open, as for a scraper; /control is for users.
sub serve (%more) {
    $db->set(behave => 'ok');
    my $conf = "RDSFailoverDSN ${\$db->dsn}\n$CHECK\n" . (delete $more{conf} // '') . <<"CONF";
<Location "/control">
SetHandler rds-status
RDSFailoverControl on
AuthType Basic
AuthName control
AuthUserFile "$users"
Require valid-user
</Location>
<Location "/open">
SetHandler rds-status
RDSFailoverControl on
</Location>
CONF
    my $httpd = RdsFailover::Httpd->new(conf => $conf, location => 'RDSFailover on', load => [qw(auth_basic authn_core authn_file authz_user)], %more);
    my $start = $httpd->start;
    ok($start->{up} && $httpd->wait_for_state('available'), 'available') or diag $start->{said};
    return $httpd;
}
sub order ($httpd, $body, %options) {
    return $httpd->get($options{path} // '/control', method => 'POST', body => $body, timeout => 20, headers => { %ALICE, %MEANT, %{ $options{headers} // {} } });
}
sub hold_of ($httpd) { return $httpd->database->{hold} }
sub waits ($httpd, $n) { return wait_until(sub { hold_of($httpd)->{now} == $n }, 20) }

# --- who may -------------------------------------------------------------------------------------------------------------------
my $httpd = serve();
subtest 'who may give orders' => sub {
    my %refused = (
        'nobody is authenticated, from loopback' => [{ path => '/open' }, 403, qr/authenticated/],
        'no credentials where they are needed'   => [{ headers => { Authorization => 'Basic ' . encode_base64('alice:wrong', '') } }, 401, qr/./],
        'no header of ours'                      => [{ headers => { 'X-RDSFailover-Control' => 0 } }, 403, qr/X-RDSFailover-Control: 1/],
        'a page of another site'                 => [{ headers => { 'Sec-Fetch-Site' => 'cross-site' } }, 403, qr/another site/],
        'a page of a sister site'                => [{ headers => { 'Sec-Fetch-Site' => 'same-site' } }, 403, qr/another site/],
    );
    for my $name (sort keys %refused) {
        my ($options, $status, $says) = @{ $refused{$name} };
        my $answer = order($httpd, 'action=hold', %$options);
        is($answer->{status}, $status, $name);
        like($answer->{body}, $says, "$name: and says so");
    }
    is($httpd->database->{order}, undef, 'nothing is ordered');
    is(scalar($httpd->logged('RF0226')), 4, 'what the module refused is logged');
    is(scalar($httpd->logged('RF0225')), 0, 'as no order');
    is(order($httpd, 'action=disarm', headers => { 'Sec-Fetch-Site' => 'same-origin' })->{status}, 200, 'a page of this server may');

    my $elsewhere = order($httpd, 'action=hold', path => '/rds-status');
    is($elsewhere->{status}, 405, 'where RDSFailoverControl is off, POST is no method');
    unlike($elsewhere->{headers}{allow} // '', qr/POST/, 'nor offered');
    my $put = $httpd->get('/control', method => 'PUT', body => 'action=hold', headers => { %ALICE, %MEANT });
    is($put->{status}, 405, 'PUT is none');
    like($put->{headers}{allow}, qr/^(?=.*GET)(?=.*POST)/, 'GET and POST are') or diag explain $put->{headers};
};

subtest 'what is accepted' => sub {
    my %refused = (
        ''                                => [400, qr/arm, disarm, hold and release/],
        'action=explode'                  => [400, qr/action=explode.*arm, disarm, hold and release/],
        'action=hold&ttl=0'               => [400, qr/ttl=0 .*1 to 3600/],
        'action=hold&ttl=3601'            => [400, qr/1 to 3600/],
        'action=hold&ttl=1m'              => [400, qr/1 to 3600/],
        'action=release&ttl=5'            => [400, qr/at once/],
        'action=hold&action=release'      => [400, qr/twice/],
        'action=hold&force=1'             => [400, qr/"force" is not a field.*action=, ttl= and database=/],
        'action=hold&database=other'      => [400, qr/one of:/],
        'action=hold%00&ttl=5'            => [400, qr/NUL|not an order/],
        'action=hold&x=' . 'x' x 5000     => [413, qr/4096/],
    );
    for my $body (sort keys %refused) {
        my ($status, $says) = @{ $refused{$body} };
        my $answer = order($httpd, $body);
        my $name   = length $body > 60 ? substr($body, 0, 20) . '...' : "\"$body\"";
        is($answer->{status}, $status, $name);
        like($answer->{body}, $says, "$name: which is said");
        unlike($answer->{body}, qr/secret/, "$name: without a password");
    }
    for my $type ('text/plain', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencodedx', 'application/json') {
        is(order($httpd, 'action=hold', headers => { 'Content-Type' => $type })->{status}, 415, "$type is no form");
    }
    is($httpd->database->{order}, undef, 'nothing is ordered');
    is(order($httpd, 'action=disarm', headers => { 'Content-Type' => 'Application/X-WWW-Form-Urlencoded; charset=utf-8' })->{status}, 200, 'a form with a parameter');
    is(order($httpd, 'action=disarm&database=' . $httpd->database->{name})->{status}, 200, 'a database by name');
};

# --- arm -------------------------------------------------------------------------------------------------------------------------
subtest 'arm and disarm' => sub {
    my $answer = order($httpd, 'action=arm&ttl=600');
    is($answer->{status}, 200, 'armed');
    like($answer->{body}, qr/: arm for 600 s$/m, 'which is the answer');
    is($answer->{headers}{'cache-control'}, 'no-store', 'that no cache keeps');
    my $now = $httpd->database;
    ok($now->{armed}, 'at once');
    is_deeply([@{ $now->{order} }{qw(action by drained)}], ['arm', 'alice', undef], 'by whom');
    like($now->{order}{until}, qr/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, 'until when');
    is($now->{probe}{interval_ms}, 50, 'the pace is the fast one');
    is($httpd->get('/count', timeout => 10)->{status}, 200, 'requests pass');
    is(order($httpd, 'action=disarm')->{status}, 200, 'disarmed');
    ok(!$httpd->database->{armed}, 'at once');
    is(order($httpd, 'action=arm&ttl=1')->{status}, 200, 'armed for a second');
    ok(wait_until(sub { !$httpd->database->{armed} }, 20), 'which ends by itself');
    ok(wait_until(sub { $httpd->logged('RF0125') }, 10), 'and is logged');
    like(($httpd->logged('RF0225'))[-1], qr/alice orders: arm for 1 s/, 'so is who ordered what');
    is(scalar($httpd->logged('RF0123')), 2, 'and that the monitor did it');
    is($httpd->database->{state}, 'available', 'all that is no state');
};

# --- hold ------------------------------------------------------------------------------------------------------------------------
subtest 'hold and release' => sub {
    my $before = $httpd->database;
    is(order($httpd, 'action=hold&ttl=600')->{status}, 200, 'held');
    my @held = map { $httpd->begin("/count?h$_", method => $_ % 2 ? 'POST' : 'GET') } 1 .. 6;
    ok(waits($httpd, 6), 'six requests wait') or diag explain hold_of($httpd);
    my $now = $httpd->database;
    is_deeply([@$now{qw(state epoch)}], ['available', $before->{epoch}], 'the database is what it is');
    is_deeply([@{ $now->{order} }{qw(action by)}], [qw(hold alice)], 'by order of alice');
    ok($now->{order}{drained}, 'and nothing runs any more') or diag explain $now->{hold};
    is($httpd->get('/static.txt', timeout => 10)->{status}, 200, 'files are served');
    is($httpd->get('/rds-status?health')->{status}, 200, 'the server is healthy');
    ok(wait_until(sub { $httpd->logged('RF0122') }, 10), 'that nothing runs is logged');
    my $page = $httpd->get('/control', headers => {%ALICE})->{body};
    like($page, qr/On hold by <bdi>alice/, 'the page says it');
    is(scalar(() = $page =~ /<button name="action"/g), 4, 'and has buttons, for alice');
    unlike($httpd->get('/open')->{body}, qr/<button/, 'but not for whoever comes along');
    is(order($httpd, 'action=release')->{status}, 200, 'released');
    is_deeply([map { $_->finish(30)->{status} } @held], [(200) x 6], 'all are answered');
    is(scalar(grep { / h\d/ } $httpd->runs), 6, 'each ran once');
    ok($httpd->wait_for_state('available'), 'available');
    is_deeply($httpd->database->{failovers}, [], 'that was no failover');
    is($httpd->database->{epoch}, $before->{epoch}, 'nor another epoch');
    is(hold_of($httpd)->{released}, 6, 'six were released');
};

subtest 'a hold ends by itself' => sub {
    is(order($httpd, 'action=hold&ttl=2')->{status}, 200, 'held for two seconds');
    my $held = $httpd->begin('/count?ends');
    ok(waits($httpd, 1), 'a request waits');
    is($held->finish(30)->{status}, 200, 'and is answered without a release');
    ok($httpd->logged('RF0121'), 'that the time was over is logged');
    is($httpd->database->{order}, undef, 'nothing is in force');
};

subtest 'nothing new begins, what runs comes to its end' => sub {
    my $script = "$httpd->{dir}/cgi/env";
    my $text   = RdsFailover::Httpd::slurp($script);
    RdsFailover::Httpd::write_file($script, "#!/bin/sh\nwhile [ ! -e '$httpd->{dir}/go' ]; do sleep 0.05; done\nprintf 'Content-Type: text/plain\\n\\nended\\n'\n", 0755);
    my $running = $httpd->begin('/env?slow');
    ok(wait_until(sub { hold_of($httpd)->{inflight} == 1 }, 20), 'a request runs') or diag explain hold_of($httpd);
    is(order($httpd, 'action=hold&ttl=600')->{status}, 200, 'held');
    my $held = $httpd->begin('/count?behind');
    ok(waits($httpd, 1), 'a new one waits');
    my $now = $httpd->database;
    is($now->{order}{drained}, JSON::PP::false, 'something still runs');
    is($now->{hold}{inflight}, 1, 'one');
    RdsFailover::Httpd::write_file("$httpd->{dir}/go", '');
    like($running->finish(20)->{body}, qr/^ended/, 'it comes to its end');
    ok(wait_until(sub { $httpd->database->{order}{drained} }, 20), 'then nothing runs') or diag explain hold_of($httpd);
    ok(!$held->answered(0.2), 'the other one waits');
    is(order($httpd, 'action=release')->{status}, 200, 'released');
    is($held->finish(20)->{status}, 200, 'it is answered');
    RdsFailover::Httpd::write_file($script, $text, 0755);
};

# --- what may happen meanwhile ------------------------------------------------------------------------------------------------------
subtest 'an outage within a hold: the planned switch' => sub {
    is(order($httpd, 'action=hold&ttl=600')->{status}, 200, 'held');
    my @held = map { $httpd->begin("/count?switch$_") } 1 .. 3;
    ok(waits($httpd, 3), 'three wait');
    $db->set(behave => 'close')->drop;
    ok($httpd->wait_for_state('outage'), 'the switch: an outage');
    $db->set(behave => 'ok');
    ok(wait_until(sub { $httpd->database->{state} eq 'recovering' }, 20), 'over') or diag explain $httpd->database;
    ok(!$held[0]->answered(0.5), 'but the order still counts');
    is(hold_of($httpd)->{now}, 3, 'for all three');
    is(order($httpd, 'action=release')->{status}, 200, 'released');
    is_deeply([map { $_->finish(30)->{status} } @held], [(200) x 3], 'all are answered');
    ok($httpd->wait_for_state('available'), 'and all is normal');
    is(scalar(@{ $httpd->database->{failovers} }), 1, 'it was one failover');
};

subtest 'the monitor is killed, and the server restarted gracefully' => sub {
    is(order($httpd, 'action=hold&ttl=600')->{status}, 200, 'held');
    my $held = $httpd->begin('/count?kept');
    ok(waits($httpd, 1), 'a request waits');
    my $old = $httpd->monitor_pid;
    kill 'KILL', $old;
    ok(wait_until(sub { my $pid = $httpd->monitor_pid; $pid && $pid != $old }, 20), 'a new monitor');
    ok(!$held->answered(0.5), 'keeps the order');
    is($httpd->database->{order}{by}, 'alice', 'and knows by whom');
    ok($httpd->graceful_over, 'a graceful restart');
    ok(!$held->answered(0.5), 'does too');
    my $later = $httpd->begin('/count?later');
    ok(waits($httpd, 2), 'a request of the new generation waits with it') or diag explain hold_of($httpd);
    is(order($httpd, 'action=release')->{status}, 200, 'the new generation releases');
    is_deeply([map { $_->finish(30)->{status} } $held, $later], [200, 200], 'both');
};

subtest 'the monitor stands still' => sub {
    is(order($httpd, 'action=hold&ttl=600')->{status}, 200, 'held');
    my $held    = $httpd->begin('/count?still');
    my $monitor = $httpd->monitor_pid;
    ok(waits($httpd, 1), 'a request waits');
    kill 'STOP', $monitor;
    is($held->finish(40)->{status}, 200, 'no hold outlives its monitor for long');
    my $answer = order($httpd, 'action=release');
    is($answer->{status}, 503, 'an order that nobody takes');
    like($answer->{body}, qr/monitor/, 'is said');
    ok($httpd->logged('RF0227'), 'and logged');
    kill 'CONT', $monitor;
    ok(wait_until(sub { !$httpd->database->{order} && $httpd->database->{state} eq 'available' }, 20), 'it counts when the monitor goes on')
        or diag explain $httpd->database;
    is($httpd->get('/count?after', timeout => 20)->{status}, 200, 'requests pass');
};

subtest 'at the end of their own time held requests get their ending' => sub {
    my $short = serve(location => "RDSFailover on\nRDSFailoverHold 2s front=none");
    is(order($short, 'action=hold')->{status}, 200, 'held');
    like(($short->logged('RF0225'))[-1], qr/hold for 120 s/, 'for two minutes, the default');
    my $answer = $short->get('/count', timeout => 20);
    is($answer->{status}, 503, 'longer than this site lets wait');
    is(scalar($short->runs), 0, 'nothing ran');
};

subtest 'dry run' => sub {
    my $dry = serve(conf => "RDSFailoverDryRun on\n");
    is(order($dry, 'action=hold')->{status}, 200, 'held');
    is($dry->get('/count', timeout => 20)->{status}, 200, 'nothing is');
    is(hold_of($dry)->{dry}, 1, 'but counted');
};

subtest 'several databases' => sub {
    my $other = RdsFailover::FakeMysql->new;
    my $two   = serve(after => "<VirtualHost *:*>\nServerName other\nRDSFailoverDSN ${\$other->dsn}\n</VirtualHost>\n");
    ok(wait_until(sub { 2 == grep { $_->{state} eq 'available' } @{ $two->json->{databases} } }, 30), 'two databases') or diag explain $two->json;
    my @names  = map { $_->{name} } @{ $two->json->{databases} };
    my $answer = order($two, 'action=hold');
    is($answer->{status}, 400, 'which one?');
    like($answer->{body}, qr/\Q$_\E/, "$_, for one") for @names;
    is(order($two, "action=hold&database=" . $names[1] =~ s/([^\w.-])/sprintf '%%%02x', ord $1/ger)->{status}, 200, 'by name');
    is_deeply([map { $_->{order} && $_->{order}{action} } @{ $two->json->{databases} }], [undef, 'hold'], 'that one, and no other');
};

ok($httpd->stop, 'the server stops');
done_testing;
