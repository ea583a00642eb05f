#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What t/unit/report_page.c makes of each moment, judged by others: the JSON by its schema, the metrics by promtool, the page by what
# a browser makes of its policy.
use v5.36;
use Test::More;
use Digest::SHA qw(sha256_base64);
use File::Temp ();
use JSON::PP   ();
use RdsFailover::Formats;

my $program = "$ENV{RF_BUILDDIR}/t/unit/report_page";
my $dir     = File::Temp->newdir;
is(system($program, "$dir"), 0, 'the moments are written') or BAIL_OUT("$program does not run");
my @moments = map { m{([^/]+)\.html$} } glob "$dir/*.html";
cmp_ok(scalar @moments, '>=', 10, 'many');
my %text;
for my $moment (@moments) { $text{$moment}{$_} = slurp("$dir/$moment.$_") for qw(html json auto metrics modstatus modstatus-auto policy) }

SKIP: {
    my $lack = RdsFailover::Formats::jsonschema_lack();
    skip $lack, 1 if $lack;
    my $schema = "$ENV{RF_SRCDIR}/docs/status.schema.json";
    is(join("\n", RdsFailover::Formats::schema_problems($schema, map { $text{$_}{json} } @moments)), '', 'all JSON is as the schema says');
    my $wrong = JSON::PP->new->decode($text{outage}{json});
    $wrong->{databases}[0]{state} = 'fine';
    delete $wrong->{databases}[0]{hold}{now};
    my @problems = RdsFailover::Formats::schema_problems($schema, JSON::PP->new->encode($wrong));
    is(scalar @problems, 2, 'and the schema sees what is wrong') or diag "@problems";
}

# The schema knows every name, so that it cannot fall behind: what is in the JSON is in its properties.
subtest 'the schema names all' => sub {
    my $schema = JSON::PP->new->decode(slurp("$ENV{RF_SRCDIR}/docs/status.schema.json"));
    my %unknown;
    my $walk;
    $walk = sub ($value, $rule, $path) {
        $rule = $schema->{'$defs'}{ $rule->{'$ref'} =~ s{.*/}{}r } if $rule->{'$ref'};
        if (ref $value eq 'HASH') {
            for my $key (sort keys %$value) {
                my $inner = $rule->{properties}{$key};
                if ($inner) { $walk->($value->{$key}, $inner, "$path.$key") }
                else        { $unknown{"$path.$key"} = 1 }
            }
            ok(exists $value->{$_}, "$path.$_ is there") for @{ $rule->{required} // [] };
        }
        elsif (ref $value eq 'ARRAY') { $walk->($_, $rule->{items}, "$path\[]") for @$value }
    };
    $walk->(JSON::PP->new->decode($text{release}{json}), $schema, '');
    is(join(' ', sort keys %unknown), '', 'no name is missing');
};

SKIP: {
    my $lack = RdsFailover::Formats::promtool_lack();
    skip $lack, scalar @moments if $lack;
    is(RdsFailover::Formats::metrics_problems($text{$_}{metrics}), '', "$_: promtool is content") for @moments;
}
for my $moment (@moments) {
    my %of = %{ $text{$moment} };
    my %type = RdsFailover::Formats::families($of{metrics});
    is_deeply([grep { /_total$/ xor $type{$_} eq 'counter' } sort keys %type], [], "$moment: counters are called _total, nothing else is");
    my %seen;
    is_deeply([grep { $seen{$_}++ } $of{metrics} =~ /^(rdsfailover_\S+) /mg], [], "$moment: no series twice");
    my @names = map { s/_(?:bucket|sum|count)$//r } $of{metrics} =~ /^(\w+)[{ ]/mg;
    is_deeply([grep { !$type{$_} && !$type{"${_}_count"} } @names], [], "$moment: each line's family is described");

    my ($style)  = $of{html} =~ m{<style>(.*)</style>}s;
    my ($script) = $of{html} =~ m{<script>(.*)</script>}s;
    is($of{policy}, policy($style, $script), "$moment: the policy allows this style and this script");
    my @tags = $of{html} =~ s{<(style|script)>.*?</\1>}{}gsr =~ /<(?:[^>"]|"[^"]*")*>/g;
    is_deeply([grep { /\s(?:on\w+|style|src|formaction)=/ || /\saction="(?!\??html")/ } @tags], [], "$moment: nothing in it that the policy forbids");
    my %id;
    is_deeply([grep { $id{$_}++ } map { /\sid="([^"]*)"/ } grep { !/failover-/ } @tags], [], "$moment: no id twice");
    is_deeply([grep { !$id{$_} } map { /\s(?:href="#|aria-labelledby=")([\w-]+)/ } @tags], [], "$moment: what is referred to is there");
    unlike($of{$_} =~ s/\n//gr, qr/[\x00-\x1f\x7f]/, "$moment: no control character in $_") for qw(html json auto metrics modstatus modstatus-auto);
    is_deeply([grep { !/^[\w.\[\]-]+: .*$/ } split /\n/, $of{$_}], [], "$moment: $_ has Key: value lines only") for qw(auto modstatus-auto);
}
like($text{hostile}{html},      qr/&lt;script&gt;alert\(&quot;1&quot;\)/, 'what wants to be markup is text on the page');
like($text{hostile}{modstatus}, qr/&lt;script&gt;alert\(&quot;1&quot;\)/, 'and in mod_status');
like($text{hostile}{metrics},   qr/"<\/style><script>alert\(\\"1\\"\)<\/script>'\\\\/, 'a label is quoted');
done_testing;

sub policy ($style, $script) {
    my ($for_style, $for_script) = map { my $hash = sha256_base64($_); $hash .= '=' while length($hash) % 4; "'sha256-$hash'" } $style, $script;
    return "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; connect-src 'self'; img-src data:; "
        . "style-src $for_style; script-src $for_script";
}

sub slurp ($path) {
    open my $in, '<:raw', $path or die "$path: $!\n";
    local $/;
    return scalar <$in> // '';
}
