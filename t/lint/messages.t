#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Every message's id is used in one place and listed in docs/messages.md with its level, and nothing is listed that is not said.
use v5.36;
use Test::More;
use RdsFailover::Lint qw(files slurp c_code);

my %LEVEL = (INFO => 'info', NOTICE => 'notice', WARNING => 'warning', ERR => 'error', ERROR => 'error', CRIT => 'crit', DEBUG => 'debug');
my (%level, %where);
for my $file (files(qr{^mod_rdsfailover/.*\.c$})) {
    my $code = c_code(slurp($file), strings => 1);
    while ($code =~ /APLOG_MARK,\s*APLOG_(\w+),[^;]*?"RF(\d{4}): /g)     { push @{ $where{$2} }, $file; $level{$2} = $1 }
    while ($code =~ /(?:\b|_)say\(\w+, RF_SAY_(\w+), (\d+), /g)  { my $id = sprintf '%04d', $2; push @{ $where{$id} }, $file; $level{$id} = $1 }
    # Any other way of saying something would pass by this test.
    my @loose = grep { !/^(?:RF\d{4}: |RF%04d: )/ } $code =~ /ap_log_\w*error\(APLOG_MARK,[^;]*?"([^"]*)"/g;
    is_deeply(\@loose, [], "$file: every message has an id");
}
cmp_ok(scalar keys %where, '>=', 20, 'messages were found');
is_deeply([map { "RF$_: @{ $where{$_} }" } grep { @{ $where{$_} } > 1 } sort keys %where], [], 'each id is used in one place');

my $manual = slurp('docs/messages.md');
my @rows = $manual =~ /^\| (RF\d{4}) \| (\w+) \| \S.* \| \S.* \|$/mg;
my %listed = @rows;
is(scalar keys %listed, @rows / 2, 'no id is listed twice');
is_deeply([sort keys %listed], [map { "RF$_" } sort keys %where], 'docs/messages.md lists what is said, nothing else');
for my $id (sort keys %listed) {
    my $said = $level{ $id =~ s/^RF//r } // next;
    is($listed{$id}, $LEVEL{$said}, "$id is of level $LEVEL{$said}");
}
done_testing;
