#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Stacks, blue/green deployments, metrics and identity in the stand-in.
use v5.36;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);
use RdsFailover::RdsApi ();

if (my $why = RdsFailover::RdsApi::why_not()) { plan skip_all => $why }
my $true = JSON::PP::true;

sub code ($said) { return $said->{error}{code} // 'none' }

sub until_true ($what, $condition) {
    my $end = time + 60;
    until ($condition->()) { time > $end and return fail($what); sleep 0.05 }
    return pass($what);
}

subtest 'a stack' => sub {
    my $api   = RdsFailover::RdsApi->new(scale => 600);
    my $stack = sub { $api->ask(cloudformation => 'DescribeStacks', StackName => 'demo')->{ok}{Stacks}[0] };
    my $parameter = sub ($name) { (grep { $_->{ParameterKey} eq $name } @{ $stack->()->{Parameters} })[0]{ParameterValue} };
    my @keep = map { { ParameterKey => $_, UsePreviousValue => $true } } qw(Release ArtifactBucket TemplatePrefix DeletionProtection);
    my $update = sub (@parameters) {
        return $api->ask(cloudformation => 'UpdateStack', StackName => 'demo', UsePreviousTemplate => $true, Capabilities => ['CAPABILITY_IAM'], Parameters => \@parameters);
    };
    my $class = sub ($name) { { ParameterKey => 'DbInstanceClass', ParameterValue => $name } };
    is((grep { $_->{OutputKey} eq 'DatabaseInstance' } @{ $stack->()->{Outputs} })[0]{OutputValue}, 'shop', 'names its instance');
    is(code($update->(@keep, $class->('db.t4g.small'))), 'ValidationError', 'no change is an error, as there');
    like($update->(@keep, $class->('db.t4g.small'))->{error}{message}, qr/^No updates are to be performed\.$/, 'in those words');
    like($update->($class->('db.m7g.large'))->{error}{message}, qr/must have values/, 'a parameter without default that is left out');
    like($update->(@keep, $class->('db.m7g.large'), { ParameterKey => 'Size', ParameterValue => 'large' })->{error}{message}, qr/\[Size\] do not exist/, 'one too many');
    is(code($api->ask(cloudformation => 'UpdateStack', StackName => 'demo', UsePreviousTemplate => $true)), 'InsufficientCapabilitiesException', 'without capabilities');
    is(code($api->ask(cloudformation => 'DescribeStacks', StackName => 'other')), 'ValidationError', 'no other stack');

    $api->ask(rds => 'ModifyDBInstance', DBInstanceIdentifier => 'shop', DBInstanceClass => 'db.m7g.large', ApplyImmediately => $true);
    $api->wait_for(sub ($i) { $i->{DBInstanceClass} eq 'db.m7g.large' && $i->{DBInstanceStatus} eq 'available' });
    is($parameter->('DbInstanceClass'), 'db.t4g.small', 'a change past the stack is drift');
    $api->set(stacks => { demo => { StackStatus => 'UPDATE_IN_PROGRESS' } });
    like($update->(@keep, $class->('db.m7g.xlarge'))->{error}{message}, qr/UPDATE_IN_PROGRESS/, 'one update at a time');
    $api->set(stacks => { demo => { StackStatus => 'CREATE_COMPLETE' } });
    ok($update->(@keep, $class->('db.m7g.large'))->{ok}{StackId}, 'the parameter follows');
    until_true('until the update is complete', sub { $stack->()->{StackStatus} eq 'UPDATE_COMPLETE' });
    is($parameter->('DbInstanceClass'), 'db.m7g.large', 'no drift any more');
    is(scalar(grep { $_->{Message} =~ /shutdown/ } @{ $api->world->{events} }), 1, 'the instance was not touched again');
    is($api->ask(cloudformation => 'DescribeStackEvents', StackName => 'demo')->{ok}{StackEvents}[0]{ResourceStatus}, 'UPDATE_COMPLETE', 'the latest event comes first');

    my $summary = $api->ask(cloudformation => 'GetTemplateSummary', StackName => 'demo')->{ok}{Parameters};
    my ($list) = map { $_->{ParameterConstraints}{AllowedValues} } grep { $_->{ParameterKey} eq 'DbInstanceClass' } @$summary;
    my ($template) = RdsFailover::Lint::slurp('cfn/templates/database.yaml') =~ /DbInstanceClass:.*?AllowedValues: \[(.*?)\]/s;
    is(join(', ', @$list), $template, 'its classes are those of the template');
    like($update->(@keep, $class->('db.m1.small'))->{error}{message}, qr/must be one of AllowedValues/, 'and no others');

    ok($update->(@keep, $class->('db.t4g.small'))->{ok}, 'a change of the parameter alone');
    until_true('changes the instance as well', sub { $api->world->{instances}{shop}{DBInstanceClass} eq 'db.t4g.small' });
    until_true('and then it is complete', sub { $stack->()->{StackStatus} eq 'UPDATE_COMPLETE' });

    my %set = (StackName => 'demo', ChangeSetName => 'up', UsePreviousTemplate => $true, Capabilities => ['CAPABILITY_IAM']);
    ok($api->ask(cloudformation => 'CreateChangeSet', %set, Parameters => [ @keep, $class->('db.t4g.small') ])->{ok}, 'a change set');
    my $seen = $api->ask(cloudformation => 'DescribeChangeSet', ChangeSetName => 'up', StackName => 'demo')->{ok};
    is("$seen->{Status} $seen->{ExecutionStatus}", 'FAILED UNAVAILABLE', 'without changes');
    is(code($api->ask(cloudformation => 'ExecuteChangeSet', ChangeSetName => 'up', StackName => 'demo')), 'InvalidChangeSetStatus', 'cannot be executed');
    ok($api->ask(cloudformation => 'DeleteChangeSet', ChangeSetName => 'up', StackName => 'demo')->{ok}, 'is deleted');
    $api->ask(cloudformation => 'CreateChangeSet', %set, Parameters => [ @keep[0 .. 2], { ParameterKey => 'DeletionProtection', ParameterValue => 'true' }, $class->('db.t4g.small') ]);
    ok($api->ask(cloudformation => 'ExecuteChangeSet', ChangeSetName => 'up', StackName => 'demo')->{ok}, 'with a change it is executed');
    until_true('and done', sub { $stack->()->{StackStatus} eq 'UPDATE_COMPLETE' });
    is($parameter->('DeletionProtection'), 'true', 'as it said');
};

subtest 'a blue/green deployment' => sub {
    my $api = RdsFailover::RdsApi->new(scale => 600);
    my $arn = $api->world->{instances}{shop}{DBInstanceArn};
    my $make = sub { $api->ask(rds => 'CreateBlueGreenDeployment', BlueGreenDeploymentName => 'larger', Source => $arn) };
    $api->set(instances => { shop => { BackupRetentionPeriod => 0 } });
    is(code($make->()), 'SourceDatabaseNotSupportedFault', 'needs backups');
    $api->set(instances => { shop => { BackupRetentionPeriod => 7, MasterUserSecret => { SecretStatus => 'active' } } });
    is(code($make->()), 'SourceDatabaseNotSupportedFault', 'cannot be with a managed password');
    $api->set(instances => { shop => { MasterUserSecret => undef } });
    my $made = $make->()->{ok}{BlueGreenDeployment};
    is($made->{Status}, 'PROVISIONING', 'is made');
    my %it = (BlueGreenDeploymentIdentifier => $made->{BlueGreenDeploymentIdentifier});
    my $status = sub { $api->ask(rds => 'DescribeBlueGreenDeployments', %it)->{ok}{BlueGreenDeployments}[0]{Status} };
    is(code($make->()), 'BlueGreenDeploymentAlreadyExistsFault', 'once');
    until_true('until it is available', sub { $status->() eq 'AVAILABLE' });
    $api->set(deployments => { $made->{BlueGreenDeploymentIdentifier} => { Status => 'PROVISIONING' } });
    is(code($api->ask(rds => 'SwitchoverBlueGreenDeployment', %it)), 'InvalidBlueGreenDeploymentStateFault', 'cannot switch over before');
    $api->set(deployments => { $made->{BlueGreenDeploymentIdentifier} => { Status => 'AVAILABLE' } });
    my ($green) = grep {/^shop-green-/} keys %{ $api->world->{instances} };
    ok($api->ask(rds => 'ModifyDBInstance', DBInstanceIdentifier => $green, DBInstanceClass => 'db.m7g.large', ApplyImmediately => $true)->{ok}, 'the green side gets its class');
    $api->wait_for(sub ($i) { $i->{DBInstanceClass} eq 'db.m7g.large' && $i->{DBInstanceStatus} eq 'available' }, 60, $green);
    is($api->ask(rds => 'SwitchoverBlueGreenDeployment', %it, SwitchoverTimeout => 300)->{ok}{BlueGreenDeployment}{Status}, 'SWITCHOVER_IN_PROGRESS', 'switches over');
    until_true('until it has', sub { $status->() eq 'SWITCHOVER_COMPLETED' });
    my $now = $api->world->{instances};
    is("$now->{shop}{DBInstanceClass} $now->{shop}{Endpoint}{Address}", 'db.m7g.large shop.rds.test', 'the name and the endpoint are those of the new one');
    is($now->{'shop-old1'}{DBInstanceClass}, 'db.t4g.small', 'the old one is there under another');
    is(code($api->ask(rds => 'DeleteBlueGreenDeployment', %it, DeleteTarget => $true)), 'InvalidParameterCombination', 'the one in use is not deleted');
    ok($api->ask(rds => 'DeleteBlueGreenDeployment', %it)->{ok}, 'the deployment is');
    until_true('until it is gone', sub { code($api->ask(rds => 'DescribeBlueGreenDeployments', %it)) eq 'BlueGreenDeploymentNotFoundFault' });
    is_deeply([ map { $_->{Message} =~ s/$green/GREEN/r } @{ $api->ask(rds => 'DescribeEvents', SourceType => 'blue-green-deployment')->{ok}{Events} } ], [
        'Blue/green deployment tasks completed. You can make more modifications to the green environment databases or switch over the deployment.',
        'Switchover from shop to GREEN started.', 'Switchover completed on blue/green deployment.', 'Blue/green deployment deleted.' ], 'the events');
};

subtest 'metrics and identity' => sub {
    my $api = RdsFailover::RdsApi->new;
    my $metric = sub ($name, $instance) {
        my $said = $api->ask(cloudwatch => 'GetMetricData', StartTime => time - 600, EndTime => time, MetricDataQueries => [ { Id => 'm', MetricStat => {
            Metric => { Namespace => 'AWS/RDS', MetricName => $name, Dimensions => [ { Name => 'DBInstanceIdentifier', Value => $instance } ] }, Period => 60, Stat => 'Average' } } ]);
        return $said->{ok}{MetricDataResults}[0]{Values};
    };
    is($metric->('FreeStorageSpace', 'shop')->[0], 12 << 30, 'bytes that are free');
    $api->set(metrics => { FreeStorageSpace => 1 << 30 });
    is($metric->('FreeStorageSpace', 'shop')->[0], 1 << 30, 'or fewer');
    is_deeply($metric->('FreeStorageSpace', 'other'), [], 'none of another instance');
    is_deeply($metric->('Nothing', 'shop'), [], 'nor of a metric that is not there');
    like($api->ask(sts => 'GetCallerIdentity')->{ok}{Arn}, qr/^arn:aws:iam::\d{12}:user/, 'who asks');
};
done_testing;
