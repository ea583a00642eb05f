# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Story::Agent;

# A client inside the rig: any number of requests at once, each on its own connection. Runs as a program:
#   perl -MRdsFailover::Story::Agent -e RdsFailover::Story::Agent::serve
# In:  {"id": n, "server": "127.0.0.1:8080", "method": "GET", "path": "/", "headers": {…}, "body": "…", "version": "1.0"}, or
#      {"id": n, "leave": true}: close that connection now.
# Out: {"id": n, "began": t, "ended": t, "raw": whole answer}; an answer is whole when the server closes.
use v5.36;
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use IO::Select ();
use IO::Socket::INET ();
use JSON::PP ();
use Time::HiRes qw(time);

my $json = JSON::PP->new->canonical->utf8;

sub serve () {
    binmode STDOUT;
    STDOUT->autoflush(1);
    my $select = IO::Select->new(\*STDIN);
    my ($typed, %open) = ('');
    while (1) {
        for my $handle ($select->can_read) {
            if (fileno $handle == 0) {
                sysread STDIN, $typed, 65536, length $typed or return;
                while ($typed =~ s/^([^\n]*)\n//) { obey($json->decode("$1"), $select, \%open) }
                next;
            }
            my $request = $open{ fileno $handle } or next;
            my $got     = sysread $handle, $request->{raw}, 65536, length $request->{raw};
            next if $got || (!defined $got && $!{EAGAIN});
            finish($request, $select, \%open);
        }
    }
}

sub finish ($request, $select, $open) {
    $select->remove($request->{socket});
    delete $open->{ fileno $request->{socket} };
    close $request->{socket};
    say STDOUT $json->encode({ id => $request->{id}, began => $request->{began}, ended => time, raw => $request->{raw} });
}

sub obey ($told, $select, $open) {
    if ($told->{leave}) {
        for my $request (grep { $_->{id} == $told->{id} } values %$open) { finish($request, $select, $open) }
        return;
    }
    my $request = { id => $told->{id}, began => time, raw => '' };
    my $socket  = IO::Socket::INET->new(PeerAddr => $told->{server}, Timeout => 5);
    if (!$socket) {
        say STDOUT $json->encode({ id => $told->{id}, began => $request->{began}, ended => time, raw => '' });
        return;
    }
    my $body    = $told->{body} // '';
    my %headers = (Host => $told->{server}, Connection => 'close', %{ $told->{headers} // {} });
    if (length $body) {
        $headers{'Content-Length'} = length $body;
        $headers{'Content-Type'} //= 'application/x-www-form-urlencoded';
    }
    my $text = "$told->{method} $told->{path} HTTP/" . ($told->{version} // '1.1') . "\r\n"
        . join('', map {"$_: $headers{$_}\r\n"} sort keys %headers) . "\r\n$body";
    syswrite $socket, $text;
    fcntl $socket, F_SETFL, fcntl($socket, F_GETFL, 0) | O_NONBLOCK;
    $request->{socket} = $socket;
    $open->{ fileno $socket } = $request;
    $select->add($socket);
}

1;
