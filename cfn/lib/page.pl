#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The page of one class change: page.pl RUN.json PAGE.html. The drawing, the figures and the style are those of the demo's report;
# what a run is, cfn/lib/procedures/page.py tells.
use v5.36;
use utf8;
use File::Basename qw(dirname);
use JSON::PP ();
use List::Util qw(max min);
use POSIX qw(ceil strftime);
use Time::Local ();

my $rig;
BEGIN { $rig = dirname(__FILE__) . '/../../t/rig' }
use lib "$rig/lib";
use Demo::Chart ();
use Demo::Figures ();
use Demo::Table ();

# After the failover a stretch counts as steady when this many seconds have passed: those who waited are gone.
my $SETTLE = 13;

@ARGV == 2 or die "usage: page.pl RUN.json PAGE.html\n";
my $json = JSON::PP->new->utf8;
my $run  = $json->decode(slurp($ARGV[0]));
complete($run, requests(@{ $run->{records} }));
write_page($ARGV[1], page($run));

sub slurp ($path) { open my $in, '<:raw', $path or die "cannot read $path: $!\n"; local $/; return <$in> // '' }
sub escape ($text) { return Demo::Chart::escape($text // '') }

# RFC 3339 to epoch seconds.
sub epoch ($text) {
    return undef unless ($text // '') =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(\.\d+)?(?:Z|\+00:00)$/;
    return Time::Local::timegm_modern($6, $5, $4, $3, $2 - 1, $1) + ($7 // 0);
}

# All records of the traffic, in the order of their being due. What was under way when a script was killed has no line.
sub requests (@files) {
    my %failed = map { $_ => 1 } qw(wrong unsent unknown);
    my @lines = map { my $r = $_; {
        n => $r->{n}, kind => $r->{kind}, due => $r->{due}, status => $r->{status}, reason => $r->{reason},
        latency => defined $r->{latency_ms} ? $r->{latency_ms} / 1000 : undef,
        ok => $r->{outcome} eq 'ok' ? 1 : 0, failed => $failed{ $r->{outcome} } // 0, rounds => $r->{redirects} // 0,
    } } map { eval { $json->decode($_) } // () } map { split /\n/, slurp($_) } grep { -e } @files;
    return [ sort { $a->{due} <=> $b->{due} } @lines ];
}

# Into the shape of the demo's runs: seconds from the first request, failovers by the record of the host that noticed first.
sub complete ($run, $requests) {
    my $start = @$requests ? $requests->[0]{due} : $run->{began};
    $_->{due} -= $start for @$requests;
    my ($record) = sort { $a->{started} cmp $b->{started} } map { $_->[0] // () } @{ $run->{failovers} };
    my (@events, @seen);
    if ($record) {
        my $fault = epoch($record->{started}) - $start;
        my $at    = sub ($name, $key) { defined $record->{$key} ? { event => $name, at => $fault + $record->{$key} / 1000 } : () };
        @events = ({ event => 'fault', at => $fault }, $at->(promoted => 'outage_ms'), $at->(resolver_changed => 'dns_changed_ms'));
        @seen = ({ %$record, started => $fault });
    }
    my $length = @$requests ? $requests->[-1]{due} : 0;
    my ($from, $to) = $record ? ($events[0]{at}, ($events[1] // $events[0])->{at}) : ($length, $length);
    $run->{classes} = [ [ small => $run->{before} ], [ large => $run->{after} ] ];
    %$run = (%$run, label => 'with', module => 1, requests => $requests, events => [ @events ], rds_events => $run->{events}, length => $length,
        failovers => \@seen, started => $start, ledger => { writes => 0, lost => [], doubled => [], ghosts => [] },
        phases => [ { name => 'before', class => 'small', from => 0, to => $from - 1 },
            { name => 'upgraded', class => 'large', from => min($to + $SETTLE, $length), to => $length },
            { name => 'downgraded', class => 'small', from => 0, to => 0 } ]);
    $run->{figures} = Demo::Figures::compute($run);
}

sub page ($run) {
    my ($style) = slurp("$rig/report/page.html") =~ m{(<style>.*?</style>)}s or die "the demo's report has no style\n";
    utf8::decode($style);
    my $title = escape($run->{title});
    my $when  = strftime('%-d %B %Y, %H:%M UTC', gmtime $run->{began});
    return join "\n", '<!doctype html>', '<html lang="en"><head><meta charset="utf-8">', '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">', "<title>$title</title>", $style, '</head><body><main>', "<h1>$title</h1>",
        '<p class="lead">' . escape(ucfirst "$run->{procedure}, begun $when. $run->{lead}") . '</p>',
        '<div class="verdicts">', verdict($run), '</div>', key(), chart($run), '<div class="pair">', verified($run), moments($run), '</div>', events($run), figures($run),
        '</main></body></html>', '';
}

sub verdict ($run) {
    my @bad = map { $_->[2] } grep { $_->[1] eq 'refused' } @{ $run->{verdicts} };
    my $total = $run->{figures}{total};
    my ($big, $unit) = @{ $run->{requests} } ? ($total->{failed}, "of $total->{requests} requests failed") : (scalar @bad, 'things are not as they should be');
    return sprintf '<div class="verdict"><h2>%s</h2><p class="big %s">%s</p><p class="unit">%s</p><p>%s</p></div>', @bad ? 'Not as hoped' : 'As hoped',
        $big || @bad ? 'bad' : 'fine', Demo::Table::number($big), $unit, escape(@bad ? join(' ', map {"$_."} @bad) : 'What was verified afterwards is as it should be.');
}

sub key () {
    return '<ul class="key">' . join('', map { my ($color, $text) = @$_; qq(<li><i style="background:var(--$color)"></i>$text</li>) }
        [ good => 'answered' ], [ waited => "answered after more than $Demo::Figures::WAIT s" ], [ failed => 'failed' ], [ band => 'no database accepts writes' ]) . '</ul>';
}

sub chart ($run) {
    return '<p class="notes">No traffic was asked for (--traffic), so no request is on record here.</p>' unless @{ $run->{requests} };
    my $scale = { length => ceil($run->{length} + 1), most => ceil($run->{rate} * 1.1) || 1, longest => max(20, $run->{figures}{total}{longest} // 0) * 1.15 };
    return '<section class="run"><h2>' . $run->{rate} . ' requests a second</h2>' . Demo::Chart::draw($run, $scale) . '</section>';
}

sub verified ($run) {
    my %word = (ok => '', refused => 'no: ', 'not checked' => 'not checked: ');
    return '<section class="card"><h2>Verified</h2><table class="data"><tbody>'
        . join('', map { sprintf '<tr><th%s>%s</th></tr>', $_->[1] eq 'refused' ? ' class="bad"' : '', escape(($word{ $_->[1] } // '') . $_->[2]) } @{ $run->{verdicts} })
        . '</tbody></table></section>';
}

sub moments ($run) {
    return '' unless @{ $run->{figures}{failovers} };
    return '<section class="card wide"><h2>Moment by moment</h2><h3>Seconds from the first failure, by the record of the host that noticed first</h3>'
        . '<table class="data"><tbody>' . join('', map { my ($name, @cells) = @$_; '<tr><th>' . escape($name) . '</th>' . join('', map {"<td>$_</td>"} @cells) . '</tr>' }
        Demo::Table::moments($run)) . '</tbody></table></section>';
}

sub events ($run) {
    return '<section class="card wide"><h2>What RDS said</h2><table class="data"><tbody>' . join('', map {
        sprintf '<tr><th>%s</th><td>%s UTC</td></tr>', escape($_->[1]), escape(substr $_->[0], 11, 8) } @{ $run->{rds_events} }) . '</tbody></table></section>';
}

sub figures ($run) {
    return '' unless @{ $run->{requests} };
    my @stretch = map { my $s = $_; [ $s->{name} eq 'before' ? "p99 on $run->{before}" : "p99 on $run->{after}", { text => Demo::Table::duration($s->{p99}), bad => 0 } ] }
        @{ $run->{figures}{stretches} }[ 0, 1 ];
    my @groups = grep { $_->[0] eq 'Visitors' || $_->[0] =~ /^Time from due/ } Demo::Table::groups($run);
    my $row = sub ($r) { my ($name, $cell) = @$r; sprintf '<tr><th>%s</th><td%s>%s</td></tr>', escape($name), $cell->{bad} ? ' class="bad"' : '', escape($cell->{text}) };
    return '<section class="card wide"><h2>All figures</h2><table class="data">' . join('', map { my ($title, @rows) = @$_;
        '<tbody><tr class="group"><th colspan="2">' . escape($title) . '</th></tr>' . join('', map { $row->($_) } @rows) . '</tbody>' }
        @groups, [ 'While all was well', @stretch ]) . '</table></section>';
}

sub write_page ($path, $text) {
    open my $out, '>:encoding(UTF-8)', "$path.new" or die "cannot write $path: $!\n";
    print {$out} $text;
    close $out or die "cannot write $path: $!\n";
    rename "$path.new", $path or die "cannot write $path: $!\n";
}
