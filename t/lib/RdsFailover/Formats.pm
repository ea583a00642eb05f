# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Formats;

# Programs of others that judge what the status says. Each `*_lack` is the sentence of a skip, or nothing.
#
#   if (my $lack = RdsFailover::Formats::jsonschema_lack()) { plan skip_all => $lack }
#   is_deeply([RdsFailover::Formats::schema_problems($schema_file, $json, ...)], []);
#   is(RdsFailover::Formats::metrics_problems($text), '');
use v5.36;
use File::Temp ();

# The first python3 that has the module: the one in PATH need not be the distribution's.
sub python () {
    state $found = (grep { system("$_ -c 'import sys, jsonschema; jsonschema.Draft202012Validator' >/dev/null 2>&1") == 0 }
            'python3', '/usr/bin/python3')[0];
    return $found;
}

sub jsonschema_lack () { return python() ? () : 'jsonschema: no python3 with jsonschema here (package python3-jsonschema)' }
sub promtool_lack ()   { return promtool() ? () : 'promtool: not installed (package prometheus)' }

sub promtool () { return (grep { -x } map {"$_/promtool"} split /:/, $ENV{PATH})[0] }

# What is wrong with the schema, or with one of the documents by it.
sub schema_problems ($schema, @json) {
    my $dir = File::Temp->newdir;
    my @files = map { write_file("$dir/$_.json", $json[$_]) } 0 .. $#json;
    open my $out, '-|', python(), '-c', <<'PYTHON', $schema, @files or die "python3: $!\n";
import json, sys
from jsonschema import Draft202012Validator as Validator
schema = json.load(open(sys.argv[1]))
Validator.check_schema(schema)
for file in sys.argv[2:]:
    for e in Validator(schema).iter_errors(json.load(open(file))):
        print("/".join(str(x) for x in e.absolute_path), e.message[:200])
print("looked at", len(sys.argv) - 2)
PYTHON
    chomp(my @said = <$out>);
    close $out;
    # A judge that came to no end is no judge.
    return (@said, 'the validator did not finish') if !@said || pop @said ne 'looked at ' . @json;
    return @said;
}

# What promtool says of a scrape; nothing, if it is content.
sub metrics_problems ($text) {
    my $dir  = File::Temp->newdir;
    my $file = write_file("$dir/metrics", $text);
    my $tool = promtool();
    my $said = qx{'$tool' check metrics < '$file' 2>&1};
    return $? || length $said ? "status $?: $said" : '';
}

sub rules_problems ($file) {
    my $tool = promtool();
    my $said = qx{'$tool' check rules --lint=all --lint-fatal '$file' 2>&1};
    return $? ? "status $?: $said" : '';
}

# A text as HTML writes it.
sub escaped ($text) {
    my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;', "'" => '&#39;');
    return $text =~ s/([&<>"'])/$entity{$1}/gr;
}

# The families of a scrape: name => type.
sub families ($text) { return $text =~ /^# TYPE (\w+) (\w+)$/mg }

sub slurp ($path) {
    open my $in, '<:raw', $path or die "$path: $!\n";
    local $/;
    return scalar <$in> // '';
}

sub write_file ($path, $text) {
    open my $out, '>:raw', $path or die "$path: $!\n";
    print $out $text;
    close $out or die "$path: $!\n";
    return $path;
}

1;
