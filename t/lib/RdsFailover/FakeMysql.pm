# SPDX-License-Identifier: Apache-2.0
package RdsFailover::FakeMysql;

# A MySQL server that says one thing. What it can be told (new(say => {...}), set(...)):
#
#   behave     ok         logs everyone in and answers SELECT @@variable, ...
#              silent     accepts and says nothing
#              stall      greets, then says nothing
#              mute       logs in, then answers no query
#              close      closes at once
#              truncated  half a greeting, then closes
#              trickle    the greeting one byte each 50 ms
#              http       answers like a web server
#              noise      greets with bytes that mean nothing
#              deny       error `error` instead of a greeting (1040, 1129)
#              refuse     greets, then error `error` for the login (1045, 1049, 3159 demands TLS)
#              fail       logs in, then error `error` for each query
#   error      [number, SQLSTATE, text]
#   variables  what SELECT @@name gives, without @@ and global.; an unknown one is error 1193
#   version    of the greeting
#   delay      seconds before each answer to a query
#
# drop() breaks the connections that are open, as a server that dies does; farewell() sends `error` on them and closes, as one
# that shuts down does. saw() has: accept, login (user, database),
# query (sql), quit, proof (bytes in hex), broken (the client left without saying so; `phase` tells where).

use v5.36;
use parent 'RdsFailover::Fake';
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_LINGER);
use IO::Select;
use Time::HiRes qw(time);

sub defaults ($class) {
    return {
        behave    => 'ok',
        error     => [1045, '28000', q{Access denied for user 'app'@'localhost' (using password: YES)}],
        plugin    => 'mysql_clear_password',
        version   => '8.0.39',
        delay     => 0,
        variables => {
            read_only => 0, innodb_read_only => 0, super_read_only => 0, hostname => 'fake-a', version => '8.0.39',
            innodb_buffer_pool_size => 134217728, server_id => 1, wait_timeout => 600, version_comment => 'fake',
        },
    };
}

# One variable more or other, the rest as it was.
sub set_variables ($self, %new) { return $self->set(variables => { %{ $self->{say}{variables} }, %new }) }

sub drop ($self) {
    kill 'USR1', $self->{pid};
    return $self;
}

sub farewell ($self) {
    kill 'USR2', $self->{pid};
    return $self;
}

sub dsn ($self, %part) {
    return sprintf 'mysql://%s:%s@%s:%d/%s%s', $part{user} // 'app', $part{password} // 'secret', $part{host} // $self->{address},
        $self->{port}, $part{database} // 'shop', $part{query} // '';
}

sub listen ($self) {
    return IO::Socket::INET->new(Listen => 128, LocalAddr => $self->{address}, LocalPort => $self->{port}, ReuseAddr => 1)
        || die "$self->{address}:$self->{port}: $@\n";
}

sub serve ($self, $listener) {
    my $select = IO::Select->new($listener);
    my (%link, $drop, $farewell);
    local $SIG{USR1} = sub { $drop = 1 };
    local $SIG{USR2} = sub { $farewell = $drop = 1 };
    while ($self->wanted) {
        my @ready = $select->can_read(0.02);
        if ($drop) {
            for my $socket (map { $_->{socket} } values %link) {
                $select->remove($socket);
                syswrite $socket, frame(0, error_body(@{ $self->say_now->{error} })) if $farewell;
                $farewell ? close $socket : reset_close($socket);
            }
            (%link, $drop, $farewell) = ();
            next;
        }
        for my $socket (@ready) {
            if ($socket == $listener) {
                my $new = $listener->accept or next;
                $self->note('accept');
                my $link = $link{$new} = { socket => $new, phase => 'greeting', in => '', out => [] };
                $self->greet($link) ? $select->add($new) : delete $link{$new};
                next;
            }
            my $link = $link{$socket} or next;
            my $n    = sysread $socket, $link->{in}, 65536, length $link->{in};
            my $stay = $n;
            if (!$n) { $self->note('broken', phase => $link->{phase}) if $link->{phase} ne 'over' }
            while ($stay && length $link->{in} >= 4) {
                my ($low, $high, $seq) = unpack 'vCC', $link->{in};
                my $length = $low | $high << 16;
                last if length $link->{in} < 4 + $length;
                $stay = $self->take($link, $seq, substr substr($link->{in}, 0, 4 + $length, ''), 4);
            }
            if (!$stay) { $select->remove($socket); close $socket; delete $link{$socket} }
        }
        my $now = time;
        for my $link (values %link) {
            while (@{ $link->{out} } && $link->{out}[0][0] <= $now) { syswrite $link->{socket}, (shift @{ $link->{out} })->[1] }
        }
    }
    return;
}

# True if the connection stays.
sub greet ($self, $link) {
    my $say      = $self->say_now;
    my $behave   = $say->{behave};
    my $greeting = frame(0, "\x0a$say->{version}\0" . pack('V a8 x v C v v C x10 a12 x', 7, 'saltsalt', 0xa209, 45, 2, 0x0018, 21,
        'saltsaltsalt') . "mysql_native_password\0");
    my $socket = $link->{socket};
    if ($behave eq 'close')     { close $socket; return 0 }
    if ($behave eq 'truncated') { syswrite $socket, substr $greeting, 0, 30; close $socket; return 0 }
    if ($behave eq 'silent')    { return 1 }
    if ($behave eq 'noise')     { syswrite $socket, frame(0, "\x2a" . '?' x 40); return 1 }
    if ($behave eq 'deny')      { syswrite $socket, frame(0, error_body(@{ $say->{error} }, 1)); close $socket; return 0 }
    if ($behave eq 'http') {
        syswrite $socket, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return 1;
    }
    if ($behave eq 'trickle') {
        my $at = time;
        $link->{out} = [map { [$at += 0.05, $_] } split //, $greeting];
    }
    else { syswrite $socket, $greeting }
    $link->{phase} = 'login';
    return 1;
}

sub send_later ($self, $link, $bytes, $delay) {
    $delay ? push(@{ $link->{out} }, [time + $delay, $bytes]) : syswrite $link->{socket}, $bytes;
    return 1;
}

sub frame ($seq, $body) { return pack('vCC', length($body) & 0xffff, length($body) >> 16, $seq & 255) . $body }

# True if the connection stays.
sub take ($self, $link, $seq, $body) {
    my $say    = $self->say_now;
    my $behave = $say->{behave};
    return 1 if $behave =~ /^(?:silent|stall|noise)$/;
    if ($link->{phase} eq 'proof') { $self->note('proof', bytes => unpack 'H*', $body); return 0 }
    if ($link->{phase} eq 'login') {
        my ($flags, $user, $rest) = unpack 'V x28 Z* a*', $body;
        my $database = '';
        if (length $rest) { (my $auth, $rest) = unpack 'C/a a*', $rest; $database = unpack 'Z*', $rest if $flags & 8 }
        $self->note('login', user => $user, database => $database);
        if ($behave eq 'switch') {
            syswrite $link->{socket}, frame($seq + 1, "\xfe$say->{plugin}\0" . 'salt' x 5 . "\0");
            $link->{phase} = 'proof';
            return 1;
        }
        if ($behave eq 'refuse') {
            syswrite $link->{socket}, frame($seq + 1, error_body(@{ $say->{error} }));
            $link->{phase} = 'over';
            return 0;
        }
        $link->{phase} = 'ready';
        return $self->send_later($link, frame($seq + 1, "\0\0\0\2\0\0\0"), 0);
    }
    my ($command, $sql) = unpack 'C a*', $body;
    if ($command == 1) { $self->note('quit'); return 0 }
    $self->note('query', sql => $sql) if $command == 3;
    return 1 if $behave eq 'mute';
    my $answer =
          $behave eq 'fail'                                 ? frame($seq + 1, error_body(@{ $say->{error} }))
        : $command == 3 && $sql =~ /^\s*SELECT\s+(.*@@.*)/is ? variables($seq + 1, $say->{variables}, $1)
        : $command == 3 && $sql =~ /^\s*SELECT\s+([\d']\w*'?)\s*$/i ? result($seq + 1, [$1], [$1 =~ tr/'//dr])
        :                                                     frame($seq + 1, "\0\0\0\2\0\0\0");
    return $self->send_later($link, $answer, $say->{delay});
}

sub variables ($seq, $have, $list) {
    my (@names, @values);
    for my $item (split /\s*,\s*/, $list =~ s/\s*;?\s*$//r) {
        my ($name) = $item =~ /^@@(?:global\.|session\.|local\.)?(\w+)(?:\s+(?:as\s+)?\w+)?$/i
            or return frame($seq, error_body(1064, '42000', "You have an error in your SQL syntax near '$item'"));
        exists $have->{ lc $name } or return frame($seq, error_body(1193, 'HY000', "Unknown system variable '$name'"));
        push @names,  $item;
        push @values, $have->{ lc $name };
    }
    return result($seq, \@names, \@values);
}

sub result ($seq, $names, $values) {
    my $eof = "\xfe\0\0\2\0";
    my @packets = (
        chr @$names,
        (map { join('', map { lenenc($_) } 'def', '', '', '', $_, '') . pack('C v V C v C v', 12, 45, 1024, 253, 0, 0, 0) } @$names),
        $eof,
        join('', map { defined ? lenenc($_) : "\xfb" } @$values),
        $eof,
    );
    return join '', map { frame($seq++, $_) } @packets;
}

sub lenenc ($text) {
    die "too long for this server: $text\n" if length $text > 250;
    return chr(length $text) . $text;
}

# Before the login there is no SQLSTATE.
sub error_body ($number, $state, $text, $early = 0) {
    return "\xff" . pack('v', $number) . ($early ? '' : "#$state") . $text;
}

# Close with RST, as the kernel does for a killed server with unread data.
sub reset_close ($socket) {
    setsockopt $socket, SOL_SOCKET(), SO_LINGER(), pack 'ii', 1, 0;
    close $socket;
    return;
}

1;
