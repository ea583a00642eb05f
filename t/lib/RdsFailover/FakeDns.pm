# SPDX-License-Identifier: Apache-2.0
package RdsFailover::FakeDns;

# A name server whose every answer is scripted, over UDP. What it can be told (new(say => {...}), set(...)):
#
#   behave   ok        answers from `names`; a name that is not there is NXDOMAIN, one without the asked type an empty answer
#            nxdomain, servfail, refused, empty, silent
#            garbage   bytes that are no DNS message, under the query's id
#            liar      answers another question than the one asked
#   names    { 'shop.test' => { cname => 'a.test', ttl => 5 }, 'a.test' => { a => ['127.0.0.1'], aaaa => ['::1'], ttl => 5 } }
#   delay    seconds before each answer
#
# saw('query') has name and type.

use v5.36;
use parent 'RdsFailover::Fake';
use IO::Select;
use IO::Socket::INET;
use Socket qw(inet_pton AF_INET AF_INET6);

my %TYPE  = (1 => 'a', 28 => 'aaaa', 5 => 'cname');
my %RCODE = (nxdomain => 3, servfail => 2, refused => 5);

sub defaults ($class) { return { behave => 'ok', names => {}, delay => 0 } }

# This name's records from now on, the others as they were.
sub set_name ($self, $name, %record) {
    return $self->set(names => { %{ $self->{say}{names} }, lc $name => { ttl => 5, %record } });
}

sub listen ($self) {
    return IO::Socket::INET->new(Proto => 'udp', LocalAddr => $self->{address}, LocalPort => $self->{port})
        || die "$self->{address}:$self->{port}: $@\n";
}

sub serve ($self, $socket) {
    my $select = IO::Select->new($socket);
    while ($self->wanted) {
        next if !$select->can_read(0.5);
        defined(my $peer = recv $socket, my $query, 4096, 0) or next;
        next if length $query < 12;
        my $answer = $self->answer($query) // next;
        send $socket, $answer, 0, $peer;
    }
    return;
}

sub answer ($self, $query) {
    my ($id, $flags, $questions) = unpack 'n3', $query;
    my ($name, $at) = (name_at($query, 12));
    my ($type, $class) = unpack "x$at n2", $query;
    my $say = $self->say_now;
    $self->note('query', name => $name, type => $TYPE{$type} // $type);
    select undef, undef, undef, $say->{delay} if $say->{delay};
    my $behave = $say->{behave};
    return if $behave eq 'silent';
    return pack('n', $id) . "\xff" x 60 if $behave eq 'garbage';
    $name = 'other.invalid' if $behave eq 'liar';
    my $question = wire_name($name) . pack 'n2', $type, 1;
    return pack('n6', $id, 0x8580 | $RCODE{$behave}, 1, 0, 0, 0) . $question if $RCODE{$behave};

    my ($names, @answers, $rcode) = ($say->{names});
    my $owner = lc $name;
    for (1 .. 16) {
        last if $behave eq 'empty';
        my $record = $names->{$owner};
        if (!$record) { $rcode = 3 if !@answers; last }
        my $ttl = $record->{ttl} // 5;
        if ($record->{cname} && $type != 5) {
            push @answers, record($owner, 5, $ttl, wire_name($record->{cname}));
            $owner = lc $record->{cname};
            next;
        }
        push @answers, map { record($owner, $type, $ttl, inet_pton($type == 28 ? AF_INET6 : AF_INET, $_)) }
            @{ $record->{ $TYPE{$type} // '' } // [] } if $type != 5;
        last;
    }
    return pack('n6', $id, 0x8580 | ($rcode // 0), 1, scalar @answers, 0, 0) . $question . join '', @answers;
}

sub record ($owner, $type, $ttl, $data) { return wire_name($owner) . pack 'n2 N n/a*', $type, 1, $ttl, $data }

sub wire_name ($name) { return join('', map { pack 'C/a*', $_ } split /\./, $name) . "\0" }

sub name_at ($message, $at) {
    my @labels;
    while ((my $length = ord substr $message, $at, 1)) {
        push @labels, substr $message, $at + 1, $length;
        $at += 1 + $length;
        last if $at >= length $message;
    }
    return (lc join('.', @labels), $at + 1);
}

1;
