# SPDX-License-Identifier: Apache-2.0
package RdsFailover::FakeApp;

# An application behind mod_proxy_http that counts exactly: who came, in which order, and how many were inside at once. What it
# can be told (new(say => {...}), set(...)):
#
#   delay    seconds until it answers
#   status   of its answers
#   hang     1: answers nobody until this is 0 again
#
# It answers with one line: the MD5 of the request's body, its length and the query. ->stats tells:
#   running  who is inside now          peak    most that ever were
#   order    queries, in order of arrival; reset() forgets it with the rest
#   runs     { query => how often }     broken  httpd left before the answer

use v5.36;
use parent 'RdsFailover::Fake';
use Digest::MD5 qw(md5_hex);
use IO::Socket::INET ();
use JSON::PP ();
use Time::HiRes qw(time);

sub defaults ($class) { return { delay => 0, status => 200, hang => 0 } }

sub listen ($self) {
    my %where = (LocalAddr => $self->{address}, LocalPort => $self->{port});
    return IO::Socket::INET->new(Listen => 1024, ReuseAddr => 1, %where)
        || die "$self->{address}:$self->{port}: $@\n";
}

sub stats ($self) { return $self->command('stats') }
sub reset ($self) { $self->command('reset'); return $self }

sub command ($self, $name) {
    my $socket = IO::Socket::INET->new(PeerAddr => $self->{address}, PeerPort => $self->{port})
        or die "the application is gone: $@\n";
    print $socket "COMMAND /$name HTTP/1.1\r\n\r\n";
    local $/;
    return JSON::PP::decode_json((split /\r\n\r\n/, <$socket>, 2)[1]);
}

sub serve ($self, $listener) {
    my $stats = fresh();
    my %link;
    $listener->blocking(0);
    while ($self->wanted) {
        my $now  = time;
        my $wait = 0.2;
        my $say;
        for my $link (grep { $_->{body} } values %link) {
            $say //= $self->say_now;
            my $left = $say->{hang} ? 0.02 : $link->{at} + $say->{delay} - $now;
            if ($say->{hang} || $left > 0) { $wait = $left if $left < $wait; next }
            $self->answer(delete $link{ fileno $link->{socket} }, $say, $stats);
        }
        my $read = '';
        vec($read, fileno $_, 1) = 1 for $listener, map { $_->{socket} } values %link;
        select(my $ready = $read, undef, undef, $wait) > 0 or next;
        for my $link (values %link) {
            my $n = fileno $link->{socket};
            next if !vec($ready, $n, 1) || $self->take($link, $stats);
            delete $link{$n};
        }
        next if !vec($ready, fileno $listener, 1);
        while (my $socket = $listener->accept) { $link{ fileno $socket } = { socket => $socket, in => '' } }
    }
    return;
}

sub fresh () { return { running => 0, peak => 0, done => 0, broken => 0, order => [], runs => {} } }

# True if the connection stays.
sub take ($self, $link, $stats) {
    my $n = sysread $link->{socket}, $link->{in}, 65536, length $link->{in};
    if (!$n) {
        if ($link->{head}) { $stats->{running}--; $stats->{broken}++ }
        return 0;
    }
    if (!$link->{head}) {
        $link->{in} =~ s/\A(\w+) (\S+) .*?\r\n\r\n//s or return 1;
        @$link{qw(method url head)} = ($1, $2, $&);
        return $self->obey($link, $stats) if $link->{method} eq 'COMMAND';
        my ($query) = $link->{url} =~ /\?(.*)/;
        $link->{query} = $query // '';
        push @{ $stats->{order} }, $link->{query};
        $stats->{runs}{ $link->{query} }++;
        $stats->{peak} = $stats->{running} if ++$stats->{running} > $stats->{peak};
        syswrite $link->{socket}, "HTTP/1.1 100 Continue\r\n\r\n" if $link->{head} =~ /^Expect:\s*100-continue/im;
    }
    my $body;
    if ($link->{head} =~ /^Transfer-Encoding:\s*chunked/im) {
        $link->{in} =~ /^0\r\n.*?\r\n\z/ms or return 1;
        require RdsFailover::Clients;
        $body = RdsFailover::Clients::dechunk($link->{in}) // return 1;
    }
    else {
        my ($length) = $link->{head} =~ /^Content-Length:\s*(\d+)/im;
        return 1 if length $link->{in} < ($length // 0);
        $body = $link->{in};
    }
    $link->{body} = md5_hex($body) . ' ' . length $body;
    $link->{at}   = time;
    return 1;
}

sub obey ($self, $link, $stats) {
    my $json = JSON::PP->new->canonical->encode($stats);
    if ($link->{url} eq '/reset') {
        my $inside = $stats->{running};
        %$stats = (%{ fresh() }, running => $inside, peak => $inside);
    }
    respond($link, 200, $json);
    return 0;
}

sub answer ($self, $link, $say, $stats) {
    $stats->{running}--;
    $stats->{done}++;
    respond($link, $say->{status}, $link->{method} eq 'HEAD' ? '' : "$link->{body} $link->{query}\n");
    return;
}

sub respond ($link, $status, $body) {
    my $socket = $link->{socket};
    $socket->blocking(1);
    syswrite $socket, join "\r\n", "HTTP/1.1 $status Said", 'Content-Type: text/plain', 'Content-Length: ' . length $body,
        'Connection: close', '', $body;
    close $socket;
    return;
}

1;
