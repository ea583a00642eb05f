#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What PHP sees of the database, under PHP-FPM and mod_php: complete, fresh after a front controller's redirect, narrowed by
# RDSFailoverExpose (of what the module gives; mod_php's getenv also sees httpd's own environment); and a password that is
# rotated while the site runs.
use v5.36;
use JSON::PP qw(decode_json);
use Test::More;
use RdsFailover::Story ();

my @DSN = qw(DATABASE_URL RDS_HOSTNAME RDS_PORT RDS_DB_NAME RDS_USERNAME RDS_PASSWORD);
my @OWN = qw(RDS_HOSTADDR RDSFAILOVER_STATE RDSFAILOVER_EPOCH RDSFAILOVER_ATTEMPT);
my $CONF = <<'CONF';
FallbackResource /env.php
<Location /env.php/two>
    RDSFailoverExpose RDS_HOSTADDR RDSFAILOVER_STATE
</Location>
<Location /env.php/hidden>
    RDSFailoverExpose off
</Location>
<Location /env.php/off>
    RDSFailover off
</Location>
<If "%{reqenv:RDSFAILOVER_STATE} == 'outage'">
    Header always set X-Outage yes
</If>
CONF
my $PAGE = '<?php $e = []; foreach ($_SERVER as $n => $v)'
    . ' if (preg_match("/^(RDS|DATABASE_URL)/", $n)) $e[$n] = $v === getenv($n) ? $v : "$v, but getenv says " . getenv($n);'
    . ' header("Content-Type: application/json"); echo json_encode((object) $e);';

my $story;
sub env_of ($path) { my $answer = $story->get($path); return eval { decode_json($answer->{body}) } // { status => $answer->{status}, text => $answer->{body} } }

for my $mpm (qw(event prefork)) {
    subtest $mpm eq 'event' ? 'PHP-FPM' : 'mod_php' => sub {
        $story = RdsFailover::Story->begin(mpm => $mpm, conf => $CONF);
        my $secret = $story->rig->state->get('secret');
        $story->write_page('env.php', $PAGE);
        my %want = (
            DATABASE_URL => $story->rig->dsn, RDS_HOSTNAME => 'shop.rds.test', RDS_PORT => 3306, RDS_DB_NAME => 'shop', RDS_USERNAME => 'shop',
            RDS_PASSWORD => $secret, RDS_HOSTADDR => '127.0.0.11', RDSFAILOVER_STATE => 'available', RDSFAILOVER_EPOCH => 1, RDSFAILOVER_ATTEMPT => 1);
        is_deeply(env_of('/env.php'), \%want, 'all ten variables');
        my $behind = env_of('/some/article');
        is_deeply({ map { $_ => $behind->{$_} } @DSN, @OWN }, \%want, 'behind a front controller too');
        is_deeply([ sort keys %{ env_of('/env.php/two') } ], [qw(RDSFAILOVER_STATE RDS_HOSTADDR)], 'RDSFailoverExpose with two names');
        is_deeply([ grep { !/^RDSFAILOVER_STATE$/ } keys %{ env_of('/env.php/hidden') } ], [], 'RDSFailoverExpose off');
        is_deeply([ grep { !/^RDSFAILOVER_STATE$/ } keys %{ env_of('/env.php/off') } ], [], 'RDSFailover off');

        my $failing = $story->fail_later('crash', outage => 3);
        $story->wait_state('outage');
        is($story->get('/static.txt')->{headers}{'x-outage'}, 'yes', '<If> sees an outage');
        $story->await($failing);
        $story->rig->prime;
        $story->wait_state('available', epoch => 2);
        my $after = env_of('/env.php');
        is("$after->{RDS_HOSTADDR} $after->{RDSFAILOVER_EPOCH} $after->{RDSFAILOVER_STATE}", '127.0.0.12 2 available', 'after a failover: the new address and epoch');
        $story->end;
    };
}

subtest 'a password in a file is rotated' => sub {
    my $dir = "/tmp/rf-story-secret-$$";
    mkdir $dir, 0755 or die "$dir: $!\n";
    my $write = sub ($text) {
        open my $out, '>', "$dir/new" or die "$dir/new: $!\n";
        print {$out} "$text\n";
        close $out;
        rename "$dir/new", "$dir/password" or die "$dir/password: $!\n";
    };
    $write->('not yet known');
    $story = RdsFailover::Story->begin(module => 0);
    my $secret = $story->rig->state->get('secret');
    $write->($secret);
    $story->write_page('env.php', $PAGE);
    $story->rig->httpd('restart', module => 1, httpd_env => { DATABASE_URL => undef, RDS_HOSTNAME => 'shop.rds.test', RDS_DB_NAME => 'shop',
        RDS_USERNAME => 'shop', RDS_PASSWORD_FILE => "$dir/password" });
    $story->wait_state('available');
    is(env_of('/env.php')->{RDS_PASSWORD}, $secret, 'the password of the file');
    my $pid = $story->report->{monitor}{pid};
    $story->rig->sql('writer', q{SET @new = 'p%@:/? rotated'; SELECT GROUP_CONCAT(CONCAT('ALTER USER ', QUOTE(user), '@', QUOTE(host), ' IDENTIFIED BY ', QUOTE(@new)) SEPARATOR '; ')}
        . q{ INTO @do FROM mysql.user WHERE user = 'shop'; EXECUTE IMMEDIATE @do});
    $write->('p%@:/? rotated');
    $story->wait_for('the new password in new requests', sub { (env_of('/env.php')->{RDS_PASSWORD} // '') eq 'p%@:/? rotated' });
    is($story->get('/ledger.php')->{status}, 200, 'the application logs in with the new one');
    my $count = $story->status->{probe}{count};
    my $status = $story->wait_for('probes go on', sub { my $s = $story->status; $s->{probe}{count} > $count + 2 && $s->{probe}{ok} ? $s : undef });
    is("$status->{state} $status->{epoch}", 'available 1', 'no state was left');
    is($story->report->{monitor}{pid}, $pid, 'nothing was restarted');
    ok(!$story->log_lines('httpd-error.log', qr/rotated|\Q$secret/), 'no password in the log');
    unlink "$dir/password";
    rmdir $dir;
};
done_testing;
