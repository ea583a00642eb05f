# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Site;

# A site for tests of holding: httpd with the module, an application behind it that counts (RdsFailover::FakeApp) and a database
# that is broken and mended on purpose.
#
#   my $site = RdsFailover::Site->new(threads => 5, children => 2, location => "RDSFailoverHold 60s");   # options of Httpd
#   $site->break;                                    # the state is `outage` when this returns
#   my $clients = $site->clients;
#   $clients->ask("/app?$_") for 1 .. 300;
#   ok($site->holds(300), 'all wait');
#   $site->mend;                                     # the monitor finds out by itself
#   $clients->settle; $site->drained; $site->balanced;
#
# `release` is RDSFailoverRelease's text. Nobody is sent round by 307 unless `location` says so. Everything is its own: the
# database's port, the application's, the server's.

use v5.36;
use JSON::PP ();
use RdsFailover::Clients   ();
use RdsFailover::FakeApp   ();
use RdsFailover::FakeMysql ();
use RdsFailover::HoldWatch ();
use RdsFailover::Httpd     ();
use Test::More ();

# Under valgrind the monitor is as slow as all else.
our $CHECK = 'RDSFailoverCheck ' . ($ENV{RF_VALGRIND} ? 'interval=1s fast=200ms timeout=5s late=off' : 'interval=100ms fast=50ms timeout=300ms');

sub new ($class, %options) {
    # Before the first client: a process that is forked later keeps its connections open.
    my $self = bless { db => RdsFailover::FakeMysql->new, app => RdsFailover::FakeApp->new }, $class;
    my %own  = map { $_ => delete $options{$_} // '' } qw(conf location release check);
    my $conf = "RDSFailoverDSN ${\$self->{db}->dsn}\n" . ($own{check} || $CHECK) . "\n$own{conf}\n";
    $conf .= "RDSFailoverRelease $own{release}\n" if $own{release};
    $self->{httpd} = RdsFailover::Httpd->new(%options, app => $self->{app}, conf => $conf,
        location => "RDSFailover on\nRDSFailoverHold 150s front=none\n$own{location}");
    my $start = $self->{httpd}->start;
    $start->{up} && $self->{httpd}->wait_for_state('available', 60)
        or Test::More::BAIL_OUT("the site does not start: $start->{said}");
    $self->{watch} = RdsFailover::HoldWatch->new($self->{httpd});
    return $self;
}

sub httpd ($self) { return $self->{httpd} }
sub app   ($self) { return $self->{app} }
sub db    ($self) { return $self->{db} }
sub watch ($self) { return $self->{watch} }

sub clients ($self, %options) {
    return RdsFailover::Clients->new($options{tls} ? $self->{httpd}->tls_port : $self->{httpd}->port, %options);
}

# The database dies; returns when that is known.
sub break ($self) {
    $self->{db}->set(behave => 'close')->drop;
    return Test::More::ok($self->{httpd}->wait_for_state('outage', 60), 'outage') || $self->tell;
}

sub mend ($self, %say) {
    $self->{db}->set(behave => 'ok', delay => 0, %say);
    return $self;
}

sub hold ($self) { return $self->{httpd}->database->{hold} // {} }

# True when exactly (at least: more => 1) $n wait; false after the limit.
sub holds ($self, $n, %option) {
    return RdsFailover::Httpd::wait_until(sub {
        my $now = $self->hold->{now} // return 0;
        return $option{more} ? $now >= $n : $now == $n;
    }, $option{limit} // 60) || $self->tell;
}

# True when $n are in the queue or were turned away at its door.
sub comes_to ($self, $clients, $n) {
    return $clients->until(sub { my $hold = $self->hold; return ($hold->{now} // 0) + ($hold->{rejected} // 0) >= $n }, 60);
}

# True when nobody waits, and nobody who was let go runs.
sub comes_to_rest ($self) {
    return RdsFailover::Httpd::wait_until(sub {
        my $hold = $self->hold;
        return defined $hold->{now} && !$hold->{now} && !$hold->{running};
    }, 60) || $self->tell;
}

# A test: the release ends, and nobody waits.
sub drained ($self, $what = 'available again, and nobody waits') {
    my $ok = RdsFailover::Httpd::wait_until(sub {
        my $database = $self->{httpd}->database;
        return ($database->{state} // '') eq 'available' && !$database->{hold}{now};
    }, 90);
    return Test::More::ok($ok, $what) || $self->tell;
}

# A test: whoever was held is counted once, and was at every moment.
sub balanced ($self) { return $self->{watch}->ok }

# A test: how often each status came, { 200 => 300 }.
sub answers ($self, $clients, $expected, $what) {
    return Test::More::is_deeply($clients->tally, $expected, $what) || $self->tell;
}

# A test: each of these queries ran exactly once, and no other did.
sub ran_once ($self, $queries, $what = 'each ran once') {
    my $runs  = $self->{app}->stats->{runs};
    my %want  = map { $_ => 1 } @$queries;
    my @wrong = ((grep { $runs->{$_} != 1 || !$want{$_} } sort keys %$runs), grep { !$runs->{$_} } @$queries);
    return Test::More::is(join(' ', map { "$_:" . ($runs->{$_} // 0) } @wrong), '', $what);
}

# What a reader of a failure wants to know. False.
sub tell ($self) {
    my %told;
    my @log = grep { /(RF\d{4})|:(?:warn|error|crit|alert|emerg)/ && !$told{ $1 // $_ }++ } reverse split /\n/, $self->{httpd}->log;
    my $now = $self->{httpd}->database;
    my $app = $self->{app}->stats;
    my $json = JSON::PP->new->canonical->allow_nonref;
    Test::More::diag(map { "$_\n" } 'state ' . ($now->{state} // 'none') . ', hold ' . $json->encode($now->{hold}),
        "application: $app->{running} inside, $app->{done} done, $app->{broken} broken", @log > 12 ? @log[0 .. 11] : @log);
    return 0;
}

1;
