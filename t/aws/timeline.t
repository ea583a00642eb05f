#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The tables of what RDS does, and when, scaled and with an outage of one's own: pure, without a stand-in.
use v5.36;
use JSON::PP qw(decode_json);
use Test::More;
use RdsFailover::Lint qw(command_output source_tree);
use RdsFailover::RdsApi ();

if (my $why = RdsFailover::RdsApi::why_not()) { plan skip_all => $why }

sub plan_of ($table, @arguments) {
    my $program = 'import json, sys; sys.dont_write_bytecode = True; from standin import timeline as t; '
        . "print(json.dumps([[at, s.do, s.text] for at, s in t.schedule(t.$table, @{[join ', ', @arguments]})]))";
    local $ENV{PYTHONPATH} = source_tree() . '/t/rig/aws';
    return @{ decode_json(command_output('/usr/bin/python3', '-c', $program)) };
}

sub at ($plan, $do) { return (grep { $_->[1] eq $do } @$plan)[0][0] }

sub near ($got, $expected, $what) { return cmp_ok(abs($got - $expected), '<', 1e-6, $what) || diag "$got, not $expected" }

for my $table (qw(CLASS_CHANGE REBOOT_FAILOVER REBOOT SNAPSHOT DEPLOYMENT SWITCHOVER DELETION)) {
    for my $how ([1], [60], [ 60, 15 ], [ 1, 300 ]) {
        my @times = map { $_->[0] } plan_of($table, @$how);
        is_deeply(\@times, [ sort { $a <=> $b } @times ], "$table, " . join(' and ', @$how) . ': nothing happens before what it follows');
    }
}

my @real = plan_of('CLASS_CHANGE', 1);
near(at(\@real, 'back') - at(\@real, 'strike'), 57.5, 'a class change: 57 s without a database, as published');
cmp_ok(at(\@real, 'available') - at(\@real, 'back'), '>', 600, 'and "modifying" for more than ten minutes after it is back');
my @fast = plan_of('CLASS_CHANGE', 60);
near(at(\@fast, 'available'), at(\@real, 'available') / 60, 'scaled, all of it is shorter');
my @own = plan_of('CLASS_CHANGE', 60, 15);
near(at(\@own, 'back') - at(\@own, 'strike'), 15, 'an outage of one\'s own');
near(at(\@own, 'strike'), at(\@fast, 'strike'), 'begins when it would');
near(at(\@own, 'available') - at(\@own, 'back'), at(\@fast, 'available') - at(\@fast, 'back'), 'and what follows takes as long as it would');
done_testing;
