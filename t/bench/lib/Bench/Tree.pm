# SPDX-License-Identifier: Apache-2.0
package Bench::Tree;

# What a process and its descendants use: memory, processor time, descriptors.

use v5.36;
use POSIX ();

my $TICKS = POSIX::sysconf(POSIX::_SC_CLK_TCK());

sub new ($class, $pid) { return bless { pid => $pid }, $class }

sub pids ($self) {
    my %children;
    for my $file (glob '/proc/[0-9]*/stat') {
        my ($pid, $parent) = slurp($file) =~ /^(\d+) \(.*\) \S (\d+)/s or next;
        push @{ $children{$parent} }, $pid;
    }
    my @all = my @look = $self->{pid};
    while (defined(my $pid = shift @look)) { push @all, @{ $children{$pid} // [] }; push @look, @{ $children{$pid} // [] } }
    return @all;
}

# KB of memory that no file backs, shared pages counted once: anonymous ones and shared memory.
sub memory ($self) {
    my $sum = 0;
    for my $pid ($self->pids) { $sum += $_ for slurp("/proc/$pid/smaps_rollup") =~ /^Pss_(?:Anon|Shmem):\s+(\d+)/mg }
    return $sum;
}

# Seconds of processor time, of those that live.
sub cpu ($self) {
    my $sum = 0;
    for my $pid ($self->pids) {
        my @stat = split ' ', slurp("/proc/$pid/stat") =~ s/^.*\) //sr or next;
        $sum += ($stat[11] + $stat[12]) / $TICKS if @stat > 12;
    }
    return $sum;
}

sub descriptors ($self) { return scalar map { glob "/proc/$_/fd/*" } $self->pids }

sub slurp ($path) {
    open my $in, '<', $path or return '';
    local $/;
    return scalar <$in> // '';
}

1;
