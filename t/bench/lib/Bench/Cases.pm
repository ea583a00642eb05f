# SPDX-License-Identifier: Apache-2.0
package Bench::Cases;

# What must be shown of holding, each case with its figures and their bounds. A case is a function that returns
# { text => sentence, figures => {...}, missed => [what is beyond its bound] }.

use v5.36;
use Bench::Ours  ();
use Bench::Round ();
use RdsFailover::Httpd ();
use Time::HiRes qw(time sleep);

# The bounds, of the case `plain` and those that are like it.
my %BOUND = (ratio => 1.15, kb => 24, p99 => 10);

our @NAMES = qw(plain uneven cycles fpm tls leave post pipeline h2 prefork worker graceful unpaced);
my %CASE = (
    plain    => sub (%o) { crowd(%o) },
    uneven   => sub (%o) { crowd(%o, server => { uneven => 1 }, ratio => undef) },
    fpm      => sub (%o) { crowd(%o, server => { fpm => 1 }) },
    tls      => sub (%o) { crowd(%o, server => { tls => 1 }, round => { rate => 400 }, kb => undef) },
    post     => \&post,
    pipeline => sub (%o) { crowd(%o, round => { options => ['--pipeline', 4] }, no_order => 1, map { ($_ => undef) } qw(kb p99)) },
    leave    => \&leave,
    cycles   => \&cycles,
    h2       => \&h2,
    prefork  => sub (%o) { full(%o, server => { mpm => 'prefork', children => 150, threads => 1 }) },
    worker   => sub (%o) { full(%o, server => { mpm => 'worker' }) },
    graceful => \&graceful,
    unpaced  => \&unpaced,
);
# Clients and seconds; 0 clients: as many as that server can hold.
my %SIZE = ((map { $_ => [10000, 30] } qw(plain uneven fpm tls leave post)), pipeline => [2500, 10], cycles => [2000, 3],
    (map { $_ => [0, 10] } qw(h2 prefork worker)), graceful => [3000, 10], unpaced => [2000, 5]);

# Options: clients, hold; the case's own where they are not given.
sub run ($name, %option) {
    my $case = $CASE{$name};
    return $case->(%option, clients => $option{clients} || $SIZE{$name}[0], hold => $option{hold} || $SIZE{$name}[1]);
}

# What a round shows, and which of it is beyond its bound.
sub judge ($f, %bound) {
    my $crowd = $f->{crowd};
    my @missed;
    my $figure = sub ($what, $value, $most, $format) {
        return () if !defined $value;
        push @missed, $what if defined $most && $value > $most;
        return "$what " . sprintf($format, $value) . (defined $most ? " (at most $most)" : '');
    };
    push @missed, 'answers' if !Bench::Round::everyone($f);
    # Of pipelined requests the server cannot tell when they arrived.
    my $order = $bound{no_order} ? undef : Bench::Round::order($f);
    my $counts = $crowd->{counts};
    my $text = join '; ',
        sprintf('%d clients held %g s, %d of %d requests right', @$f{qw(clients hold_s)}, $counts->{ok}, $crowd->{requests})
            . join('', map { $counts->{$_} ? ", $_ $counts->{$_}" : () } qw(wrong none extra left redirects repeats)),
        sprintf('drain %.2f s', $f->{drain_s} // 0), $figure->('x ideal', $f->{ratio}, $bound{ratio}, '%.2f'),
        Bench::Round::shares($f), $figure->('at once', $f->{at_once}, $bound{at_once}, '%d'), $figure->('KB per held', $f->{kb_per_held}, $bound{kb}, '%.1f'),
        $figure->('KB of it not returned', $f->{kb_after}, undef, '%.1f'),
        (map { $figure->("static p99 ms in $_", $crowd->{side}{$_}{p99}, $bound{p99}, '%.1f') } qw(hold drain)),
        $figure->('CPU % while holding', Bench::Round::cpu($f), undef, '%.1f'),
        $order ? sprintf('out of order in a process p99 %.0f ms, most %.0f; on the host p99 %.0f, most %.0f',
            map { @{ $order->{$_} } } qw(process host)) : ();
    push @missed, 'the release does not end' if exists $f->{settled} && !$f->{settled};
    return { text => $text, figures => $f, missed => \@missed };
}

sub server (%o) { return Bench::Ours->new(requests => $o{clients}, %{ $o{server} // {} }) }

# Several rounds' worth of what is told.
sub together (@told) {
    return { text => join("\n  ", map { $_->{text} } @told), figures => [map { $_->{figures} } @told],
        missed => [map { @{ $_->{missed} } } @told] };
}

# A round on the event MPM.
sub crowd (%o) {
    my $server = server(%o);
    Bench::Round::warm_up($server, options => $o{warm} // $o{round}{options});
    my $f = Bench::Round::run($server, clients => $o{clients}, hold => $o{hold}, %{ $o{round} // {} });
    $server->stop;
    return judge($f, at_once => $server->{concurrency}, no_order => $o{no_order},
        map { $_ => exists $o{$_} ? $o{$_} : $BOUND{$_} } qw(ratio kb p99));
}

# Bodies that come at once, in chunks, when asked for, while the request waits, and when it does not wait any more.
sub post (%o) {
    my %few  = (%o, clients => $o{clients} < 2000 ? $o{clients} : 2000, hold => $o{hold} < 10 ? $o{hold} : 10, ratio => undef,
        p99 => undef);
    my %body = (kb => undef, warm => ['--post', 3000]);
    my $late = $few{hold} + 3;
    my @told = crowd(%o, %body, round => { options => ['--post', 3000] });
    my @late = map { [20000, '--body-late', $_] } '1s', "${late}s";
    for my $how ([3000, '--chunked'], [200000], [20000, '--expect'], @late) {
        my $told = crowd(%few, %body, round => { options => ['--post', @$how] });
        $told->{text} = "--post @$how: $told->{text}";
        push @told, $told;
    }
    return together(@told);
}

# Half of them leave while they wait.
sub leave (%o) {
    my @told;
    for my $how ([], ['--reset']) {
        my $server = server(%o);
        my $half   = int($o{clients} / 2);
        my ($noticed, $returned);
        Bench::Round::warm_up($server);
        my $f = Bench::Round::run($server, clients => $o{clients}, hold => $o{hold},
            options => ['--leave', 0.5, '--leave-after', '4s', @$how],
            during => sub ($crowd, $figures) {
                $crowd->wait_for('LEFT');
                my $left = time;
                RdsFailover::Httpd::wait_until(sub { $server->hold->{aborted} >= $half }, 10, 0.005);
                $noticed = 1000 * (time - $left);
                sleep 1;
                $returned = ($figures->{memory_kb}{full} - $server->tree->memory) / $half;
            });
        my $told = judge($f, at_once => $server->{concurrency}, map { $_ => $BOUND{$_} } qw(ratio kb p99));
        my $hold = $server->hold;
        my $ran  = $server->stats->{total};
        my $logged = grep { $_->{status} eq '499' } $server->httpd->accessed;
        push @{ $told->{missed} }, 'aborted' if $hold->{aborted} != $half;
        push @{ $told->{missed} }, 'ran' if $ran != $o{clients} - $half;
        push @{ $told->{missed} }, '499' if $logged != $half;
        $told->{text} .= sprintf '; %s: %d counted as aborted, the last within %.0f ms; %d logged as 499; %.1f KB of each returned '
            . 'at once; %d ran', @$how ? 'RST' : 'FIN', $hold->{aborted}, $noticed, $logged, $returned, $ran;
        push @told, $told;
        $server->stop;
    }
    return together(@told);
}

# The same over and over on one server: does it grow?
sub cycles (%o) {
    my $server = server(%o);
    my (@rounds, $wrong);
    Bench::Round::warm_up($server);
    for my $cycle (1 .. $o{cycles} // 20) {
        my $f = Bench::Round::run($server, clients => $o{clients}, hold => $o{hold}, rest => 1);
        $f->{descriptors_after} = $server->tree->descriptors;
        $wrong++ if !Bench::Round::everyone($f) || !$f->{settled};
        push @rounds, $f;
        printf STDERR "\rcycle %d: %d KB ", $cycle, $f->{memory_kb}{after} if -t STDERR;
    }
    print STDERR "\r\e[K" if -t STDERR;
    # Threads and pools keep what they once needed, so it grows less and less; a leak would go on.
    my $third = int(@rounds / 3) || 1;
    my ($middle, $late) = map { median(map { $_->{memory_kb}{after} } @rounds[$_ .. $_ + $third - 1]) } $third, @rounds - $third;
    my @ratio = sort { $a <=> $b } map { $_->{ratio} } @rounds;
    my @missed = ($wrong ? 'answers' : (), $late > 1.05 * $middle ? 'memory grows' : (),
        $rounds[-1]{descriptors_after} > $rounds[1]{descriptors_after} + 10 ? 'descriptors grow' : ());
    $server->stop;
    my @fds  = map { $_->{descriptors_after} } @rounds[1, -1];
    my $text = sprintf '%d cycles of %d clients, %d without a fault; KB after the first %d, after those of the middle third %d, of the '
        . 'last %d; descriptors %d, %d; drain x ideal %.2f to %.2f, median %.2f; static p99 ms in drain, worst cycle %.1f', scalar @rounds,
        $o{clients}, @rounds - ($wrong // 0), $rounds[0]{memory_kb}{after}, $middle, $late, @fds, @ratio[0, -1], median(@ratio),
        (sort { $b <=> $a } map { $_->{crowd}{side}{drain}{p99} // 0 } @rounds)[0];
    return { figures => \@rounds, missed => \@missed, text => $text };
}

sub median (@values) { @values = sort { $a <=> $b } @values; return $values[@values / 2] }

# As many as this server says that it can hold.
sub full (%o) {
    my $server = Bench::Ours->new(requests => 10000, %{ $o{server} });
    my $n = $server->hold->{capacity};
    Bench::Round::warm_up($server, clients => 20);
    my $f = Bench::Round::run($server, clients => $n, hold => $o{hold}, rate => 500);
    $server->stop;
    return judge($f, at_once => $server->{concurrency});
}

sub graceful (%o) {
    my $server = server(%o, server => { spare => 6 });
    my $n = 0;
    Bench::Round::warm_up($server);
    my $f = Bench::Round::run($server, clients => $o{clients}, hold => $o{hold}, during => sub ($crowd, $figures) {
        for (1 .. 5) { $n++ if $server->httpd->graceful_over }
    });
    $server->stop;
    my $told = judge($f, at_once => $server->{concurrency});
    $told->{text} .= "; graceful restarts meanwhile: $n";
    return $told;
}

# What pacing is for: the same with it and without.
sub unpaced (%o) {
    my @told;
    for my $concurrency (40, 10000) {
        my $server = server(%o, server => { threads => 100, concurrency => $concurrency });
        Bench::Round::warm_up($server);
        my $f = Bench::Round::run($server, clients => $o{clients}, hold => $o{hold});
        my $told = judge($f, $concurrency < 100 ? (at_once => $concurrency) : ());
        $told->{text} = "concurrency=$concurrency on 2 x 100 threads: $told->{text}";
        push @told, $told;
        $server->stop;
    }
    return together(@told);
}

# Streams, which keep a worker while they wait. h2load counts whole answers and their statuses.
sub h2 (%o) {
    grep { -x "$_/h2load" } split /:/, $ENV{PATH} or die "h2load is missing: apt-get install nghttp2-client\n";
    my $server = Bench::Ours->new(requests => 2000, http2 => 1);
    my $json   = $server->httpd->json;
    # Connections are not spread evenly over the processes, so fewer than it can hold.
    my $n = int(($json->{capacity}{blocking} // 20) / 4) * 2;
    my $connections = int(($n + 1) / 2);
    $n = 2 * $connections;
    $server->stats(reset => 1);
    $server->outage;
    open my $from, '-|', 'h2load', '-n', $n, '-c', $connections, '-m', 2, '-t', 1, $server->work or die "h2load: $!\n";
    my $held = RdsFailover::Httpd::wait_until(sub { ($server->hold->{now} // 0) >= $n }, 30);
    my $side = 0;
    for (1 .. 100) {
        my $asked = time;
        $server->httpd->get('/static.txt')->{status} == 200 or die "no file beside the streams\n";
        $side = time - $asked if time - $asked > $side;
    }
    sleep $o{hold};
    $server->release;
    my $text = do { local $/; scalar <$from> };
    my $settled = $server->settled;
    my ($good) = $text =~ /^status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx/m;
    my ($done) = $text =~ /(\d+) succeeded, 0 failed, 0 errored/;
    my $stats = $server->stats;
    my @missed = ($held ? () : 'held', ($good // 0) == $n && ($done // 0) == $n && $stats->{total} == $n ? () : 'answers',
        $settled ? () : 'the release does not end');
    $server->stop;
    my $told = sprintf '%d streams on %d connections held %g s, each in a worker: %s right, %d ran, at once %d; of 100 files beside them '
        . 'the slowest in %.1f ms', $n, $connections, $o{hold}, $good // 'not all', $stats->{total}, $stats->{max}, 1000 * $side;
    return { missed => \@missed, figures => { h2load => $text }, text => $told };
}

1;
