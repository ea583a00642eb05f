#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# httpd is restarted gracefully in the middle of an outage, and a process is killed: who waits in another one does not notice.
use v5.36;
use Test::More;
use RdsFailover::Story;

my $story = RdsFailover::Story->new;
ok($story->wait_for_state('available'), 'available');

subtest 'apachectl graceful while requests are held' => sub {
    my $run = $story->play(sub ($rig) {
        my $pid = fork // die "cannot fork: $!\n";
        if (!$pid) {
            select undef, undef, undef, 2;
            $rig->httpd('graceful');
            select undef, undef, undef, 1.5;
            $rig->httpd('graceful');
            POSIX::_exit(0);
        }
        my $at = $rig->fail('crash', outage => 5);
        waitpid $pid, 0;
        is($?, 0, 'httpd was restarted twice');
        $story->wait_for_state('available');
        return $at;
    });
    my $f = $story->nobody_failed_after_detection($run, $run->{plot}{fault});
    is($f->{epoch}, 2, 'it was one outage to every generation');
    my $h = $story->counts_add_up;
    is($h->{lost}, 0, 'none was lost');
    is($story->{monitor}{restarts}, 0, 'the monitor was handed over, not restarted');
    $story->ledger_is_right($run);
    $story->rig->rebuild;
};

subtest 'a process killed with requests in it' => sub {
    my $run = $story->play(sub ($rig) {
        my $pid = fork // die "cannot fork: $!\n";
        if (!$pid) {
            select undef, undef, undef, 2.5;
            # The youngest process of httpd's that is neither the monitor nor the parent.
            $rig->run('sh', '-c', 'for p in $(pgrep -n -u www-data apache2); do kill -9 $p; done');
            POSIX::_exit(0);
        }
        my $at = $rig->fail('crash', outage => 4);
        waitpid $pid, 0;
        $story->wait_for_state('available');
        return $at;
    });
    my $h = $story->counts_add_up;
    my @bad = grep { $_->{outcome} ne 'ok' } @{ $run->{requests} };
    cmp_ok(scalar @bad, '<=', $h->{lost}, "only those in the killed process failed (" . @bad . " of $h->{lost} lost)");
    is($h->{now}, 0, 'nobody waits for ever');
    $story->ledger_is_right($run);
};
done_testing;
