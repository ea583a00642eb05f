#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Links between the project's documents lead somewhere, their #fragments to a heading.
use v5.36;
use Test::More;
use RdsFailover::Lint qw(files slurp source_tree);
use File::Basename qw(dirname);

my $src = source_tree();
for my $file (files(qr{\.md$})) {
    my $text = slurp($file) =~ s/^```.*?^```//gmsr;
    my @dead;
    while ($text =~ /\[[^\]]*\]\(([^)\s]+)\)/g) {
        my $link = $1;
        next if $link =~ /^(?:https?|mailto):/;
        my ($path, $fragment) = split /#/, $link, 2;
        my $target = $path eq '' ? $file : dirname($file) . "/$path";
        if (!-e "$src/$target") { push @dead, $link; next }
        next if !defined $fragment;
        my %heading = map { lc =~ s/[^\w -]//gr =~ s/ /-/gr => 1 } slurp($target) =~ /^#+ (.+)$/mg;
        push @dead, $link if !$heading{$fragment};
    }
    is("@dead", '', $file);
}
done_testing;
