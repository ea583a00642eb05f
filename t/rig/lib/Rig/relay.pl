# SPDX-License-Identifier: Apache-2.0
# Inside the namespace: one connection between standard input, a socket of a browser outside, and the site: relay.pl ADDRESS:PORT.
use v5.36;
use IO::Socket::INET ();

$SIG{PIPE} = 'IGNORE';
my $site = IO::Socket::INET->new(PeerAddr => $ARGV[0]) or exit 1;
open my $visitor, '+<&=', 0 or exit 1;
my %peer = (fileno $site, $visitor, fileno $visitor, $site);
while (1) {
    my $ready = '';
    vec($ready, fileno $_, 1) = 1 for $site, $visitor;
    select $ready, undef, undef, undef;
    for my $from ($site, $visitor) {
        next unless vec $ready, fileno $from, 1;
        sysread $from, my $data, 65536 or exit 0;
        my $to = $peer{ fileno $from };
        while (length $data) { substr $data, 0, syswrite($to, $data) // exit 0, '' }
    }
}
