#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# docs/make-html makes a page of each page, with links and anchors that lead somewhere; pictures are what their text draws.
use v5.36;
use Test::More;
use File::Basename qw(dirname);
use File::Temp ();
use RdsFailover::Lint qw(files slurp source_tree command_output);

my $src = source_tree();
for my $picture (files(qr{^docs/[\w-]+\.svg$})) {
    my $text = $picture =~ s/\.svg$/.txt/r;
    is(slurp($picture), command_output("$src/docs/draw", "$src/$text"), "$picture is drawn from $text");
}

my @python = split ' ', slurp('docs/make-html') =~ /\A#!(.*)/ ? $1 : '';
my @pages  = files(qr{\.md$});
SKIP: {
    skip 'markdown: python3-markdown is not installed', 2 + @pages if system("@python -c 'import markdown' 2>/dev/null") != 0;
    my $out  = File::Temp->newdir;
    my $said = qx{'$src/docs/make-html' '$out' 2>&1};
    is("$? $said", '0 ', 'docs/make-html');
    my %page = map { my $file = $_ =~ s/\.md$/.html/r; $file => -e "$out/$file" ? slurp("$out/$file") : '' } @pages;
    for my $file (sort keys %page) {
        my $html = $page{$file};
        my @wrong;
        push @wrong, 'is not there' if !length $html;
        my $words = $html =~ s{<(pre|code)\b.*?</\1>}{}gsr;
        push @wrong, "'$1' is Markdown still" if $words =~ /(```|^\|.*\|$|\]\([^)\s]+\))/m;
        for my $link ($html =~ /(?:href|src)="([^"]*)"/g) {
            next if $link =~ /^(?:https?|mailto):/;
            my ($path, $anchor) = split /#/, $link, 2;
            my $to = $path eq '' ? $file : clean(dirname($file) . "/$path");
            if (!-e "$out/$to") { push @wrong, "$link leads nowhere"; next }
            push @wrong, "$link: there is no such anchor" if defined $anchor && ($page{$to} // '') !~ /\bid="\Q$anchor\E"/;
        }
        is(join("\n", @wrong), '', $file);
    }
    is(slurp("$out/index.html"), $page{'README.html'}, 'index.html is README.md');
}
done_testing;

sub clean ($path) {
    1 while $path =~ s{(?:^|/)\.(?=/|$)}{}g || $path =~ s{(?:^|(?<=/))(?!\.\./)[^/]+/\.\./}{};
    return $path =~ s{^/}{}r;
}
