#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Every script at least parses; shell scripts also satisfy shellcheck where it is installed. Python is that of Amazon Linux 2023.
use v5.36;
use Test::More;
use RdsFailover::Lint qw(files slurp source_tree);

my $src = source_tree();
my $have_shellcheck = grep { -x "$_/shellcheck" } split /:/, $ENV{PATH};
my $have_php        = grep { -x "$_/php" } split /:/, $ENV{PATH};
my %seen;
for my $file (files(qr{.})) {
    my $first = slurp($file) =~ /\A([^\n]*)/ ? $1 : '';
    if ($file =~ /\.(?:pm|pl|t)$/ || $first =~ m{^#!.*\bperl\b}) {
        $seen{perl}++;
        my $out = qx{cd '$src' && '$^X' -I t/lib -I t/rig/lib -I t/bench/lib -c '$file' 2>&1};
        is($?, 0, "perl -c $file") or diag $out;
    }
    elsif ($first =~ m{^#!.*\b(ba)?sh\b} || $file =~ /\.sh$/) {
        # A part that is sourced has no first line of its own.
        my $shell = $first =~ /bash/ || slurp($file) =~ /^# shellcheck shell=bash\b/m ? 'bash' : 'sh';
        $seen{shell}++;
        my $out = qx{cd '$src' && $shell -n '$file' 2>&1};
        is($?, 0, "$shell -n $file") or diag $out;
        SKIP: {
            skip 'shellcheck: not installed', 1 if !$have_shellcheck;
            $out = qx{cd '$src' && shellcheck -S warning -e SC2046,SC2086 '$file' 2>&1};
            is($?, 0, "shellcheck $file") or diag $out;
        }
    }
    elsif ($file =~ /\.py$/ || $first =~ m{^#!.*\bpython3?\b}) {
        $seen{python}++;
        my $out = qx{cd '$src' && python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), feature_version=(3, 9))' '$file' 2>&1};
        is($?, 0, "$file parses as Python 3.9") or diag $out;
    }
    elsif ($file =~ /\.php$/) {
        $seen{php}++;
        SKIP: {
            skip 'php: not installed', 1 if !$have_php;
            my $out = qx{cd '$src' && php -l '$file' 2>&1};
            is($?, 0, "php -l $file") or diag $out;
        }
    }
    ok(-x "$src/$file", "$file is executable") if $first =~ /^#!/ && $file !~ /\.t$/;
}
ok($seen{$_}, "there are $_ scripts") for qw(perl shell python);
done_testing;
