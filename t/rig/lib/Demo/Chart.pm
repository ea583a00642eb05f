# SPDX-License-Identifier: Apache-2.0
# The timeline of one run as HTML with inline SVG. The drawing stretches with the page (preserveAspectRatio none);
# every text is HTML placed by percent, so it keeps its size on a phone and on a wide screen, without a script.
package Demo::Chart;
use v5.36;
use List::Util qw(max min);
use Demo::Figures ();
use Demo::Table ();

my $LEAST = 0.001;    # latencies are drawn from a millisecond on

sub escape ($text) { return $text =~ s/&/&amp;/gr =~ s/</&lt;/gr =~ s/>/&gt;/gr =~ s/"/&quot;/gr }

sub percent ($part, $whole) { return sprintf '%.3f%%', 100 * $part / $whole }

# $scale: {length, most, longest}, the same for all runs of a page.
sub draw ($run, $scale) {
    my $length = $scale->{length};
    my $bands  = bands($run, $length);
    return join "\n", '<div class="chart">', phases($run, $length),
        '<h3>Requests due in each second, by what became of them</h3>',
        plot('bars', $run, $scale, $bands, count_axis($scale->{most}), bars($run, $scale)),
        '<h3>Each request: from due to answered or failed</h3>',
        plot('dots', $run, $scale, $bands, time_axis($scale->{longest}), dots($run, $scale)),
        clock($length), '</div>';
}

sub plot ($name, $run, $scale, $bands, $axis, $drawing) {
    return qq(<div class="plot $name">$axis<div class="field">$bands$drawing</div></div>);
}

sub svg ($width, $height, $inner) {
    return qq(<svg viewBox="0 0 $width $height" preserveAspectRatio="none" aria-hidden="true">$inner</svg>);
}

# ---- what lies behind and above the drawing --------------------------------------------------------------------------

sub bands ($run, $length) {
    my $html = '';
    for my $f (@{ $run->{figures}{failovers} }) {
        my $back = $f->{promoted} // $f->{until};
        my $to   = min($back, $length);
        $html .= sprintf '<i class="band" style="left:%s;width:%s"></i>', percent($f->{fault}, $length), percent($to - $f->{fault}, $length);
        my $dns = $f->{resolver_changed};
        $html .= sprintf '<i class="line" style="left:%s"></i>', percent($dns, $length) if defined $dns && $dns < $length;
    }
    return $html;
}

# The lane on top: which class serves, and when nobody does.
sub phases ($run, $length) {
    my @f = @{ $run->{figures}{failovers} };
    # In turn; the style's name and that of a person.
    my @class = @{ $run->{classes} // [ [ small => 'small class' ], [ large => 'larger class' ] ] };
    my @spans;
    my $from = 0;
    for my $i (0 .. $#f) {
        push @spans, [ $from, $f[$i]{fault}, @{ $class[ $i % 2 ] } ];
        $from = $f[$i]{promoted} // $run->{length};
        push @spans, [ $f[$i]{fault}, $from, 'gone', 'no database' ];
    }
    my $end = min($run->{length} + 1, $length);
    push @spans, [ $from, $end, @{ $class[ @f % 2 ] } ] if $from < $end;
    my $html = '<div class="lane">';
    for my $s (@spans) {
        my ($begin, $end, $class, $text) = @$s;
        $html .= sprintf '<span class="%s" style="left:%s;width:%s"><b>%s</b></span>', $class, percent($begin, $length),
            percent(min($end, $length) - $begin, $length), $text;
    }
    return $html . '</div>' . holds($run, $length);
}

# Below it, with the module: while requests wait.
sub holds ($run, $length) {
    my @spans = map { [ $_->{detected}, $_->{released} // $run->{length} ] } grep { defined $_->{detected} } @{ $run->{figures}{failovers} };
    return '' unless @spans;
    return '<div class="lane">' . join('', map {
        sprintf '<span class="hold" style="left:%s;width:%s"><b>requests wait</b></span>', percent($_->[0], $length), percent(min($_->[1], $length) - $_->[0], $length)
    } @spans) . '</div>';
}

sub ticks (@ticks) {
    return '<div class="axis">' . join('', map { sprintf '<span style="bottom:%s">%s</span>', percent($_->[0], 1), $_->[1] } @ticks) . '</div>';
}

sub count_axis ($most) {
    my ($step) = grep { $most / $_ <= 4 } 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000;
    return ticks(map { [ $_ * $step / $most, $_ * $step ] } 0 .. int($most / $step));
}

sub height ($latency, $longest) {
    my $l = max($LEAST, min($latency, $longest));
    return log($l / $LEAST) / log($longest / $LEAST);
}

sub time_axis ($longest) {
    my @at = grep { $_->[0] <= $longest } [ 0.001, '1 ms' ], [ 0.01, '10 ms' ], [ 0.1, '0.1 s' ], [ 1, '1 s' ], [ 10, '10 s' ], [ 60, '60 s' ];
    return ticks(map { [ height($_->[0], $longest), $_->[1] ] } @at);
}

sub clock ($length) {
    my ($step) = grep { $length / $_ <= 10 } 10, 20, 30, 60, 120, 300, 600;
    return '<div class="clock">' . join('', map {
        sprintf '<span style="left:%s">%s</span>', percent($_ * $step, $length), $_ ? sprintf('%d:%02d', $_ * $step / 60, $_ * $step % 60) : '0:00'
    } 0 .. int($length / $step)) . '</div>';
}

# ---- the drawing -------------------------------------------------------------------------------------------------------

sub bars ($run, $scale) {
    my ($length, $most) = @$scale{qw(length most)};
    my (%path, $tips);
    my $rows = Demo::Figures::seconds($run->{requests}, $length);
    for my $s (0 .. $#$rows) {
        my $row = $rows->[$s];
        my $at  = 0;
        for my $kind (qw(good waited failed)) {
            my $n = $row->{$kind} or next;
            $path{$kind} .= sprintf 'M%d.06 %gv%gh.88v%gz', $s, $most - $at, -$n, $n;
            $at += $n;
        }
        next unless $at;
        my $tip = sprintf '%d:%02d – %d requests: %d answered', $s / 60, $s % 60, $at, $row->{good} + $row->{waited};
        $tip .= ", $row->{waited} of them after more than $Demo::Figures::WAIT s" if $row->{waited};
        $tip .= ", $row->{failed} failed" if $row->{failed};
        $tip .= '; longest ' . Demo::Table::duration($row->{longest}) if defined $row->{longest};
        $tips .= sprintf '<rect x="%d" y="0" width="1" height="%g" class="tip"><title>%s</title></rect>', $s, $most, escape($tip);
    }
    return svg($length, $most, join('', map { qq(<path class="$_" d="$path{$_}"/>) } grep { $path{$_} } qw(good waited failed)) . ($tips // ''));
}

sub dots ($run, $scale) {
    my %path;
    for my $r (@{ $run->{requests} }) {
        next unless defined $r->{latency};
        my $kind = $r->{failed} ? 'failed' : $r->{latency} > $Demo::Figures::WAIT ? 'waited' : 'good';
        $path{$kind} .= sprintf 'M%.2f %.1fh0', $r->{due}, 200 * (1 - height($r->{latency}, $scale->{longest}));
    }
    my $grid = join '', map { sprintf 'M0 %.1fH%g', 200 * (1 - height($_, $scale->{longest})), $scale->{length} } grep { $_ < $scale->{longest} } 0.01, 0.1, 1, 10;
    return svg($scale->{length}, 200, qq(<path class="grid" d="$grid"/>)
            . join('', map { qq(<path class="$_" d="$path{$_}"/>) } grep { $path{$_} } qw(good waited failed)));
}

1;
