#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Each file that can carry a comment names its licence in its first lines.
use v5.36;
use Test::More;
use RdsFailover::Lint qw(files slurp);

my $CODE = qr{(?:\.(?:c|h|pl|pm|t|py|sh|php|ac|am|m4|ya?ml|conf|in|service|ini)|^bootstrap|^\.ci/run|^build-aux/list-sources|^t/run-[\w-]+|^t/rig/(?:rig|demo)|^cfn/bin/[\w-]+|^t/rig/aws/[\w-]+)$};
for my $file (files($CODE)) {
    next if $file =~ m{^t/(?:fuzz/corpus|unit/data)/};
    my @lines = split /\n/, slurp($file), 4;
    ok((grep { /SPDX-License-Identifier: Apache-2\.0/ } grep { defined } @lines[0 .. 2]), $file);
}
like(slurp('LICENSE'), qr/Apache License\s+Version 2\.0/, 'LICENSE is the Apache License 2.0');
done_testing;
