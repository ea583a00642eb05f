#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The table of directives, their documentation and the reference configuration name the same directives, contexts and defaults.
use v5.36;
use Test::More;
use RdsFailover::Lint qw(slurp);

my $code = slurp('mod_rdsfailover/mod_rdsfailover_directives.c');
my ($table) = $code =~ /rf_directives\[\] = \{(.*?)^\};/ms or die "there is no table of directives\n";
my (%context, %help);
while ($table =~ /AP_INIT_\w+\("(\w+)",\s*\w+,\s*\w+,\s*(\w+),\s*((?:"[^"]*"\s*)+)\)/g) {
    my ($name, $where, $text) = ($1, $2, $3);
    $context{$name} = $where;
    $help{$name} = join '', $text =~ /"([^"]*)"/g;
}
my @names = sort keys %context;
cmp_ok(scalar @names, '>=', 8, "the table has directives (@names)");

my $manual = slurp('docs/directives.md');
my %section = map { /\A(\w+)\n(.*)/s ? ($1 => $2) : () } split /^## /m, $manual;
is_deeply([sort keys %section], \@names, 'docs/directives.md describes the same directives');
is_deeply([$manual =~ /^## (RDS\w+)/mg], [sort { lc $a cmp lc $b } @names], 'in alphabetical order');

my $conf    = slurp('conf/rdsfailover.conf');
my %default = $conf =~ /^\s*#?\s*(RDSFailover\w*)[ \t]+(\S.*)$/mg;
is_deeply([sort keys %default], \@names, 'conf/rdsfailover.conf has the same directives');

for my $name (@names) {
    my $text = $section{$name} // '';
    my %field = $text =~ /^\| (\w+)\s*\| (.*?) \|$/mg;
    is_deeply([grep { !length($field{$_} // '') } qw(Description Syntax Default Context Compatibility)], [], "$name: every field is filled");
    is($field{Context} =~ /directory/ ? 'D' : 'S', $context{$name}, "$name: the context is the table's");
    if ($field{Default} =~ /^\Q$name\E (.*)$/) { is($default{$name}, $1, "$name: the default is the configuration's") }
    else { like($field{Default}, qr/^none/, "$name: has no default") }
    # [key=value] in the help is a default too.
    for my $pair ($help{$name} =~ /\[(\w+=\w+)\]/g) { like($field{Default}, qr/(?<!\w)\Q$pair\E(?!\w)/, "$name: $pair, as httpd's own message says") }
    # Each key that the setter knows is in the manual.
    my ($setter) = $table =~ /"$name",\s*(\w+)/;
    my ($body) = $code =~ /^static const char \*$setter\(.*?\n\{(.*?)^\}/ms or die "no setter of $name\n";
    if ($body =~ /keys\[\] = \{(.*?)NULL/s) {
        for my $key ($1 =~ /"(\w+)"/g) { like($text, qr/\b$key\b/, "$name: the manual has $key=") }
    }
}
done_testing;
