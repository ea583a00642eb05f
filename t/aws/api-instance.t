#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# An instance of the stand-in changes its class and reboots as RDS publishes it, and says so in RDS's words.
use v5.36;
use File::Temp ();
use JSON::PP ();
use Test::More;
use RdsFailover::RdsApi ();

if (my $why = RdsFailover::RdsApi::why_not()) { plan skip_all => $why }
my ($true, $false) = (JSON::PP::true, JSON::PP::false);
my %shop = (DBInstanceIdentifier => 'shop');

sub instance ($api) { return $api->ask(rds => 'DescribeDBInstances', %shop)->{ok}{DBInstances}[0] }
sub code ($said) { return $said->{error}{code} // 'none' }
sub texts ($api, %more) { return map { $_->{Message} } @{ $api->ask(rds => 'DescribeEvents', %more)->{ok}{Events} } }

subtest 'before anything happens' => sub {
    my $api = RdsFailover::RdsApi->new;
    my $found = instance($api);
    is($found->{DBInstanceStatus}, 'available', 'available');
    is($found->{DBInstanceClass}, 'db.t4g.small', 'of the smaller class');
    ok($found->{MultiAZ} && $found->{SecondaryAvailabilityZone} ne $found->{AvailabilityZone}, 'Multi-AZ, in two zones');
    is_deeply($found->{PendingModifiedValues}, {}, 'nothing pending');
    is(code($api->ask(rds => 'DescribeDBInstances', DBInstanceIdentifier => 'other')), 'DBInstanceNotFound', 'no other instance');
    is(scalar @{ $api->ask(rds => 'DescribeDBInstances', DBInstanceIdentifier => $found->{DBInstanceArn})->{ok}{DBInstances} }, 1, 'found by its ARN');
    is_deeply([ texts($api) ], [], 'no events');
    is_deeply($api->ask(rds => 'DescribePendingMaintenanceActions')->{ok}{PendingMaintenanceActions}, [], 'no maintenance is pending');
    $api->set(maintenance => { $found->{DBInstanceArn} => [ { Action => 'system-update', Description => 'New Operating System update is available' } ] });
    is($api->ask(rds => 'DescribePendingMaintenanceActions', ResourceIdentifier => $found->{DBInstanceArn})
            ->{ok}{PendingMaintenanceActions}[0]{PendingMaintenanceActionDetails}[0]{Action}, 'system-update', 'until there is');
};

subtest 'a class that can be ordered' => sub {
    my $api = RdsFailover::RdsApi->new;
    my $options = sub (%more) { $api->ask(rds => 'DescribeOrderableDBInstanceOptions', Engine => 'mysql', %more)->{ok}{OrderableDBInstanceOptions} };
    ok($options->(DBInstanceClass => 'db.m7g.large', EngineVersion => '8.4.6')->[0]{MultiAZCapable}, 'Multi-AZ capable');
    ok(!$options->(DBInstanceClass => 'db.m1.small')->[0]{MultiAZCapable}, 'or not');
    is_deeply($options->(DBInstanceClass => 'db.m7g.large', EngineVersion => '5.7.44'), [], 'not for another version');
    is_deeply($options->(DBInstanceClass => 'db.x9.large'), [], 'not one that does not exist');
    $api->set(orderable => { map { ("db.q$_.large" => { MultiAZCapable => $true }) } 10 .. 60 });
    my $first = $api->ask(rds => 'DescribeOrderableDBInstanceOptions', Engine => 'mysql', MaxRecords => 20)->{ok};
    is(scalar @{ $first->{OrderableDBInstanceOptions} }, 20, 'by pages');
    is($api->ask(rds => 'DescribeOrderableDBInstanceOptions', Engine => 'mysql', MaxRecords => 20, Marker => $first->{Marker})
            ->{ok}{OrderableDBInstanceOptions}[-1]{DBInstanceClass} =~ /^db/ ? 1 : 0, 1, 'and the next one');
};

subtest 'a class change' => sub {
    # What follows the failover waits for us: so long it is to be seen.
    my $go  = File::Temp->newdir;
    my $api = RdsFailover::RdsApi->new(scale => 600, hook => qq(sh -c 'test "\$1" != rebuild || while test ! -e $go/on; do sleep 0.05; done' hook));
    my $said = $api->ask(rds => 'ModifyDBInstance', %shop, DBInstanceClass => 'db.m7g.large', ApplyImmediately => $true)->{ok}{DBInstance};
    is($said->{DBInstanceStatus}, 'available', 'asked just now, the status is as it was');
    is($said->{PendingModifiedValues}{DBInstanceClass}, 'db.m7g.large', 'what was asked for is pending');
    is($said->{DBInstanceClass}, 'db.t4g.small', 'and the class as it was');
    my $zone = $said->{AvailabilityZone};
    $api->wait_for(sub ($i) { $i->{DBInstanceStatus} eq 'modifying' });
    my $swapped = $api->wait_for(sub ($i) { $i->{AvailabilityZone} ne $zone });
    is("$swapped->{DBInstanceStatus} $swapped->{DBInstanceClass}", 'modifying db.t4g.small', 'after the failover it is still "modifying", of the old class');
    is($swapped->{SecondaryAvailabilityZone}, $zone, 'the zones have changed places');
    open my $on, '>', "$go/on" or die "$go/on: $!\n";
    $api->wait_for(sub ($i) { $i->{DBInstanceStatus} eq 'available' });
    my $after = instance($api);
    is($after->{DBInstanceClass}, 'db.m7g.large', 'at last it has the class');
    is_deeply($after->{PendingModifiedValues}, {}, 'and nothing is pending');
    is_deeply([ texts($api, SourceType => 'db-instance', SourceIdentifier => 'shop') ], [
        'Applying modification to database instance class', 'DB instance shutdown', 'Multi-AZ instance failover started.', 'DB instance restarted',
        'The RDS instance was modified by customer.', 'Multi-AZ instance failover completed', 'Finished applying modification to DB instance class' ],
        'the events, in order and in their words');
    is_deeply([ texts($api, EventCategories => ['availability']) ], [ 'DB instance shutdown', 'DB instance restarted' ], 'by category');
    is_deeply([ texts($api, StartTime => '2020-01-01T00:00:00Z', EndTime => '2020-01-02T00:00:00Z') ], [], 'none of another day');
    is(code($api->ask(rds => 'DescribeEvents', SourceIdentifier => 'shop')), 'InvalidParameterCombination', 'a source needs its type');
};

subtest 'changes that are refused, or wait' => sub {
    my $api = RdsFailover::RdsApi->new(scale => 600);
    is(code($api->ask(rds => 'ModifyDBInstance', %shop, DBInstanceClass => 'db.x9.large', ApplyImmediately => $true)), 'InvalidParameterCombination', 'no such class');
    is(code($api->ask(rds => 'ModifyDBInstance', DBInstanceIdentifier => 'other')), 'DBInstanceNotFound', 'no such instance');
    $api->set(instances => { shop => { DBInstanceStatus => 'modifying' } });
    is(code($api->ask(rds => 'ModifyDBInstance', %shop, DBInstanceClass => 'db.m7g.xlarge', ApplyImmediately => $true)), 'InvalidDBInstanceState', 'no change while one is under way');
    is(code($api->ask(rds => 'RebootDBInstance', %shop)), 'InvalidDBInstanceState', 'nor a reboot');
    is(code($api->ask(rds => 'CreateDBSnapshot', %shop, DBSnapshotIdentifier => 'now')), 'InvalidDBInstanceState', 'nor a snapshot');
    $api->set(instances => { shop => { DBInstanceStatus => 'available' } });
    is(code($api->ask(rds => 'ModifyDBInstance', %shop, BackupRetentionPeriod => 3)), 'NotStoodInFor', 'what the stand-in cannot change');
    my $later = $api->ask(rds => 'ModifyDBInstance', %shop, DBInstanceClass => 'db.t4g.large')->{ok}{DBInstance};
    is($later->{PendingModifiedValues}{DBInstanceClass}, 'db.t4g.large', 'without ApplyImmediately it is pending, and stays so');
    $api->set(instances => { shop => { PendingModifiedValues => { AllocatedStorage => 40 } } });
    $api->ask(rds => 'ModifyDBInstance', %shop, ApplyImmediately => $true);
    $api->wait_for(sub ($i) { $i->{DBInstanceClass} eq 'db.t4g.large' });
    is(instance($api)->{AllocatedStorage}, 40, 'ApplyImmediately applies whatever else was pending');
};

subtest 'a reboot' => sub {
    my $api = RdsFailover::RdsApi->new(scale => 600);
    my $zone = instance($api)->{AvailabilityZone};
    is($api->ask(rds => 'RebootDBInstance', %shop, ForceFailover => $true)->{ok}{DBInstance}{DBInstanceStatus}, 'rebooting', 'with failover');
    $api->wait_for(sub ($i) { $i->{DBInstanceStatus} eq 'available' });
    isnt(instance($api)->{AvailabilityZone}, $zone, 'ends in the other zone');
    is_deeply([ texts($api) ], [ 'Multi-AZ instance failover started.', 'DB instance restarted', 'The user requested a failover of the DB instance.',
        'Multi-AZ instance failover completed' ], 'the events');
    is($api->ask(rds => 'RebootDBInstance', %shop)->{ok}{DBInstance}{DBInstanceStatus}, 'rebooting', 'without failover');
    $api->wait_for(sub ($i) { $i->{DBInstanceStatus} eq 'available' });
    isnt(instance($api)->{AvailabilityZone}, $zone, 'it stays where it is');
    $api->set(instances => { shop => { MultiAZ => $false, SecondaryAvailabilityZone => undef } });
    is(code($api->ask(rds => 'RebootDBInstance', %shop, ForceFailover => $true)), 'InvalidParameterCombination', 'one zone alone cannot fail over');
};

subtest 'snapshots' => sub {
    my $api = RdsFailover::RdsApi->new(scale => 600);
    my $all = sub (%more) { $api->ask(rds => 'DescribeDBSnapshots', %more)->{ok}{DBSnapshots} };
    is($all->(%shop)->[0]{SnapshotType}, 'automated', 'there is last night\'s');
    is($api->ask(rds => 'CreateDBSnapshot', %shop, DBSnapshotIdentifier => 'before')->{ok}{DBSnapshot}{Status}, 'creating', 'one is made');
    is(code($api->ask(rds => 'CreateDBSnapshot', %shop, DBSnapshotIdentifier => 'before')), 'DBSnapshotAlreadyExists', 'once');
    my $end = time + 60;
    select undef, undef, undef, 0.05 until $all->(DBSnapshotIdentifier => 'before')->[0]{Status} eq 'available' || time > $end;
    is($all->(DBSnapshotIdentifier => 'before')->[0]{PercentProgress}, 100, 'and is ready some time later');
    is_deeply([ texts($api, SourceType => 'db-snapshot', SourceIdentifier => 'before') ], [ 'Creating manual snapshot', 'Manual snapshot created' ], 'the events');
    is(scalar @{ $all->(SnapshotType => 'manual') }, 1, 'by type');
    is(code($api->ask(rds => 'DescribeDBSnapshots', DBSnapshotIdentifier => 'none')), 'DBSnapshotNotFound', 'no other');
};
done_testing;
