#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The stand-in takes what AWS's model allows, signed as AWS wants it, and refuses the rest with AWS's answers.
use v5.36;
use POSIX ();
use Test::More;
use RdsFailover::RdsApi ();

if (my $why = RdsFailover::RdsApi::why_not()) { plan skip_all => $why }
my $api = RdsFailover::RdsApi->new(scale => 600);
my %rds = (Version => '2014-10-31');

sub refused ($said, $code, $status, $what, $like = qr/./) {
    subtest $what => sub {
        my $error = $said->{error} // {};
        is($error->{code}, $code, "says $code") or diag explain $said;
        is($error->{status}, $status, "status $status");
        like($error->{message} // '', $like, 'and why');
    };
}

sub form ($action, %more) { return $api->asked({ service => 'rds', form => { %rds, Action => $action, %more } }) }

ok($api->ask(rds => 'DescribeDBInstances')->{ok}, 'a call of botocore, signed with the example key, is answered');
ok(form('DescribeDBInstances')->{ok}, 'so is a form');

# ---- the model -----------------------------------------------------------------------------------------------------
refused(form('DescribeDBInstances', Bogus => 1), 'InvalidQueryParameter', 400, 'an unknown member', qr/Bogus/);
refused(form('DescribeEvents', 'EventCategories.EventCategory.1' => 'failover', 'EventCategories.Category.2' => 'x'),
    'InvalidQueryParameter', 400, 'an unknown member of a list', qr/EventCategories\.Category\.2/);
refused(form('DescribeDBInstances', MaxRecords => 'many'), 'InvalidParameterValue', 400, 'a word where a number belongs', qr/MaxRecords/);
refused(form('ModifyDBInstance', DBInstanceIdentifier => 'shop', ApplyImmediately => 'yes'), 'InvalidParameterValue', 400,
    'a word that is neither true nor false', qr/ApplyImmediately/);
refused(form('DescribeEvents', StartTime => 'yesterday'), 'InvalidParameterValue', 400, 'a time that is none', qr/StartTime/);
refused(form('ModifyDBInstance', DBInstanceClass => 'db.m7g.large'), 'MissingParameter', 400, 'a required member missing', qr/DBInstanceIdentifier/);
refused(form('DescribeDBInstances', 'Filters.Filter.1.Name' => 'engine'), 'ValidationError', 400, 'a required member missing further down', qr/Values/);
refused(form('DescribeNothing'), 'InvalidAction', 400, 'an operation that AWS does not have');
refused($api->asked({ service => 'rds', form => { Action => 'DescribeDBInstances', Version => '2010-01-01' } }), 'InvalidAction', 400, 'another version');
refused(form('DeleteDBInstance', DBInstanceIdentifier => 'shop'), 'NotStoodInFor', 501, 'an operation that AWS has and the stand-in has not');

# ---- JSON, as newer command lines ask CloudWatch -------------------------------------------------------------------------
sub metrics ($query, %more) {
    return $api->asked({ service => 'cloudwatch', operation => 'GetMetricData', json => { StartTime => time - 600, EndTime => time, MetricDataQueries => [$query], %more } });
}
my %query = (Id => 'm', MetricStat => { Period => 60, Stat => 'Average', Metric => { Namespace => 'AWS/RDS', MetricName => 'DatabaseConnections',
    Dimensions => [ { Name => 'DBInstanceIdentifier', Value => 'shop' } ] } });
my $result = metrics(\%query)->{ok}{MetricDataResults}[0];
is($result->{Values}[0], 12, 'a metric asked for in JSON');
like($result->{Timestamps}[0], qr/^20\d\d-/, 'its times are times');
refused(metrics(\%query, Bogus => 1), 'ValidationError', 400, 'an unknown member', qr/Bogus/);
refused(metrics({ %query, Id => 7 }), 'ValidationError', 400, 'a number where a word belongs', qr/Id/);
refused(metrics({ MetricStat => $query{MetricStat} }), 'ValidationError', 400, 'a required member missing further down', qr/Id/);
refused($api->asked({ service => 'cloudwatch', operation => 'ListMetrics', json => {} }), 'NotStoodInFor', 501, 'an operation that the stand-in has not');

# ---- the signature -------------------------------------------------------------------------------------------------
my %ask = (service => 'rds', operation => 'DescribeDBInstances', parameters => {});
refused($api->asked({ %ask, secret => 'wrong' }), 'SignatureDoesNotMatch', 403, 'another secret');
refused($api->asked({ %ask, key => 'AKIDEXAMPLE' }), 'InvalidClientTokenId', 403, 'another key');
refused($api->asked({ %ask, region => 'us-east-1' }), 'SignatureDoesNotMatch', 403, 'another region', qr/us-east-1/);
refused($api->asked({ service => 'rds', form => { %rds, Action => 'DescribeDBInstances' }, age => 900 }), 'RequestExpired', 400, 'a quarter of an hour old');
my $bare = $api->{http}->post($api->url . '/', { content => 'Action=DescribeDBInstances&Version=2014-10-31',
    headers => { 'Content-Type' => 'application/x-www-form-urlencoded' } });
is($bare->{status}, 403, 'no signature at all');
like($bare->{content}, qr{<Code>MissingAuthenticationToken</Code>}, 'as AWS says it');
my $changed = $api->{http}->post($api->url . '/', { content => 'Action=RebootDBInstance&Version=2014-10-31&DBInstanceIdentifier=shop', headers => {
    'Content-Type' => 'application/x-www-form-urlencoded', 'X-Amz-Date' => POSIX::strftime('%Y%m%dT%H%M%SZ', gmtime),
    Authorization => 'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/' . POSIX::strftime('%Y%m%d', gmtime)
        . '/eu-west-1/rds/aws4_request, SignedHeaders=host;x-amz-date, Signature=' . '0' x 64 } });
like($changed->{content}, qr{<Code>SignatureDoesNotMatch</Code>}, 'a signature of something else');
is($api->world->{instances}{shop}{DBInstanceStatus}, 'available', 'and nothing of it was done');

my @seen = $api->requests('DescribeDBInstances');
ok((grep { $_->{answered} eq 'ok' } @seen), 'it remembers what was asked and answered');
done_testing;
