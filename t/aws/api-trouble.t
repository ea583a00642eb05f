#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Bad days on demand: throttling and broken answers, for as many requests as were asked for; and what of them was done all the same.
use v5.36;
use JSON::PP ();
use Test::More;
use RdsFailover::RdsApi ();

if (my $why = RdsFailover::RdsApi::why_not()) { plan skip_all => $why }

my %EXPECTED = (
    throttle    => [ 'Throttling', 400, 0 ], unavailable => [ 'ServiceUnavailable', 503, 0 ], html => [ '502', 502, 1 ], empty => [ undef, undef, 1 ],
    cut         => [ undef, undef, 1 ], lost => [ undef, undef, 1 ], reset => [ undef, undef, 0 ]);
for my $what (sort keys %EXPECTED) {
    my ($code, $status, $done) = @{ $EXPECTED{$what} };
    my $api = RdsFailover::RdsApi->new;
    $api->set(trouble => [ { what => $what, times => 1 } ]);
    my $said = $api->ask(rds => 'CreateDBSnapshot', DBInstanceIdentifier => 'shop', DBSnapshotIdentifier => 'before');
    # botocore takes an empty answer for one that says nothing.
    ok($said->{error} || !%{ $said->{ok}{DBSnapshot} // {} }, "$what: there is no proper answer") or diag explain $said;
    is($said->{error}{code}, $code, "$what: the code") if defined $code;
    is($said->{error}{status}, $status, "$what: the status") if defined $status;
    is($api->world->{snapshots}{before} ? 1 : 0, $done, "$what: " . ($done ? 'and yet it was done' : 'nothing was done'));
    ok($api->ask(rds => 'DescribeDBInstances')->{ok}, "$what: once");
}

my $api = RdsFailover::RdsApi->new(trouble => [ 'throttle:2:DescribeEvents', 'unavailable' ]);
is($api->ask(rds => 'DescribeEvents')->{error}{code}, 'Throttling', 'from the command line: the operation that was named');
is($api->ask(rds => 'DescribeDBInstances')->{error}{code}, 'ServiceUnavailable', 'any operation');
ok($api->ask(rds => 'DescribeDBInstances')->{ok}, 'once');
is($api->ask(rds => 'DescribeEvents')->{error}{code}, 'Throttling', 'a second time');
ok($api->ask(rds => 'DescribeEvents')->{ok}, 'and no third');
is_deeply([ map {"$_->{operation} $_->{answered}"} $api->requests ], [ 'DescribeEvents Throttling', 'DescribeDBInstances ServiceUnavailable', 'DescribeDBInstances ok',
    'DescribeEvents Throttling', 'DescribeEvents ok' ], 'it remembers each');
my $refused = qx{@{[RdsFailover::Lint::source_tree()]}/t/rig/aws/rds-api --trouble flood 2>&1 </dev/null};
is($? >> 8, 2, 'a trouble that does not exist is refused');
like($refused, qr/"flood" is not one of throttle/, 'with those that do');
done_testing;
