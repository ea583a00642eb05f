# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Cfn;

# What the checks of cfn/templates share: AWS's own validator, which npm fetches.

use v5.36;
use Exporter 'import';
use File::Temp ();
use JSON::PP ();
use RdsFailover::Lint qw(source_tree);
use RdsFailover::Npm ();
our @EXPORT_OK = qw(why_not templates ask);

sub templates () { return map { s{.*/}{}r } glob source_tree() . '/cfn/templates/*.yaml' }

# Why the validator cannot run here, as a skip's reason; undef if it can.
sub why_not () {
    my $version = qx{node --version 2>&1} // '';
    return "cfn: AWS's validator wants node 18 or later, this is $version" =~ s/\s+$//r if $version =~ /^v(\d+)/ && $1 < 18;
    my $lack = RdsFailover::Npm::lack('t/cfn', 'cfn-npm') // return;
    return "cfn: $lack";
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

sub modules () { return RdsFailover::Npm::folder('cfn-npm') }

1;
