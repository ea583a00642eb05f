#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The documentation's commands: each block names its language, bash can parse what is shell, and this project's own programs know the
# options that they are called with, in blocks and in the text.
use v5.36;
use Test::More;
use File::Temp ();
use RdsFailover::Lint qw(files slurp source_tree build_dir);

my $src      = source_tree();
my %LANGUAGE = map { $_ => 1 } qw(apache haproxy ini json nginx perl php sh sql text yaml);
my $makefile = slurp('Makefile.am');
my @builds   = slurp('configure.ac') =~ /AC_ARG_(?:ENABLE|WITH)\(\[([\w-]+)\]/g;
# What automake makes by itself, of those that we speak of.
my %target = map { $_ => 1 } qw(all check dist distcheck html install), $makefile =~ /^([\w-]+):(?!=)/mg,
    map { split } $makefile =~ /^\.PHONY: (.*)$/mg;
my ($blocks, $calls) = (0, 0);

for my $file (files(qr{\.md$})) {
    my $text = slurp($file);
    my (@wrong, @shell);
    while ($text =~ /^ *```([^\n]*)\n(.*?)^ *```$/gms) {
        my ($language, $code, $at) = ($1, $2, $-[0]);
        my $line = 1 + (substr($text, 0, $at) =~ tr/\n//);
        $blocks++;
        push @wrong, "line $line: '$language' is no language of " . join ' ', sort keys %LANGUAGE if !$LANGUAGE{$language};
        next if $language ne 'sh';
        my $said = bash_says($code);
        push @wrong, "line $line: $said" if $said;
        push @shell, $code =~ s/\\\n\s*/ /gr;
    }
    # Commands in the text stand between backquotes.
    my $prose = $text =~ s/^ *```.*?^ *```$//gmsr;
    push @shell, grep { m{^(?:\./bootstrap|make|rds-\w+|t/|cfn/bin/|docs/|\./configure)\S* } } $prose =~ /`([^`\n]+)`/g;
    push @wrong, map { wrong_call($_) } map { split /\n|&&|\|\||;|\|/ } @shell;
    is(join("\n", @wrong), '', $file);
}
cmp_ok($blocks, '>=', 40, 'blocks were found');
cmp_ok($calls, '>=', 30, 'and calls of our own programs');

my $pages   = join '', map { slurp($_) } files(qr{\.md$});
is(join(' ', grep { $pages !~ /--(?:enable|with)-\Q$_\E\b/ } @builds), '', "options of configure are documented (@builds)");

# Options that a program takes are in its help. (Python's argparse does that by itself, shell scripts print their first comment.)
for my $file (files(qr{^(?:t/rig|t/bench|cfn/bin)/[\w-]+$})) {
    my $code = slurp($file);
    my ($perl) = $code =~ /\bGetOptions\(([^)]*)\)/s;
    my @takes = $code =~ /\A#!.*sh\b/ ? $code =~ /^\s+(?:-\w\s*\|\s*)?--([\w-]+)(?:=\*)?(?:\s*\|[^)\n]*)?\)/mg
        : defined $perl ? map { s/[=:!|].*//r } $perl =~ /'([\w-]+[^']*)'/g : ();
    next if !@takes;
    is_deeply([grep { $_ ne 'help' && help_of($file) !~ /--\Q$_\E\b/ } @takes], [], "$file: --help tells of every option (@takes)");
}
done_testing;

sub bash_says ($code) {
    my $script = File::Temp->new;
    print {$script} $code;
    close $script;
    my $said = qx{bash -n '$script' 2>&1};
    return $? ? $said =~ s/\Q$script\E/bash/gr =~ s/\n.*//sr : '';
}

# What is wrong with one simple command, if it calls something of ours.
sub wrong_call ($command) {
    my @words = split ' ', $command =~ s/(?:^|\s)#.*//r =~ s/^\s+//r;
    shift @words while @words && $words[0] =~ /^(?:sudo|time|exec|\w+=.*)$/;
    # What the project has in its folders is there, or is made of what is there.
    my @missing = grep { m{^(?:conf|cfn|docs|drupal-settings|t)/[\w./-]+$} && !m{^t/rig/out/} && !-e "$src/$_" && !-e "$src/$_.c" } @words;
    return "$command: there is no @missing" if @missing;
    my $program = shift @words // return;
    my @options = map {/^--([\w-]+)/} @words;
    if ($program eq 'make') {
        shift @words, shift @words if @words && $words[0] eq '-C';
        my @targets = grep { !/=|^-|'/ } @words;
        $calls++ if @targets;
        return map {"make $_: there is no such target"} grep { !$target{$_} && !/<|\*/ } @targets;
    }
    if ($program eq './configure') {
        $calls++;
        my %known = map { ("enable-$_" => 1, "with-$_" => 1) } @builds;
        return map {"./configure --$_: not in configure.ac"} grep { !$known{$_} } @options;
    }
    if ($program =~ /^rds-(?:drive|crowd)$/) {
        $calls++;
        return map {"$command: --$_ is not in its help"} grep { help_of(build_dir() . "/$program") !~ /--\Q$_\E(?![\w-])/ } @options;
    }
    $program =~ s{^\./}{};
    return if $program !~ m{^(?:bootstrap$|t/(?:rig|bench)/|t/run-tests$|cfn/bin/|docs/[\w-]+$)};
    $calls++;
    return "$program: there is no such program" if !-x "$src/$program" || -d _;
    return if !@options;
    my $asked = $program;
    if ($program eq 'bootstrap') { $asked = 't/rig/demo' if ($words[0] // '') eq 'demo' }
    my ($verb) = $program eq 't/rig/rig' ? grep { !/^-/ } @words : ();
    # What comes behind these is another program's.
    return if defined $verb && $verb =~ /^(?:enter|operate|sql)$/;
    my $help = help_of($asked, $verb // ());
    return map {"$command: --$_ is not in its help"} grep { $_ ne 'help' && $help !~ /--\Q$_\E(?![\w-])/ } @options;
}

sub help_of ($program, @verb) {
    state %help;
    return $help{"$program @verb"} //= do {
        my @command = ($program =~ m{^/} ? $program : "./$program", @verb);
        open my $pipe, '-|', 'sh', '-c', 'cd "$0" && exec "$@" --help 2>&1', $src, @command or die "$program: $!\n";
        local $/;
        my $said = <$pipe> // '';
        close $pipe;
        $said;
    };
}
