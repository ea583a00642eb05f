# SPDX-License-Identifier: Apache-2.0
# The first process of a rig's namespace: makes the namespace's own /etc and network, then waits. When it ends, the kernel
# ends every other process here. Standard input is the lifeline: its end means that the owner is gone, unless the
# owner said "detach" before. It also does what takes rights that a user has in here only from the start (init.fifo).
use v5.36;
use Fcntl qw(O_RDWR);
use POSIX qw(:sys_wait_h);
use File::Path ();
use FindBin ();
use lib "$FindBin::Bin/..";
use Rig::Namespace ();

$| = 1;

my ($dir, $keep) = @ARGV;
$SIG{TERM} = $SIG{INT} = $SIG{HUP} = \&leave;

sub leave {
    $SIG{$_} = 'IGNORE' for qw(TERM INT HUP);
    kill 'KILL', -1;
    1 while waitpid(-1, 0) > 0;
    File::Path::remove_tree($dir) unless $keep;
    POSIX::_exit(0);
}

eval { Rig::Namespace::furnish($dir); 1 } or do {
    print STDOUT "error $@";
    POSIX::_exit(1);
};
print STDOUT "ready\n";
open STDOUT, '>', '/dev/null';

sysopen my $fifo, "$dir/init.fifo", O_RDWR or die "cannot open $dir/init.fifo: $!\n";
my %said = (fileno STDIN, '', fileno $fifo, '');
my $lifeline = 1;
while (1) {
    # A second at most: children that end meanwhile are nobody else's.
    1 while waitpid(-1, WNOHANG) > 0;
    my $ready = '';
    vec($ready, $_, 1) = 1 for fileno $fifo, $lifeline ? fileno STDIN : ();
    select $ready, undef, undef, 1 or next;
    if ($lifeline && vec $ready, fileno STDIN, 1) {
        next if sysread STDIN, $said{ fileno STDIN }, 256, length $said{ fileno STDIN };
        leave() unless $said{ fileno STDIN } =~ /^detach$/m;
        $lifeline = 0;
    }
    if (vec $ready, fileno $fifo, 1) {
        sysread $fifo, $said{ fileno $fifo }, 256, length $said{ fileno $fifo };
        Rig::Namespace::serve($dir, $1) while $said{ fileno $fifo } =~ s/^(.*)\n//;
    }
}
