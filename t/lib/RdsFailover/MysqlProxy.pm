# SPDX-License-Identifier: Apache-2.0
package RdsFailover::MysqlProxy;

# Stands between a client and a real server, and loses the link at a statement. What it can be told (new(to => …), tell(...)):
#
#   on     a regular expression; the first statement that matches is the last one of its connection. undef: none
#   when   before   the server never sees the statement
#          after    the server has executed it, its answer is lost
#          login    the login is answered by nobody (`on` does not matter)
#          pause    nothing is lost: the statement waits until the next tell(), through one that says how => 'hang'
#   how    drop     both ends are closed
#          hang     the client's end stays open, and silent
#   then   refuse   from then on the port refuses connections, until the next tell()
#          die      the same, and all other connections are lost with this one
#          serve    the server is there again at once
#   open   false: the port refuses connections
#
# saw() has: accept, sql (text), lost (text), paused (text). A statement is what the client sends as text or prepares.

use v5.36;
use parent 'RdsFailover::Fake';
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Time::HiRes qw(sleep time);

my $JSON = JSON::PP->new;

sub defaults ($class) { return { on => undef, when => 'before', how => 'drop', then => 'refuse', open => 1, turn => 0 } }

# `to`: [address, port] of the server.
sub new ($class, %options) {
    my $to = delete $options{to};
    return $class->SUPER::new(%options, say => { to => $to, %{ $options{say} // {} } });
}

# Defaults and what is given here, nothing from before. Returns when it holds.
sub tell ($self, %say) {
    my $turn = 1 + $self->{say}{turn};
    $self->set(%{ $self->defaults }, %say, turn => $turn);
    my $until = time + 30;
    until (grep { $_->{turn} == $turn } $self->saw_now('told')) {
        die "the proxy does not listen\n" if time > $until;
        sleep 0.005;
    }
    return $self;
}

# What was seen since the last tell(). Most lines are statements, and long: only those that are asked for are read.
sub saw_now ($self, $what) {
    open my $in, '<', "$self->{dir}/saw" or return;
    my @lines = grep {/\n\z/} <$in>;
    my ($last) = grep { $lines[$_] =~ /"what":"told"/ } reverse 0 .. $#lines;
    return map { $JSON->decode($_) } grep {/"what":"\Q$what\E"/} @lines[($last // 0) .. $#lines];
}

sub listen ($self) {
    return IO::Socket::INET->new(Listen => 64, LocalAddr => $self->{address}, LocalPort => $self->{port}, ReuseAddr => 1)
        || die "$self->{address}:$self->{port}: $@\n";
}

sub serve ($self, $listener) {
    # What is told before this is reached must be noticed all the same.
    my $say = { %{ $self->say_now }, turn => 0 };
    my %link;
    my $lose = sub ($link, $text) {
        # Nobody connects anew before the port has changed its mind.
        if ($say->{then} ne 'serve') { close $listener if $listener; undef $listener }
        my @others = $say->{then} eq 'die' ? grep { $_ != $link && !$_->{over} } values %link : ();
        for my $other (@others) {
            close $_ for @$other{qw(client server)};
            delete $link{ $other->{client} };
            $other->{over} = 1;
        }
        $self->note('lost', text => $text);
        $say->{on} = undef;
        $say->{when} = 'before';
        close $link->{server};
        close $link->{client} if $say->{how} eq 'drop';
        delete $link{ $link->{client} } if $say->{how} eq 'drop';
        $link->{over} = 1;
    };
    while ($self->wanted) {
        my $new = $self->say_now;
        if ($new->{turn} != $say->{turn}) {
            $say = $new;
            if ($say->{open}) { $listener ||= $self->listen }
            else              { close $listener if $listener; undef $listener }
            my $stays = sub ($link) { !$link->{over} && ($say->{open} || (defined $link->{waits} && $say->{how} eq 'hang')) };
            for my $link (grep { !$stays->($_) } values %link) { close $_ for @$link{qw(client server)} }
            %link = map { ($_->{client} => $_) } grep { $stays->($_) } values %link;
            for my $link (grep { defined $_->{waits} && $say->{how} ne 'hang' } values %link) {
                syswrite $link->{server}, delete $link->{waits};
            }
            $self->note('told', turn => $say->{turn});
        }
        my %by_server = map { ($_->{server} => $_) } grep { !$_->{over} } values %link;
        my $select    = IO::Select->new($listener // (), map { $_->{over} ? () : ($_->{client}, $_->{server}) } values %link);
        for my $socket ($select->can_read(0.01)) {
            if ($listener && $socket == $listener) {
                my $client = $listener->accept or next;
                $self->note('accept');
                my $server = IO::Socket::INET->new(PeerAddr => $say->{to}[0], PeerPort => $say->{to}[1]) or next;
                $link{$client} = { client => $client, server => $server, in => '', losing => undef };
                next;
            }
            my $link = $link{$socket} // $by_server{$socket};
            next if !$link || $link->{over};
            my $from_client = $socket == $link->{client};
            my $n = sysread $socket, my $bytes, 65536;
            if (!$n) { close $_ for @$link{qw(client server)}; delete $link{ $link->{client} }; $link->{over} = 1 }
            elsif (!$from_client) { defined $link->{losing} ? $lose->($link, $link->{losing}) : syswrite $link->{client}, $bytes }
            else                  { $self->from_client($link, $bytes, $say, $lose) }
        }
    }
    return;
}

sub from_client ($self, $link, $bytes, $say, $lose) {
    $link->{in} .= $bytes;
    while (length $link->{in} >= 4) {
        my ($low, $high, $seq, $command) = unpack 'vCCC', $link->{in};
        my $length = 4 + ($low | $high << 16);
        last if length $link->{in} < $length;
        my $packet = substr $link->{in}, 0, $length, '';
        # Commands begin a sequence; the login does not.
        my $text = $seq == 0 && ($command == 3 || $command == 22) ? substr $packet, 5 : undef;
        $self->note('sql', text => $text) if defined $text;
        my $hit = defined $text ? defined $say->{on} && $text =~ /$say->{on}/i : $seq == 1 && $say->{when} eq 'login';
        if ($hit && $say->{when} eq 'pause') {
            $link->{waits} = $packet;
            $say->{on} = undef;
            $self->note('paused', text => $text);
            next;
        }
        if ($hit && $say->{when} ne 'after') { $lose->($link, $text // 'login'); return }
        $link->{losing} = $text if $hit;
        syswrite $link->{server}, $packet;
    }
    return;
}

1;
