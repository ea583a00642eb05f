#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A planned switch under an ordered hold: what runs comes to its end, then nothing uses the database, then it fails over, and only then
# is anybody let go. So no transaction is broken and no request fails, those with long transactions among them.
use v5.36;
use Digest::SHA qw(sha1_base64);
use List::Util qw(max);
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(sleep time);
use RdsFailover::Httpd ();
use RdsFailover::Story ();
use RdsFailover::Story::Failover qw(check_counters);

my $modules = RdsFailover::Httpd::modules_dir();
my $load    = join '', map { -e "$modules/mod_$_.so" ? "LoadModule ${_}_module $modules/mod_$_.so\n" : '' } qw(auth_basic authn_core authn_file authz_user);
my $users   = File::Temp->newdir(TMPDIR => 1);
chmod 0755, "$users";
RdsFailover::Httpd::write_file("$users/users", 'alice:{SHA}' . sha1_base64('wonder') . "=\n");
my $story = RdsFailover::Story->begin(app => 'address', outage => 6, conf => $load . <<"CONF");
<Location "/control">
SetHandler rds-status
RDSFailoverControl on
AuthType Basic
AuthName control
AuthUserFile "$users/users"
Require valid-user
</Location>
CONF
my $rig = $story->rig;
$story->write_page('slow.php', <<'PHP');
<?php
// A transaction of some seconds, as a long order or an import has it.
require __DIR__ . '/../app/database.php';
try {
    $pdo = rig_pdo();
    $pdo->beginTransaction();
    $pdo->prepare('INSERT INTO ledger (token, server) VALUES (?, @@hostname)')->execute([$_GET['token']]);
    usleep(3000000);
    $pdo->commit();
    echo "RIG-OK\n";
} catch (PDOException $e) {
    http_response_code(500);
    echo $e->getMessage();
}
PHP

sub order ($body) {
    return $story->answer($story->send(POST => '/control', body => $body, headers => { 'X-RDSFailover-Control' => 1,
        Authorization => 'Basic ' . encode_base64('alice:wonder', '') }));
}

my $traffic = $story->traffic(rate => 20, kinds => \@RdsFailover::Story::Traffic::SHORT);
my @long    = map { $story->send(GET => "/slow.php?token=long-$_") } 1 .. 3;
$story->wait_for('three long transactions', sub { ($story->status // return)->{hold}{inflight} >= 3 });
my $epoch = $story->status->{epoch};
my $held  = order('action=hold&ttl=600');
is($held->{status}, 200, 'held') or diag $held->{body};
my $drained = $story->wait_for('nothing runs any more', sub { my $s = $story->status or return; return $s->{order} && $s->{order}{drained} && $s });
is($drained->{state}, 'available', 'the database is available all the while');
like($story->answer($_)->{body}, qr/RIG-OK/, 'a long transaction has come to its end') for @long;
is(scalar(@{ $drained->{failovers} }), 0, 'and there was no failover yet');

my ($open) = map { ref ? $_->[0] : $_ } @{ $rig->sql('writer', 'SELECT COUNT(*) FROM information_schema.INNODB_TRX') };
is($open, 0, 'no transaction is open in the database');

my $told = $rig->fail('graceful', outage => 6, rebuild => undef);
my $over = $story->wait_state('recovering', epoch => $epoch + 1);
isnt($over->{writer}{address}, $drained->{writer}{address}, 'another writer is verified');
my $waiting = $story->held('now');
cmp_ok($waiting, '>', 0, "$waiting requests wait on");
is($story->status->{failovers}[0]{released_ms}, undef, 'nobody has been let go');
my $f = $story->status->{failovers}[0];
ok(defined $f->{outage_ms} && defined $f->{epoch}, 'though the failover is over');
$story->wait_for('more to wait', sub { $story->held('now') > $waiting });
my $before = time;
is(order('action=release')->{status}, 200, 'released');
my $after = time;
my $done  = $story->wait_state('available', epoch => $epoch + 1);
$traffic->settle;
$traffic->stop;

my $failover = $story->failover($done);
cmp_ok($failover->{released}, '>=', $before - 0.01, 'requests were let go by that order, as the record says');
cmp_ok($failover->{released}, '<=', $after + 0.01,  'not later');
ok($f->{outage_ms} < $done->{failovers}[0]{released_ms}, 'that is after the new writer was verified');
cmp_ok($done->{failovers}[0]{drained_ms}, '>=', $done->{failovers}[0]{released_ms}, 'and before the queue was empty');
is(scalar @{ $done->{failovers} }, 1, 'it was one failover');

my @requests = $traffic->requests;
cmp_ok(scalar @requests, '>', 50, scalar(@requests) . ' requests');
is(join(', ', map {"$_->{kind} " . ($_->{status} // '-')} $traffic->bad), '', 'none failed, whenever it came');
note(sprintf 'longest wait %.1f s', max map { ($_->{latency_ms} // 0) / 1000 } @requests);
my $ledger = $traffic->ledger;
is("@{$ledger->{lost}}",    '', "no write lost of $ledger->{acknowledged} acknowledged");
is("@{$ledger->{doubled}}", '', 'none doubled');
my $rows = $rig->ledger;
is(join(' ', map { $rows->{"long-$_"} // 0 } 1 .. 3), '1 1 1', 'the long transactions are there, once each');
is($done->{replay}{$_}, 0, "no answer was $_") for qw(withheld refused);
check_counters($story);
done_testing;
