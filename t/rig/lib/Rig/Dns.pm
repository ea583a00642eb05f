# SPDX-License-Identifier: Apache-2.0
# Names: an authoritative server (knot) whose CNAME flips in one transaction, and the caching resolver that everybody here
# asks. unbound, because it keeps each record set with its own time to live, as a resolver of a cloud does; dnsmasq may
# renew the CNAME with the answer for another type.
package Rig::Dns;
use v5.36;
use IO::Socket::INET ();
use Rig::Process qw(run spawn wait_for find_server tail);
use Rig::Database ();
use Rig::Template ();
use Time::HiRes qw(time);

our $ENDPOINT = 'shop.rds.test';
our $TTL      = 5;
my $AUTHORITY = '127.0.0.53';
my $RESOLVER  = '127.0.0.54';

sub dir { return "$ENV{RIG_INSIDE}/dns" }

sub start ($writer) {
    my $dir = dir();
    my %user = (KNOT_USER => 'knot', UNBOUND_USER => 'unbound');
    mkdir $_ for $dir, "$dir/knot";
    Rig::Template::write('knot.conf',    "$dir/knot.conf",    DIR => $dir, ROOT => !$>, AUTHORITY => $AUTHORITY, %user);
    Rig::Template::write('unbound.conf', "$dir/unbound.conf", DIR => $dir, ROOT => !$>, AUTHORITY => $AUTHORITY,
        RESOLVER => $RESOLVER, %user);
    Rig::Template::write('rds.test.zone', "$dir/knot/rds.test.zone", TTL => $TTL, WRITER => $writer,
        A => Rig::Database::address('a'), B => Rig::Database::address('b'));
    if (!$>) {
        my ($uid, $gid) = (getpwnam 'knot')[2, 3];
        chown $uid, $gid, $_ for "$dir/knot", "$dir/knot/rds.test.zone";
    }
    spawn("$dir/knot.log",    find_server('knotd'),   '-c', "$dir/knot.conf");
    spawn("$dir/unbound.log", find_server('unbound'), '-d', '-c', "$dir/unbound.conf");
    wait_for(sub { "the name servers do not answer:\n" . tail("$dir/knot.log") . tail("$dir/unbound.log") }, 30, sub {
        return defined authority_address() && defined resolver_address();
    });
}

sub flip ($writer) {
    my @knotc = ('knotc', '-s', dir() . '/knot/sock');
    run(@knotc, qw(zone-begin rds.test));
    run(@knotc, qw(zone-unset rds.test shop CNAME));
    run(@knotc, qw(zone-set rds.test shop), $TTL, 'CNAME', "ec2-$writer.rds.test.");
    run(@knotc, qw(zone-commit rds.test));
    return time;
}

# The resolver forgets the name and learns it again: its answer is now as fresh as can be.
sub prime {
    run('unbound-control', '-c', dir() . '/unbound.conf', qw(flush_zone rds.test));
    return resolver_address();
}

sub authority_address { return address_from($AUTHORITY, $ENDPOINT) }
sub resolver_address  { return address_from($RESOLVER,  $ENDPOINT) }

# Asks one server for the name's address, 200 ms at most; undef without an answer. One question, one datagram.
sub address_from ($server, $name) {
    my $socket = IO::Socket::INET->new(Proto => 'udp', PeerAddr => $server, PeerPort => 53) or return undef;
    my $id = int rand 65536;
    my $question = join('', map { pack 'C/a', $_ } split /\./, $name) . "\0" . pack 'nn', 1, 1;
    defined $socket->send(pack('nnnnnn', $id, 0x0100, 1, 0, 0, 0) . $question) or return undef;
    my $ready = '';
    vec($ready, fileno $socket, 1) = 1;
    select $ready, undef, undef, 0.2 or return undef;
    defined $socket->recv(my $answer, 4096) or return undef;
    return undef if length $answer < 12;
    my ($got, $flags, undef, $count) = unpack 'nnnn', $answer;
    return undef if $got != $id || $flags & 15;
    my $at = 12 + length $question;
    for (1 .. $count) {
        $at++ while $at < length $answer && !(ord(substr $answer, $at, 1) & 0xC0) && ord substr $answer, $at, 1;
        $at += ord(substr $answer, $at, 1) & 0xC0 ? 2 : 1;
        my ($type, undef, undef, $length) = unpack 'nnNn', substr $answer, $at, 10;
        return join '.', unpack 'C4', substr $answer, $at + 10, 4 if $type == 1;
        $at += 10 + $length;
    }
    return undef;
}

1;
