#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What the demo makes of a run: writes lost and doubled, failures before and after the module noticed, percentiles.
use v5.36;
use FindBin ();
use lib "$FindBin::Bin/../rig/lib";
use Test::More;
use Demo::Figures ();
use Demo::Ledger ();
use Demo::Procedure ();
use Demo::Run ();
use Demo::Table ();
use lib "$FindBin::Bin/../lib";
use RdsFailover::Story::Order qw(correlation largest_inversion);

subtest 'the ledger' => sub {
    my %said = map { $_->[0] => { outcome => $_->[1] } } (
        [ kept => 'acknowledged' ], [ lost => 'acknowledged' ], [ twice => 'acknowledged' ], [ ghost => 'failed' ], [ gone => 'failed' ],
        [ maybe => 'unknown' ], [ maybe_not => 'unknown' ], [ unknown_twice => 'unknown' ]);
    my $sum = Demo::Ledger::check(\%said, { kept => 1, twice => 2, ghost => 1, maybe => 1, unknown_twice => 2, alien => 1 });
    is_deeply $sum->{lost},    ['lost'],                     'acknowledged and absent is lost';
    is_deeply $sum->{doubled}, [ 'twice', 'unknown_twice' ], 'present twice is doubled, whatever was said';
    is_deeply $sum->{ghosts},  ['ghost'],                    'told that it failed, and yet there';
    is_deeply $sum->{stray},   ['alien'],                    'nobody sent it';
    is $sum->{unknown_written}, 2, 'two of the unknown ones were written';
    is_deeply [ @$sum{qw(writes acknowledged failed unknown rows)} ], [ 8, 3, 2, 3, 8 ], 'everything is counted';
};

subtest 'percentiles are those of the driver' => sub {
    is Demo::Figures::percentile(500, 1 .. 100), 50, 'half of 1..100';
    is Demo::Figures::percentile(990, 1 .. 100), 99, '99 % of 1..100';
    is Demo::Figures::percentile(990, 7), 7, 'of one';
    is Demo::Figures::percentile(990), undef, 'of none';
    is Demo::Figures::percentile(500, 10, 9), 9, 'numbers are sorted as numbers';
};

# One request a tenth of a second. A fault at 10 s, noticed at 10.25 s, promoted at 20 s; another at 40 s.
my @requests = map { { n => $_, due => $_ / 10, latency => 0.02, ok => 1, failed => 0, kind => 'query', reason => undef } } 0 .. 599;
sub break_it ($n) { @{ $requests[$n] }{qw(ok failed reason)} = (0, 1, 'status 500') }
break_it($_) for 99, 101, 102, 103, 150, 300, 401;
$requests[120]{latency} = 8.5;
$requests[120]{rounds} = 3;
$requests[121]{rounds} = 1;
$requests[300]{latency} = 10.02;    # came in long before the second fault, and was under way when it struck
$requests[199]{latency} = 0.15;
my %run = (
    module => 1, length => 59.9, requests => \@requests,
    events => [ map { { event => $_->[0], at => $_->[1] } } [ fault => 10 ], [ promoted => 20 ], [ dns_flipped => 20.1 ], [ fault => 40 ] ],
    failovers => [ { started => 40.01, detected_ms => 0 }, { started => 10.01, detected_ms => 240, released_ms => 10_190 } ],
    phases => [ { name => 'before', class => 'small', from => 0, to => 9 } ]);

subtest 'figures of a run' => sub {
    my $f = Demo::Figures::compute(\%run);
    is $f->{total}{requests}, 600, 'all requests';
    is $f->{total}{failed}, 7, 'all failures';
    is $f->{total}{bad_seconds}, 5, 'seconds of the clock with a failure';
    is $f->{total}{waited}, 1, 'those who waited and were answered';
    is_deeply [ @{ $f->{total} }{qw(round rounds most_rounds)} ], [ 2, 4, 3 ], 'those who were sent round';
    is_deeply $f->{total}{reasons}, { 'status 500' => 7 }, 'what they were told';
    my ($up, $down) = @{ $f->{failovers} };
    is $up->{detected}, 10.25, 'when the module held: its own time, on the clock of the run';
    is $up->{failed_before}, 3, 'failures that came in before that, shortly before the fault too';
    is $up->{failed_after}, 2, 'failures that came in after';
    is sprintf('%.2f', $up->{released}), '20.20', 'when it let them go';
    is sprintf('%.2f', $up->{first_answer}), '20.02', 'first answer from the database, also to one who came before';
    is $down->{failed_before}, 1, 'a failure belongs to the failover that struck it, not to the one after which it came in';
    is $down->{failed_after}, 1, 'and each to one';
    is $f->{failed_before} + $f->{failed_after}, $f->{total}{failed}, 'none is forgotten';
    is $f->{stretches}[0]{requests}, 90, 'a steady stretch has its own requests';
    my $rows = Demo::Figures::seconds(\@requests, 60);
    is_deeply [ @{ $rows->[10] }{qw(good waited failed)} ], [ 7, 0, 3 ], 'a second by what became of its requests';
    is $rows->[12]{waited}, 1, 'and who waited';
};

subtest 'what several hosts have on record' => sub {
    my @one = ({ started => 50, detected_ms => 0, released_ms => 9000, epoch => 3 }, { started => 10.5, detected_ms => 100, released_ms => 8000, epoch => 2 });
    my @two = ({ started => 50.25, detected_ms => 50, released_ms => 8000, epoch => 3 }, { started => 10, detected_ms => 200, released_ms => 9000, epoch => 2 });
    is_deeply [ Demo::Run::together(\@one) ], \@one, 'of one host: as it is';
    my @both = Demo::Run::together(\@one, \@two);
    is_deeply [ map { [ @$_{qw(started detected_ms released_ms)} ] } @both ], [ [ 50, 300, 9000 ], [ 10, 600, 9000 ] ],
        'an outage begins with the first that noticed, and is noticed and over with the last';
    is scalar(Demo::Run::together(\@one, [])), 0, 'nothing that one of them has not seen';
    is scalar(Demo::Run::together()), 0, 'nor without the module';
};

subtest 'the order of answers' => sub {
    my $requests = sub (@answered) { my $due = 0; map { { due => ++$due, latency_ms => 1000 * ($_ - $due) } } @answered };
    my @fifo = $requests->(100 .. 149);
    is correlation(@fifo), 1, 'as they came';
    is largest_inversion(@fifo), 0, 'nobody overtook';
    is correlation($requests->(reverse 100 .. 149)), -1, 'the last first';
    my @hiccup = $requests->(200, 101 .. 149);
    is largest_inversion(@hiccup), 49, 'the first one last: all others overtook him';
    cmp_ok correlation(@hiccup), '>', 0.8, 'which one late answer alone does not make disorder';
    cmp_ok correlation($requests->(map { 100 + $_ % 12 + $_ / 100 } 0 .. 49)), '<', 0.5, 'who lost his place with each leg of twelve seconds';
};

subtest 'figures as text' => sub {
    is Demo::Table::duration(undef), '-', 'nothing';
    is Demo::Table::duration(0.0042), '4 ms', 'milliseconds';
    is Demo::Table::duration(0.0996), '0.10 s', 'no rounding to 100 ms';
    is Demo::Table::duration(9.949), '9.95 s', 'seconds';
    is Demo::Table::duration(17.26), '17.3 s', 'many seconds';
    is Demo::Table::number(1234567), '1,234,567', 'thousands';
    is Demo::Run::epoch('2026-11-22T22:48:03.373Z'), 1795387683.373, 'the time of a status';
    is Demo::Run::epoch(undef), undef, 'which may be null';
};

# A rig that runs what it is told in place of a script of cfn/bin.
package FakeRig {
    sub new ($class, $script) { return bless { module => 1, script => $script }, $class }
    sub operator ($self)            { return (RDS_CONTROL_USER => 'operator', AWS_PROFILE => undef) }
    sub hosts ($self)               { return 1 .. 2 }
    sub host_url ($self, $n, $path) { return "http://127.0.0.$n:8080$path" }
    sub command ($self, @words)     { @{ $self->{words} } = @words; return ('sh', '-c', $self->{script}) }
}

subtest 'a script of cfn/bin in the demo' => sub {
    my @told;
    my $play = sub ($script) {
        my $rig = FakeRig->new($script);
        @told = ();
        return ($rig, eval { Demo::Procedure::run($rig, 'upgrade', 'db.m7g.large', '/state', sub ($text) { push @told, $text }) });
    };
    local $ENV{AWS_PROFILE} = 'mine';
    my ($rig, $done) = $play->(<<'SH');
echo "10:00:00Z  check      ok: available"
echo "10:00:00Z  check      ok: Multi-AZ"
echo "10:00:01Z  modify     asked"
echo "10:00:02Z  follow     1 min 12 s: modifying"
echo "10:00:03Z  verify     ok: $RDS_CONTROL_USER ${AWS_PROFILE-none}"
echo "10:00:04Z  report     the page: /state/report.html"
exit 4
SH
    is_deeply(\@told, [ 'check: 2 of its checks find nothing wrong', 'modify: asked', 'verify: ok: operator none', 'report: the page: /state/report.html' ],
        'says what stays, the checks in one line, with its environment and not ours');
    is("$done->{code} $done->{page}", '4 /state/report.html', 'its exit code and its page');
    is($ENV{AWS_PROFILE}, 'mine', 'ours is as it was');
    like("@{ $rig->{words} }", qr{upgrade --class db\.m7g\.large --stack demo --status http://127\.0\.0\.1:8080/rds-status }, 'it gets the class');
    like("@{ $rig->{words} }", qr{ --control http://127\.0\.0\.2:8080/rds-control }, 'each host is named');
    (undef, $done) = $play->('echo "10:00:00Z  check      ! status: not available"; exit 3');
    is($done, undef, 'one that was refused is no run');
    like($@, qr/^upgrade ended with 3:.*not available/s, 'and the reason is told');
};
done_testing;
