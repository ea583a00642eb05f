# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Fake;

# A server that says what it is told to: the base of FakeMysql and FakeDns. The socket is bound before new() returns, so
# nobody waits for it; the process ends with the object. What it says is in a file and may change at any time (set); what
# it saw is in another (saw). A subclass gives listen(), which returns its sockets, and serve(@sockets), which never returns.

use v5.36;
use Carp       qw(croak);
use File::Temp ();
use JSON::PP   ();
use Time::HiRes qw(time);

my $JSON = JSON::PP->new->canonical;

sub new ($class, %options) {
    my $self = bless {
        address => $options{address} // '127.0.0.1',
        port    => $options{port}    // 0,
        dir     => File::Temp->newdir('fake-XXXXXX', TMPDIR => 1),
        owner   => $$,
        say     => { %{ $class->defaults }, %{ $options{say} // {} } },
    }, $class;
    $self->write_say;
    my @sockets = $self->listen;
    $self->{port} ||= $sockets[0]->sockport;
    my $pid = fork // croak "fork: $!";
    if (!$pid) {
        # A server left behind by a killed test would hold its port; wanted() tells it when its parent has gone.
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        $SIG{PIPE} = 'IGNORE';
        $self->{parent} = getppid;
        $0 = ref($self) . " $self->{address}:$self->{port}";
        eval { $self->serve(@sockets); 1 } or warn "$0: $@";
        require POSIX;
        POSIX::_exit(1);
    }
    $self->{pid} = $pid;
    return $self;
}

sub port    ($self) { return $self->{port} }
sub address ($self) { return $self->{address} }

# Say something else from now on.
sub set ($self, %say) {
    $self->{say} = { %{ $self->{say} }, %say };
    $self->write_say;
    return $self;
}

# What was seen so far: a list of hashes, oldest first, each with `at` (epoch seconds) and `what`.
sub saw ($self, $what = undef) {
    open my $in, '<', "$self->{dir}/saw" or return;
    my @seen = map { $JSON->decode($_) } grep { /\n\z/ } <$in>;
    return grep { !defined $what || $_->{what} eq $what } @seen;
}

# In the server's process: what to say now.
sub say_now ($self) {
    open my $in, '<', "$self->{dir}/say" or exit 0;    # the test has gone
    local $/;
    return $JSON->decode(<$in>);
}

sub note ($self, $what, %facts) {
    open my $out, '>>', "$self->{dir}/saw" or exit 0;
    syswrite $out, $JSON->encode({ at => time, what => $what, %facts }) . "\n";
    return;
}

# In the server's loop, at least every second: true while the test lives.
sub wanted ($self) { return getppid == $self->{parent} }

sub write_say ($self) {
    open my $out, '>', "$self->{dir}/say.new" or croak "$self->{dir}: $!";
    print $out $JSON->encode($self->{say});
    close $out or croak "$self->{dir}: $!";
    rename "$self->{dir}/say.new", "$self->{dir}/say" or croak "$self->{dir}: $!";
    return;
}

sub stop ($self) {
    my $pid = delete $self->{pid} or return;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return;
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    $self->stop if $self->{owner} == $$;
    return;
}

1;
