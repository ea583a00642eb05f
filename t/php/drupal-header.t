#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The header on its way: PHP's own web server, a page whose database goes away.
use v5.36;
use FindBin qw($Bin);
use HTTP::Tiny;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'php: not installed' if !grep { -x "$_/php" } split /:/, $ENV{PATH};
my $port = do { IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport };
my $pid = fork // die "fork: $!\n";
if (!$pid) {
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', '/dev/null';
    exec 'php', '-d', 'output_buffering=0', '-S', "127.0.0.1:$port", '-t', "$Bin/drupal" or die "php: $!\n";
}
END { if ($pid) { local $?; kill 'TERM', $pid; waitpid $pid, 0 } }
my $http  = HTTP::Tiny->new(timeout => 60);
my $until = time + 60;
sleep 0.05 until IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") || time > $until;

for my $case (
    ['',                         200, undef,          'all is well'],
    ['status=404',               404, undef,          'a true 404'],
    ['code=2006',                200, 'not-executed', 'lost, and the page says nothing'],
    ['code=2006&status=500',     500, 'not-executed', 'lost, 500'],
    ['code=2006&status=404',     503, 'not-executed', 'lost: a false 404'],
    ['code=2006&status=403',     503, 'not-executed', 'lost: a false 403'],
    ['code=2006&write=1',        200, 'unknown',      'lost in a write'],
    ['code=1062&write=1',        200, undef,          'the statement\'s own fault'],
    ['code=1836&status=404',     404, 'not-executed', 'refused, not lost: the 404 is true'],
    ['code=2006&flush=1',        200, undef,          'lost after the first byte'],
) {
    my ($query, $status, $outcome, $what) = @$case;
    my $answer = $http->get("http://127.0.0.1:$port/page.php?$query");
    is($answer->{status}, $status, "$what: status");
    is($answer->{headers}{'rds-failover-outcome'}, $outcome, "$what: header");
}
done_testing;
