# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Story::Failover;

# The plot that most kinds of failover share: steady traffic, the writer fails over and back, and what must hold then.
use v5.36;
use Exporter 'import';
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(time sleep);
use RdsFailover::Story ();

our @EXPORT_OK = qw(there_and_back check_traffic check_counters);

# %option: kind, cause (pattern), outage, rig (options), rate, kinds. Returns the story, still up.
sub there_and_back (%option) {
    my $story   = RdsFailover::Story->begin(%{ $option{rig} // {} });
    my $rig     = $story->rig;
    my $traffic = $story->traffic(map { defined $option{$_} ? ($_ => $option{$_}) : () } qw(rate kinds));
    sleep 2;
    my @told;
    my $turns = $option{turns} // 2;
    for my $turn (1 .. $turns) {
        $rig->rebuild if $turn > 1;
        $rig->prime;
        my $epoch = $story->status->{epoch};
        push @told, $rig->fail($option{kind}, outage => $option{outage} // 4, rebuild => undef, %{ $option{fail} // {} });
        $story->wait_state('available', epoch => $epoch + 1);
        $traffic->settle;
    }
    $traffic->stop;
    my $status = $story->status;
    is(scalar @{ $status->{failovers} }, $turns, "failovers on record: $turns");
    my %address = (a => '127.0.0.11', b => '127.0.0.12');
    my @failovers;
    for my $turn (0 .. $turns - 1) {
        my $told = $told[$turn];
        my $f    = $story->failover($status, $turns - 1 - $turn) or next;
        my $way  = "$told->{from} to $told->{to}";
        is("$f->{from} to $f->{to}", "$address{$told->{from}} to $address{$told->{to}}", "$way: as the status tells it");
        like($f->{cause}, qr/^(?:$option{cause})$/, "$way: its cause");
        note(sprintf '%s: fault to first hold %.0f ms, to declared outage %.0f ms; promotion to verified %.0f ms; resolver to release %s',
            $way, 1000 * ($f->{hold} - $told->{fault}), 1000 * ($f->{declared} - $told->{fault}),
            1000 * ($f->{started} + $f->{outage_ms} / 1000 - $told->{promoted}), resolver_to_release($rig, $told, $f));
        push @failovers, { %$f, fault => $told->{fault} };
    }
    is($status->{state}, 'available', 'the state is available at the end');
    check_traffic($story, $traffic, @failovers);
    check_counters($story);
    return $story;
}

sub resolver_to_release ($rig, $told, $failover) {
    my ($changed) = grep { $_->{event} eq 'resolver_changed' && $_->{t} >= $told->{promoted} } $rig->events;
    return $changed ? sprintf '%.0f ms', 1000 * ($failover->{released} - $changed->{t}) : 'not seen';
}

# Failures belong to requests that were let in before anything could be known, and no write is lost or doubled.
sub check_traffic ($story, $traffic, @failovers) {
    my @requests = $traffic->requests;
    my @bad      = $traffic->bad;
    cmp_ok(scalar @requests, '>', 20, scalar(@requests) . ' requests were made');
    # A request that failed must have been under way when the fault came, or have come before the first hold. The status gives
    # whole milliseconds.
    my @late = grep {
        my $r = $_;
        !grep { $r->{due} < $_->{hold} + 0.01 && (!defined $r->{latency_ms} || $r->{due} + $r->{latency_ms} / 1000 > $_->{fault}) } @failovers
    } @bad;
    is(scalar @late, 0, 'every request due after the first hold is answered rightly') or do {
        diag(describe($_, @failovers)) for @late[0 .. ($#late > 9 ? 9 : $#late)];
        diag($story->error_log);
    };
    note(scalar(@bad) . ' requests failed that were let in before: ' . join ', ', map { "$_->{kind} " . ($_->{status} // '-') } @bad);
    my @static = grep { $_->{kind} eq 'static' } @requests;
    is(scalar(grep { $_->{outcome} ne 'ok' } @static), 0, 'static files are always answered')
        if @static;
    note(sprintf 'longest request %.1f s', max map { ($_->{latency_ms} // 0) / 1000 } @requests);
    note(sprintf 'slowest static file %.0f ms', max map { $_->{latency_ms} // 0 } @static) if @static;
    my $ledger = $traffic->ledger;
    is("@{$ledger->{lost}}",    '', "no write lost of $ledger->{acknowledged} acknowledged");
    is("@{$ledger->{doubled}}", '', 'none doubled');
}

sub describe ($r, @failovers) {
    return sprintf '%s due %s: %s %s after %s ms, %s', $r->{kind},
        join(', ', map { sprintf '%.3f s after fault (hold %.3f, released %.3f)', $r->{due} - $_->{fault}, $_->{hold} - $_->{fault},
            $_->{released} - $_->{fault} } @failovers), $r->{outcome}, $r->{status} // '-', $r->{latency_ms} // '-', $r->{reason} // '';
}

sub check_counters ($story) {
    my @all = map { $_->{hold} } $story->statuses;
    for my $n (0 .. $#all) {
        my ($hold, $where) = ($all[$n], @all > 1 ? 'host ' . ($n + 1) . ': ' : '');
        cmp_ok($hold->{held}, '>', 0, "$where$hold->{held} requests were held");
        is($hold->{now}, 0, "${where}none waits any more");
        is($story->imbalance($hold), 0, "${where}the counters add up");
    }
}

1;
