#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A wrong directive stops the server, with a sentence that names the directive, the value and what is accepted.
use v5.36;
use Test::More;
use RdsFailover::Httpd;

my $httpd = RdsFailover::Httpd->new;
is_deeply([$httpd->check->{ok}, $httpd->configure(conf => 'RDSFailoverDSN mysql://app:secret@db.test/shop')->check->{ok}], [1, 1],
    'httpd takes the module without and with a database') or diag $httpd->check->{said};

# --- values: [what stands there, what the sentence must say, where it is accepted] -------------------------------------------
my @WRONG = (
    ['RDSFailover',             qr/RDSFailover must be On or Off/],
    ['RDSFailover maybe',       qr/RDSFailover must be On or Off/],
    ['RDSFailoverAbortStale',     qr/RDSFailoverAbortStale must be On or Off/],
    ['RDSFailoverAbortStale all', qr/RDSFailoverAbortStale must be On or Off/],
    ['RDSFailoverDryRun',       qr/RDSFailoverDryRun must be On or Off/],
    ['RDSFailoverDryRun 1',     qr/RDSFailoverDryRun must be On or Off/],
    ['RDSFailoverDSN',          qr/RDSFailoverDSN takes one argument, .*mysql:/],
    ['RDSFailoverDSN a b',      qr/RDSFailoverDSN takes one argument, .*mysql:/],
    ['RDSFailoverDSN ""',       qr/RDSFailoverDSN .*mysql:/],
    (map { ["RDSFailoverDSN $_->[0]", qr/RDSFailoverDSN: .*$_->[1]/] }
        ['postgres://u@h/db',                     'mysql'],
        ['db.test',                               'mysql:'],
        ['mysql:u@h',                             'mysql:'],
        ['mysql://',                              'host'],
        ['mysql:///shop',                         'host'],
        ['mysql://u@/shop',                       'host'],
        ['mysql://u@:3306/shop',                  'host'],
        ['mysql://h:70000/shop',                  '65535'],
        ['mysql://h:0/shop',                      '65535'],
        ['mysql://h:x/shop',                      'port'],
        ['mysql://h:-1/shop',                     'port'],
        ['mysql://u:s3cr@t@h/shop',               '@'],
        ['mysql://u:s3cr%zz@h/shop',              '%'],
        ['mysql://u:s3cr%0@h/shop',               '%'],
        ['mysql://[::1/shop',                     '\]|IPv6|address'],
        ['mysql://h/shop?ssl-mode=MAYBE',         'VERIFY_IDENTITY'],
        ['mysql://' . 'h' x 300 . '/shop',        'long'],
        ['mysql://u:s3cr' . 'p' x 1100 . '@h/db', 'long'],
    ),
    ['RDSFailoverCheck',                  qr/RDSFailoverCheck needs .*key=value/],
    ['RDSFailoverCheck 500ms',            qr/RDSFailoverCheck: "500ms" is not known; accepted are .*interval=.*app=/],
    ['RDSFailoverCheck pace=1s',          qr/RDSFailoverCheck: "pace=1s" is not known; accepted are .*interval=/],
    ['RDSFailoverCheck interval=',        qr/RDSFailoverCheck: interval= has no value/],
    ['RDSFailoverCheck fails=2 fails=2',  qr/RDSFailoverCheck: fails= is given twice/],
    (map { my ($key, $least, $most) = @$_; map { ["RDSFailoverCheck $key=$_", qr/RDSFailoverCheck $key: "\Q$_\E" .*$least.*$most/] }
            qw(soon -1s 1x 1.5s 0 1h), '99999999999s' } ['interval', '50ms', '60s'], ['fast', '20ms', '60s'], ['timeout', '50ms', '30s']),
    (map { my $key = $_; map { ["RDSFailoverCheck $key=$_", qr/RDSFailoverCheck $key: "\Q$_\E" .*1 to 100/] }
            qw(0 101 -1 two 1.5 2x 4294967298) } qw(fails passes)),
    (map { ["RDSFailoverCheck late=$_", qr/RDSFailoverCheck late: "\Q$_\E" .*auto.*off.*1ms.*30s/] } qw(never 0 31s -1)),
    (map { my ($key, @words) = @$_; ["RDSFailoverCheck $key=maybe", qr/RDSFailoverCheck $key: "maybe" .*"$words[0]".*"$words[1]"/] }
        [qw(writable on off)], [qw(candidates auto dns)], [qw(app name address)]),
    ['RDSFailoverCheck interval=100ms fast=200ms', qr/RDSFailoverCheck .*fast= is longer than interval=/],
    ['RDSFailoverCheck late=2s timeout=1s',        qr/RDSFailoverCheck .*late= is longer than timeout=/],
    ['RDSFailoverResolver',                   qr/RDSFailoverResolver.*system.*address/],
    ['RDSFailoverResolver ns.test',           qr/RDSFailoverResolver: "ns\.test" .*system.*numeric address/],
    ['RDSFailoverResolver 10.0.0',            qr/RDSFailoverResolver: "10\.0\.0" .*numeric address/],
    ['RDSFailoverResolver 10.0.0.256',        qr/RDSFailoverResolver: "10\.0\.0\.256" .*numeric address/],
    ['RDSFailoverResolver 10.0.0.2:70000',    qr/RDSFailoverResolver: "10\.0\.0\.2:70000" .*numeric address/],
    ['RDSFailoverResolver 10.0.0.2:0',        qr/RDSFailoverResolver: "10\.0\.0\.2:0" .*numeric address/],
    ['RDSFailoverResolver [fd00::2',          qr/RDSFailoverResolver: "\[fd00::2" .*numeric address/],
    ['RDSFailoverResolver system 10.0.0.2',   qr/RDSFailoverResolver: "system" and addresses exclude/],
    ['RDSFailoverResolver 1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5', qr/RDSFailoverResolver: more than 4/],
    ['RDSFailoverResolver timeout=1s',        qr/RDSFailoverResolver.*system/],
    ['RDSFailoverResolver system timeout=0',  qr/RDSFailoverResolver timeout: "0" .*20ms.*30s/],
    ['RDSFailoverResolver system tries=2',    qr/RDSFailoverResolver: "tries=2" is not known; accepted are timeout=/],
    ['RDSFailoverResolver system timeout=1s timeout=1s', qr/RDSFailoverResolver: timeout= is given twice/],
    ['RDSFailoverHold',                       qr/RDSFailoverHold .*off.*duration.*front=.*margin=.*then=/],
    (map { ["RDSFailoverHold $_", qr/RDSFailoverHold: "\Q$_\E" .*off.*1s.*60min/] } qw(0 -5 soon 500ms 2h 1.5s 999999999999)),
    ['RDSFailoverHold 5s 6s',                 qr/RDSFailoverHold: "6s" is one duration too many/],
    ['RDSFailoverHold 5s then=maybe',         qr/RDSFailoverHold then: "maybe" .*"error".*"pass"/],
    ['RDSFailoverHold 5s then=pass then=pass', qr/RDSFailoverHold: then= is given twice/],
    ['RDSFailoverHold 5s wait=1',             qr/RDSFailoverHold: "wait=1" is not known; accepted are front=, margin=, then=/],
    (map { ["RDSFailoverHold front=$_", qr/RDSFailoverHold front: "\Q$_\E" .*none.*15s.*60min/] } qw(0 14s -20 never 61min 20x 1.5min)),
    (map { ["RDSFailoverHold front=20s margin=$_", qr/RDSFailoverHold margin: "\Q$_\E" .*1s.*60min/] } qw(0 999ms -1 none 61min)),
    (map { ["RDSFailoverHold $_", qr/RDSFailoverHold margin: \d+s leaves nothing of front=\d+s/] }
        'front=20s margin=20s', 'margin=30s front=20s', 'margin=60s', "front=20s\nRDSFailoverHold margin=25s"),
    ['RDSFailoverHold front=20s front=30s',   qr/RDSFailoverHold: front= is given twice/],
    ['RDSFailoverRelease',                    qr/RDSFailoverRelease needs concurrency=n or queue=n/],
    (map { ["RDSFailoverRelease concurrency=$_", qr/RDSFailoverRelease concurrency: "\Q$_\E" .*1 to 10000/] } qw(0 -1 10001 many 1.5)),
    ['RDSFailoverRelease concurrency=1 concurrency=2', qr/RDSFailoverRelease: concurrency= is given twice/],
    (map { ["RDSFailoverRelease queue=$_", qr/RDSFailoverRelease queue: "\Q$_\E" .*0 to 1000000/] } qw(-1 many 1000001 1.5)),
    ['RDSFailoverRelease queue=1 queue=2',    qr/RDSFailoverRelease: queue= is given twice/],
    ['RDSFailoverRelease 10',                 qr/RDSFailoverRelease: "10" is not known; accepted are concurrency=, queue=/],
    ['RDSFailoverExpose',                     qr/RDSFailoverExpose needs .*on.*off/],
    ['RDSFailoverExpose PATH',                qr/RDSFailoverExpose: "PATH" is none of .*RDS_PASSWORD.*RDSFAILOVER_ATTEMPT/],
    ['RDSFailoverExpose on RDS_PORT',         qr/RDSFailoverExpose: "on" is none of/],
    ['RDSFailoverAWS region=eu-west-1',       qr/Invalid command 'RDSFailoverAWS'/],
);
for my $case (@WRONG) {
    my ($line, $says) = @$case;
    my $result = $httpd->configure(conf => $line)->check;
    my $shown = length $line > 70 ? substr($line, 0, 67) . '...' : $line;
    subtest $shown => sub {
        ok(!$result->{ok}, 'httpd does not start');
        like($result->{said}, $says, 'and says why');
        unlike($result->{said}, qr/s3cr/, 'without the password');
        like($result->{said}, qr/line \d+ of .*httpd\.conf|RF\d{4}/, 'and where');
    };
}

# --- what is right is taken ---------------------------------------------------------------------------------------------------
my @RIGHT = (
    'RDSFailoverCheck interval=50ms fast=20ms timeout=30s fails=100 passes=1 late=off writable=off candidates=dns app=address',
    'RDSFailoverCheck INTERVAL=1 LATE=AUTO app=Name',
    "RDSFailoverCheck fails=3\nRDSFailoverCheck passes=3",
    'RDSFailoverResolver SYSTEM',
    'RDSFailoverResolver 10.0.0.2 10.0.0.3:5353 [fd00::2]:53 fd00::3 timeout=200ms',
    'RDSFailoverHold off', 'RDSFailoverHold then=pass', 'RDSFailoverHold 60min then=error', 'RDSFailoverHold 90',
    'RDSFailoverHold FRONT=None', 'RDSFailoverHold 120s front=15s margin=14999ms then=pass', 'RDSFailoverHold front=60min margin=59min',
    'RDSFailoverHold margin=59s', 'RDSFailoverHold front=none margin=90s',
    "RDSFailoverHold margin=50s\n<Location /x>\nRDSFailoverHold front=20s\n</Location>\n<Location /y>\nRDSFailoverHold margin=90s\n</Location>",
    'RDSFailoverRelease queue=0', 'RDSFailoverRelease queue=1000000', 'RDSFailoverRelease concurrency=1 queue=5',
    "RDSFailoverRelease concurrency=10000\nRDSFailoverRelease queue=7",
    'RDSFailoverExpose on', 'RDSFailoverExpose OFF', 'RDSFailoverExpose RDS_HOSTADDR RDSFAILOVER_STATE',
    'RDSFailoverDSN "mysql://app:p%40ss@[fd00::1]:3307/shop?ssl-mode=VERIFY_CA&ssl-ca=/etc/ca.pem&charset=utf8mb4"',
    'RDSFailoverDSN mysql://h:/shop',
);
for my $lines (@RIGHT) {
    my $result = $httpd->configure(conf => $lines)->check;
    ok($result->{ok}, $lines =~ s/\n/; /gr) or diag $result->{said};
}

# --- the reference configuration, each line of it in force ----------------------------------------------------------------------
my $reference = RdsFailover::Httpd::slurp("$ENV{RF_SRCDIR}/conf/rdsfailover.conf");
ok(length $reference, 'conf/rdsfailover.conf is there');
$reference =~ s/^LoadModule.*\n//m;
$reference =~ s/^(\s*)#(?=RDSFailover\w* \S)/$1/mg;
my $taken = $httpd->configure(conf => $reference)->check;
ok($taken->{ok}, 'and httpd takes it') or diag $taken->{said};

# --- places -----------------------------------------------------------------------------------------------------------------
my %VALUE = (
    RDSFailover => 'on', RDSFailoverHold => '5s', RDSFailoverExpose => 'on', RDSFailoverDSN => 'mysql://h/db',
    RDSFailoverCheck => 'fails=2', RDSFailoverResolver => 'system', RDSFailoverRelease => 'queue=5', RDSFailoverDryRun => 'on',
    RDSFailoverAbortStale => 'on',
);
my %DIRECTORY = map { $_ => 1 } qw(RDSFailover RDSFailoverHold RDSFailoverExpose);
for my $name (sort keys %VALUE) {
    my $line   = "$name $VALUE{$name}";
    my $result = $httpd->configure(conf => '', location => $line, after => '')->check;
    if ($DIRECTORY{$name}) { ok($result->{ok}, "$name in <Location>") or diag $result->{said} }
    else { ok(!$result->{ok} && $result->{said} =~ /\Q$name\E.*not allowed/s, "$name is refused in <Location>") or diag $result->{said} }

    $result = $httpd->configure(location => '', after => "<VirtualHost *:1>\n$line\n</VirtualHost>")->check;
    if ($name eq 'RDSFailoverRelease') { ok(!$result->{ok} && $result->{said} =~ /$name.*VirtualHost/s, "$name is refused in a virtual host") }
    else { ok($result->{ok}, "$name in <VirtualHost>") or diag $result->{said} }
}

# --- .htaccess: a visitor-writable directory must not change who is protected ---------------------------------------------------
$httpd->configure(location => '', after => "<Directory \"${\$httpd->dir}/htdocs\">\nAllowOverride All\n</Directory>");
for my $name (sort keys %VALUE) {
    RdsFailover::Httpd::write_file($httpd->dir . '/htdocs/.htaccess', "$name $VALUE{$name}\n");
    $httpd->start if !$httpd->pid;
    my $answer = $httpd->get('/static.txt');
    is($answer->{status}, 500, "$name is refused in .htaccess");
    like($httpd->log, qr/\.htaccess: \Q$name\E not allowed here/, 'and the log says so');
}
$httpd->stop;
unlink $httpd->dir . '/htdocs/.htaccess';

# --- what only the whole configuration shows ---------------------------------------------------------------------------------------
my $start = $httpd->configure(conf => '', after => <<'CONF')->start;
<VirtualHost *:1>
ServerName one.test
RDSFailoverDSN mysql://a:s3cr1@127.0.0.1:1/shop
RDSFailoverCheck fails=3
</VirtualHost>
<VirtualHost *:1>
ServerName two.test
RDSFailoverDSN mysql://a:s3cr1@127.0.0.1:1/shop
RDSFailoverCheck fails=4
</VirtualHost>
CONF
ok(!$start->{up}, 'two settings for one database stop the start');
like($start->{said}, qr/RF0211: .*(?:one|two)\.test.*(?:one|two)\.test.*RDSFailoverCheck/, 'naming both virtual hosts') or diag $start->{said};
unlike($start->{said}, qr/s3cr/, 'without a password');
$httpd->stop;

$start = $httpd->configure(conf => '', after => <<'CONF')->start;
<VirtualHost *:1>
RDSFailoverDSN mysql://a:s3cr1@127.0.0.1:1/shop
RDSFailoverAbortStale on
</VirtualHost>
<VirtualHost *:1>
RDSFailoverDSN mysql://a:s3cr1@127.0.0.1:1/shop
</VirtualHost>
CONF
ok(!$start->{up}, 'so do two for its sockets');
like($start->{said}, qr/RF0211: .*RDSFailoverAbortStale/, 'and it is said') or diag $start->{said};
$httpd->stop;

$start = $httpd->configure(conf => '', after => <<'CONF')->start;
<VirtualHost *:1>
RDSFailoverDSN mysql://a:s3cr1@127.0.0.1:1/shop
</VirtualHost>
<VirtualHost *:1>
RDSFailoverDSN mysql://a:s3cr2@127.0.0.1:1/shop
</VirtualHost>
CONF
ok(!$start->{up}, 'two passwords for one user stop the start');
like($start->{said}, qr/RF0222: /, 'and it is said') or diag $start->{said};
unlike($start->{said}, qr/s3cr/, 'without a password');
$httpd->stop;

$start = $httpd->configure(after => join '', map { "<VirtualHost *:1>\nRDSFailoverDSN mysql://127.0.0.1:$_/x\n</VirtualHost>\n" } 1 .. 65)->start;
ok(!$start->{up}, 'the 65th database stops the start');
like($start->{said}, qr/RF0212: .*64/, 'and the limit is named') or diag $start->{said};
$httpd->stop;
done_testing;
