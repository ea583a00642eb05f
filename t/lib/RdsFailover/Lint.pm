# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Lint;

# What the lint tests share: the project's files, and their text without comments and strings.

use v5.36;
use Exporter 'import';
our @EXPORT_OK = qw(source_tree files slurp c_code build_dir stage command_output);

sub source_tree () { return $ENV{RF_SRCDIR} || die "RF_SRCDIR is not set; run this through make check-lint\n" }
sub build_dir ()   { return $ENV{RF_BUILDDIR} || die "RF_BUILDDIR is not set; run this through make check-lint\n" }
sub stage ()       { return build_dir() . '/stage/modules' }

# The project's files whose name matches, relative to the source tree: what git knows or would take; all, in a release.
# Dies when there is none: a check that finds nothing to check must not pass.
sub files ($pattern) {
    state @all = do {
        my $src = source_tree();
        my @list = -e "$src/.git"
            ? split /\0/, command_output('git', '-c', 'safe.directory=*', '-C', $src, 'ls-files', '-coz', '--exclude-standard')
            : map { s{^\./}{}r } split /\0/, command_output('sh', '-c', 'cd "$1" && find . -type f -print0', 'sh', $src);
        my @made = qw(configure Makefile.in aclocal.m4 config.h.in sources.am);
        my %made = map { $_ => 1 } @made;
        grep { !$made{$_} && !m{^(?:m4/(?:lib|lt)|build-aux/(?!list-sources)|autom4te|build/|_build)} && -f "$src/$_" } sort @list;
    };
    my @found = grep { $_ =~ $pattern } @all;
    die "no file matches $pattern\n" if !@found;
    return @found;
}

sub slurp ($file) {
    my $path = $file =~ m{^/} ? $file : source_tree() . "/$file";
    open my $in, '<:raw', $path or die "$path: $!\n";
    local $/;
    return scalar <$in> // '';
}

# C without comments; strings become "" unless asked for. Lines stay where they are.
sub c_code ($text, %keep) {
    my $blank = sub ($s) { return $s =~ tr/\n//cdr };
    $text =~ s{
        (/\*.*?\*/ | //[^\n]*)                 # comment
      | ("(?:\\.|[^"\\\n])*")                  # string
      | ('(?:\\.|[^'\\\n])+')                  # character
    }{
        defined $1 ? ' ' . $blank->($1) : defined $2 ? ($keep{strings} ? $2 : '""') : $3
    }gesx;
    return $text;
}

# Standard output of a command that must succeed.
sub command_output (@command) {
    open my $pipe, '-|', @command or die "$command[0]: $!\n";
    local $/;
    my $out = <$pipe> // '';
    close $pipe or die "@command: failed\n";
    return $out;
}

1;
