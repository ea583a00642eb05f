# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Harness;

# A harness for prove (prove --harness=RdsFailover::Harness) that also appends what it counted to $RF_SUMMARY, one JSON
# object a run: tests passed, failed, and every skip with its reason. t/run-tests adds the runs up.

use v5.36;
use parent 'TAP::Harness';
use JSON::PP ();

sub runtests ($self, @tests) {
    my @skips;
    $self->callback(made_parser => sub ($parser, $job) {
        my $file = ref $job eq 'ARRAY' ? $job->[0] : $job;
        $parser->callback(test => sub ($result) {
            push @skips, [$file, $result->explanation || $result->description] if $result->has_skip;
        });
        # With a callback for 'plan', skip_all is seen here; its reason lies in the plan.
        $parser->callback(plan => sub ($result) {
            push @skips, [$file, $result->explanation // ''] if $result->has_skip || $result->tests_planned == 0;
        });
    });
    my $sum = $self->SUPER::runtests(@tests);
    my @broken;    # files that failed without a failed test: died, wrong plan, exit status
    for my $file ($sum->descriptions) {
        my ($parser) = $sum->parsers($file);
        push @broken, $file if !$parser->failed && ($parser->parse_errors || $parser->wait);
    }
    if (my $to = $ENV{RF_SUMMARY}) {
        my $skips   = 0;
        $skips += $_->skipped for map { $sum->parsers($_) } $sum->descriptions;
        open my $out, '>>', $to or die "$to: $!\n";
        say $out JSON::PP->new->canonical->encode({
            passed => $sum->passed - $skips,
            failed => $sum->failed + @broken,
            broken => \@broken,
            skips  => \@skips,
        });
        close $out or die "$to: $!\n";
    }
    return $sum;
}

1;
