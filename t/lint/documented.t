#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What the project understands and says is documented, and what is documented is there: JSON keys, environment variables, notes of the
# log; and wherever a page names a directive or a message, it exists. (directives.t, messages.t and metrics.t look at their manuals.)
use v5.36;
use Test::More;
use JSON::PP qw(decode_json);
use RdsFailover::Lint qw(files slurp c_code);

my %page   = map { $_ => slurp($_) } files(qr{\.md$});
my $pages  = join "\n", values %page;
my $module = join "\n", map { c_code(slurp($_), strings => 1) } files(qr{^mod_rdsfailover/.*\.[ch]$});
my $others = join "\n", map { slurp($_) } grep { !m{\.md$|^t/lint/} } files(qr{.});

# --- JSON ------------------------------------------------------------------------------------------------------------------------
my $schema = decode_json(slurp('docs/status.schema.json'));
my %key;    # path => 'leaf' or 'holds others'; those of a database and of a failover without what comes before
collect($schema->{properties}, '');
delete $key{databases};
cmp_ok(scalar keys %key, '>=', 90, 'the schema has keys');
my ($json) = $page{'docs/status.md'} =~ /^## JSON\n(.*?)^## Lines/ms or die "docs/status.md has no section JSON\n";
my %row;
for my $line (grep { /^\| `/ } split /\n/, $json) {
    my ($first, $rest) = $line =~ /^\| (.*?) \| (.*)/ or next;
    $row{$_} = $rest for $first =~ /`([a-z]\w*(?:\.\w+)*)`/g;
}
# Tables of values, not of keys.
my %value = map { $_ => 1 } map { @{ $_->{enum} // [] } ? grep {defined} @{ $_->{enum} } : () } everything($schema);
my $listed = sub ($path) {
    return 1 if exists $row{$path};
    my ($parent, $name) = $path =~ /^(.*)\.(\w+)$/ or return 0;
    return exists $row{$parent} && $row{$parent} =~ /`\Q$name\E\b/;
};
is(join(' ', grep { $key{$_} eq 'leaf' && !$listed->($_) } sort keys %key), '', 'docs/status.md has every key');
is(join(' ', grep { !$key{$_} && !$value{$_} && $_ ne 'databases' } sort keys %row), '', 'and no other');

# --- environment variables -------------------------------------------------------------------------------------------------------
my %filter = map { $_ => 1 } $module =~ /ap_register_\w+_filter\("(\w+)"/g;
my %speaks = map { $_ => 1 } grep { !$filter{$_} } $module =~ /"((?:RDS|RDSFAILOVER|DATABASE)_[A-Z_]+)[="]/g;
cmp_ok(scalar keys %speaks, '>=', 15, 'the module has variables');
is(join(' ', grep { ($page{'docs/environment.md'} . $page{'docs/directives.md'}) !~ /\b$_\b/ } sort keys %speaks), '', 'each is documented');
# Ours, in whatever part: the module, PHP, scripts, tests.
my $OURS = qr/(?:RDS|RDSFAILOVER|RF|RIG)_[A-Z_]+/;
my %named = map { $_ => 1 } grep { !/_$/ } $pages =~ /(?<![\w\$@])($OURS)\b/g;
is(join(' ', grep { my $name = s/_FILE$//r; $others !~ /\b$name\b/ } sort keys %named), '', 'and each that a page names is there');

# What tests and scripts read from their environment, unless they themselves put it there.
my %reads;
for my $file (files(qr{^(?:t/(?!lint/)|cfn/|bootstrap$|drupal-settings/)})) {
    my $code = slurp($file);
    $reads{$_} = $file for $code =~ /\$ENV\{($OURS)\}/g, $code =~ /environ(?:\.get\(|\[)['"]($OURS)['"]/g, $code =~ /\bgetenv\('($OURS)'/g,
        $file =~ m{^cfn/bin/|\.sh$|^bootstrap$} ? $code =~ /\$\{($OURS)[:-]/g : ();
}
my %puts = map { $_ => 1 } $others =~ /\b($OURS)(?:\s*=>|=(?!~))/g, $others =~ /\$ENV\{($OURS)\} *(?:\/\/|\|\|)?= /g,
    map { split } $others =~ /\@ENV\{qw\(([^)]*)\)\}/g;
cmp_ok(scalar keys %reads, '>=', 10, 'tests and scripts read variables');
is(join(' ', map {"$_ ($reads{$_})"} grep { !$puts{$_} && $pages !~ /\b$_\b/ } sort keys %reads), '', 'each is documented');

# --- notes of the log, and names in passing --------------------------------------------------------------------------------------
my %note = map { $_ => 1 } $module =~ /"(rdsfailover-[a-z]+)"/g;
delete $note{'rdsfailover-prober'};
my %told = map { $_ => 1 } $page{'docs/environment.md'} =~ /%\{(rdsfailover-\w+)\}n/g;
is_deeply([sort keys %told], [sort keys %note], 'docs/environment.md has the notes of the log');

# --- files -----------------------------------------------------------------------------------------------------------------------
my %there = map { s{^conf/}{}r => 1 } grep { $_ ne 'conf/README.md' } files(qr{^conf/});
is_deeply([sort($page{'conf/README.md'} =~ /\]\(([\w.-]+)\)/g)], [sort keys %there], 'conf/README.md lists what is in conf/');

my %directive = map { $_ => 1 } $page{'docs/directives.md'} =~ /^## (RDS\w+)/mg;
my %message   = map { $_ => 1 } $page{'docs/messages.md'} =~ /^\| (RF\d{4}) /mg;
for my $file (sort keys %page) {
    my $text = $page{$file} =~ s/^```text\n.*?^```$//gmsr;
    my @wrong = grep { !$directive{$_} } $text =~ /\b(RDSFailover(?:[A-Z]\w*)?)\b(?!\[|::)/g;
    push @wrong, grep { !$message{$_} } $text =~ /\b(RF\d{4})\b/g;
    is("@wrong", '', "$file: directives and messages are there");
}
done_testing;

# The names of a schema's properties, below `path`.
sub collect ($properties, $path) {
    for my $name (sort keys %$properties) {
        my $here = length $path ? "$path.$name" : $name;
        my ($what) = map { $_->{properties} || $_->{items} ? $_ : () } resolve($properties->{$name});
        if ($what && $what->{items}) {
            my ($item) = grep { $_->{properties} } resolve($what->{items});
            $key{$here} = $item ? 'holds others' : 'leaf';
            collect($item->{properties}, '') if $item;
        }
        elsif ($what) { $key{$here} = 'holds others'; collect($what->{properties}, $here) }
        else          { $key{$here} = 'leaf' }
    }
    return;
}

# What a schema may be: itself, what it refers to, each of its alternatives.
sub resolve ($it) {
    return map { resolve($_) } $schema->{'$defs'}{ $it->{'$ref'} =~ s{.*/}{}r } if $it->{'$ref'};
    my @some = map { @{ $it->{$_} // [] } } qw(anyOf oneOf);
    return @some ? map { resolve($_) } @some : $it;
}

sub everything ($it) {
    return ref $it eq 'HASH' ? ($it, map { everything($_) } values %$it) : ref $it eq 'ARRAY' ? map { everything($_) } @$it : ();
}
