# SPDX-License-Identifier: Apache-2.0
# The figures of the runs side by side: as rows for the terminal and for the report.
package Demo::Table;
use v5.36;

sub duration ($s) {
    return '-' unless defined $s;
    return $s < 0.0995 ? sprintf('%.0f ms', $s * 1000) : $s < 9.95 ? sprintf('%.2f s', $s) : sprintf('%.1f s', $s);
}

sub number ($n) {
    my $text = "$n";
    1 while $text =~ s/^(\d+)(\d{3})/$1,$2/;
    return $text;
}

sub share ($part, $whole) { return $whole ? sprintf('%.1f %%', 100 * $part / $whole) : '-' }

# Groups of rows: [title, [name, value of each run, …], …]. A value is {text, bad}: bad is what nobody wants to see.
sub groups (@runs) {
    my @figures = map { $_->{figures} } @runs;
    my $row = sub ($name, $text, $bad = sub { 0 }) {
        return [ $name, map { { text => $text->($_), bad => $bad->($_) ? 1 : 0 } } @runs ];
    };
    my $count = sub ($name, $value) { $row->($name, sub ($r) { number($value->($r)) }, sub ($r) { $value->($r) > 0 }) };
    my $took = sub ($name, $value) { $row->($name, sub ($r) { duration($value->($r)) }) };
    my @groups = ([
        'Visitors',
        $row->('requests', sub ($r) { number($r->{figures}{total}{requests}) }),
        $row->('failed', sub ($r) {
            my $t = $r->{figures}{total};
            number($t->{failed}) . ($t->{failed} ? ' (' . share($t->{failed}, $t->{requests}) . ')' : '');
        }, sub ($r) { $r->{figures}{total}{failed} > 0 }),
        $count->('seconds with a failure', sub ($r) { $r->{figures}{total}{bad_seconds} }),
        $row->('waited longer than 1 s, then answered', sub ($r) { number($r->{figures}{total}{waited}) }),
    ]);
    if (grep { $_->{front} } @runs) {
        push @{ $groups[0] }, $row->('sent round by 307 (in all, and one of them up to)', sub ($r) {
            my $t = $r->{figures}{total};
            number($t->{round}) . ($t->{round} ? ' (' . number($t->{rounds}) . ", $t->{most_rounds})" : '');
        });
    }
    if (grep { $_->{module} } @runs) {
        push @{ $groups[0] },
            $row->('failed: came in before the module noticed', sub ($r) { $r->{module} ? number($r->{figures}{failed_before}) : '-' }),
            $row->('failed: came in after that', sub ($r) { $r->{module} ? number($r->{figures}{failed_after}) : '-' },
                sub ($r) { $r->{module} && $r->{figures}{failed_after} > 0 });
    }
    push @groups, [
        'Time from due to answered or failed',
        $took->('p50', sub ($r) { $r->{figures}{total}{p50} }),
        $took->('p99', sub ($r) { $r->{figures}{total}{p99} }),
        $took->('longest', sub ($r) { $r->{figures}{total}{longest} }),
    ];
    my @names = ([ before => 'before, small class' ], [ upgraded => 'after the upgrade, larger class' ], [ downgraded => 'back on the small class' ]);
    for my $which ([ p99 => 'p99 while all is well' ], [ query_p99 => 'p99 of database queries while all is well' ]) {
        my ($figure, $title) = @$which;
        push @groups, [ $title, map {
            my ($key, $name) = @$_;
            $took->($name, sub ($r) { (grep { $_->{name} eq $key } @{ $r->{figures}{stretches} })[0]{$figure} })
        } @names ];
    }
    push @groups, [
        'Writes',
        $row->('sent', sub ($r) { number($r->{ledger}{writes}) }),
        $count->('lost (acknowledged, but gone)', sub ($r) { scalar @{ $r->{ledger}{lost} } }),
        $count->('doubled', sub ($r) { scalar @{ $r->{ledger}{doubled} } }),
        $count->('the visitor was told it failed, but it was written', sub ($r) { scalar @{ $r->{ledger}{ghosts} } }),
    ];
    return @groups;
}

# The moments of each failover, in seconds from its fault: [name, value of each failover of each run, …].
my @MOMENTS = (
    [ detected => 'the module holds requests' ], [ fenced => 'the old side is fenced' ], [ promoted => 'the new writer accepts writes' ],
    [ dns_flipped => 'DNS points to it' ], [ resolver_changed => "this host's resolver says so" ],
    [ released => 'the module lets requests go' ],
    [ first_answer => 'first page from the database' ], [ last_failure => 'last failed request came in' ]);

sub moments (@runs) {
    my @columns = map { @{ $_->{figures}{failovers} } } @runs;
    my @rows;
    for my $moment (@MOMENTS) {
        my ($key, $name) = @$moment;
        next unless grep { defined $_->{$key} } @columns;
        push @rows, [ $name, map { defined $_->{$key} ? sprintf('%+.2f s', $_->{$key} - $_->{fault}) : '-' } @columns ];
    }
    return @rows;
}

sub print_all ($terminal, @runs) {
    my $name = 52;
    my $line = sub ($first, @cells) {
        $terminal->line(sprintf "  %-*s%s", $name, $first, join '', map { my $c = $_;
            my $pad = ' ' x (22 - length $c->{text} > 0 ? 22 - length $c->{text} : 1);
            $pad . ($c->{bad} ? $terminal->red($c->{text}) : $c->{text}) } @cells);
    };
    $terminal->line;
    $line->('', map { { text => $_->{label} . ' the module' } } @runs);
    for my $group (groups(@runs)) {
        my ($title, @rows) = @$group;
        $terminal->line;
        $terminal->line('  ' . $terminal->bold($title));
        $line->(@$_) for @rows;
    }
    $terminal->line;
    $terminal->line('  ' . $terminal->bold('From the fault') . ' (upgrade, downgrade)');
    for my $row (moments(@runs)) {
        my ($first, @cells) = @$row;
        my @pairs;
        for my $run (@runs) { push @pairs, { text => join '  ', splice @cells, 0, scalar @{ $run->{figures}{failovers} } } }
        $line->($first, @pairs);
    }
    $terminal->line;
}

1;
