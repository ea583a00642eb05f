#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The aws command of the distribution is content with the stand-in, waits for it with its own waiters, and reports its refusals.
use v5.36;
use JSON::PP ();
use Test::More;
use RdsFailover::RdsApi ();

if (my $why = RdsFailover::RdsApi::why_no_cli()) { plan skip_all => $why }
my $api = RdsFailover::RdsApi->new(scale => 600);

sub said ($what, @words) {
    my ($code, $text) = $api->aws(@words);
    is($code, 0, $what) or diag $text;
    return $text;
}

like(said('who am I', qw(sts get-caller-identity --query Account --output text)), qr/^\d{12}$/, 'answered');
is(said('an instance', qw(rds describe-db-instances --db-instance-identifier shop --query), 'DBInstances[0].[DBInstanceClass,SecondaryAvailabilityZone]', qw(--output text)),
    "db.t4g.small\teu-west-1b\n", 'answered');
said('a class change', qw(rds modify-db-instance --db-instance-identifier shop --db-instance-class db.m7g.large --apply-immediately));
$api->wait_for(sub ($i) { $i->{DBInstanceClass} eq 'db.m7g.large' && $i->{DBInstanceStatus} eq 'available' });
said('its waiter', qw(rds wait db-instance-available --db-instance-identifier shop));
my $events = said('events', qw(rds describe-events --source-type db-instance --source-identifier shop --duration 60 --query), 'Events[].Message', '--output', 'text');
like($events, qr/Multi-AZ instance failover completed.*Finished applying modification to DB instance class/s, 'by their texts');
my $metric = JSON::PP->new->encode([ { Id => 'm', MetricStat => { Metric => { Namespace => 'AWS/RDS', MetricName => 'DatabaseConnections',
    Dimensions => [ { Name => 'DBInstanceIdentifier', Value => 'shop' } ] }, Period => 60, Stat => 'Maximum' } } ]);
is(said('a metric', qw(cloudwatch get-metric-data --start-time 2026-01-01T00:00:00Z --end-time 2026-01-01T00:10:00Z --metric-data-queries), $metric,
    qw(--query MetricDataResults[0].Values[0] --output text)), "12.0\n", 'has its value');
said('the stack', qw(cloudformation update-stack --stack-name demo --use-previous-template --capabilities CAPABILITY_IAM --parameters),
    'ParameterKey=DbInstanceClass,ParameterValue=db.m7g.large', map {"ParameterKey=$_,UsePreviousValue=true"} qw(Release ArtifactBucket TemplatePrefix DeletionProtection));
said('its waiter', qw(cloudformation wait stack-update-complete --stack-name demo));

my ($code, $text) = $api->aws(qw(rds modify-db-instance --db-instance-identifier shop --db-instance-class db.x9.large));
is($code, 254, 'a refusal is one');
like($text, qr/An error occurred \(InvalidParameterCombination\) when calling the ModifyDBInstance operation/, 'in the command\'s words');
done_testing;
