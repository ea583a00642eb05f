#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# How many requests can wait: read from the MPM, the configuration and the system; said in the log (RF0209), shown in the status.
use v5.36;
use Test::More;
use RdsFailover::FakeMysql;
use RdsFailover::Httpd;

my $db    = RdsFailover::FakeMysql->new;
my $MPM   = $ENV{RF_MPM} || 'event';
my $EVENT = $MPM eq 'event';

# A server on its own; the limit of descriptors that it starts with is ours to say.
sub host ($conf = '', %more) {
    my $descriptors = delete $more{descriptors} // 1024;
    my $httpd = RdsFailover::Httpd->new(conf => "RDSFailoverDSN ${\$db->dsn}\n$conf", location => 'RDSFailover on',
        threads => 20, children => 2, spare => 2, wrapper => ['prlimit', "--nofile=$descriptors:"], %more);
    my $start = $httpd->start;
    ok($start->{up}, 'a server') or diag $start->{said};
    return $httpd;
}
sub capacity ($httpd) { return ($httpd->json // {})->{capacity} // {} }

my ($hard) = qx{prlimit --nofile --noheadings --output HARD} =~ /(\d+)/;
$hard //= 1e9;    # unlimited

subtest 'the MPM as it comes' => sub {
    my $httpd = host();
    my ($said) = $httpd->logged('RF0209');
    my $c = capacity($httpd);
    if ($EVENT) { is_deeply([@$c{qw(requests per_process blocking limited_by)}], [42, 42, 30, 'AsyncRequestWorkerFactor'], 'as the status says') or diag explain $c }
    else        { is_deeply([@$c{qw(requests blocking limited_by)}], [30, 30, 'MaxRequestWorkers'], 'as the status says') or diag explain $c }
    like($said // '', qr/up to $c->{requests} requests.*$c->{blocking} of them.*$c->{limited_by}.*\Q$c->{advice}\E/, 'as the log says');
    is($httpd->database->{hold}{capacity}, $c->{requests}, 'the same for each database');
    is($c->{at_once_per_process}, $MPM eq 'prefork' ? 1 : 16, 'a fifth of the workers is kept from the release');
    unlike($httpd->log, qr/RF0224/, 'and a new generation finds room');
};

subtest 'queue= is a limit too' => sub {
    my $httpd = host('RDSFailoverRelease queue=7');
    my $c = capacity($httpd);
    is_deeply([@$c{qw(requests limited_by)}], [7, 'RDSFailoverRelease'], 'seven') or diag explain $c;
};

SKIP: {
    skip 'mpm-event: limits of the event MPM', 1 if !$EVENT;

    subtest 'AsyncRequestWorkerFactor, wherever it stands' => sub {
        my %FACTOR = (
            'AsyncRequestWorkerFactor 5'                                                         => 5,
            "<IfModule mpm_event_module>\nasyncrequestworkerfactor \"6\"\n</IfModule>"            => 6,
            "AsyncRequestWorkerFactor 5\n<IfModule !x_module>\nAsyncRequestWorkerFactor 7\n</IfModule>" => 7,
            "<IfModule x_module>\nAsyncRequestWorkerFactor 5\n</IfModule>"                        => 2,
            "Include conf.inc"                                                                   => 8,
            'AsyncRequestWorkerFactor 3.99'                                                      => 3,
            'AsyncRequestWorkerFactor 0.5'                                                       => 1,
        );
        for my $conf (sort keys %FACTOR) {
            my $httpd = RdsFailover::Httpd->new(threads => 20, children => 2, conf => "RDSFailoverDSN ${\$db->dsn}\n$conf",
                wrapper => ['prlimit', '--nofile=1024:']);
            RdsFailover::Httpd::write_file($httpd->dir . '/conf.inc', "AsyncRequestWorkerFactor 8\n");
            my $start = $httpd->start;
            is(capacity($httpd)->{requests}, 2 * (15 + 3 * $FACTOR{$conf}), $conf =~ s/\n/; /gr) or diag $start->{said};
            $httpd->stop;
        }
    };

    subtest 'descriptors' => sub {
        my $httpd = host('AsyncRequestWorkerFactor 2000', descriptors => 1024);
        my $c = capacity($httpd);
        # (1024 - 200) / 2 in each of two processes, of which three quarters count.
        is_deeply([@$c{qw(requests per_process limited_by advice)}], [618, 412, 'LimitNOFILE', 'LimitNOFILE 20200'], 'bound by them') or diag explain $c;
    };

    subtest 'ServerLimit without room for a second generation' => sub {
        my $httpd = host('', spare => 0);
        my ($said) = $httpd->logged('RF0224');
        like($said // '', qr/ServerLimit 2 .*Set ServerLimit 4/, 'is said');
    };
}

# --- the number is honest ----------------------------------------------------------------------------------------------------------
subtest 'as many can wait as are promised, and files are served meanwhile' => sub {
    my $httpd = host('RDSFailoverCheck interval=100ms fast=50ms timeout=300ms');
    my $n = capacity($httpd)->{requests};
    ok($httpd->wait_for_state('available'), 'available');
    $db->set(behave => 'close')->drop;
    ok($httpd->wait_for_state('outage'), 'outage');
    my @held = map { $httpd->begin("/count?$_") } 1 .. $n;
    ok(RdsFailover::Httpd::wait_until(sub { ($httpd->database->{hold}{now} // 0) == $n }, 60), "all $n wait") or diag explain $httpd->database->{hold};
    is($httpd->get('/static.txt', timeout => 30)->{status}, 200, 'a file is served');
    is($httpd->get('/rds-status?health')->{status}, 503, 'a full queue is not healthy');
    is($httpd->get('/count?more', timeout => 30)->{status}, 503, 'one more is turned away at once');
    $db->set(behave => 'ok');
    my %answers;
    $answers{ $_->finish(60)->{status} }++ for @held;
    is_deeply(\%answers, { 200 => $n }, 'each is answered');
    is(scalar($httpd->runs), $n, 'and ran once');
};

# --- the tuned example: what it promises -------------------------------------------------------------------------------------------
subtest 'conf/mpm-event-hold.conf' => sub {
    my $example = RdsFailover::Httpd::slurp("$ENV{RF_SRCDIR}/conf/mpm-event-hold.conf");
    ok(length $example, 'is there') or return;
    my ($descriptors) = $example =~ /LimitNOFILE=(\d+)/;
    my $httpd = host($example, descriptors => $descriptors < $hard ? $descriptors : $hard);
    return if !$EVENT;
    my $c = capacity($httpd);
    unlike($c->{advice}, qr/AsyncRequestWorkerFactor/, 'its factor is large enough for 10000') or diag explain $c;
    unlike($httpd->log, qr/RF0224/, 'so is its ServerLimit');
    SKIP: {
        skip "descriptors: only $hard here", 1 if $c->{limited_by} eq 'LimitNOFILE' && $descriptors > $hard;
        skip 'memory: not enough here', 1 if $c->{limited_by} eq 'memory';
        is($c->{requests}, 10_000, 'ten thousand can wait') or diag explain $c;
    }
};
done_testing;
