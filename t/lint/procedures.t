#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# docs/upgrade.md has every check by its name, every exit code, variable and option of the scripts that it is the runbook of; --help
# explains every option, and each script says no to one that it does not know.
use v5.36;
use Test::More;
use RdsFailover::Lint qw(files slurp source_tree);

my $page  = slurp('docs/upgrade.md');
my @parts = grep { m{/procedures/} } files(qr{^cfn/lib/procedures/\w+\.py$});
my %text  = map { $_ => slurp($_) } @parts;
my $all   = join '', values %text;

my %check = map { $_ => 1 } $text{'cfn/lib/procedures/checks.py'} =~ /\brefuse\('([\w-]+)'/g;
ok(keys %check >= 8, scalar(keys %check) . ' checks refuse something');
my ($table) = $page =~ /^## What is refused(.*?)^## /ms;
like($table // '', qr/^\|[^|]*\b\Q$_\E\b[^|]*\|/m, "the page has the check $_") for sort keys %check;
my ($acceptable) = $text{'cfn/lib/procedures/checks.py'} =~ /^ACCEPTABLE = \(([^)]*)\)/m;
like($table // '', qr/\[\Q$_\E\]/, "and that $_ can be accepted") for $acceptable =~ /'([\w-]+)'/g;

my %variable = map { $_ => 1 } $all =~ /environ(?:\.get\(|\[)'((?:RDS|XDG|DATABASE)\w+)'/g;
ok($variable{RDS_AWS_ENDPOINT}, 'variables were found');
like($page, qr/`\Q$_\E`/, "the page has the variable $_") for sort keys %variable;

my ($codes) = $text{'cfn/lib/procedures/outcome.py'} =~ /^([\w, ]+) = range\(/m;
my @codes = split /, /, $codes // '';
ok(@codes > 3, 'exit codes were found');
like($page, qr/^Exit codes:.*\b$_ /ms, "the page has exit code $_") for 0 .. $#codes;

for my $script (qw(upgrade downgrade failover blue-green status)) {
    my $path = source_tree() . "/cfn/bin/$script";
    my $help = qx{'$path' --help 2>&1};
    is($?, 0, "$script --help");
    like($page, qr/`$script\b/, 'and the page has it');
    my @options = grep { $_ ne '--help' } $help =~ /^  (--[\w-]+)/mg;
    ok(@options > 5, 'has ' . @options . ' options');
    like($help, qr/^  \Q$_\E(?:,? \S+)*(?:  +|\n +)\S/m, "$script $_ is explained") for @options;
    like($page, qr/^\|[^|]*`\Q$_\E\b[^|]*\|/m, "$script $_ is on the page") for @options;
    my $said = qx{'$path' --stack demo --polly 3 2>&1};
    is($? >> 8, 2, "$script refuses an option that it does not know");
}
done_testing;
