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
    my $lead  = escape(ucfirst "$run->{procedure}, begun " . strftime('%-d %B %Y, %H:%M UTC', gmtime $run->{began}) . ". $run->{lead}");
    return join "\n", '<!doctype html>', '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">', '<meta name="color-scheme" content="light dark">',
        "<title>$title</title>", $style, '</head><body><main>', "<h1>$title</h1>", qq(<p class="lead">$lead</p>),
        '<div class="verdicts">', verdict($run), '</div>', key(), chart($run),
        '<div class="pair">', verified($run), moments($run), '</div>', events($run), figures($run), '</main></body></html>', '';
}

# One row of a table: what, and the values beside it.
sub row ($what, @values) { return '<tr><th>' . escape($what) . '</th>' . join('', map { cell($_) } @values) . '</tr>' }

sub cell ($value) {
    my ($text, $bad) = ref $value ? @$value{qw(text bad)} : $value;
    return '<td' . ($bad ? ' class="bad"' : '') . '>' . escape($text) . '</td>';
}

sub card ($title, $head, @rows) {
    return qq(<section class="card wide"><h2>$title</h2>$head<table class="data"><tbody>) . join('', @rows) . '</tbody></table></section>';
}

sub verdict ($run) {
    my @bad = map {"$_->[2]."} grep { $_->[1] eq 'refused' } @{ $run->{verdicts} };
    my $total = $run->{figures}{total};
    my ($big, $unit) = @{ $run->{requests} } ? ($total->{failed}, "of $total->{requests} requests failed")
        : (scalar @bad, 'things are not as they should be');
    return sprintf '<div class="verdict"><h2>%s</h2><p class="big %s">%s</p><p class="unit">%s</p><p>%s</p></div>',
        @bad ? 'Not as hoped' : 'As hoped', $big || @bad ? 'bad' : 'fine', Demo::Table::number($big), $unit,
        escape(@bad ? "@bad" : 'What was verified afterwards is as it should be.');
}

sub key () {
    my @key = ([ good => 'answered' ], [ waited => "answered after more than $Demo::Figures::WAIT s" ], [ failed => 'failed' ],
        [ band => 'no database accepts writes' ]);
    return '<ul class="key">' . join('', map { my ($color, $text) = @$_; qq(<li><i style="background:var(--$color)"></i>$text</li>) } @key) . '</ul>';
}

sub chart ($run) {
    return '<p class="notes">No traffic was asked for (--traffic), so no request is on record here.</p>' unless @{ $run->{requests} };
    my $scale = {
        length => ceil($run->{length} + 1), most => ceil($run->{rate} * 1.1) || 1,
        longest => max(20, $run->{figures}{total}{longest} // 0) * 1.15,
    };
    return qq(<section class="run"><h2>$run->{rate} requests a second</h2>) . Demo::Chart::draw($run, $scale) . '</section>';
}

sub verified ($run) {
    my %word = (ok => '', refused => 'no: ', 'not checked' => 'not checked: ');
    return card('Verified', '', map { row(($word{ $_->[1] } // '') . $_->[2]) } @{ $run->{verdicts} });
}

sub moments ($run) {
    return '' unless @{ $run->{figures}{failovers} };
    return card('Moment by moment', '<h3>Seconds from the first failure, by the record of the host that noticed first</h3>',
        map { row(@$_) } Demo::Table::moments($run));
}

sub events ($run) {
    return card('What RDS said', '', map { row($_->[1], substr($_->[0], 11, 8) . ' UTC') } @{ $run->{rds_events} });
}

sub figures ($run) {
    return '' unless @{ $run->{requests} };
    my ($before, $after) = map { Demo::Table::duration($_->{p99}) } @{ $run->{figures}{stretches} }[ 0, 1 ];
    my @groups = grep { $_->[0] eq 'Visitors' || $_->[0] =~ /^Time from due/ } Demo::Table::groups($run);
    push @groups, [ 'While all was well', [ "p99 on $run->{before}", $before ], [ "p99 on $run->{after}", $after ] ];
    return card('All figures', '', map { my ($title, @rows) = @$_;
        ('<tr class="group"><th colspan="2">' . escape($title) . '</th></tr>', map { row(@$_) } @rows) } @groups);
}

sub write_page ($path, $text) {
    open my $out, '>:encoding(UTF-8)', "$path.new" or die "cannot write $path: $!\n";
    print {$out} $text;
    close $out or die "cannot write $path: $!\n";
    rename "$path.new", $path or die "cannot write $path: $!\n";
}
