#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What others make of the status: Prometheus, mod_status, the access log. And while the monitor is silent, it says so.
use v5.36;
use Test::More;
use File::Temp ();
use HTTP::Tiny ();
use JSON::PP qw(decode_json);
use POSIX ();
use RdsFailover::FakeMysql;
use RdsFailover::Formats;
use RdsFailover::Httpd;

my $wait  = \&RdsFailover::Httpd::wait_until;
my $db    = RdsFailover::FakeMysql->new;
my $check = 'RDSFailoverCheck interval=100ms fast=50ms timeout=300ms';

# --- a crowd waits, is let go, and is counted -------------------------------------------------------------
my $src = $ENV{RF_SRCDIR};
my $httpd = RdsFailover::Httpd->new(threads => 20, factor => 10, location => 'RDSFailover on',
    conf => "RDSFailoverDSN ${\$db->dsn}\n$check\nInclude \"$src/conf/logformat.conf\"\nCustomLog log_rds rdsfailover");
my $start = $httpd->start;
ok($start->{up}, 'a server') or BAIL_OUT($start->{said});
ok($httpd->wait_for_state('available'), 'available');
is($httpd->get('/count?before')->{status}, 200, 'one that need not wait');
my $before = $httpd->get('/rds-status/metrics')->{body};
$db->set(behave => 'close')->drop;
ok($httpd->wait_for_state('outage'), 'outage');
my $N = ($ENV{RF_MPM} || 'event') eq 'event' ? 40 : 3;
my @waiting = map { $httpd->begin("/count?$_") } 1 .. $N;
ok($wait->(sub { ($httpd->database->{hold}{now} // 0) == $N }), "$N wait");
ok($wait->(sub { ($httpd->database->{hold}{oldest_ms} // 0) > 0 }), 'the oldest is told') or diag explain $httpd->database->{hold};
my %during = map { $_ => $httpd->get("/rds-status/$_")->{body} } qw(html json metrics);
my %server_status = map { $_ => $httpd->get("/server-status$_")->{body} } '', '?auto';
like($during{html}, qr{<dt>Waiting<dd>$N<}, 'the page tells of them');
$db->set(behave => 'ok');
is_deeply([grep { $_ != 200 } map { $_->finish(60)->{status} } @waiting], [], 'all are answered');
ok($httpd->wait_for_state('available'), 'available again');
my $after = $httpd->get('/rds-status/metrics')->{body};

subtest 'metrics' => sub {
    my $name   = $httpd->database->{name};
    my $metric = sub ($text, $series) { return $text =~ /^\Qrdsfailover_$series\E (\S+)$/m ? $1 : undef };
    my $label  = qq{database="$name"};
    is($metric->($during{metrics}, "requests_waiting{$label}"), $N, 'waiting');
    is($metric->($during{metrics}, qq{state{$label,state="outage"}}), 1, 'the state');
    cmp_ok($metric->($during{metrics}, "oldest_waiting_seconds{$label}"), '>', 0, 'the oldest');
    is($metric->($after, "requests_waiting{$label}"), 0, 'nobody waits any more');
    is($metric->($after, qq{requests_left_total{$label,outcome="released"}}), $N, 'they were released');
    my %count = map { my $text = $_; $_ => { $text =~ /^(rdsfailover_\w+_(?:total|bucket|count)(?:\{.*?\})?) (\S+)$/mg } } $before, $during{metrics}, $after;
    my @order = ($before, $during{metrics}, $after);
    for my $i (1, 2) {
        my ($old, $new) = @count{ @order[$i - 1, $i] };
        is_deeply([grep { !defined $new->{$_} || $new->{$_} < $old->{$_} } sort keys %$old], [], 'counters only grow');
    }
    like($httpd->get('/rds-status?metrics')->{headers}{'content-type'}, qr{^text/plain; version=0\.0\.4}, 'what Prometheus expects');
    SKIP: {
        my $lack = RdsFailover::Formats::promtool_lack();
        skip $lack, 3 if $lack;
        is(RdsFailover::Formats::metrics_problems($_), '', 'promtool is content') for $before, $during{metrics}, $after;
    }
};

subtest 'a real Prometheus' => sub {
    my ($program) = grep { -x } map {"$_/prometheus"} split /:/, $ENV{PATH};
    plan skip_all => 'prometheus: not installed (package prometheus)' if !$program;
    my $dir  = File::Temp->newdir(TMPDIR => 1);
    my $port = RdsFailover::Httpd::free_port();
    RdsFailover::Httpd::write_file("$dir/prometheus.yml", <<"YAML");
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [ "$src/conf/prometheus-rules.yml" ]
scrape_configs:
  - job_name: rdsfailover
    metrics_path: /rds-status/metrics
    static_configs: [ { targets: [ "127.0.0.1:${\$httpd->port}" ] } ]
YAML
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>', "$dir/log";
        open STDERR, '>&', \*STDOUT;
        exec('setpriv', '--pdeathsig', 'TERM', '--', $program, "--config.file=$dir/prometheus.yml", "--storage.tsdb.path=$dir/data",
            "--web.listen-address=127.0.0.1:$port") or POSIX::_exit(127);
    }
    my $ask = sub ($path) {
        my $answer = HTTP::Tiny->new(timeout => 5)->get("http://127.0.0.1:$port/api/v1/$path");
        return $answer->{success} ? decode_json($answer->{content})->{data} : undef;
    };
    my $value = sub ($query) { return eval { $ask->("query?query=$query")->{result}[0]{value}[1] } };
    ok($wait->(sub { ($value->('rdsfailover_state{state="available"}') // 0) == 1 }, 60), 'has scraped it')
        or diag RdsFailover::Httpd::slurp("$dir/log");
    is($value->('rdsfailover_requests_left_total{outcome="released"}'), $N, 'and knows what it says');
    is($value->('rdsfailover_hold_duration_seconds_count'), $N, 'its histogram too');
    my $target = ($ask->('targets') // {})->{activeTargets}[0];
    is($target->{lastError}, '', 'without complaint');
    my @rules = map { @{ $_->{rules} } } @{ ($ask->('rules') // {})->{groups} };
    ok($wait->(sub { @rules = map { @{ $_->{rules} } } @{ ($ask->('rules') // {})->{groups} }; !grep { $_->{health} ne 'ok' } @rules }),
        'the alerts are evaluated') or diag explain \@rules;
    cmp_ok(scalar @rules, '>=', 10, 'all of them');
    kill 'TERM', $pid;
    waitpid $pid, 0;
};

subtest 'mod_status' => sub {
    like($server_status{''}, qr{<h2>Databases \(mod_rdsfailover\)</h2>.*<td>outage</td>.*<td>$N</td>}s, 'a section of its own');
    like($server_status{''}, qr{</html>\s*\z}, 'in a page that goes on');
    my %line = $server_status{'?auto'} =~ /^(RDSFailover\S*): (.*)$/mg;
    is($line{'RDSFailover[0]State'},   'outage', 'and in short');
    is($line{'RDSFailover[0]Waiting'}, $N,       'how many wait');
    is($line{RDSFailoverDatabases},    1,        'of one database');
};

subtest 'conf/logformat.conf' => sub {
    my @lines = grep {m{/count}} split /\n/, RdsFailover::Httpd::slurp($httpd->dir . '/log_rds');
    is(scalar @lines, $N + 1, 'a line for each request');
    is(scalar(grep { /held=-/ } @lines), 1, 'one did not wait');
    is(scalar(grep { /held=\d+/ } @lines), $N, 'the others tell how long they did');
};

subtest 'without its monitor' => sub {
    # Stopped, not killed: that one would be started again.
    my $monitor = $httpd->monitor_pid;
    kill 'STOP', $monitor;
    ok($wait->(sub { $httpd->database->{stale} }), 'the status notices') or diag explain $httpd->json;
    my $json = $httpd->json;
    is($json->{databases}[0]{state}, 'unknown', 'knows nothing');
    cmp_ok($json->{monitor}{age_ms}, '>', 500, 'and says since when');
    my $page = $httpd->get('/rds-status')->{body};
    like($page, qr/The monitor has fallen silent/, 'so does the page');
    like($page, qr/data-state="unknown"/, 'which shows no old state as a new one');
    like($httpd->get('/rds-status?metrics')->{body}, qr/^rdsfailover_stale\{.*\} 1$/m, 'and so do the metrics');
    is($httpd->get('/rds-status?health')->{status}, 200, 'the server serves on');
    is($httpd->get('/rds-status?health=db')->{status}, 503, 'without a verified writer');
    kill 'CONT', $monitor;
    ok($httpd->wait_for_state('available'), 'and it goes on');
};
done_testing;
