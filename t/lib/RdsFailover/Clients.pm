# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Clients;

# Many clients in one process: raw connections that are opened, written to in pieces, left, reset and read side by side.
#
#   my $clients = RdsFailover::Clients->new($httpd->port);           # tls => 1: through openssl s_client
#   my $client  = $clients->ask('/app?1', method => 'POST', body => $text);
#   $client->ask('/app?2');                                          # on the same connection: pipelined
#   $clients->settle(60);                                            # true when each has all that it asked for, or was cut off
#   $clients->tally                                                  # { 200 => 298, none => 2 }
#   $client->answer(0)                                               # { status, headers, body, at, interim => [100] } or undef
#
# Options of ask: method, headers => {}, body, chunked => 1, late => 1 (the body comes with send_body), keep => 0 (the server is
# asked to close), version => '1.0'.

use v5.36;
use IO::Poll qw(POLLIN POLLOUT POLLHUP POLLERR);
use IO::Socket::INET;
use Scalar::Util qw(weaken);
use Time::HiRes qw(time);

sub new ($class, $port, %options) {
    return bless { port => $port, tls => 0, clients => [], poll => IO::Poll->new, %options }, $class;
}

sub open ($self) {
    my $client = bless { all => $self, in => '', out => '', asked => [], answers => [] }, 'RdsFailover::Clients::Client';
    weaken($client->{all});
    $client->{socket} = $self->{tls} ? $client->tls($self->{port})
        : IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port});
    if ($client->{socket}) { $client->{socket}->blocking(0) }
    else { $client->{closed} = time }
    push @{ $self->{clients} }, $client;
    return $client;
}

sub ask ($self, $path, %options) { return $self->open->ask($path, %options) }

sub clients ($self) { return @{ $self->{clients} } }

# Reads and writes until the condition is true (returned), or the limit is over (false). It is asked once in each turn.
sub until ($self, $condition, $limit = 60, $turn = 0.02) {
    my $end = time + $limit;
    while (1) {
        $self->turn(0);
        my $result = $condition->();
        return $result if $result || time > $end;
        $self->turn($turn);
    }
}

# Everyone has all answers, or no connection any more.
sub settle ($self, $limit = 60) {
    return $self->until(sub { !grep { !$_->over } $self->clients }, $limit);
}

# Takes those that are over out and returns them.
sub reap ($self) {
    my @over = grep { $_->over } $self->clients;
    @{ $self->{clients} } = grep { !$_->over } $self->clients if @over;
    return @over;
}

# How often each status came; `none`: asked, and cut off without an answer; `open`: still waits; `extra`: bytes nobody asked for.
# A client that left on purpose counts as `left`.
sub tally ($self) {
    my %count;
    for my $client ($self->clients) {
        $count{ $_->{status} }++ for @{ $client->{answers} };
        my $missing = @{ $client->{asked} };
        $count{ $client->{left} ? 'left' : $client->{closed} ? 'none' : 'open' } += $missing if $missing;
        $count{extra}++ if length $client->{in} && !$missing;
    }
    return \%count;
}

# One turn of the loop: whatever can be read or written within the time.
sub turn ($self, $wait = 0) {
    my $poll = $self->{poll};
    my @open = grep { $_->{socket} && !$_->{closed} } $self->clients;
    if (!@open) { select undef, undef, undef, $wait; return }
    $poll->mask($_->{socket} => POLLIN | ($_->{out} ne '' && !$_->{back} ? POLLOUT : 0)) for @open;
    return if $poll->poll($wait) <= 0;
    for my $client (@open) {
        my $ready = $poll->events($client->{socket}) or next;
        $client->write if $ready & POLLOUT;
        $client->read if $ready & (POLLIN | POLLHUP | POLLERR);
    }
    return;
}

# The bytes of a chunked body that is whole, or undef; the text behind it is the second value.
sub dechunk ($text) {
    my ($body, $at) = ('', 0);
    while (1) {
        pos($text) = $at;
        $text =~ /\G([0-9A-Fa-f]+)[^\r\n]*\r\n/gc or return;
        my $n = hex $1;
        $at = pos $text;
        if (!$n) {
            $text =~ /\G(?:[^\r\n]+\r\n)*\r\n/gc or return;
            return wantarray ? ($body, substr $text, pos $text) : $body;
        }
        return if length $text < $at + $n + 2;
        $body .= substr $text, $at, $n;
        $at += $n + 2;
    }
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    $_->leave for $self->clients;
    return;
}

package RdsFailover::Clients::Client;

use v5.36;
use POSIX ();
use Socket qw(AF_UNIX PF_UNSPEC SOCK_STREAM SOL_SOCKET SO_LINGER);
use Time::HiRes qw(time);

# Our end of a socket whose other end is openssl's. It goes when either side does.
sub tls ($self, $port) {
    socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die "socketpair: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        CORE::open STDIN,  '<&', $theirs;
        CORE::open STDOUT, '>&', $theirs;
        CORE::open STDERR, '>',  '/dev/null';
        close $theirs;
        exec(qw(openssl s_client -quiet -servername localhost -connect), "127.0.0.1:$port") or POSIX::_exit(127);
    }
    $self->{openssl} = $pid;
    return bless $ours, 'IO::Socket';
}

sub ask ($self, $path, %options) {
    my $method  = $options{method} // 'GET';
    my $body    = $options{body} // '';
    my %headers = (Host => 'localhost', %{ $options{headers} // {} });
    $headers{Connection} //= 'close' if !($options{keep} // 1);
    if    ($options{chunked}) { $headers{'Transfer-Encoding'} = 'chunked' }
    elsif ($body ne '' || $method =~ /^P/) { $headers{'Content-Length'} //= length $body }
    push @{ $self->{asked} }, { method => $method, path => $path, at => time };
    $self->{body} = $options{chunked} ? chunked($body) : $body;
    my $line = "$method $path HTTP/" . ($options{version} // '1.1');
    $self->say(join "\r\n", $line, (map { "$_: $headers{$_}" } sort keys %headers), '', '');
    $self->send_body if !$options{late};
    return $self;
}

sub chunked ($body) { return join('', map { sprintf "%x\r\n%s\r\n", length, $_ } unpack '(a5000)*', $body) . "0\r\n\r\n" }

# The body that was kept back; only so many bytes of it.
sub send_body ($self, $bytes = undef) { return $self->say(substr $self->{body}, 0, $bytes // length $self->{body}, '') }

# Bytes as they are.
sub say ($self, $bytes) {
    $self->{out} .= $bytes;
    $self->write if !$self->{closed} && !$self->{back};
    return $self;
}

# Collect what is said, and say it all at once when it is called with 0.
sub hold_back ($self, $back = 1) {
    $self->{back} = $back;
    $self->write if !$back && !$self->{closed};
    return $self;
}

sub write ($self) {
    local $SIG{PIPE} = 'IGNORE';
    while ($self->{out} ne '') {
        my $n = syswrite $self->{socket}, $self->{out}, 65536;
        if (!defined $n) {
            # What the server refuses to read it may still answer.
            $self->{out} = '' if !$!{EAGAIN} && !$!{EINTR};
            last;
        }
        substr $self->{out}, 0, $n, '';
    }
    return;
}

sub read ($self) {
    while (1) {
        my $n = sysread $self->{socket}, $self->{in}, 262144, length $self->{in};
        last if !defined $n && ($!{EAGAIN} || $!{EINTR});
        if (!$n) {
            $self->{broke} = "$!" if !defined $n;
            $self->parse(1);
            return $self->gone;
        }
    }
    $self->parse(0);
    return;
}

# Takes whole answers off what was read.
sub parse ($self, $at_end) {
    while (@{ $self->{asked} } && $self->{in} =~ m{\A(HTTP/1\.[01] (\d{3}).*?\r\n)\r\n}s) {
        my ($head, $status, $length) = ($1, $2, $+[0]);
        my %headers;
        $headers{ lc $1 } = $2 while $head =~ /^([\w-]+):[ \t]*(.*?)\r?$/mg;
        if ($status =~ /^1/) {
            substr $self->{in}, 0, $length, '';
            push @{ $self->{interim} }, 0 + $status;
            next;
        }
        my ($body, $rest) = ('', substr $self->{in}, $length);
        if ($self->{asked}[0]{method} ne 'HEAD' && $status !~ /^(?:204|304)/) {
            if (($headers{'transfer-encoding'} // '') =~ /chunked/i) {
                ($body, $rest) = RdsFailover::Clients::dechunk($rest);
                last if !defined $body;
            }
            elsif (defined $headers{'content-length'}) {
                last if length $rest < $headers{'content-length'};
                $body = substr $rest, 0, $headers{'content-length'}, '';
            }
            elsif ($at_end) { ($body, $rest) = ($rest, '') }
            else { last }
        }
        $self->{in} = $rest;
        my $asked = shift @{ $self->{asked} };
        push @{ $self->{answers} }, { %$asked, status => 0 + $status, headers => \%headers, body => $body, at => time,
            asked_at => $asked->{at}, interim => delete $self->{interim} // [] };
    }
    return;
}

# Our end's port; not with TLS.
sub port ($self) { return $self->{socket}->sockport }

sub answer  ($self, $n = 0) { return $self->{answers}[$n] }
sub answers ($self) { return @{ $self->{answers} } }
sub closed  ($self) { return $self->{closed} }
sub over    ($self) { return $self->{closed} || !@{ $self->{asked} } }

# The connection can take another request: the server has not closed it, nor said that it will.
sub may_ask ($self) {
    return !$self->{closed} && !grep { ($_->{headers}{connection} // '') =~ /close/i } @{ $self->{answers} };
}

# Something has come that is not a whole answer: an interim one, or a part.
sub heard ($self) { return $self->{in} ne '' || $self->{interim} || @{ $self->{answers} } }

sub leave ($self) {
    return if $self->{closed};
    $self->{left} = 1;
    return $self->gone;
}

# With RST.
sub reset ($self) {
    return if $self->{closed};
    setsockopt $self->{socket}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    return $self->leave;
}

# No more will be sent, but an answer would be read.
sub finish_sending ($self) { shutdown $self->{socket}, 1; return $self }

sub gone ($self) {
    my $socket = delete $self->{socket};
    $self->{closed} = time;
    if ($socket) {
        $self->{all}{poll}->remove($socket) if $self->{all};
        close $socket;
    }
    if (my $pid = delete $self->{openssl}) { kill 'KILL', $pid; waitpid $pid, 0 }
    return;
}

1;
