#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The metrics, their manual, the alerts and the dashboard speak of the same names; the alerts are right, and they fire.
use v5.36;
use Test::More;
use File::Temp ();
use JSON::PP   ();
use RdsFailover::Formats;
use RdsFailover::Lint qw(slurp source_tree);

my $src = source_tree();

# As the module writes them.
my $code = slurp('mod_rdsfailover/rf_report_metrics.c');
my %type = $code =~ /family\(w, "(\w+)", "(\w+)"/g;
my ($table) = $code =~ /counters\[\] = \{(.*?)\n    \};/s;
$type{$_} = 'counter' for $table =~ /\{"(\w+)", "/g;
cmp_ok(scalar keys %type, '>=', 25, 'metrics were found');
my %series = map { $_ => 1 } map { $type{$_} eq 'histogram' ? map({"rdsfailover_$_"} "${_}_bucket", "${_}_sum", "${_}_count") : "rdsfailover_$_" } keys %type;

my %manual = slurp('docs/status.md') =~ /^\| `rdsfailover_(\w+)(?:\{[\w,]+\})?` \| (\w+) \| \S.* \|$/mg;
is_deeply(\%manual, \%type, 'docs/status.md lists each, with its type');

my $rules = slurp('conf/prometheus-rules.yml');
my @used  = map {/\b(rdsfailover_\w+)/g} $rules =~ /^\s*expr: (.*)$/mg;
cmp_ok(scalar @used, '>=', 10, 'the alerts use metrics');
is_deeply([grep { !$series{$_} } @used], [], 'which exist');

# --- the dashboard ---------------------------------------------------------------------------------------------------------------
my $dashboard = eval { JSON::PP->new->decode(slurp('conf/grafana-dashboard.json')) };
ok($dashboard, 'the dashboard is JSON') or diag $@;
my @panels = @{ $dashboard->{panels} // [] };
cmp_ok(scalar @panels, '>=', 8, 'with panels');
my %seen;
is_deeply([grep { $seen{$_}++ } map { $_->{id} } @panels], [], 'each with an id of its own');
for my $panel (@panels) {
    my @expr = map { $_->{expr} } @{ $panel->{targets} };
    my @names = map {/\b(rdsfailover_\w+)/g} @expr;
    ok(@names, "$panel->{title}: asks for something");
    is_deeply([grep { !$series{$_} } @names], [], "$panel->{title}: which exists");
    my $at = $panel->{gridPos};
    ok($at->{x} + $at->{w} <= 24, "$panel->{title}: fits");
}
my @variables = map { $_->{query}{query} // () } grep { ref $_->{query} } @{ $dashboard->{templating}{list} };
is_deeply([grep { !$series{$_} } map {/\b(rdsfailover_\w+)/g} @variables], [], 'its variables exist');

# --- promtool --------------------------------------------------------------------------------------------------------------------
SKIP: {
    my $lack = RdsFailover::Formats::promtool_lack();
    skip $lack, 3 if $lack;
    is(RdsFailover::Formats::rules_problems("$src/conf/prometheus-rules.yml"), '', 'promtool checks the alerts');
    # An alert that cannot fire is worse than none.
    my $dir    = File::Temp->newdir;
    my @alerts = $rules =~ /- alert: (\w+)/g;
    my $tests  = RdsFailover::Formats::write_file("$dir/tests.yml", alert_tests(\@alerts));
    my $tool   = RdsFailover::Formats::promtool();
    my $said   = qx{'$tool' test rules '$tests' 2>&1};
    is($?, 0, scalar(@alerts) . ' alerts fire when they should, and not before') or diag $said;
    # Each expression of a panel parses: as a rule of its own.
    my $n = 0;
    my @expr = map { $_->{expr} =~ s/\$__rate_interval/1m/gr =~ s/\$(?:instance|database)/.*/gr } map { @{ $_->{targets} } } @panels;
    my $as_rules = "groups:\n  - name: panels\n    rules:\n" . join '', map { $n++; "      - record: panel:n$n:x\n        expr: '$_'\n" } @expr;
    my $file = RdsFailover::Formats::write_file("$dir/panels.yml", $as_rules);
    $said = qx{'$tool' check rules '$file' 2>&1};
    is($?, 0, 'each panel asks in valid words') or diag $said;
}
done_testing;

# A quiet server, on which nothing fires, and one on which everything is wrong from the second minute on.
sub alert_tests ($alerts) {
    my %wrong = (    # quiet => wrong
        'rdsfailover_state{%,state="outage"}'                     => [0, 1],
        'rdsfailover_state{%,state="unknown"}'                    => [0, 1],
        'rdsfailover_state{%,state="available"}'                  => [1, 1],
        'rdsfailover_requests_left_total{%,outcome="expired"}'    => [7, 9],
        'rdsfailover_requests_left_total{%,outcome="lost"}'       => [7, 9],
        'rdsfailover_requests_rejected_total{%}'                  => [7, 9],
        'rdsfailover_requests_waiting{%}'                         => [5, 95],
        'rdsfailover_stale{%}'                                    => [0, 1],
        'rdsfailover_probe_success{%}'                            => [1, 0],
        'rdsfailover_dns_success{%}'                              => [1, 0],
        'rdsfailover_epoch{%}'                                    => [3, 4],
    );
    my %host_wide = ('rdsfailover_capacity_requests' => [100, 100], 'rdsfailover_monitor_restarts_total' => [0, 1]);
    my $text = "rule_files: ['$src/conf/prometheus-rules.yml']\nevaluation_interval: 5s\ntests:\n  - interval: 15s\n    input_series:\n";
    for my $instance (qw(quiet wrong)) {
        my $series = sub ($name, $values) {
            my ($now, $then) = ($values->[0], $values->[ $instance eq 'wrong' ]);
            $text .= "      - series: '$name'\n        values: '${now}x7 ${then}x20'\n";
        };
        for my $name (sort keys %wrong)     { $series->($name =~ s/%/instance="$instance",job="j",database="shop"/r, $wrong{$name}) }
        for my $name (sort keys %host_wide) { $series->($name . qq({instance="$instance",job="j"}), $host_wide{$name}) }
    }
    # Expected by number alone: labels and words may change.
    $text .= "    promql_expr_test:\n";
    for my $alert (@$alerts) {
        $text .= qq{      - expr: count(ALERTS{alertname="$alert",alertstate="firing"}) or vector(0)\n        eval_time: 1m30s\n}
            . "        exp_samples: [ { labels: '{}', value: 0 } ]\n";
        $text .= qq{      - expr: count(ALERTS{alertname="$alert",alertstate="firing",instance="wrong"}) or vector(0)\n        eval_time: 5m\n}
            . "        exp_samples: [ { labels: '{}', value: 1 } ]\n";
        $text .= qq{      - expr: count(ALERTS{alertname="$alert",instance="quiet"}) or vector(0)\n        eval_time: 5m\n}
            . "        exp_samples: [ { labels: '{}', value: 0 } ]\n";
    }
    return $text;
}
