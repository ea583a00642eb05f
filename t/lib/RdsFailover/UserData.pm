# SPDX-License-Identifier: Apache-2.0
package RdsFailover::UserData;

# User data of the hosts as EC2 gets it: taken out of cfn/templates/web.yaml, its ${Names} replaced.

use v5.36;
use Exporter 'import';
use RdsFailover::Lint qw(slurp);
our @EXPORT_OK = qw(user_data written_files);

# What is not given is a name of 100 letters: longer than anything real.
sub user_data (%value) {
    my ($indent, $text) = slurp('cfn/templates/web.yaml') =~ /^( +)UserData:\n +Fn::Base64: !Sub \|\n((?:\1 +.*\n|\n)+)/m
        or die "cfn/templates/web.yaml has no user data\n";
    my ($own) = $text =~ /^( +)/;
    return $text =~ s/^$own//gmr =~ s/\$\{([\w:]+)\}/$value{$1} \/\/ 'x' x 100/ger;
}

# Of its write_files: path => { mode, content }.
sub written_files ($data) {
    my %file;
    while ($data =~ /^  - path: (\S+)\n((?:    .*\n|\n)+)/mg) {
        my ($path, $entry) = ($1, $2);
        my ($mode) = $entry =~ /^    permissions: '(\d+)'$/m or die "$path: no permissions\n";
        my ($content) = $entry =~ /^    content: \|\n((?:      .*\n|\n)+)/m or die "$path: no content\n";
        $file{$path} = { mode => oct $mode, content => $content =~ s/^ {6}//gmr };
    }
    return %file;
}

1;
