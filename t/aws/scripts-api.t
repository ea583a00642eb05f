#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# upgrade and downgrade as they are, through the aws command against the stand-in: the upgrade is killed in each step that asks AWS
# and run again, under traffic; the downgrade goes through throttled and broken answers. t/aws/scripts/resume.py kills everywhere.
use v5.36;
use File::Temp ();
use IPC::Open2 qw(open2);
use JSON::PP   ();
use POSIX      ();
use Test::More;
use RdsFailover::Lint   qw(source_tree build_dir slurp);
use RdsFailover::RdsApi ();

if (my $why = RdsFailover::RdsApi::why_no_cli()) { plan skip_all => $why }
my $dir = File::Temp->newdir;
# The failover waits for us, or a slow machine would find nothing left to follow.
write_program("$dir/hook", 'while test "$2" = failover -a ! -e "$1"; do sleep 0.05; done');
my $api = RdsFailover::RdsApi->new(scale => 120, hook => "$dir/hook $dir/go");
my $pid = open2(my $from, my $to, source_tree() . '/t/aws/scripts/host.py', $api->url, "$dir/orders");
chomp(my $site = <$from> // BAIL_OUT('host.py does not start'));

# The aws that the script finds: it kills the script before or after the operation named in the file `kill`, or asks it to end
# during it; once.
mkdir "$dir/bin";
write_program("$dir/bin/aws", <<'SH');
test -e "$RF_KILL" && read operation when <"$RF_KILL"
if test "$2" != "$operation"; then exec /usr/bin/aws "$@"; fi
rm "$RF_KILL"
if test "$when" = during; then kill -TERM $PPID; exec /usr/bin/aws "$@"; fi
test "$when" = before || /usr/bin/aws "$@"
kill -KILL $PPID
SH

my %environment = ($api->environment, RF_KILL => "$dir/kill", RDS_CONTROL_USER => 'alice', RDS_CONTROL_PASSWORD => 'wonder');
$environment{PATH} = "$dir/bin:$environment{PATH}";
delete local @ENV{qw(DATABASE_URL DATABASE_URL_FILE RDS_HOSTNAME RDS_HOSTNAME_FILE)};

sub write_file ($path, $text) {
    open my $out, '>', $path or die "$path: $!\n";
    print {$out} $text;
    close $out or die "$path: $!\n";
}

sub write_program ($path, $text) {
    write_file($path, "#!/bin/sh\n$text\n");
    chmod 0755, $path;
}

# (signal or undef, exit code, what it said)
sub script ($name, @words) {
    local @ENV{ keys %environment } = values %environment;
    my $pid = open my $said, '-|' // die "fork: $!\n";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        exec source_tree() . "/cfn/bin/$name", '--stack', 'demo', '--status', "$site/rds-status", '--state', "$dir/state", '--yes',
            $name eq 'status' ? () : ('--control', "$site/rds-control", '--poll', '0.5'), @words or POSIX::_exit(127);
    }
    local $/;
    my $text = <$said> // '';
    close $said;
    return ($? & 127, $? >> 8, $text);
}

sub step_now () {
    my $journal = eval { JSON::PP::decode_json(slurp("$dir/state/eu-west-1/shop/journal.json")) } or return '';
    return join ' ', grep { $journal->{steps}{$_} ne 'done' } keys %{ $journal->{steps} };
}
sub orders () { return -e "$dir/orders" ? split /\n/, slurp("$dir/orders") : () }

my @upgrade = ('upgrade', '--class', 'db.m7g.large', '--snapshot-age', 0, '--traffic', "$site/", '--rate', 5, '--drive', build_dir() . '/rds-drive');
for my $kill (['get-metric-data', 'before', 'check'], ['create-db-snapshot', 'after', 'snapshot'], ['modify-db-instance', 'after', 'modify'],
    ['describe-events', 'during', 'follow'], ['describe-events', 'before', 'follow'], ['update-stack', 'after', 'reconcile']) {
    my ($operation, $when, $step) = @$kill;
    write_file("$dir/go", '') if $step eq 'reconcile';
    # Once the change has begun it is the next script that is killed; the last one goes to its end.
    write_file("$dir/kill", "$operation $when\n");
    my ($signal, $code, $said) = script(@upgrade);
    if ($when eq 'during') {
        is($code, 143, "ended by SIGTERM during $operation") or diag $said;
        like($said, qr/^Stopped in step "$step"\. .*To .*: \S*upgrade --stack demo/m, 'it says where it stands and how to go on');
    }
    else { is($signal, 9, "killed $when $operation") or diag $said }
    is(step_now(), $step, "in step $step");
}
my ($signal, $code, $said) = script(@upgrade);
is("$signal $code", '0 0', 'run again, it comes to its end') or diag $said;
my $world = $api->world;
is($world->{instances}{shop}{DBInstanceClass}, 'db.m7g.large', 'the class is what it should be');
is($world->{instances}{shop}{AvailabilityZone}, 'eu-west-1b', 'the writer has moved');
is($world->{stacks}{demo}{Parameters}{DbInstanceClass}, 'db.m7g.large', 'the stack agrees');
is(scalar(grep { /^shop-before-upgrade/ } keys %{ $world->{snapshots} }), 1, 'one snapshot was made');
is(scalar(grep { $_->{Message} =~ /failover completed/ } @{ $world->{events} }), 1, 'one failover took place');
like($said, qr/no request failed/, "the site's record");
like($said, qr/of [1-9]\d* requests of the traffic none failed/, "the traffic's record");
my ($first) = orders();
is($first, 'action=arm database=shop ttl=600', 'the module was told');
is((orders())[-1], 'action=disarm database=shop', 'and told that it is over');
my ($page) = $said =~ /the page: (\S+)/;
ok($page && -s $page, 'there is a page');
like(slurp($page // '/dev/null'), qr/db\.t4g\.small to db\.m7g\.large.*class="big fine">0<.*What RDS said.*Multi-AZ instance failover completed/s, 'with what it should have');
is(step_now(), '', 'no journal is left');

$api->set(trouble => [ { what => 'throttle', times => 2, operation => 'DescribeDBInstances' }, { what => 'cut', times => 1, operation => 'DescribeEvents' },
    { what => 'lost', times => 1, operation => 'ModifyDBInstance' }, { what => 'html', times => 1, operation => 'UpdateStack' } ]);
($signal, $code, $said) = script('downgrade', '--class', 'db.t4g.small');
is("$signal $code", '0 0', 'downgrade, with throttled, cut and lost answers') or diag $said;
like($said, qr/throttled/, 'which it tells');
$world = $api->world;
is($world->{instances}{shop}{DBInstanceClass}, 'db.t4g.small', 'the class is what it was');
is($world->{stacks}{demo}{Parameters}{DbInstanceClass}, 'db.t4g.small', 'the stack agrees');
is(scalar(grep { $_->{Message} =~ /failover completed/ } @{ $world->{events} }), 2, 'one more failover took place');

# A refusal, through everything.
$api->set(instances => { shop => { MultiAZ => JSON::PP::false } });
($signal, $code, $said) = script('upgrade', '--class', 'db.m7g.large');
is($code, 3, 'not Multi-AZ: refused');
like($said, qr/^upgrade: multi-az: shop is not Multi-AZ/m, 'and says so');
($signal, $code, $said) = script('status');
is($code, 4, 'status is not content either') or diag $said;
done_testing;
close $to;
waitpid $pid, 0;
