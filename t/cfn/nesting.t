#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What no validator sees: that root.yaml fits the templates under it, that user data is short and holds no secret, that a policy
# grants no more than it must.
use v5.36;
use Test::More;
use RdsFailover::Cfn qw(ask templates why_not);

if (my $why = why_not()) { plan skip_all => $why }

my @names = templates();
my @answers = ask(map { { file => "cfn/templates/$_", dump => JSON::PP::true } } @names);
my %template = map { $names[$_] => $answers[$_]{template} } 0 .. $#names;
my $root = $template{'root.yaml'};

my %child;
for my $name (sort keys %{ $root->{Resources} }) {
    my $given = $root->{Resources}{$name}{Properties};
    my ($file) = $given->{TemplateURL}{'Fn::Sub'} =~ m{/([\w-]+\.yaml)$};
    my $inner = $child{$name} = $template{$file} or die "$name: no template $file\n";
    my $wanted = $inner->{Parameters} // {};
    is_deeply([grep { !$wanted->{$_} } sort keys %{ $given->{Parameters} }], [], "$name: $file knows every parameter it is given");
    is_deeply([grep { !exists $wanted->{$_}{Default} && !$given->{Parameters}{$_} } sort keys %$wanted],
        [], "$name: $file is given every parameter it needs");
    for my $parameter (sort keys %{ $given->{Parameters} }) {
        my $value = $given->{Parameters}{$parameter};
        next if ref $value ne 'HASH' || !$value->{Ref};
        is_deeply($wanted->{$parameter}{AllowedValues}, $root->{Parameters}{ $value->{Ref} }{AllowedValues},
            "$name: both have the same list for $parameter") if $wanted->{$parameter}{AllowedValues};
    }
}
cmp_ok(scalar keys %child, '>=', 6, 'root.yaml nests the others');
my $text = JSON::PP->new->canonical->allow_nonref->encode($root);
my @used = $text =~ /"(?:Fn::GetAtt":"|Fn::Sub":"[^"]*\$\{)(\w+\.Outputs\.\w+)/g;
cmp_ok(scalar @used, '>', 15, 'root.yaml uses outputs');
for my $output (sort keys %{ { map { $_ => 1 } @used } }) {
    my ($name, $key) = $output =~ /^(\w+)\.Outputs\.(\w+)$/;
    ok($child{$name}{Outputs}{$key}, "$output is there");
}

my $data = $template{'web.yaml'}{Resources}{Template}{Properties}{LaunchTemplateData}{UserData}{'Fn::Base64'}{'Fn::Sub'};
like($data, qr/\A#cloud-config\n/, 'user data is cloud-config');
# What is put in for a ${Name} is longer: an ARN of 120 characters each is generous.
cmp_ok(length($data) + 120 * (() = $data =~ /\$\{/g), '<', 16384, 'user data stays below 16 KB');
unlike($data, qr/resolve:|password/i, 'user data holds no secret');

for my $file (sort keys %template) {
    for my $name (sort grep { $template{$file}{Resources}{$_}{Type} eq 'AWS::IAM::Role' } keys %{ $template{$file}{Resources} }) {
        for my $policy (@{ $template{$file}{Resources}{$name}{Properties}{Policies} }) {
            for my $statement (@{ $policy->{PolicyDocument}{Statement} }) {
                my @actions = ref $statement->{Action} ? @{ $statement->{Action} } : $statement->{Action};
                is_deeply([grep { /\*/ } @actions], [], "$file, $name: '@actions' is no pattern");
                ok("@actions" eq 'rds:DescribeDBInstances' || $statement->{Resource} ne '*', "$file, $name: '@actions' names its resource");
            }
        }
    }
}
done_testing;
