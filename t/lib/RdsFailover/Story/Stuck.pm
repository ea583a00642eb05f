# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Story::Stuck;

# PHP processes that are caught in a dead database, and when they are free again. For 370-abort.t and t/bench/abort.
#   my $story = RdsFailover::Story->begin(conf => $RdsFailover::Story::Stuck::CONF . 'RDSFailoverAbortStale on', php_settings => 0);
#   my $told  = RdsFailover::Story::Stuck::play($story, 'hang', caught => 5, outage => 20, limit => 60, patient => 1);
# Half of them wait for the answer to a query that was asked before the fault; the others connect after it.
use v5.36;
use List::Util qw(max);
use Time::HiRes qw(time sleep);

# Exempt, so that they are neither kept out nor run again: what is looked at is the process, not the visitor.
our $CONF = qq(SetEnvIf Request_URI "^/stuck-" no-rdsfailover\n);

# As PHP has it where nobody has set anything: a minute to connect (PDO: half of it), a day to read.
my $PATIENT = 'ini_set("mysqlnd.net_read_timeout", "86400"); ini_set("default_socket_timeout", "60");';

my %PAGE = (
    'stuck-query.php'   => 'rig_pdo()->query("SELECT SLEEP(3600)");',
    'stuck-connect.php' => 'rig_pdo();',
);

# PHP's sockets to that side, as lines of ss: the state is the first word, the local port follows.
sub sockets ($story, $side, $program = 'php|apache') {
    my %address = (a => '127.0.0.11', b => '127.0.0.12');
    return grep {/users:\(\("(?:$program)/} split /\n/, $story->rig->capture('ss', '-Htnp', 'dst', "$address{$side}:3306");
}

sub asked ($story) {
    my $rows = $story->rig->sql('writer', q{SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'});
    return $rows->[0][0];
}

# Returns {side, declared (epoch seconds), promoted, caught (sockets at the worst), connecting (of these, when the worst was),
# freed (epoch seconds; undef: not within the limit after the outage was declared), left (sockets at the end), status, fail}.
# %option: caught, outage, limit, patient (PHP waits as long as it does by itself), during (called once while the outage lasts).
sub play ($story, $kind, %option) {
    my $rig  = $story->rig;
    my $side = $rig->writer;
    my $n    = $option{caught};
    for my $name (sort keys %PAGE) {
        $story->write_page($name, "<?php require __DIR__ . '/../app/database.php'; set_time_limit(0);"
                . ($option{patient} ? $PATIENT : '') . " $PAGE{$name} echo 'RIG-OK';");
    }
    my @requests = map { $story->send(GET => "/stuck-query.php?$_") } 1 .. $n;
    $story->wait_for("$n queries that last", sub { asked($story) >= $n });

    my $epoch   = $story->status->{epoch};
    my $since   = time;
    my $failing = $story->fail_later($kind, outage => $option{outage});
    $rig->wait_event('fault', $since);
    push @requests, map { $story->send(GET => "/stuck-connect.php?$_") } 1 .. $n;

    my %told = (side => $side, caught => 0, connecting => 0);
    my ($end, $none);
    while (1) {
        my @now = sockets($story, $side);
        my $at  = time;
        $none = @now ? undef : $none // $at;
        my $f   = $told{declared} ? undef : declared($story, $epoch);
        @told{qw(caught connecting)} = (scalar @now, scalar grep {/^SYN-SENT/} @now) if @now > $told{caught};
        $told{left} = @now;
        if ($f) {
            $told{declared} = $f;
            $end = $f + $option{limit};
        }
        if ($told{declared} && !@now) { $told{freed} = max($none, $told{declared}); last }
        last if $end && $at > $end;
        die "no outage within 60 s\n" if !$end && $at > $since + 60;
        sleep 0.01;
    }
    $told{during} = $option{during}->(\%told) if $option{during};
    $told{fail}   = $story->await($failing);
    $told{status} = $story->status;
    $story->leave($_) for grep { !$story->answered($_) } @requests;
    return \%told;
}

# When the outage that follows this epoch was declared; undef before.
sub declared ($story, $epoch) {
    my $status = $story->status or return undef;
    return undef if $status->{epoch} == $epoch && $status->{state} ne 'outage';
    return $story->failover($status)->{declared};
}

1;
