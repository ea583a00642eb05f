# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Npm;

# Programs of others that come from npm's registry, by a lock file, into the build directory. Nothing of theirs is run while they come.
#   my $lack = RdsFailover::Npm::lack('t/axe', 'axe-npm');   a sentence, or nothing; fetches them when the lock file has changed

use v5.36;
use File::Copy qw(copy);
use File::Path qw(make_path);
use RdsFailover::Lint qw(build_dir source_tree);

sub lack ($folder, $name) {
    return 'no node, no npm here' if 2 != grep { my $program = $_; grep { -x "$_/$program" } split /:/, $ENV{PATH} } qw(node npm);
    my ($from, $to) = (source_tree() . "/$folder", folder($name));
    return if -e "$to/.done" && !system 'cmp', '-s', "$from/package-lock.json", "$to/.done";
    make_path($to);
    copy("$from/$_", "$to/$_") or die "$to/$_: $!\n" for qw(package.json package-lock.json);
    my $said = qx{cd '$to' && npm ci --no-audit --no-fund --ignore-scripts 2>&1};
    return "npm could not fetch what $folder/package.json names: " . ((split /\n/, $said)[-1] // '') if $?;
    copy("$from/package-lock.json", "$to/.done") or die "$to/.done: $!\n";
    return;
}

# Where they are: node_modules and all.
sub folder ($name) { return build_dir() . "/$name" }

1;
