#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The hook is called when its time has come, told what it needs, and waited for; one that fails is an instance that failed.
use v5.36;
use File::Temp ();
use JSON::PP ();
use Test::More;
use RdsFailover::RdsApi ();

if (my $why = RdsFailover::RdsApi::why_not()) { plan skip_all => $why }
my $dir  = File::Temp->newdir;
my %change = (DBInstanceIdentifier => 'shop', DBInstanceClass => 'db.m7g.large', ApplyImmediately => JSON::PP::true);

sub hook ($text) {
    open my $out, '>', "$dir/hook" or die "$dir/hook: $!\n";
    print {$out} "#!/bin/sh\n$text\n";
    close $out;
    chmod 0755, "$dir/hook";
    unlink "$dir/said";
    return "$dir/hook $dir/said";
}

sub said { open my $in, '<', "$dir/said" or return (); chomp(my @lines = <$in>); return @lines }

my $api = RdsFailover::RdsApi->new(scale => 600, outage => 0.25, hook => hook('echo "$2 $RDS_INSTANCE $RDS_CLASS $RDS_OUTAGE" >>"$1"'));
$api->ask(rds => 'ModifyDBInstance', %change);
$api->wait_for(sub ($i) { $i->{DBInstanceClass} eq 'db.m7g.large' && $i->{DBInstanceStatus} eq 'available' });
is_deeply([ said() ], [ 'standby shop db.m7g.large 0.000', 'failover shop db.m7g.large 0.250', 'rebuild shop db.m7g.large 0.000' ],
    'a class change: the standby first, then the failover, then the old writer');
unlink "$dir/said";
$api->ask(rds => 'RebootDBInstance', DBInstanceIdentifier => 'shop', ForceFailover => JSON::PP::true);
$api->wait_for(sub ($i) { $i->{DBInstanceStatus} eq 'available' });
is_deeply([ said() ], [ 'failover shop db.m7g.large 0.250', 'rebuild shop db.m7g.large 0.000' ], 'a reboot with failover changes no class');
unlink "$dir/said";
$api->ask(rds => 'RebootDBInstance', DBInstanceIdentifier => 'shop');
$api->wait_for(sub ($i) { $i->{DBInstanceStatus} eq 'available' });
is_deeply([ said() ], [], 'one without failover has no hook');

# The event waits for the hook, which here waits for us.
$api = RdsFailover::RdsApi->new(scale => 600, hook => hook('test "$2" != failover || while test ! -e "$1.go"; do sleep 0.05; done; echo "$2" >>"$1"'));
$api->ask(rds => 'ModifyDBInstance', %change);
my $tells = sub ($text) { scalar grep { $_->{Message} eq $text } @{ $api->world->{events} } };
my $end = time + 60;
select undef, undef, undef, 0.02 until $tells->('Multi-AZ instance failover started.') || time > $end;
ok($tells->('DB instance shutdown'), 'the failover has begun');
select undef, undef, undef, 1;
is($tells->('DB instance restarted'), 0, 'and is not over before the hook says so');
open my $go, '>', "$dir/said.go" or die;
$api->wait_for(sub ($i) { $i->{DBInstanceStatus} eq 'available' && $i->{DBInstanceClass} eq 'db.m7g.large' });
is($tells->('DB instance restarted'), 1, 'then it is');

$api = RdsFailover::RdsApi->new(scale => 600, hook => hook('test "$2" != failover'));
$api->ask(rds => 'ModifyDBInstance', %change);
$api->wait_for(sub ($i) { $i->{DBInstanceStatus} eq 'failed' });
is($api->world->{instances}{shop}{DBInstanceClass}, 'db.t4g.small', 'a hook that fails: the instance has failed and is what it was');
done_testing;
