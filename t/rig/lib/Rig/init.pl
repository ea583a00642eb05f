# SPDX-License-Identifier: Apache-2.0
# The first process of a rig's namespace: makes the namespace's own /etc and network, then waits. When it ends, the kernel
# ends every other process here. Standard input is the lifeline: its end means that the owner is gone, unless the
# owner said "detach" before.
use v5.36;
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
$SIG{CHLD} = sub { 1 while waitpid(-1, WNOHANG) > 0 };
print STDOUT "ready\n";
open STDOUT, '>', '/dev/null';
my $said = '';
while (1) {
    my $got = sysread STDIN, my $more, 256;
    next if !defined $got && $!{EINTR};
    last unless $got;
    $said .= $more;
}
leave() unless $said =~ /^detach$/m;
sleep 3600 while 1;
