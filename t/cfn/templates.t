#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Every template is clean, in two regions and with every value of its lists; what is broken on purpose is found.
use v5.36;
use Test::More;
use RdsFailover::Cfn qw(ask templates why_not);
use RdsFailover::Lint qw(files slurp source_tree);

if (my $why = why_not()) { plan skip_all => $why }

# Where the validator is too careful, and why it is.
my @KNOWN = (
    qr/^WARN W1001 Reference to 'Name' which is conditional/,    # inside an !If of the same condition
    qr/^WARN W1030 .*ImageParameter/,                            # the name of an SSM parameter, which holds the image
    qr/^WARN W2509 Parameter '(?:Master|Site)Secret' /,          # an ARN, which is no secret
);
my @REGIONS = qw(us-east-1 eu-west-1);

my @templates = map { "cfn/templates/$_" } templates();
cmp_ok(scalar @templates, '>=', 9, 'there are templates');
for my $region (@REGIONS) {
    my @jobs = map { { file => $_, region => $region } } @templates;
    clean("$_->{file} in $region", $_->{answer}) for answered(@jobs);
}

my @lists;
for my $dumped (answered(map { { file => $_, dump => JSON::PP::true } } @templates)) {
    my $parameters = $dumped->{answer}{template}{Parameters} // {};
    for my $name (sort keys %$parameters) {
        push @lists, map { { file => $dumped->{file}, parameters => { $name => "$_" }, region => 'eu-west-1' } }
            @{ $parameters->{$name}{AllowedValues} // [] };
    }
}
cmp_ok(scalar @lists, '>', 20, 'there are lists of allowed values');
for my $done (answered(@lists)) {
    my ($name) = keys %{ $done->{parameters} };
    clean("$done->{file}, $name $done->{parameters}{$name}", $done->{answer});
}

my @broken = files(qr{^t/cfn/broken/});
cmp_ok(scalar @broken, '>=', 12, 'there are broken templates');
for my $done (answered(map { { file => $_ } } @broken)) {
    my ($expected) = slurp($done->{file}) =~ /^# expect: (.+)$/m or die "$done->{file} does not say what to expect\n";
    my @found = grep { /$expected/ } @{ $done->{answer}{findings} };
    ok(@found > 0, "$done->{file}: $expected") or diag join "\n", @{ $done->{answer}{findings} };
}

SKIP: {
    skip 'cfn-lint: not installed; AWS\'s validator alone looked at cfn/templates', 1 if !grep { -x "$_/cfn-lint" } split /:/, $ENV{PATH};
    my $out = qx{cd '@{[source_tree()]}' && cfn-lint -r @REGIONS -t @templates --format parseable 2>&1};
    is($out, '', 'cfn-lint finds nothing in any of them');
}
done_testing;

sub answered (@jobs) {
    my @answers = ask(@jobs);
    return map { { %{ $jobs[$_] }, answer => $answers[$_] } } 0 .. $#jobs;
}

sub clean ($what, $answer) {
    my @found = grep { my $f = $_; !grep { $f =~ $_ } @KNOWN } @{ $answer->{findings} };
    is(join("\n", @found), '', $what);
}
