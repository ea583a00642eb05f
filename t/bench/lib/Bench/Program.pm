# SPDX-License-Identifier: Apache-2.0
package Bench::Program;

# A server program that runs in the foreground, in a scratch directory, as long as its object.
# A subclass gives configure($dir), which writes its files and returns the command.

use v5.36;
use File::Temp ();
use IO::Socket::INET ();
use POSIX ();
use RdsFailover::Httpd ();
use Bench::Tree ();

sub new ($class, %options) {
    my $self = bless { %options, dir => File::Temp->newdir('bench-XXXXXX', TMPDIR => 1), owner => $$ }, $class;
    chmod 0755, "$self->{dir}";
    $self->{port} = RdsFailover::Httpd::free_port();
    my @line = $self->configure("$self->{dir}");
    my $pid  = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>', "$self->{dir}/said";
        open STDERR, '>&', \*STDOUT;
        setpgrp 0, 0;
        # A bench that is killed leaves no server behind.
        exec('setpriv', '--pdeathsig', 'TERM', '--', @line) or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    RdsFailover::Httpd::wait_until(sub { waitpid($pid, POSIX::WNOHANG()) != 0 || $self->connects }, 30);
    $self->connects or die "$line[0] does not start: " . RdsFailover::Httpd::slurp("$self->{dir}/said");
    return $self;
}

sub port ($self) { return $self->{port} }
sub tree ($self) { return Bench::Tree->new($self->{pid}) }
sub connects ($self) { return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}) }
sub url ($self, $path) { return "http://127.0.0.1:$self->{port}$path" }

# The body of an answer.
sub ask ($self, $path) {
    my $socket = $self->connects or die ref($self) . " is gone\n";
    print $socket "GET $path HTTP/1.0\r\n\r\n";
    local $/;
    return (split /\r\n\r\n/, <$socket> // '', 2)[1];
}

sub write_file ($self, $name, $text) { return RdsFailover::Httpd::write_file("$self->{dir}/$name", $text) }

sub stop ($self) {
    my $pid = delete $self->{pid} or return;
    kill 'TERM', $pid;
    RdsFailover::Httpd::wait_until(sub { waitpid($pid, POSIX::WNOHANG()) == $pid }, 10) and return;
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
