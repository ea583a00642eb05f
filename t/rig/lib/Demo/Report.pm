# SPDX-License-Identifier: Apache-2.0
# The page of a demo: one file that asks nothing of any other. report/page.html is its frame.
package Demo::Report;
use v5.36;
use utf8;
use List::Util qw(max);
use POSIX qw(ceil strftime);
use Demo::Chart ();
use Demo::Table ();

# What stands before the database; nothing when it is one host alone.
sub site ($option) {
    my $hosts = $option->{hosts} // 1;
    return '' unless $option->{front} || $hosts > 1;
    return ', ' . plural($hosts, 'web host') . ($option->{front} ? " behind a load balancer that gives up after $option->{front} s" : '');
}

sub number ($n) { return Demo::Table::number($n) }
sub escape ($text) { return Demo::Chart::escape($text) }
sub plural ($n, $one, $many = "${one}s") { return number($n) . ' ' . ($n == 1 ? $one : $many) }

my %KIND = (
    graceful => 'a planned class change: the old writer shuts down in order',
    crash => 'the writer is killed', blackhole => 'packets to and from the writer vanish', hang => 'the writer stops answering but keeps its port open');

sub write ($path, $runs, $option) {
    my $scale = {
        length => ceil(max(map { $_->{length} + 1 } @$runs)),
        most => ceil(max(map { $_->{rate} } @$runs) * 1.1),
        longest => max(20, map { $_->{figures}{total}{longest} // 0 } @$runs) * 1.15,
    };
    my %part = (
        KIND => escape($option->{kind}), KIND_TEXT => escape($KIND{ $option->{kind} }), OUTAGE => $option->{outage}, RATE => $option->{rate},
        SITE => escape(site($option)), PATIENCE => $runs->[0]{patience},
        BUSY => $option->{busy} ? "<b>$option->{busy}</b>" : '',
        DATE => strftime('%-d %B %Y, %H:%M', localtime $runs->[0]{started}),
        VERDICTS => join("\n", map { verdict($_) } @$runs),
        CHARTS => join("\n", map { chart($_, $scale) } @$runs),
        CLASSES => classes(@$runs), MOMENTS => moments(@$runs), FIGURES => figures(@$runs), FAILURES => failures(@$runs), MIX => mix(@$runs));
    open my $frame, '<:encoding(UTF-8)', "$ENV{RIG_HOME}/report/page.html" or die "cannot read report/page.html: $!\n";
    my $page = do { local $/; <$frame> };
    $page =~ s/\@([A-Z_]+)\@/$part{$1} \/\/ die "page.html: no part $1\n"/ge;
    open my $out, '>:encoding(UTF-8)', "$path.new" or die "cannot write $path: $!\n";
    print {$out} $page;
    close $out or die "cannot write $path: $!\n";
    rename "$path.new", $path or die "cannot write $path: $!\n";
}

sub name ($run) { return $run->{module} ? 'With mod_rdsfailover' : 'Without it' }

sub verdict ($run) {
    my $t = $run->{figures}{total};
    my $bad = $t->{failed};
    my @say;
    if ($run->{module}) {
        push @say, 'Nobody saw an error.' unless $bad;
        push @say, plural($run->{figures}{failed_before}, 'request') . ' had come in before the module noticed.' if $run->{figures}{failed_before};
        push @say, plural($run->{figures}{failed_after}, 'request') . ' came in after that and failed.' if $run->{figures}{failed_after};
        push @say, plural($t->{waited}, 'request') . ' waited for the database and ' . ($t->{waited} == 1 ? 'was' : 'were')
            . ' answered, the longest after ' . Demo::Table::duration($t->{longest_answered}) . '.' if $t->{waited};
    }
    else {
        push @say, Demo::Table::share($bad, $t->{requests}) . ' of ' . number($t->{requests}) . ' requests, in ' . plural($t->{bad_seconds}, 'second') . ' of '
            . int($run->{length} + 1) . '.';
        push @say, plural($t->{waited}, 'more request') . ' took longer than a second.' if $t->{waited};
    }
    my $l = $run->{ledger};
    my $writes = @{ $l->{lost} } + @{ $l->{doubled} };
    push @say, $writes ? plural(scalar @{ $l->{lost} }, 'write') . ' lost, ' . scalar(@{ $l->{doubled} }) . ' doubled.' : 'No write lost, none doubled.';
    return sprintf '<div class="verdict %s"><h2>%s</h2><p class="big %s">%s</p><p class="unit">%s</p><p>%s</p></div>',
        $run->{module} ? 'with' : 'without', name($run), $bad ? 'bad' : 'fine', number($bad), $bad == 1 ? 'failed request' : 'failed requests', escape(join ' ', @say);
}

sub chart ($run, $scale) {
    return '<section class="run"><h2>' . name($run) . '</h2>' . Demo::Chart::draw($run, $scale) . procedures($run) . '</section>';
}

# The scripts that did it, and the pages that they wrote themselves.
sub procedures ($run) {
    my @said = map {
        my $took = sprintf 'cfn/bin/%s --class %s: %d s', $_->{name}, $_->{class}, $_->{seconds};
        $_->{page} ? '<a href="' . escape($_->{page} =~ s{^.*/(?=demo/)}{}r) . '">' . escape($took) . '</a>' : escape($took);
    } @{ $run->{procedures} // [] };
    return @said ? '<p class="notes">' . join('; ', @said) . '</p>' : '';
}

# p99 of the database queries of the three steady stretches as bars.
sub classes (@runs) {
    my %name = (before => 'small class', upgraded => 'larger class', downgraded => 'small class again');
    my $most = max(0.001, map { $_->{query_p99} // 0 } map { @{ $_->{figures}{stretches} } } @runs);
    my $html = '';
    for my $run (@runs) {
        $html .= '<div><h3>' . name($run) . '</h3><table class="meter">';
        for my $s (@{ $run->{figures}{stretches} }) {
            $html .= sprintf '<tr><th>%s</th><td><i class="%s" style="width:%s"></i></td><td class="value">%s</td></tr>', $name{ $s->{name} },
                $s->{class}, Demo::Chart::percent($s->{query_p99} // 0, $most), Demo::Table::duration($s->{query_p99});
        }
        $html .= '</table></div>';
    }
    return $html;
}

sub moments (@runs) {
    my $html = '<table class="data"><thead><tr><td></td>'
        . join('', map { sprintf '<th colspan="%d">%s</th>', scalar @{ $_->{figures}{failovers} }, lc name($_) =~ s/without it/without/r } @runs) . '</tr><tr><td></td>'
        . join('', map { my $n = $_; map { '<th>' . ('up', 'down')[$_] . '</th>' } 0 .. $#{ $n->{figures}{failovers} } } @runs) . '</tr></thead><tbody>';
    for my $row (Demo::Table::moments(@runs)) {
        my ($name, @cells) = @$row;
        $html .= '<tr><th>' . escape($name) . '</th>' . join('', map {"<td>$_</td>"} @cells) . '</tr>';
    }
    return $html . '</tbody></table>';
}

sub figures (@runs) {
    my $html = '<table class="data"><thead><tr><td></td>' . join('', map { '<th>' . lc name($_) =~ s/without it/without/r . '</th>' } @runs) . '</tr></thead>';
    for my $group (Demo::Table::groups(@runs)) {
        my ($title, @rows) = @$group;
        $html .= '<tbody><tr class="group"><th colspan="' . (1 + @runs) . '">' . escape($title) . '</th></tr>';
        for my $row (@rows) {
            my ($name, @cells) = @$row;
            $html .= '<tr><th>' . escape($name) . '</th>' . join('', map { sprintf '<td%s>%s</td>', $_->{bad} ? ' class="bad"' : '', escape($_->{text}) } @cells) . '</tr>';
        }
        $html .= '</tbody>';
    }
    return $html . '</table>';
}

# What the failed requests were told.
sub failures (@runs) {
    my @say;
    for my $run (@runs) {
        my $reasons = $run->{figures}{total}{reasons};
        next unless %$reasons;
        push @say, name($run) . ': ' . join(', ', map {"$reasons->{$_} × $_"} sort { $reasons->{$b} <=> $reasons->{$a} || $a cmp $b } keys %$reasons) . '.';
    }
    return @say ? escape(join ' ', @say) : 'No request failed.';
}

sub mix (@runs) {
    my %n;
    $n{ $_->{kind} }++ for @{ $runs[0]{requests} };
    my $all = @{ $runs[0]{requests} };
    return escape(join ', ', map { sprintf '%s %.0f %%', $_, 100 * $n{$_} / $all } sort { $n{$b} <=> $n{$a} } keys %n);
}

1;
