# SPDX-License-Identifier: Apache-2.0
# One run: a rig under load is upgraded to the larger class and back down, by cfn/bin's scripts. play() returns everything that was seen:
#   {label, module, kind, outage, rate, hosts, front, patience, started, length,
#    requests  => [{n, kind, due, latency, ok, failed, status, reason, rounds}],   times in seconds from `started`
#    events    => [{event, at, …}],          from the rig
#    phases    => [{name, class, from, to}], the steady stretches whose p99 is compared
#    status    => [{at, ms, state, now}],                from the module of the first host
#    failovers => [{started, detected_ms, …}],           from that of each: detected and released when the last one did
#    procedures => see Demo::Procedure,
#    ledger    => see Demo::Ledger}
package Demo::Run;
use v5.36;
use File::Copy ();
use File::Path ();
use JSON::PP ();
use List::Util qw(max min);
use POSIX ();
use Time::HiRes qw(time sleep);
use Time::Local ();
use Demo::Child ();
use Demo::Follow ();
use Demo::Ledger ();
use Demo::Procedure ();

# Real pages, real queries, writes of both sorts, and a file that needs no database. Names are shown in the report.
our @MIX = (
    'page 16 GET /wp/?p={101-160} marker=RIG-POST-',
    'listing 2 GET /wp/ marker=RIG-OK',
    'query 50 GET /ledger.php?work=8 marker=RIG-OK',
    'insert 12 POST /ledger.php body=token={token} marker=RIG-OK',
    'transaction 8 POST /ledger.php body="token={token}&mode=transaction" marker=RIG-OK',
    'static 12 GET /static.txt marker=RIG-OK',
);

our $WARM   = 5;     # seconds of load that are not counted
our $STEADY = 12;    # seconds of each class whose p99 is taken
our $SETTLE = 13;    # between a failover and the next stretch at least, so that runs are alike
our $PATIENCE = 32;  # and at most, for a site that is not itself again; as long as the outage, if that was longer

my $json = JSON::PP->new->canonical->utf8;

sub new ($class, %option) { return bless {%option}, $class }

# Ends everything; also when the object goes.
sub stop ($self) {
    delete $self->{$_} for qw(director driver watch api);
    if (my $rig = delete $self->{rig}) { $rig->down }
}

sub DESTROY ($self) { local ($?, $!, $@); $self->stop if $self->{owner} == $$ }

sub play ($self) {
    $self->{owner} = $$;
    # How long the driver waits for an answer: longer than the outage.
    $self->{patience} = max(60, $self->{outage} + 45);
    my $out = $self->{out};
    File::Path::remove_tree($out);
    File::Path::make_path($out);
    $self->{rig} = Rig->new(
        module => $self->{module}, rate => $self->{rate}, outage => $self->{outage}, class_a => 'small', class_b => 'small',
        app => $self->{app}, hosts => $self->{hosts}, front => $self->{front}, keep => $self->{keep}, ($self->{stage} ? (stage => $self->{stage}) : ()),
        name => "demo-$self->{label}-$$", say => sub ($text) { $self->{terminal}->line("         $text") });
    $self->{rig}->up;
    $self->warm;
    $self->{started} = time;
    $self->begin;
    $self->watch_over;
    my $run = $self->collect;
    $self->stop;
    return $run;
}

sub drive ($self, $log, @more) {
    return Demo::Child->start({ inside => 1, log => $log }, $self->{rig}->command(
        $self->{drive}, '--rate', $self->{rate}, ($self->{front} ? '--follow' : ()), (map { ('--kind', $_) } @MIX), @more, $self->{rig}->url('')));
}

sub warm ($self) {
    my $warm = $self->drive("$self->{out}/warm.log", '--duration', $WARM, '--seed', 99, '--token-prefix', 'warm', '--timeout', 20);
    my $end = time + $WARM;
    until ($warm->ended) {
        $self->{terminal}->live(sub { sprintf '         warming up: %.0f s', $end > time ? $end - time : 0 });
        sleep 0.1;
    }
    die "the driver does not run:\n" . slurp("$self->{out}/warm.log") if $warm->exit_code;
}

sub begin ($self) {
    my $out = $self->{out};
    $self->{api} = Demo::Child->start({ inside => 1, log => "$out/rds-api.log" }, $self->{rig}->command(
        $self->{rig}->rds_api($self->{kind}, '--scale', $Demo::Procedure::SCALE)));
    $self->await_api;
    if ($self->{module}) {
        for my $host ($self->{rig}->hosts) {
            push @{ $self->{watch} }, Demo::Child->start({ inside => 1, log => "$out/watch$host.log" }, $self->{rig}->command(
                $^X, "-I$ENV{RIG_HOME}/lib", '-MDemo::Watch', '-e', 'Demo::Watch::loop(@ARGV)',
                $self->{rig}->host_url($host, '') =~ m{//(.*):(\d+)}, '/rds-status?json', status_file($out, $host)));
        }
    }
    # Long enough for any outage: the demo ends it.
    $self->{driver} = $self->drive("$out/drive.log", '--duration', 600 + 4 * $self->{outage}, '--progress', 0, '--timeout', $self->{patience},
        '--out', "$out/drive.json", '--jsonl', "$out/requests.jsonl", '--tokens', "$out/tokens.tsv",
        '--token-prefix', sprintf('demo-%x', $self->{started} * 1000));
    $self->{director} = Demo::Child->run(sub ($to) { $self->direct($to) });
    $self->{requests} = Demo::Follow->new("$out/requests.jsonl");
    $self->{events}   = Demo::Follow->new($self->{rig}->dir . '/events.jsonl');
    $self->{answers}  = Demo::Follow->new(status_file($out, 1));
}

sub await_api ($self) {
    my $end = time + 30;
    until (slurp("$self->{out}/rds-api.log") =~ m{^http://}m) {
        die "the stand-in for the RDS API does not listen:\n" . slurp("$self->{out}/rds-api.log") if time > $end || $self->{api}->ended;
        sleep 0.05;
    }
}

sub status_file ($out, $host) { return "$out/status" . ($host > 1 ? $host : '') . '.jsonl' }

# The plot, in a process of its own. Lines: "now TEXT", "steady NAME CLASS FROM TO", "did PROCEDURE" (JSON), "line TEXT", "error TEXT".
sub direct ($self, $to) {
    my $rig = $self->{rig};
    # The rig lives as long as the demo holds its lifeline, and no longer: not as long as this process.
    delete $rig->{lifeline};
    $self->{parent} = getppid;
    $rig->{say} = sub ($text) { print {$to} "now $text\n" };
    my $steady = sub ($name, $class) {
        print {$to} "now steady on class $class\n";
        my $from = time;
        $self->nap($from + $STEADY);
        printf {$to} "steady %s %s %.3f %.3f\n", $name, $class, $from, time - 1;    # what comes in last may meet the fault
    };
    my $change = sub ($name, $class) {
        print {$to} "now $name to $class\n";
        my $from = time;
        $self->prime_late;
        my $done = Demo::Procedure::run($rig, $name, $class, "$self->{out}/state", sub ($text) { print {$to} "line $name: $text\n" });
        print {$to} 'did ' . $json->encode($done) . "\n";
        my ($flipped) = grep { $_->{event} eq 'dns_flipped' && $_->{t} >= $from } $rig->events;
        $self->settle($to, $flipped ? $flipped->{t} : time);
    };
    $steady->('before', 'small');
    $change->('upgrade', 'db.m7g.large');
    $steady->('upgraded', 'large');
    $change->('downgrade', 'db.t4g.small');
    $steady->('downgraded', 'small');
}

# The worst case for those who find the database by name: the resolver asks just before DNS changes, and keeps the old
# address for all of its time to live. The same in every run.
sub prime_late ($self) {
    my $from = time;
    my $pid  = fork // die "cannot fork: $!\n";
    return if $pid;
    eval {
        my $fault = $self->{rig}->wait_event('fault', $from);
        my $left  = $fault->{t} + $self->{outage} - 0.5 - time;
        sleep $left if $left > 0;
        $self->{rig}->prime;
    };
    POSIX::_exit(0);
}

# A stretch is steady once those who waited are gone; when they never are, it begins all the same.
sub settle ($self, $to, $changed) {
    print {$to} "now waiting until the site is itself again\n";
    my $requests = Demo::Follow->new("$self->{out}/requests.jsonl");
    my $done = 0;
    while (time < $changed + max($PATIENCE, $self->{outage})) {
        $done += () = $requests->more;
        my $open = (time - $self->{started}) * $self->{rate} - $done;
        if ($open < $self->{rate} / 3 && time > $changed + $SETTLE) { $self->nap(time + 2); last }
        $self->nap(time + 0.2);
    }
}

sub nap ($self, $until) {
    while (time < $until) {
        POSIX::_exit(1) if getppid != $self->{parent};
        sleep 0.1;
    }
}

sub watch_over ($self) {
    my ($now, $state, %count) = ('', '');
    @count{qw(ok failed)} = (0, 0);
    my $draining;
    $self->{lines} = [];
    until ($self->{driver}->ended) {
        for my $line ($self->{director}->lines) {
            if    ($line =~ /^now (.*)/) { $now = $1 }
            elsif ($line =~ /^steady (\S+) (\S+) (\S+) (\S+)/) { push @{ $self->{steady} }, { name => $1, class => $2, from => $3, to => $4 } }
            elsif ($line =~ /^did (.*)/)   { push @{ $self->{procedures} }, $json->decode($1) }
            elsif ($line =~ /^line (.*)/)  { $self->at(time, $1) }
            elsif ($line =~ /^error (.*)/) { die "$1\n" }
        }
        for my $r ($self->{requests}->more) { $count{ $r->{outcome} eq 'ok' ? 'ok' : 'failed' }++ }
        for my $e ($self->{events}->more) { $self->tell($e) }
        for my $a ($self->{answers}->more) {
            my $new = status_state($a) // 'no answer';
            $self->at($a->{t}, "module: $new") if $new ne $state && $state ne '';
            $state = $new;
        }
        $self->flush(time - 0.7);
        if (!$draining && $self->{director}->ended) {
            $draining = 1;
            $now      = 'waiting for the last answers';
            $self->{driver}->signal('TERM');
        }
        $self->{terminal}->live(sub {
            my $sent = $draining ? $self->{sent} : int((time - $self->{started}) * $self->{rate});
            $self->{sent} = $sent;
            my $open = $sent - $count{ok} - $count{failed};
            sprintf '%5.0f s  %s: %d answered, %d failed, %d under way | %s%s', time - $self->{started},
                $self->{label}, $count{ok}, $count{failed}, $open > 0 ? $open : 0, $now, $state ? " | $state" : '';
        });
        sleep 0.05;
    }
    $self->flush(time);
    die "the driver ended too early:\n" . slurp("$self->{out}/drive.log") unless $draining && $self->{driver}->exit_code == 0;
}

my %TELL = (
    fault => 'fault: the writer stops', fenced => 'the old side can write no more', promoted => 'the other side is promoted and accepts writes',
    dns_flipped => 'DNS points to it', resolver_changed => "this host's resolver gives the new address", rebuilt => 'the lost side is back as standby',
    reclassed => 'the standby has its new class');

sub tell ($self, $event) {
    my $text = $TELL{ $event->{event} } or return;
    $text .= " ($event->{kind})"  if $event->{kind};
    $text .= " ($event->{class})" if $event->{class};
    $self->at($event->{t}, $text);
}

sub at ($self, $t, $text) { push @{ $self->{lines} }, [ $t, $text ] }

# Lines in the order in which things happened: not everything is known at once.
sub flush ($self, $until) {
    my @due = sort { $a->[0] <=> $b->[0] } grep { $_->[0] <= $until } @{ $self->{lines} };
    $self->{lines} = [ grep { $_->[0] > $until } @{ $self->{lines} } ];
    $self->{terminal}->line(sprintf '%7.2f s  %s', $_->[0] - $self->{started}, $_->[1]) for @due;
}

# ---- what was seen ---------------------------------------------------------------------------------------------------

sub status_state ($answer) {
    my $status = $answer->{status} or return undef;
    return $status->{databases}[0]{state};
}

# RFC 3339 to epoch seconds; undef stays so.
sub epoch ($text) {
    return undef unless ($text // '') =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(\.\d+)?(?:Z|\+00:00)$/;
    return Time::Local::timegm_modern($6, $5, $4, $3, $2 - 1, $1) + ($7 // 0);
}

sub collect ($self) {
    my ($out, $rig) = @$self{qw(out rig)};
    my %kind_failed = map { $_ => 1 } qw(wrong unsent unknown);
    my @first = sort { $a->{n} <=> $b->{n} } $self->{requests}->all;
    my $start = $first[0]{due};    # the driver's own clock reading
    my @requests = map { {
        n => $_->{n}, kind => $_->{kind}, due => $_->{due} - $start, status => $_->{status}, reason => $_->{reason},
        latency => defined $_->{latency_ms} ? $_->{latency_ms} / 1000 : undef,
        ok => $_->{outcome} eq 'ok' ? 1 : 0, failed => $kind_failed{ $_->{outcome} } // 0, rounds => $_->{redirects} // 0,
    } } @first;
    my $said  = Demo::Ledger::read_tokens("$out/tokens.tsv");
    my $there = $rig->ledger;
    my %own   = map { $_ => $there->{$_} } grep {/^demo-/} keys %$there;
    my $last  = (grep { $_->{status} } $self->{answers}->all)[-1];
    my @failovers = together(map { [ map { { %$_, started => (epoch($_->{started}) // 0) - $start } } last_failovers(status_file($out, $_)) ] }
            $self->{module} ? $rig->hosts : ());
    File::Copy::copy($rig->dir . '/events.jsonl', "$out/events.jsonl");
    return {
        (map { $_ => $self->{$_} } qw(label module kind outage rate hosts front patience procedures)), started => $start, length => $requests[-1]{due},
        requests => \@requests,
        events   => [ map { { %$_, at => $_->{t} - $start } } grep { $_->{t} >= $start } $self->{events}->all ],
        phases   => [ map { { %$_, from => $_->{from} - $start, to => $_->{to} - $start } } @{ $self->{steady} } ],
        status   => [ map { {
            at => $_->{t} - $start, ms => $_->{ms}, state => status_state($_), now => $_->{status}{databases}[0]{hold}{now},
        } } $self->{answers}->all ],
        hold      => $last->{status}{databases}[0]{hold},    # of the first host
        failovers => \@failovers,
        ledger    => Demo::Ledger::check($said, \%own),
    };
}

sub last_failovers ($file) {
    my ($last) = grep { $_->{status} } reverse Demo::Follow->new($file)->all;
    return @{ $last->{status}{databases}[0]{failovers} // [] };
}

# What each host has on record, laid together: an outage begins with the host that noticed first; it is noticed, and over, when all
# hosts say so. Lists begin with the latest failover.
sub together (@hosts) {
    my @all;
    for my $n (0 .. (min(map { scalar @$_ } @hosts) // 0) - 1) {
        my @same = map { $_->[$n] } @hosts;
        my %f = (%{ $same[0] }, started => min(map { $_->{started} } @same));
        for my $moment (qw(detected_ms released_ms)) {
            $f{$moment} = max(map { ($_->{started} - $f{started}) * 1000 + $_->{$moment} } grep { defined $_->{$moment} } @same);
        }
        push @all, \%f;
    }
    return @all;
}

sub slurp ($path) { open my $in, '<', $path or return ''; local $/; return <$in> // '' }

1;
