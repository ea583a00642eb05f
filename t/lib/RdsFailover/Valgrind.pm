# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Valgrind;

# httpd under valgrind's memcheck.
#
#   RdsFailover::Httpd->new(wrapper => [RdsFailover::Valgrind::wrapper()])     # or RF_VALGRIND=1, for every httpd with the module
#   my ($others, @reports) = RdsFailover::Valgrind::reports($httpd->dir);      # after ->stop: how many that are not ours, those that are

use v5.36;

# A limit for what runs under it is so many times longer.
use constant SLOW => 10;

# Its logs lie in the server's directory, which is found in the line that is wrapped. Each process that is forked opens its own, as
# whoever it is by then.
sub wrapper () {
    grep { -x "$_/valgrind" } split /:/, $ENV{PATH} or die "valgrind is not installed\n";
    return ('sh', '-c', 'd=$(dirname "$3")/valgrind && mkdir -p -m 1777 "$d" && exec valgrind --quiet --trace-children=no '
            . '--num-callers=25 --error-limit=no --log-file="$d/%p" "$@"', 'sh');
}

# What is ours names us; other findings are httpd's own, or a library's.
sub reports ($dir) {
    my ($others, @ours) = (0);
    for my $file (glob "$dir/valgrind/*") {
        open my $in, '<', $file or next;
        my $text = do { local $/; <$in> // '' };
        for my $report (split /^==\d+== \n/m, $text) {
            next if $report !~ /^==\d+==\s+(?:at|by) 0x/m;
            # PHP compares strings by words, and looks beyond their ends, on purpose.
            next if $report =~ /\bat 0x\w+: zend_string_equal_val /;
            if ($report =~ /rdsfailover|\brf_\w+ \(/) { push @ours, $report =~ s/^==\d+== //gmr }
            else                                     { $others++ }
        }
    }
    return ($others, @ours);
}

1;
