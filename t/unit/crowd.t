#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# rds-crowd before a server that does what it should, and one that does not: nothing that is missing, wrong or too much may pass.
use v5.36;
use FindBin ();
use lib "$FindBin::Bin/../lib";
use Compress::Zlib qw(crc32);
use File::Temp ();
use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

my $crowd = ($ENV{RF_BUILDDIR} // "$FindBin::Bin/../../build") . '/rds-crowd';
-x $crowd or BAIL_OUT("$crowd is not built");
my $dir = File::Temp->newdir;

# The server: a process for each connection; what it does depends on the path.
my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1024) or die "cannot listen: $!";
my $url    = 'http://127.0.0.1:' . $listen->sockport;
my $server = fork // die "cannot fork: $!";
if (!$server) {
    setpgrp 0, 0;
    $SIG{CHLD} = 'IGNORE';
    while (1) {
        my $client = $listen->accept or next;
        next if fork;
        while (serve($client)) { }
        POSIX::_exit(0);
    }
}
END { local $?; kill 'KILL', -$server if $server }

# One request. True if the connection stays.
sub serve ($client) {
    my $head = '';
    while (my $line = <$client>) { $head .= $line; last if $line =~ /^\r?\n/ }
    my ($method, $path) = $head =~ m{^(\S+) /(\S*)} or return 0;
    my $token = $head =~ /^X-Crowd: (\S+)\r$/m ? $1 : '-';
    sleep 60 if $path eq 'never';
    return 0 if $path eq 'hangup';
    my $send = sub ($status, $more, $text) {
        syswrite $client, "HTTP/1.1 $status X\r\n${more}Content-Length: " . length($text) . "\r\n\r\n$text";
    };
    if ($path eq 'round' && $head !~ /^Cookie: place=1\r$/m) {
        # The body is not read, as of a request that waits.
        $send->(307, "Location: /round\r\nSet-Cookie: place=1; Path=/\r\nConnection: close\r\n", '');
        shutdown $client, 1;
        while (sysread $client, my $rest, 65536) { }
        return 0;
    }
    syswrite $client, "HTTP/1.1 100 Continue\r\n\r\n" if $head =~ /^Expect: 100-continue/m;
    my $body = '';
    if ($head =~ /^Content-Length: (\d+)/m) { read $client, $body, $1 }
    elsif ($head =~ /^Transfer-Encoding: chunked/m) {
        while (<$client> =~ /^([0-9a-f]+)\r/) {
            read $client, (my $chunk), hex $1;
            $body .= $chunk;
            <$client>;
            last if $chunk eq '';
        }
    }
    $body .= 'x' if $path eq 'other-body';
    my $text = sprintf "ok %d %08x %d %s\n", $$, crc32($body), length $body, $path eq 'other-client' ? '99-0' : $token;
    if ($path eq 'cut')    { syswrite $client, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n$text"; return 0 }
    if ($path eq 'busy')   { $send->(503, '', $text); return 1 }
    if ($path eq 'closes') { $send->(200, "Connection: close\r\n", $text); return 0 }
    $send->(200, '', $text);
    $send->(200, '', $text) if $path eq 'twice';
    return 1;
}

sub run (@argv) {
    my $pid = fork // die "cannot fork: $!";
    if (!$pid) {
        open STDOUT, '>', "$dir/said";
        open STDERR, '>', "$dir/complaint";
        exec $crowd, '--out', "$dir/out.json", '--timeout', '30s', @argv or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    my $exit = $? >> 8;
    open my $in, '<', "$dir/out.json" or return { exit => $exit };
    local $/;
    return { exit => $exit, %{ JSON::PP::decode_json(<$in>) } };
}

# The counts that are not 0, connections apart.
sub counts ($run) {
    my %counts = %{ $run->{counts} };
    delete @counts{ 'connections', grep { !$counts{$_} } keys %counts };
    return \%counts;
}

for my $good (
    ['one request',        [],                                     { ok => 4 }],
    ['three, in sequence', ['--each', 3],                          { ok => 12 }],
    ['three, at once',     ['--pipeline', 3],                      { ok => 12 }],
    ['a body',             ['--post', 100_000],                    { ok => 4 }],
    ['in chunks',          ['--post', 100_000, '--chunked'],       { ok => 4 }],
    ['a late one',         ['--post', 5000, '--body-late', '50ms'], { ok => 4 }],
    ['one that is asked for', ['--post', 5000, '--expect'],        { ok => 4 }],
    ['bodies, at once',    ['--post', 5000, '--chunked', '--pipeline', 3], { ok => 12 }],
) {
    my ($what, $options, $expected) = @$good;
    my $run = run('--clients', 4, @$options, "$url/work");
    is_deeply(counts($run), $expected, $what) or diag explain $run;
    is($run->{exit}, 0, 'is right');
}
for my $round (['followed'], ['with a body', '--post', 50_000], ['with a late one', '--post', 5000, '--body-late', '50ms']) {
    my ($what, @options) = @$round;
    is_deeply(counts(run('--clients', 4, '--follow', @options, "$url/round")), { ok => 4, redirects => 4 }, "a redirect, $what");
}
is_deeply(counts(run('--clients', 4, '--each', 3, "$url/closes")), { ok => 12 },
    'a connection that is closed after each answer is opened again');
is_deeply(counts(run('--clients', 4, '--pipeline', 3, "$url/closes")), { ok => 12, repeats => 4 * (2 + 1) },
    'what was written behind is asked again');

for my $bad (
    ['no answer',               'hangup',       { none => 4 }],
    ['a part of one',           'cut',          { none => 4 }],
    ['another status',          'busy',         { wrong => 4 }],
    ['a checksum of something else', 'other-body', { wrong => 4 }],
    ['another client\'s answer', 'other-client', { wrong => 4 }],
    ['two answers',             'twice',        { ok => 4, extra => 4 }],
    ['a redirect that is not to be followed', 'round', { wrong => 4 }],
) {
    my ($what, $path, $expected) = @$bad;
    my $run = run('--clients', 4, "$url/$path");
    is_deeply(counts($run), $expected, "$what is noticed") or diag explain $run;
    is($run->{exit}, 3, 'and said');
}
my $run = run('--clients', 4, '--timeout', '300ms', "$url/never");
is_deeply($run->{reasons}, { timeout => 4 }, 'a server that never answers');
$run = run('--clients', 4, '--leave', 0.5, '--leave-after', '10ms', '--leave-over', '10ms', '--timeout', '500ms', "$url/never");
is_deeply(counts($run), { left => 2, none => 2 }, 'who leaves is counted apart');
open my $said, '<', "$dir/said";
is_deeply([<$said>], ["BEGUN\n", "READY 4\n", "LEFT 2\n"], 'and it is said when');

$run = run('--clients', 4, '--side', "$url/work", '--before', '200ms', "$url/work");
cmp_ok($run->{side}{before}{n}, '>=', 5, 'somebody asks beside them');
is($run->{side}{before}{failed}, $run->{side}{before}{n}, 'to whom a connection that stays open is no answer');
$run = run('--clients', 4, '--side', "$url/closes", '--before', '200ms', "$url/work");
is($run->{side}{before}{failed}, 0, 'and one that ends is');

my @both = ('--post', 5, '--expect', '--body-late', 1);
for my $wrong (['--clients', 0], ['--expect'], \@both, ['--leave', 2], ['--nothing'], ['ftp://x/']) {
    is(run(@$wrong, $wrong->[0] eq 'ftp://x/' ? () : "$url/")->{exit}, 2, "@$wrong is refused");
}
done_testing;
