# SPDX-License-Identifier: Apache-2.0
package RdsFailover::HostTree;

# A host to install on: this machine's file system, or another tree that RF_HOST_TREE names, below a layer that takes every change and
# goes with the process. What stands in for AWS (t/cfn/host) is in it. The caller is root in namespaces of its own.
#
#   my $tree = RdsFailover::HostTree->new('/some/empty/dir');
#   my $done = $tree->run(qw(sh -c), 'echo there');      # { status, said }

use v5.36;
use File::Copy qw(copy);
use File::Path qw(make_path);

# Why there can be none here, or undef.
sub missing () {
    return 'root: a tree of a host needs root, for mounts and packages' if $> != 0;
    return 'apt: this is not Debian or Ubuntu' if !-x '/usr/bin/apt-get';
    return 'unshare: not installed' if !grep { -x "$_/unshare" } split /:/, $ENV{PATH};
    # Where a root directory is no mount point, as after a plain chroot, nothing can be made private.
    return 'mounts: not allowed here' if system 'unshare --mount sh -c "mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w /mnt/m &&'
        . ' mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/m" >/dev/null 2>&1';
    return;
}

sub new ($class, $dir) {
    my $self = bless { root => "$dir/root" }, $class;
    must('mount', '-t', 'tmpfs', '-o', 'mode=755', 'none', $dir);
    mkdir "$dir/$_" for qw(upper work root);
    my $lower = $ENV{RF_HOST_TREE} || '/';
    must('mount', '-t', 'overlay', 'overlay', '-o', "lowerdir=$lower,upperdir=$dir/upper,workdir=$dir/work", $self->{root});
    must('mount', '-t', 'proc', 'proc', "$self->{root}/proc");
    must('mount', '--rbind', '/dev', "$self->{root}/dev");
    must('mount', '-t', 'tmpfs', '-o', 'mode=1777', 'none', "$self->{root}/tmp");
    must('mount', '-t', 'tmpfs', '-o', 'mode=755', 'none', "$self->{root}/run");
    # As systemd-tmpfiles makes it at boot.
    mkdir "$self->{root}/run/lock";
    my $resolver = do { open my $in, '<', '/etc/resolv.conf'; local $/; $in ? <$in> // '' : '' };
    unlink "$self->{root}/etc/resolv.conf";
    $self->write('/etc/resolv.conf', $resolver, 0644);
    # Services are started by run alone.
    $self->write('/usr/sbin/policy-rc.d', "#!/bin/sh\nexit 101\n", 0755);
    for my $program (map { s{.*/}{}r } glob "$ENV{RF_SRCDIR}/t/cfn/host/*") {
        my $to = $program eq 'cfn-signal' ? '/opt/aws/bin' : '/usr/local/bin';
        make_path("$self->{root}$to");
        copy("$ENV{RF_SRCDIR}/t/cfn/host/$program", "$self->{root}$to/$program") or die "$program: $!\n";
        chmod 0755, "$self->{root}$to/$program";
    }
    return $self;
}

# A tree that new made before, in another life of the process.
sub again ($class, $dir) { return bless { root => "$dir/root" }, $class }

sub path ($self, $path) { return "$self->{root}$path" }

sub write ($self, $path, $text, $mode = 0644) {
    my $file = $self->path($path);
    make_path($file =~ s{/[^/]*$}{}r);
    open my $out, '>', $file or die "$file: $!\n";
    print $out $text;
    close $out or die "$file: $!\n";
    chmod $mode, $file;
    return $self;
}

sub read ($self, $path) {
    open my $in, '<', $self->path($path) or return;
    local $/;
    return <$in> // '';
}

# Inside, with nothing of this machine's environment.
sub run ($self, @command) {
    my @clean = (qw(env -i HOME=/root LC_ALL=C.UTF-8), 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
    open my $out, '-|', 'sh', '-c', 'exec "$@" 2>&1 </dev/null', 'sh', 'chroot', $self->{root}, @clean, @command or die "sh: $!\n";
    my $said = do { local $/; <$out> // '' };
    close $out;
    return { status => $? >> 8, said => $said };
}

sub must (@command) {
    system(@command) == 0 or die "@command: failed\n";
    return;
}

1;
