#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The page's buttons in a real browser: whoever has logged in arms, holds and releases, is asked before and told afterwards; whoever
# has not sees none. And when the monitor falls silent, the page says so.
use v5.36;
use Test::More;
use Digest::SHA qw(sha1_base64);
use File::Path ();
use File::Temp ();
use MIME::Base64 qw(encode_base64);
use RdsFailover::Browser;
use RdsFailover::FakeMysql;
use RdsFailover::Httpd;

for my $lack (RdsFailover::Browser::missing()) { plan skip_all => "chromium: $lack" }
my $db    = RdsFailover::FakeMysql->new;
my $files = File::Temp->newdir(TMPDIR => 1);
chmod 0755, "$files";
RdsFailover::Httpd::write_file("$files/users", join '', map { "$_:{SHA}" . sha1_base64("$_ 1") . "=\n" } qw(alice bob));
my $httpd = RdsFailover::Httpd->new(location => 'RDSFailover on', load => [qw(auth_basic authn_core authn_file authz_user)], conf => <<"CONF");
RDSFailoverDSN ${\$db->dsn}
RDSFailoverCheck interval=100ms fast=50ms timeout=300ms
<Location "/control">
SetHandler rds-status
RDSFailoverControl on
AuthType Basic
AuthName control
AuthUserFile "$files/users"
Require user alice
</Location>
<Location "/mine">
SetHandler rds-status
AuthType Basic
AuthName mine
AuthUserFile "$files/users"
Require valid-user
</Location>
<Location "/open">
SetHandler rds-status
RDSFailoverControl on
</Location>
CONF
my $start = $httpd->start;
ok($start->{up} && $httpd->wait_for_state('available'), 'available') or BAIL_OUT($start->{said});
my $browser = RdsFailover::Browser->start("$files/browser");

my $page;
sub address ($path, $who = '') { return "http://$who" . ($who ? '@' : '') . '127.0.0.1:' . $httpd->port . $path }
sub go ($path, $who = '') { $page = $browser->open(address($path, $who)); return sees('the page lives', q{document.getElementById('age').textContent.startsWith('Live')}) }
sub run ($expression) { return $browser->run($page, $expression) }
sub sees ($what, $expression) { $browser->await($page, $expression, 60); return pass($what) }
sub press ($action) { run(qq{document.querySelector('button[value="$action"]').click()}); return }
sub told ($how, $text) { return sees("it is told: $text", qq{document.querySelector('#answer.$how:not([hidden])')?.textContent.includes('$text')}) }
sub hold_of () { return $httpd->database->{hold} }
sub shoot ($name) {
    my $dir = $ENV{RF_PICTURES} or return;
    File::Path::make_path($dir);
    for my $scheme (qw(light dark)) {
        for my $width (390, 1440) {
            $browser->look($page, $width, 900, $scheme);
            $browser->picture($page, "$dir/$name-$width-$scheme.png");
        }
    }
}

subtest 'who sees buttons' => sub {
    for my $case (['/open', '', 'nobody has logged in'], ['/rds-status', '', 'nor here'], ['/mine', 'bob:bob%201', 'bob may look, but RDSFailoverControl is off']) {
        my ($path, $who, $why) = @$case;
        go($path, $who);
        is(run('document.querySelectorAll("button, form").length'), 0, "$path: none, $why");
        is_deeply([$browser->problems($page)], [], 'and no complaint in the console');
        $browser->close($page);
    }
    my %bob = (Authorization => 'Basic ' . encode_base64('bob:bob 1', ''));
    is($httpd->get('/control', headers => \%bob)->{status}, 401, 'bob does not even see the page that has them');
};

subtest 'alice arms' => sub {
    go('/control', 'alice:alice%201');
    is(run('[...document.querySelectorAll("button")].map((b) => b.value).join(" ")'), 'arm disarm hold release', 'she has four');
    is(run('getComputedStyle(document.querySelector(".control")).display'), 'block', 'that are shown');
    $browser->{consent} = 0;
    press('arm');
    is(scalar($browser->dialogs($page)), 1, 'she is asked');
    like(($browser->dialogs($page))[-1], qr/^\Q${\$httpd->database->{name}}\E \(10 min\): Expect an outage\?/, 'what, where and for how long');
    is($httpd->database->{order}, undef, 'she says no, and nothing is ordered');
    $browser->{consent} = 1;
    run(q{document.querySelector('select[name="ttl"]').value = '300'});
    press('arm');
    told('done', 'arm for 300 s');
    is_deeply([@{ $httpd->database->{order} }{qw(action by)}], [qw(arm alice)], 'it is so, in her name');
    sees('the page says so', q{document.querySelector('.tags .armed')?.textContent.includes('by alice')});
    shoot('buttons-1-armed');
    press('disarm');
    told('done', 'disarm');
    sees('and that it is over', q{!document.querySelector('.tags .armed')});
    is($httpd->database->{order}, undef, 'which it is');
};

subtest 'she holds and releases' => sub {
    press('hold');
    told('done', 'hold for 120 s');
    my @held = map { $httpd->begin("/count?h$_") } 1 .. 3;
    sees('three wait', q{document.querySelector('#db-0-queue dd').firstChild.textContent === '3'});
    sees('by order', q{document.querySelector('.notes .note')?.textContent.startsWith('Requests are held by order')});
    sees('nothing runs any more', q{document.querySelector('.notes .note').textContent.includes('Nothing runs any more')});
    shoot('buttons-2-held');
    press('release');
    told('done', 'release');
    is_deeply([map { $_->finish(30)->{status} } @held], [200, 200, 200], 'all are answered');
    sees('nobody waits', q{document.querySelector('#db-0-queue dd').firstChild.textContent === '0'});
    sees('and nothing is said of orders', q{!document.querySelector('.notes .note')});
};

subtest 'what goes wrong is told' => sub {
    is_deeply([$browser->problems($page)], [], 'nothing has until now');
    $httpd->configure(conf => $httpd->{conf} =~ s/^RDSFailoverControl on$/RDSFailoverControl off/mr);
    ok($httpd->graceful_over, 'no orders are taken any more');
    press('hold');
    told('failed', 'Not done (405): Method Not Allowed');
    is($httpd->database->{order}, undef, 'and nothing is ordered');
    sees('the buttons are gone', q{!document.querySelector('button')});
    sees('but not what was told', q{!document.getElementById('answer').hidden});
    shoot('buttons-3-refused');
    $browser->close($page);
};

subtest 'the monitor falls silent' => sub {
    go('/rds-status');
    my $monitor = $httpd->monitor_pid;
    kill 'STOP', $monitor;
    sees('the page says so', q{document.querySelector('.notes .note')?.textContent.startsWith('The monitor has fallen silent')});
    sees('and calls the state unknown', q{document.querySelector('#db-0-hero .state').textContent.startsWith('Unknown')});
    shoot('buttons-4-silent');
    kill 'CONT', $monitor;
    sees('until it goes on', q{document.querySelector('#db-0-hero .state').textContent.startsWith('Available')});
    is_deeply([$browser->problems($page)], [], 'no complaint in the console');
};
$browser->end;
ok($httpd->stop, 'the server stops');
done_testing;
