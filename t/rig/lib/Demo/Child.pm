# SPDX-License-Identifier: Apache-2.0
# A process of the demo: ends with its variable. One that runs inside the rig is the child of nsenter, which passes no
# signal on, so signals go to the grandchild.
package Demo::Child;
use v5.36;
use POSIX ();
use Time::HiRes qw(time sleep);

# $option{inside}: a wrapper such as nsenter stands between; $option{log}: where output goes.
sub start ($class, $option, @command) {
    my $pid = fork // die "cannot fork: $!\n";
    if (!$pid) {
        setpgrp 0, 0;    # Ctrl-C is for the demo: it ends the others in order
        open STDIN, '<', '/dev/null';
        if ($option->{log}) {
            open STDOUT, '>', $option->{log} or POSIX::_exit(126);
            open STDERR, '>&', \*STDOUT;
        }
        exec {$command[0]} @command or POSIX::_exit(127);
    }
    return bless { pid => $pid, owner => $$, inside => $option->{inside}, log => $option->{log} }, $class;
}

# Runs a sub instead of a program; it reports by print to the handle it gets, read by lines().
sub run ($class, $sub) {
    pipe my $from, my $to or die "cannot make a pipe: $!\n";
    my $pid = fork // die "cannot fork: $!\n";
    if (!$pid) {
        setpgrp 0, 0;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM);
        close $from;
        $to->autoflush(1);
        eval { $sub->($to); 1 } or print {$to} "error $@";
        POSIX::_exit(0);
    }
    close $to;
    $from->blocking(0);
    return bless { pid => $pid, owner => $$, from => $from, rest => '' }, $class;
}

sub lines ($self) {
    while (sysread $self->{from}, my $piece, 4096) { $self->{rest} .= $piece }
    my @lines;
    while ($self->{rest} =~ s/^([^\n]*)\n//) { push @lines, $1 }
    return @lines;
}

sub target ($self) { return $self->{inside} ? Rig::first_child($self->{pid}) : $self->{pid} }

sub signal ($self, $name) {
    return if $self->ended;
    my $pid = $self->target;
    # A sub may have started processes of its own; they are in its group.
    kill $name, $self->{inside} ? $pid : -$pid if $pid;
}

sub ended ($self) {
    return 1 if defined $self->{status};
    return 0 unless waitpid($self->{pid}, POSIX::WNOHANG()) == $self->{pid};
    $self->{status} = $?;
    return 1;
}

sub exit_code ($self) { return $self->{status} >> 8 || $self->{status} & 127 }

sub stop ($self) {
    my $end = time + 3;
    while (!$self->ended) {
        $self->signal(time > $end ? 'KILL' : 'TERM');
        kill 'KILL', $self->{pid} if time > $end;
        sleep 0.05;
    }
    kill 'KILL', -$self->{pid} unless $self->{inside};
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    $self->stop if $self->{owner} == $$;
}

1;
