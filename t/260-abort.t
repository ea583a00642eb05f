#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# RDSFailoverAbortStale where the server has no right to destroy sockets, as here, where nobody is root: said once, counted, left alone.
use v5.36;
use Test::More;
use IO::Select;
use IO::Socket::INET;
use RdsFailover::FakeMysql;
use RdsFailover::Httpd;

my $CHECK = 'RDSFailoverCheck interval=100ms fast=50ms timeout=300ms';

# An outage with three connections that hang in it. Returns the server and the connections.
sub caught ($conf) {
    my $db    = RdsFailover::FakeMysql->new;
    my $httpd = RdsFailover::Httpd->new(conf => "RDSFailoverDSN ${\$db->dsn}\n$CHECK\n$conf");
    my $start = $httpd->start;
    ok($start->{up}, 'httpd starts') or diag $start->{said};
    ok($httpd->wait_for_state('available'), 'available') or diag explain $httpd->json;
    $db->set(behave => 'silent')->drop;
    my @hang = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $db->port) // die "cannot connect: $@\n" } 1 .. 3;
    ok($httpd->wait_for_state('outage'), 'an outage') or diag explain $httpd->json;
    return ($httpd, $db, @hang);
}
sub alive (@sockets) { return scalar grep { !IO::Select->new($_)->can_read(0) } @sockets }
sub metrics ($httpd) { return { $httpd->get('/rds-status?metrics')->{body} =~ /^rdsfailover_(sockets_\w+)\{[^}]*\} (\d+)$/mg } }

subtest 'on, without the right' => sub {
    plan skip_all => 'plain-user: root has the right; make check-server runs this as nobody' if !$>;
    my ($httpd, $db, @hang) = caught('RDSFailoverAbortStale on');
    is(scalar $httpd->logged('RF0117'), 1, 'the log says once that they cannot be destroyed');
    like(join('', $httpd->logged('RF0117')), qr/CAP_NET_ADMIN/, 'and why');
    ok(RdsFailover::Httpd::wait_until(sub { ($httpd->database->{sockets}{left} // 0) == 3 }), 'three are counted')
        or diag explain $httpd->database->{sockets};
    is_deeply($httpd->database->{sockets}, { destroys => JSON::PP::false, aborted => 0, left => 3 }, 'none is destroyed');
    is_deeply(metrics($httpd), { sockets_aborted_total => 0, sockets_left => 3 }, 'as the metrics say');
    is($httpd->database->{failovers}[0]{sockets_aborted}, undef, 'the record has no count');
    is(alive(@hang), 3, 'all three are there');
    is(scalar $httpd->logged('RF0118'), 1, 'what would have been is said once');

    # A pass each interval, and the probers' own pending logins are never among what is found.
    close shift @hang;
    ok(RdsFailover::Httpd::wait_until(sub { $httpd->database->{sockets}{left} == 2 }), 'one leaves, and two are counted');
    $db->set(behave => 'ok');
    ok($httpd->wait_for_state('available'), 'the database is back');
    ok(RdsFailover::Httpd::wait_until(sub { $httpd->database->{sockets}{left} == 0 }), 'and nothing is stale any more');
    is(alive(@hang), 2, 'the two are there still');
};

subtest 'on, but RDSFailoverDryRun' => sub {
    my ($httpd, $db, @hang) = caught("RDSFailoverAbortStale on\nRDSFailoverDryRun on");
    ok(RdsFailover::Httpd::wait_until(sub { ($httpd->database->{sockets}{left} // 0) == 3 }), 'three are counted')
        or diag explain $httpd->database->{sockets};
    is(scalar $httpd->logged('RF0117'), 0, 'no right is missed');
    is(scalar $httpd->logged('RF0118'), 1, 'what would have been is said');
    is(alive(@hang), 3, 'all three are there');
};

subtest 'off' => sub {
    my ($httpd, $db, @hang) = caught('');
    is($httpd->database->{sockets}, undef, 'the status has none');
    is_deeply(metrics($httpd), {}, 'nor have the metrics');
    is($httpd->database->{failovers}[0]{sockets_aborted}, undef, 'nor the record');
    is(scalar $httpd->logged('RF0117'), 0, 'nothing is said of rights');
    is(scalar $httpd->logged('RF0118'), 0, 'and nothing is said');
    is(alive(@hang), 3, 'all three are there');
};
done_testing;
