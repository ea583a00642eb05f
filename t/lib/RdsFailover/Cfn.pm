# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Cfn;

# What the checks of cfn/templates share: AWS's own validator, fetched by npm into the build directory.

use v5.36;
use Exporter 'import';
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Temp ();
use JSON::PP ();
use RdsFailover::Lint qw(build_dir source_tree);
our @EXPORT_OK = qw(why_not templates ask);

sub templates () { return map { s{.*/}{}r } glob source_tree() . '/cfn/templates/*.yaml' }

# Why the validator cannot run here, as a skip's reason; undef if it can. Fetches it when t/cfn/package-lock.json has changed.
sub why_not () {
    my $version = qx{node --version 2>&1} // '';
    return 'cfn: no node, no npm' if $version !~ /^v(\d+)/ || !grep { -x "$_/npm" } split /:/, $ENV{PATH};
    return "cfn: AWS's validator wants node 20 or later, this is $version" =~ s/\s+$//r if $1 < 20;
    my ($from, $to) = (source_tree() . '/t/cfn', modules());
    return if -e "$to/.done" && !system 'cmp', '-s', "$from/package-lock.json", "$to/.done";
    make_path($to);
    copy("$from/$_", "$to/$_") or die "$to/$_: $!\n" for qw(package.json package-lock.json);
    my $said = qx{cd '$to' && npm ci --no-audit --no-fund --ignore-scripts 2>&1};
    return "cfn: npm could not fetch AWS's validator: " . (split /\n/, $said)[-1] if $?;
    copy("$from/package-lock.json", "$to/.done") or die "$to/.done: $!\n";
    return;
}

# The validator's answers to these jobs (t/cfn/validate.js has their form), files relative to the source tree. One process for all.
sub ask (@jobs) {
    my ($src, $json) = (source_tree(), JSON::PP->new->canonical);
    my $in = File::Temp->new;
    say $in $json->encode({ %$_, file => "$src/$_->{file}" }) for @jobs;
    close $in or die "$in: $!\n";
    my @lines = qx{node '$src/t/cfn/validate.js' '@{[modules()]}' '$src/t/cfn/policies.guard' < '$in'};
    die "t/cfn/validate.js failed\n" if $? || @lines != @jobs;
    return map { $json->decode($_) } @lines;
}

sub modules () { return build_dir() . '/cfn-npm' }

1;
