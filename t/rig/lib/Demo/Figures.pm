# SPDX-License-Identifier: Apache-2.0
# From one run's requests and events to the figures that are shown. Pure: no files, no clock.
#
# A run is {label, started, requests, events, phases, status, failovers, …}; see Demo::Run for who fills it in.
# A request is {n, kind, due, latency, ok, failed, status, reason, rounds}: due in seconds from the run's start, latency in seconds.
package Demo::Figures;
use v5.36;
use List::Util qw(max min sum0);

# An answer that took longer than this is shown as one that had to wait.
our $WAIT = 1;

# Nearest rank, as the driver counts: always one of the values. undef of none.
sub percentile ($permille, @values) {
    return undef unless @values;
    my @sorted = sort { $a <=> $b } @values;
    my $rank   = int((@sorted * $permille + 999) / 1000);
    return $sorted[ $rank ? $rank - 1 : 0 ];
}

sub total ($requests) {
    my @latency = map { $_->{latency} } grep { defined $_->{latency} } @$requests;
    my @good    = grep { $_->{ok} } @$requests;
    my %reasons;
    $reasons{ $_->{reason} }++ for grep { $_->{failed} } @$requests;
    return {
        requests => scalar @$requests,
        failed   => scalar(grep { $_->{failed} } @$requests),
        waited   => scalar(grep { $_->{latency} > $WAIT } @good),
        pending  => scalar(grep { !$_->{ok} && !$_->{failed} } @$requests),
        bad_seconds => scalar(keys %{ { map { int($_->{due}) => 1 } grep { $_->{failed} } @$requests } }),
        p50 => percentile(500, @latency),
        p99 => percentile(990, @latency),
        longest => max(@latency),
        longest_answered => max(map { $_->{latency} } @good),
        reasons => \%reasons,
        round  => scalar(grep { $_->{rounds} } @$requests),
        rounds => sum0(map { $_->{rounds} // 0 } @$requests),
        most_rounds => max(0, map { $_->{rounds} // 0 } @$requests),
    };
}

# One row for each second: requests due in it, by what became of them.
sub seconds ($requests, $length) {
    my @rows = map { { good => 0, waited => 0, failed => 0 } } 0 .. $length - 1;
    for my $r (@$requests) {
        my $row = $rows[ int $r->{due} ] or next;
        $row->{ $r->{failed} ? 'failed' : !defined $r->{latency} || $r->{latency} > $WAIT ? 'waited' : 'good' }++;
        $row->{longest} = max($row->{longest} // 0, $r->{latency}) if defined $r->{latency};
    }
    return \@rows;
}

# Latency of one steady stretch.
sub stretch ($requests, $from, $to) {
    my @in      = grep { $_->{due} >= $from && $_->{due} < $to } @$requests;
    my @latency = map { $_->{latency} // () } @in;
    return {
        from => $from, to => $to, requests => scalar @in, failed => scalar(grep { $_->{failed} } @in),
        p99 => percentile(990, @latency), query_p99 => percentile(990, map { $_->{latency} // () } grep { $_->{kind} eq 'query' } @in),
    };
}

# Events of one failover, all in seconds from the run's start; what did not happen is undef. $until is the next fault.
# A failed request belongs to the failover during which it ended: it may have come in long before, and been under way.
sub failover ($run, $fault, $until, $first, $last) {
    my %at;
    for my $e (@{ $run->{events} }) {
        $at{ $e->{event} } //= $e->{at} if $e->{at} >= $fault - 0.001 && $e->{at} < $until;
    }
    my %f = (%at, fault => $fault, until => $until);
    # Found by the module's own record; its clock is this machine's.
    my ($seen) = grep { $_->{started} >= $fault - 1 && $_->{started} < $until } @{ $run->{failovers} // [] };
    if ($seen) {
        $f{detected} = $seen->{started} + $seen->{detected_ms} / 1000 if defined $seen->{detected_ms};
        $f{released} = $seen->{started} + $seen->{released_ms} / 1000 if defined $seen->{released_ms};
    }
    my $ready = $f{promoted};
    # Only what the database answers tells that it is back: a static file always answers.
    my @back = sort { $a <=> $b } map { $_->{due} + $_->{latency} }
        grep { $_->{ok} && $_->{kind} ne 'static' && defined $ready && $_->{due} + $_->{latency} > $ready } @{ $run->{requests} };
    $f{first_answer} = $back[0] if @back && $back[0] < $until;
    my @bad = grep {
        my $ended = $_->{due} + ($_->{latency} // 0);
        $_->{failed} && ($first || $ended >= $fault) && ($last || $ended < $until);
    } @{ $run->{requests} };
    $f{failed} = scalar @bad;
    $f{last_failure} = max(map { $_->{due} } @bad);
    my $line = $f{detected};
    $f{failed_before} = defined $line ? scalar(grep { $_->{due} < $line } @bad) : scalar @bad;
    $f{failed_after}  = $f{failed} - $f{failed_before};
    return \%f;
}

# Everything at once. $run->{phases}: [{name, class, from, to}] in order, steady stretches; $run->{faults}: their times.
sub compute ($run) {
    my @faults = map { $_->{at} } grep { $_->{event} eq 'fault' } @{ $run->{events} };
    my $end    = max($run->{length}, map { $_->{due} } @{ $run->{requests} }) + 61;
    my @failovers;
    for my $i (0 .. $#faults) {
        push @failovers, failover($run, $faults[$i], $faults[ $i + 1 ] // $end, $i == 0, $i == $#faults);
    }
    return {
        total     => total($run->{requests}),
        stretches => [ map { { %$_, %{ stretch($run->{requests}, $_->{from}, $_->{to}) } } } @{ $run->{phases} } ],
        failovers => \@failovers,
        failed_before => sum0(map { $_->{failed_before} } @failovers),
        failed_after  => sum0(map { $_->{failed_after} } @failovers),
    };
}

1;
