# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Story;

# A failover as visitors see it: the rig, steady traffic, something goes wrong, and the accounts are settled afterwards.
#
#   my $story = RdsFailover::Story->new(mpm => 'event');    # options of Rig->new; module => 1 unless told otherwise
#   my $run = $story->play(sub ($rig) { $rig->fail('crash', outage => 4) });
#   $story->nobody_failed_after_detection($run);  $story->ledger_is_right($run);  $story->counts_add_up;
#
# A machine that lacks the rights for a rig skips by the name of the feature, "rig: …".

use v5.36;
use File::Temp ();
use JSON::PP qw(decode_json);
use POSIX ();
use Test::More;
use Time::HiRes qw(time sleep);
use Time::Local qw(timegm);

use Rig ();
use Demo::Ledger ();

our @MIX = (
    'page 4 GET /wp/?p={101-160} marker=RIG-POST-',
    'query 6 GET /ledger.php marker=RIG-OK',
    'insert 6 POST /ledger.php body=token={token} marker=RIG-OK',
    'transaction 4 POST /ledger.php body="token={token}&mode=transaction" marker=RIG-OK',
    'static 2 GET /static.txt marker=RIG-OK',
);

sub new ($class, %rig) {
    my $self = bless { rate => $rig{rate} // 20, dir => File::Temp->newdir('story-XXXXXX', TMPDIR => 1) }, $class;
    $rig{rate} = $self->{rate};
    my $rig = eval { Rig->new(module => 1, outage => 6, ($ENV{RF_STAGE} ? (stage => $ENV{RF_STAGE}) : ()), %rig)->up };
    if (!$rig) {
        my ($why) = split /\n/, $@;
        plan skip_all => "rig: $why" if $why =~ /namespace|permission|not permitted|rights/i;
        die $@;
    }
    $self->{rig} = $rig;
    return $self;
}

sub rig ($self) { return $self->{rig} }

# The status of the one database, as ?json has it.
sub database ($self) {
    my $text = $self->{rig}->capture(qw(curl -s -m 10), $self->{rig}->url('/rds-status?json'));
    my $json = eval { decode_json($text) } or die "no status: $text\n";
    $self->{monitor} = $json->{monitor};
    return $json->{databases}[0];
}

sub wait_for_state ($self, $state, $limit = 30) {
    my $end = time + $limit;
    while (time < $end) {
        return 1 if (eval { $self->database->{state} } // '') eq $state;
        sleep 0.05;
    }
    diag "state is not $state after $limit s: ", explain(eval { $self->database });
    return 0;
}

# Starts traffic, runs the plot, and lets traffic go on for `after` seconds. Returns {requests => […], tokens => {…}}.
sub play ($self, $plot, %option) {
    my $rig    = $self->{rig};
    my $dir    = "$self->{dir}";
    my $driver = "$ENV{RF_BUILDDIR}/rds-drive";
    my $round  = ++$self->{round};
    my @files  = ("$dir/requests.$round", "$dir/tokens.$round", "$dir/drive.$round");
    my @line   = $rig->command('sh', '-c', 'echo $$ >"$0" && exec "$@"', "$dir/pid", $driver, '--rate', $self->{rate}, '--duration', '600s', '--timeout', '60s', '--progress', 0, '--out',
        "$files[2].json", '--jsonl', $files[0], '--tokens', $files[1], '--token-prefix', "t$$-$round",
        (map { ('--kind', $_) } @{ $option{mix} // \@MIX }), $rig->url(''));
    my $pid = fork // die "cannot fork: $!\n";
    if (!$pid) {
        open STDOUT, '>', $files[2];
        open STDERR, '>&', \*STDOUT;
        exec @line or POSIX::_exit(127);
    }
    sleep 1.5;
    my $result = eval { $plot->($rig) };
    my $error  = $@;
    sleep $option{after} // 2;
    # No more are sent; those under way are waited for.
    $rig->run('sh', '-c', 'kill -TERM `cat "$0"`', "$dir/pid");
    waitpid $pid, 0;
    die $error if $error;
    open my $in, '<', $files[0] or die "no requests: $!\n";
    my @requests = map { decode_json($_) } <$in>;
    return { requests => \@requests, tokens => Demo::Ledger::read_tokens($files[1]), plot => $result };
}

sub epoch_of ($rfc3339) {
    my ($y, $mo, $d, $h, $mi, $s) = $rfc3339 =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):([\d.]+)Z$/ or die "no time: $rfc3339\n";
    return timegm(int $s, $mi, $h, $d, $mo - 1, $y) + $s - int $s;
}

# The newest failover, with `held_from`: seconds since 1970 from which requests were held.
sub failover ($self) {
    my $f = $self->database->{failovers}[0] or return;
    return { %$f, held_from => epoch_of($f->{started}) + $f->{detected_ms} / 1000 };
}

sub _describe ($r) { return sprintf '%s due %.3f after %d ms: %s %s', @$r{qw(kind due latency_ms)}, $r->{status} // '-', $r->{error} // '' }

# --- assertions ---------------------------------------------------------------------------------------------------------

# Those let in before may fail, and are told; from the first hold on nobody may.
sub nobody_failed_after_detection ($self, $run, $fault) {
    my $f = $self->failover;
    ok($f, 'the failover is on record') or return;
    my @bad    = grep { $_->{outcome} ne 'ok' } @{ $run->{requests} };
    my @before = grep { $_->{due} < $f->{held_from} } @bad;
    my @after  = grep { $_->{due} >= $f->{held_from} } @bad;
    is(scalar @after, 0, 'every request that came after detection was answered') or diag map { _describe($_) . "\n" } @after;
    cmp_ok($f->{held}, '>', 0, 'requests were held');
    my $seen = grep { $_->{latency_ms} > 1000 && $_->{outcome} eq 'ok' } @{ $run->{requests} };
    cmp_ok($seen, '>', 0, 'and waited for the database');
    diag sprintf '%d requests, %d of them failed before detection, %.0f ms from the fault to the first hold, %d held, released after %d ms',
        scalar @{ $run->{requests} }, scalar @before, 1000 * ($f->{held_from} - $fault), $f->{held}, $f->{released_ms} // -1;
    return $f;
}

sub ledger_is_right ($self, $run) {
    my $round  = $self->{round};
    my $rows   = $self->{rig}->ledger;
    my %of_run = map { ($_ => $rows->{$_}) } grep { /^t$$-$round-/ } keys %$rows;
    my $sum    = Demo::Ledger::check($run->{tokens}, \%of_run);
    cmp_ok($sum->{acknowledged}, '>', 0, 'writes were acknowledged');
    is_deeply($sum->{lost},    [], 'no write is lost');
    is_deeply($sum->{doubled}, [], 'no write is doubled');
    is_deeply($sum->{stray},   [], 'and none is there that nobody sent');
}

sub counts_add_up ($self) {
    my $h = $self->database->{hold};
    my $sum = 0;
    $sum += $h->{$_} for qw(released passed redirected expired aborted lost now);
    is($h->{held}, $sum, 'held = released + passed + redirected + expired + aborted + lost + now') or diag explain $h;
    return $h;
}

1;
