# SPDX-License-Identifier: Apache-2.0
package RdsFailover::FakePages;

# A status that stands still: the files that t/unit/report_page writes, as the handler would send them.
#
#   my $pages = RdsFailover::FakePages->new(say => { folder => $dir });
#   http://127.0.0.1:PORT/outage?html    the moment "outage" as the page, with its policy; ?json as the JSON. Orders are accepted,
#                                        and nothing comes of them

use v5.36;
use parent 'RdsFailover::Fake';
use IO::Select ();
use IO::Socket::INET ();
use POSIX ();

my %TYPE = (html => 'text/html; charset=utf-8', json => 'application/json');

sub defaults ($class) { return { folder => '' } }

sub url ($self, $moment) { return "http://$self->{address}:$self->{port}/$moment" }

sub listen ($self) {
    return IO::Socket::INET->new(Listen => 64, ReuseAddr => 1, LocalAddr => $self->{address}, LocalPort => $self->{port})
        || die "$self->{address}:$self->{port}: $@\n";
}

# A process for each connection: browsers open some that they do not use.
sub serve ($self, $listener) {
    local $SIG{CHLD} = 'IGNORE';
    my $ready = IO::Select->new($listener);
    while ($self->wanted) {
        next if !$ready->can_read(0.5);
        my $socket = $listener->accept or next;
        my $pid = fork // next;
        if (!$pid) {
            alarm 60;
            $self->answer($socket);
            POSIX::_exit(0);
        }
        close $socket;
    }
}

sub answer ($self, $socket) {
    my $head = '';
    until ($head =~ /\r\n\r\n/) { sysread $socket, $head, 4096, length $head or return }
    return respond($socket, 200, { 'Content-Type' => 'text/plain; charset=utf-8' }, "shop: an order\n") if $head =~ /\APOST /;
    my $folder = $self->say_now->{folder};
    my ($moment, $format) = $head =~ m{\AGET /(\w+)(?:\?(html|json))? } or return respond($socket, 404, {}, "There is nothing.\n");
    $format //= 'html';
    my %headers = ('Content-Type' => $TYPE{$format}, 'Cache-Control' => 'no-store');
    $headers{'Content-Security-Policy'} = slurp("$folder/$moment.policy") if $format eq 'html';
    respond($socket, 200, \%headers, slurp("$folder/$moment.$format"));
}

sub respond ($socket, $status, $headers, $body) {
    my $text = join "\r\n", "HTTP/1.1 $status Said", (map {"$_: $headers->{$_}"} sort keys %$headers), 'Content-Length: ' . length $body,
        'Connection: close', '', $body;
    while (length $text) {
        my $n = syswrite $socket, $text or return;
        substr $text, 0, $n, '';
    }
}

sub slurp ($path) {
    open my $in, '<:raw', $path or return '';
    local $/;
    return scalar <$in> // '';
}

1;
