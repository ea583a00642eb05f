# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Caught;

# A request that is inside an application when its database goes away at one statement, as its visitor meets it: without the module,
# and with it. The application, the module's monitor and the loss meet at a RdsFailover::MysqlProxy.
#
#   my $caught = RdsFailover::Caught->new(database => $mariadb, stock => sub ($port) { RdsFailover::PhpFpm->new(…) }, ours => sub …);
#   my $answer = $caught->without({ method => 'POST', path => '/', body => … }, on => '^INSERT');  # what MysqlProxy is told
#   my $answer = $caught->with($request, on => '^INSERT');
#   # { status, headers, body, seconds, lost => 1; with(): attempts => 2, held => 1 }
#   $caught->with($request, on => '^INSERT', then => 'read-only');   # not lost: the server turns read-only before this statement
#   $caught->with($request, on => '^INSERT', then => 'kill');        # the database goes, silently, and PHP's workers are killed
#
# The whole database is away from the statement on, until the request is answered or waits.

use v5.36;
use RdsFailover::Httpd      ();
use RdsFailover::MysqlProxy ();

my $WAIT = 120;

sub new ($class, %options) {
    my $db    = $options{database};
    my $proxy = RdsFailover::MysqlProxy->new(to => [$db->address, $db->{port}]);
    my $self  = bless { database => $db, proxy => $proxy }, $class;
    for my $kind (qw(stock ours)) {
        my $php = $self->{"php_$kind"} = $options{$kind}->($proxy->port);
        my $dsn = $db->dsn =~ s/:$db->{port}\b/":" . $proxy->port/er;
        my %module = $kind eq 'stock' ? (module => 0)
            : (conf => "RDSFailoverDSN $dsn\nRDSFailoverCheck interval=100ms fast=50ms timeout=5s\n", location => location(''));
        my $log = qq{CustomLog caught_log "%{rdsfailover-attempts}n %{X-Number}i"\n};
        my $httpd = $self->{$kind} = RdsFailover::Httpd->new(%module, load => ['proxy', 'proxy_fcgi'], timeout => 100,
            conf => $php->conf . $log . ($module{conf} // ''));
        my $start = $httpd->start;
        die "httpd does not start: $start->{said}\n" if !$start->{up};
    }
    $self->settled;
    return $self;
}

sub location ($more) { return "RDSFailover on\nRDSFailoverHold 150s front=none\n$more" }

# The server with the module, anew with more directives.
sub restart ($self, $more) {
    my $httpd = $self->{ours};
    $httpd->stop;
    my $start = $httpd->configure(location => location($more))->start;
    die "httpd does not start: $start->{said}\n" if !$start->{up};
    return $self->settled;
}

sub proxy ($self) { return $self->{proxy} }
sub php ($self, $kind) { return $self->{"php_$kind"} }
sub httpd ($self, $kind) { return $self->{$kind} }

# A request while nothing is wrong.
sub ask ($self, $kind, $request) { return $self->{$kind}->get($request->{path}, %$request) }

sub settled ($self) {
    $self->{ours}->wait_for_state('available', $WAIT) or die "the database is not available:\n" . substr $self->{ours}->log, 0, 2000;
    return $self;
}

sub without ($self, $request, %lost) { return $self->play('stock', $request, %lost) }
sub with    ($self, $request, %lost) { return $self->play('ours',  $request, %lost) }

# The request, and what its visitor has got when all is over.
sub play ($self, $kind, $request, %lost) {
    my ($proxy, $httpd) = ($self->{proxy}, $self->{$kind});
    my $then   = $lost{then} // 'die';
    my $number = ++$self->{number};
    my $pauses = $then eq 'read-only' || $then eq 'kill';
    $proxy->tell(%lost, $pauses ? (when => 'pause', then => 'serve') : (then => $then));
    my $sent = $httpd->begin($request->{path}, %$request, headers => { %{ $request->{headers} // {} }, 'X-Number' => $number });
    if ($pauses) {
        RdsFailover::Httpd::wait_until(sub { $proxy->saw_now('paused') || $sent->answered }, $WAIT);
        $self->turn_read_only if $then eq 'read-only';
    }
    else {
        RdsFailover::Httpd::wait_until(sub { $proxy->saw_now('lost') }, $WAIT);
    }
    my $seen = () = $proxy->saw_now($pauses ? 'paused' : 'lost');
    if ($then eq 'kill') {
        $proxy->tell(open => 0, how => 'hang');
        $self->outage;
        $self->php($kind)->kill_workers;
    }
    elsif ($pauses) { $proxy->tell }
    # It has its answer, or waits to run again.
    RdsFailover::Httpd::wait_until(sub { $sent->answered || ($kind eq 'ours' && $self->waits) }, $WAIT);
    my $held = $sent->answered ? 0 : 1;
    $self->{database}->sql('SET GLOBAL read_only = 0');
    $proxy->tell;
    my $answer = $sent->finish($WAIT);
    $self->settled;
    return { %$answer, lost => $seen, held => $held, $kind eq 'ours' ? $self->logged($number) : () };
}

sub turn_read_only ($self) {
    $self->{database}->sql('SET GLOBAL read_only = 1');
    return $self->outage;
}

# Returns when the monitor knows.
sub outage ($self) { return $self->{ours}->wait_for_state('outage', $WAIT) || die "the database is away, and there is no outage\n" }

sub waits ($self) { return ($self->{ours}->database->{hold}{now} // 0) > 0 }

# A request is logged when its last byte has left, which may be after its client had it.
sub logged ($self, $number) {
    my @found;
    RdsFailover::Httpd::wait_until(sub {
        @found = RdsFailover::Httpd::slurp($self->{ours}->dir . '/caught_log') =~ /^(\S+) \Q$number\E$/m;
    }, $WAIT);
    return (attempts => $found[0]);
}

1;
