# SPDX-License-Identifier: Apache-2.0
# Asks the module for its state five times a second and keeps every answer. Runs inside the rig, as a program of its own:
#   perl -MDemo::Watch -e 'Demo::Watch::loop(@ARGV)' HOST PORT PATH FILE
# A line is {"t": epoch seconds when the answer was there, "ms": how long it took, "status": {…} or null}.
package Demo::Watch;
use v5.36;
use IO::Socket::INET ();
use JSON::PP ();
use Time::HiRes qw(time sleep);

my $json = JSON::PP->new->canonical->utf8;

sub ask ($host, $port, $path) {
    my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Timeout => 2) or return undef;
    my $text = eval {
        local $SIG{ALRM} = sub { die "late\n" };
        alarm 3;
        print {$socket} "GET $path HTTP/1.0\r\nHost: $host:$port\r\n\r\n";
        local $/;
        my $all = <$socket>;
        alarm 0;
        $all;
    };
    alarm 0;
    return undef unless ($text // '') =~ m{^HTTP/\S+ 200 .*?\r\n\r\n(.*)}s;
    return eval { $json->decode($1) };
}

sub loop ($host, $port, $path, $file) {
    open my $out, '>', $file or die "cannot write $file: $!\n";
    $out->autoflush(1);
    my $due = time;
    while (1) {
        my $asked  = time;
        my $status = ask($host, $port, $path);
        print {$out} $json->encode({ t => time, ms => (time - $asked) * 1000, status => $status }), "\n";
        $due += 0.2;
        $due = time if $due < time;
        sleep $due - time if $due > time;
    }
}

1;
