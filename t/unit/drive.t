#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# rds-drive before a server that misbehaves: what each kind of answer counts as, that a stall delays nobody, that signals
# end a run with whole results.
use v5.36;
use File::Temp ();
use FindBin ();
use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $drive = ($ENV{RF_BUILDDIR} // "$FindBin::Bin/../../build") . '/rds-drive';
-x $drive or BAIL_OUT("$drive is not built");
my $dir = File::Temp->newdir;

# The server: a process for each connection; what it does depends on the path.
my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1024) or die "cannot listen: $!";
my $url    = 'http://127.0.0.1:' . $listen->sockport;
my $server = fork // die "cannot fork: $!";
if (!$server) {
    setpgrp 0, 0;
    open STDOUT, '>', '/dev/null';
    $SIG{CHLD} = 'IGNORE';
    while (1) {
        my $client = $listen->accept or next;
        next if fork;
        serve($client);
        POSIX::_exit(0);
    }
}
END { local $?; kill 'KILL', -$server if $server }

sub serve ($client) {
    my $head = '';
    while (my $line = <$client>) { $head .= $line; last if $line =~ /^\r?\n/ }
    my ($method, $path) = $head =~ m{^(\S+) (\S+)};
    my $body = '';
    read $client, $body, $1 if $head =~ /Content-Length: (\d+)/i;
    sleep 2 if $path =~ /slow/;
    sleep 60 if $path =~ /never/;
    return if $path =~ /hangup/;
    my ($status, $more, $text) = (200, '', "you asked for $path and sent $body. GOOD\n");
    ($status, $text) = (500, "error\n") if $path =~ /error/;
    $text = "an empty page\n" if $path =~ /empty/;
    ($status, $more) = (307, "Location: /landed\r\nSet-Cookie: place=1; Path=/\r\n") if $path =~ /round/;
    ($status) = (403) if $path =~ /landed/ && $head !~ /Cookie: place=1/;
    # Sent round three times, as one who waits is; what the client brings back is in the answer.
    my ($leg) = $head =~ /^Cookie: leg=(\d)\r$/m;
    ($status, $more) = (307, "Location: $path\r\nSet-Cookie: leg=" . (($leg // 0) + 1) . "; Path=$path; Max-Age=30\r\n") if $path =~ /again/ && ($leg // 0) < 3;
    $text = "$method after leg $leg with $body. GOOD\n" if $path =~ /again/ && $leg;
    my $length = length($text) + ($path =~ /cut/ ? 100 : 0);
    print {$client} "HTTP/1.1 $status X\r\n${more}Content-Length: $length\r\nConnection: close\r\n\r\n$text";
}

sub drive (@argv) {
    unlink "$dir/lines";
    my $pid = fork // die "cannot fork: $!";
    return $pid if $pid;
    exec $drive, '--progress', 0, '--out', "$dir/out.json", '--tokens', "$dir/tokens", '--jsonl', "$dir/lines", @argv, "$url/" or POSIX::_exit(127);
}

sub slurp ($path) { open my $in, '<', $path or return ''; local $/; return <$in> // '' }

sub result { return JSON::PP->new->decode(slurp("$dir/out.json")) }

subtest 'what an answer counts as' => sub {
    my $free = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "cannot listen: $!";
    my $nobody = 'http://127.0.0.1:' . $free->sockport . '/';
    close $free;
    my %want = (
        good => [ 'ok',      '1 GET /good marker=GOOD' ],
        error => [ 'wrong',   '1 GET /error' ],
        meant => [ 'ok',      '1 GET /error expect=404,500' ],
        empty => [ 'wrong',   '1 GET /empty marker=GOOD' ],
        cut => [ 'unknown', '1 GET /cut' ],
        hangup => [ 'unknown', '1 POST /hangup body={token}' ],
        nobody => [ 'unsent',  "1 POST $nobody body={token}" ],
        never => [ 'unknown', '1 GET /never' ],
        round => [ 'ok',      '1 POST /round body=x marker=GOOD' ],
        written => [ 'ok',      '1 POST /written body=token={token} marker="sent token=T-"' ],
        denied => [ 'wrong',   '1 PUT /error/{token}' ]);
    waitpid drive('--rate', 60, '--duration', 4, '--timeout', '900ms', '--follow', '--token-prefix', 'T',
        map { ('--kind', "$_ $want{$_}[1]") } sort keys %want), 0;
    is $?, 0, 'the run took place';
    my $all = result();
    is $all->{total}{sent}, 240, 'every request was sent';
    is $all->{total}{ok} + $all->{total}{failed}, 240, 'and counted';
    for my $kind (sort keys %want) {
        my ($as) = $want{$kind}[0];
        my $sum = $all->{kinds}{$kind};
        ok $sum->{sent} && $sum->{$as} == $sum->{sent}, "$kind: all are $as" or diag explain $sum;
    }
    is scalar(@{ $all->{failed} }), $all->{total}{failed}, 'every failure is listed';
    my %line = map { $_->{n} => $_ } map { JSON::PP->new->decode($_) } split /\n/, slurp("$dir/lines");
    is scalar(keys %line), 240, 'a line for every request';
    my %outcome;
    my @tokens = map { [ split /\t/ ] } split /\n/, slurp("$dir/tokens");
    $outcome{ $_->[5] }{ $_->[1] }++ for @tokens;
    is_deeply { map { $_ => join ' ', keys %{ $outcome{$_} } } keys %outcome },
        { written => 'acknowledged', denied => 'failed', nobody => 'failed', hangup => 'unknown' }, 'what is known of each write';
    is scalar(keys %{ { map { $_->[0] => 1 } @tokens } }), scalar @tokens, 'no token twice';
};

my @AGAIN = ('--kind', 'form 1 POST /again/{token} body=token={token} marker="POST after leg 3 with token=T-"', '--kind', 'put 1 PUT /again/put body=x marker="PUT after leg 3 with x."',
    '--kind', 'page 1 GET /again marker="GET after leg 3 with ."');
subtest 'sent round' => sub {
    waitpid drive('--rate', 30, '--duration', 2, '--follow', '--token-prefix', 'T', @AGAIN), 0;
    my $all = result();
    is $all->{total}{ok}, 60, 'method, body and cookie come back with every leg, and no client has the cookie of another' or diag explain $all->{failed};
    is_deeply [ @{ $all->{total} }{qw(redirected redirects most_redirects)} ], [ 60, 180, 3 ], 'legs are counted';
    is_deeply $all->{statuses}, { 200 => 60 }, 'the answer is the last one';
    my @lines = map { JSON::PP->new->decode($_) } split /\n/, slurp("$dir/lines");
    is scalar(grep { $_->{redirects} == 3 } @lines), 60, 'in the lines too';

    waitpid drive('--rate', 30, '--duration', 2, '--token-prefix', 'T', @AGAIN, '--kind', 'meant 1 GET /again/meant expect=307'), 0;
    $all = result();
    is_deeply $all->{statuses}, { 307 => 60 }, 'without --follow the first answer is the only one';
    is $all->{total}{redirects}, 0, 'and nothing is followed';
    is $all->{total}{ok}, $all->{kinds}{meant}{sent}, 'which is right only if it is expected';
    unlike slurp("$dir/tokens"), qr/\tacknowledged\t/, 'and acknowledges no write';
};

subtest 'a stall delays nobody' => sub {
    waitpid drive('--rate', 50, '--duration', 3, '--kind', 'slow 9 GET /slow', '--kind', 'good 1 GET /good'), 0;
    my $all = result();
    is $all->{total}{ok}, 150, 'all were answered';
    my $least = (sort { $a <=> $b } map { $_->{latency_ms} } grep { $_->{kind} eq 'slow' } map { JSON::PP->new->decode($_) } split /\n/, slurp("$dir/lines"))[0];
    cmp_ok $least, '>=', 2000, 'latency counts the whole stall';
    is_deeply [ map { $_->{sent} } @{ $all->{seconds} }[0 .. 2] ], [ 50, 50, 50 ], 'each second had its requests';
    cmp_ok $all->{total}{in_flight_peak}, '>', 60, 'while more than a second of them were under way';
    is $all->{seconds}[0]{in_flight} >= 40 ? 'many' : 'few', 'many', 'and were seen to be';
};

sub wait_for_lines ($n) {
    my $end = time + 30;
    sleep 0.05 until time > $end || (() = slurp("$dir/lines") =~ /\n/g) >= $n;
}

subtest 'TERM waits for what is under way' => sub {
    my $pid = drive('--rate', 30, '--duration', 600, '--kind', 'good 1 GET /good', '--kind', 'slow 1 GET /slow');
    wait_for_lines(5);
    kill 'TERM', $pid;
    waitpid $pid, 0;
    my $all = result();
    is $?, 0, 'it ends well';
    is $all->{stopped}, 'SIGTERM', 'and says why';
    is $all->{total}{pending}, 0, 'nothing was cut short';
    is $all->{total}{ok}, $all->{total}{sent}, 'all were answered';
};

subtest 'INT ends at once' => sub {
    my $pid = drive('--rate', 30, '--duration', 600, '--kind', 'good 1 GET /good', '--kind', 'never 1 POST /never body={token}');
    wait_for_lines(5);
    kill 'INT', $pid;
    waitpid $pid, 0;
    my $all = result();
    is $?, 0, 'it ends well';
    is $all->{stopped}, 'SIGINT', 'and says why';
    cmp_ok $all->{total}{pending}, '>', 0, 'what was under way is pending';
    is $all->{kinds}{never}{failed}, 0, 'not failed';
    unlike slurp("$dir/tokens"), qr/\t(?:acknowledged|failed)\t/, 'a write cut short is unknown';
};

subtest 'bad usage' => sub {
    my $text = `$drive --rate 0 http://127.0.0.1/ 2>&1`;
    is $? >> 8, 2, 'exit code';
    like $text, qr/--rate: "0": .* accepted/, 'a sentence with option, value and what is accepted';
    $text = `$drive --out /nonexistent/x --rate 10 --duration 100ms $url/ 2>&1`;
    is $? >> 8, 1, 'results that cannot be written';
    like $text, qr{/nonexistent/x}, 'are named';
};

done_testing;
