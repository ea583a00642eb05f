#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Links between the project's documents lead somewhere, their #fragments to a heading; and a link leads to each of them.
use v5.36;
use Test::More;
use RdsFailover::Lint qw(files slurp source_tree);
use Cwd qw(abs_path);
use File::Basename qw(dirname);

my $src   = source_tree();
my @pages = files(qr{\.md$});
my %linked;
for my $file (@pages) {
    my $text = slurp($file) =~ s/^```.*?^```//gmsr;
    my @dead;
    while ($text =~ /\[[^\]]*\]\(([^)\s]+)\)/g) {
        my $link = $1;
        next if $link =~ /^(?:https?|mailto):/;
        my ($path, $fragment) = split /#/, $link, 2;
        my $target = $path eq '' ? $file : dirname($file) . "/$path";
        if (!-e "$src/$target") { push @dead, $link; next }
        my $place = abs_path("$src/$target");
        $linked{ -d $place ? "$place/README.md" : $place } = 1 if $path ne '';
        next if !defined $fragment;
        my %heading = map { lc =~ s/[^\w -]//gr =~ s/ /-/gr => 1 } slurp($target) =~ /^#+ (.+)$/mg;
        push @dead, $link if !$heading{$fragment};
    }
    is("@dead", '', $file);
}
is(join(' ', grep { $_ ne 'README.md' && !$linked{ abs_path("$src/$_") } } @pages), '', 'a reader comes to every page');
done_testing;
