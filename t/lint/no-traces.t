#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The project speaks of itself alone: no path of the machine it was written on, no address of a private network's host,
# nothing that looks like a credential.
use v5.36;
use Test::More;
use RdsFailover::Lint qw(files slurp);

my @TRACES = (
    [qr{(?<![\w.\$\}/])/(?:work|home|root|Users)/[a-z]\w+}, 'a path of one machine'],
    [qr{/tmp/(?!\$|%|X)[a-z]+\d+\b},                    'a scratch path of one machine'],
    [qr{\b(?:AKIA|ASIA)[0-9A-Z]{16}\b},                 'an AWS access key'],
    [qr{-----BEGIN [A-Z ]*PRIVATE KEY-----},            'a private key'],
    [qr{\b(?:ghp|gho|glpat)[_-]\w{20,}},                'an access token'],
    [qr{\b(?:10|192\.168)(?:\.\d+){2,3}\.internal\b},   'an internal host'],
    [qr{snapshot\.debian|/archive/debian/\d{8}T},       'a package mirror'],
);
# AWS's own published example key appears in the signature's test vectors.
my $ALLOWED = qr{AKIAIOSFODNN7EXAMPLE|AKIDEXAMPLE};
for my $file (files(qr{.})) {
    next if $file eq 't/lint/no-traces.t';
    my $text = slurp($file) =~ s/$ALLOWED//gr;
    my @found = map { my ($re, $what) = @$_; $text =~ $re ? "$what ($&)" : () } @TRACES;
    is(join('; ', @found), '', $file);
}
done_testing;
