#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What .editorconfig promises, for editors that do not read it.
use v5.36;
use Test::More;
use RdsFailover::Lint qw(files slurp);

like(slurp('.editorconfig'), qr/trim_trailing_whitespace = true/, '.editorconfig is there');
for my $file (files(qr{.})) {
    next if $file =~ m{^(?:t/fuzz/corpus|t/unit/data)/|\.(?:png|jpg|ico|woff2?|gz|xz|der)$};
    my $text = slurp($file);
    my @wrong;
    push @wrong, 'is empty' if $text eq '';
    push @wrong, 'has a carriage return' if $text =~ /\r/;
    push @wrong, 'has blanks at the end of line ' . line($text, $-[0]) if $text =~ /[ \t]+$/m && $file ne 'LICENSE';
    push @wrong, 'has a tab in line ' . line($text, $-[0]) if $file =~ /\.(?:[ch]|pm|pl|t|php|ya?ml|md)$/ && $text =~ /\t/;
    push @wrong, 'does not end with one newline' if $text !~ /[^\n]\n\z/;
    push @wrong, 'is not UTF-8' if !utf8::decode(my $copy = $text);
    is(join('; ', @wrong), '', $file);
}
done_testing;

sub line ($text, $at) { return 1 + (substr($text, 0, $at) =~ tr/\n//) }
