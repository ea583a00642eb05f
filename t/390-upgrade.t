#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The rehearsal: cfn/bin/upgrade and downgrade, through the aws command and the stand-in for the RDS API, change the class of a rig's
# database under traffic. They end well, the standby goes first, and nobody who comes in later sees any of it.
use v5.36;
use File::Temp ();
use Test::More;
use Demo::Child ();
use Demo::Procedure ();
use RdsFailover::Story ();
use RdsFailover::Story::Failover qw(check_traffic check_counters);

if (my $why = Demo::Procedure::lacks()) { plan skip_all => "aws: $why" }
my $story = RdsFailover::Story->begin(outage => 4);
my $rig   = $story->rig;
my $state = File::Temp->newdir;
my $log   = $rig->dir . '/log/rds-api.log';
my $api   = Demo::Child->start({ inside => 1, log => $log }, $rig->command($rig->rds_api('graceful', '--scale', 200)));
$story->wait_for('the stand-in listens', sub { open my $in, '<', $log or return 0; return (<$in> // '') =~ m{^http://} });

my $traffic = $story->traffic(rate => 6, kinds => \@RdsFailover::Story::Traffic::SHORT);
my %done;
for my $change ([ upgrade => 'db.m7g.large', 'large', 'b' ], [ downgrade => 'db.t4g.small', 'small', 'a' ]) {
    my ($name, $class, $size, $writer) = @$change;
    my @said;
    $done{$name} = eval { Demo::Procedure::run($rig, $name, $class, "$state", sub ($text) { push @said, $text }) };
    # 4: all was done, but the site has a failed request on record; which ones may be is judged below.
    ok($done{$name} && $done{$name}{code} =~ /^[04]$/, "$name is done") or die join "\n", @said, $@;
    is($rig->writer, $writer, 'the other side writes');
    my $sides = $rig->status->{sides};
    is_deeply([ map { $sides->{$_}{class} } qw(a b) ], [ $size, $size ], "both are of the $size class");
    is($sides->{ $writer eq 'a' ? 'b' : 'a' }{role}, 'standby', 'the one that wrote is the standby');
    ok((grep {/^follow: RDS .*Multi-AZ instance failover completed/} @said), 'it told what RDS said');
    my $word = $done{$name}{code} ? qr/^verify: ! refused: .*could not be repeated/ : qr/^verify: ok: .*no request failed/;
    ok((grep {/$word/} @said), 'and what the site has on record') or diag join "\n", @said;
    ok($done{$name}{page} && -s $done{$name}{page}, 'and left a page');
    $traffic->settle(60);
}
my @order = map { $_->{event} } grep { $_->{event} =~ /^(?:reclassed|fault|promoted|rebuilt)$/ } $rig->events;
is_deeply(\@order, [ (qw(reclassed fault promoted rebuilt)) x 2 ], 'each time the standby first, then the failover, then the side that was lost');
my $status = $story->status;
is(scalar @{ $status->{failovers} }, 2, 'two failovers on record');
check_traffic($story, $traffic, map { my $f = $story->failover($status, $_); { %$f, fault => $f->{started} } } 0 .. $#{ $status->{failovers} });
# A write whose COMMIT was under way may have been done: that one fails, and the script must say so.
my @failed = $traffic->bad;
is_deeply([ grep { $_->{kind} !~ /^(?:insert|transaction)$/ } @failed ], [], 'no request failed but writes that were under way');
ok(@failed || !grep({ $_->{code} } values %done), 'the scripts told of no failure that was none');
check_counters($story);
done_testing;
