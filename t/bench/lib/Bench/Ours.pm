# SPDX-License-Identifier: Apache-2.0
package Bench::Ours;

# httpd with the module, mod_crowd in the place of an application, and a database that is broken and mended on purpose.
#
#   my $ours = Bench::Ours->new(requests => 2000, mpm => 'event', children => 2, threads => 25);
#
# Options beside those of RdsFailover::Httpd: `requests`, how many shall be able to wait; `fpm`, the application is PHP-FPM; `uneven`,
# processes take connections from one socket as they come.

use v5.36;
use Bench::Php  ();
use Bench::Tree ();
use POSIX ();
use RdsFailover::FakeMysql ();
use RdsFailover::Httpd     ();

# While requests are let go the database answers more slowly than before, so that the release sees a reason not to grow.
my $SLOW = 0.06;

sub new ($class, %options) {
    my $self = bless { requests => 1000, mpm => 'event', children => 2, threads => 25, concurrency => 40, %options }, $class;
    $self->{db}  = RdsFailover::FakeMysql->new;
    $self->{php} = Bench::Php->new if $self->{fpm};
    my $n      = $self->{requests};
    # Of five threads one does not run released requests: it is those that the MPM counts while it accepts. Children do not get
    # equally many connections.
    my $factor = POSIX::ceil(1.4 * $n / $self->{children} / (int($self->{threads} / 5) || 1));
    $self->{httpd} = RdsFailover::Httpd->new(
        mpm => $self->{mpm}, children => $self->{children}, threads => $self->{threads}, spare => $self->{spare} // 2, timeout => 60,
        $self->{mpm} eq 'event' ? (factor => $factor < 4 ? 4 : $factor) : (),
        map({ $_ => $self->{$_} } grep { defined $self->{$_} } qw(tls http2 limit)),
        load     => $self->{fpm} ? [qw(proxy proxy_fcgi)] : [],
        conf     => $self->conf,
    );
    # Each section that applies to a request takes memory of it: an empty one is no part of what is measured.
    my $text = $self->{httpd}->conf_text =~ s{^<Location "/">\s*</Location>\n}{}mr;
    RdsFailover::Httpd::write_file($self->{httpd}->conf_file, $text);
    my $start = $self->{httpd}->start;
    $start->{up} && $self->{httpd}->wait_for_state('available', 60) or die "httpd does not start: $start->{said}\n";
    return $self;
}

sub conf ($self) {
    my $queue = $self->{requests} + 1000;
    my $php   = $self->{php} ? $self->{php}->conf : '';
    my $even    = $self->even;
    # All its processes are there at once; to start them takes longer than an outage.
    my $prefork = $self->{mpm} eq 'prefork' ? "StartServers $self->{children}\nMaxSpareServers $self->{children}\n" : '';
    return <<"CONF";
LoadModule crowd_module $ENV{RF_BUILDDIR}/.libs/mod_crowd.so
ListenBacklog 4096
RDSFailover on
RDSFailoverHold 600s front=none
RDSFailoverDSN ${\$self->{db}->dsn}
RDSFailoverCheck interval=100ms fast=50ms timeout=2s late=off
RDSFailoverRelease concurrency=$self->{concurrency} queue=$queue
<Location "/work">
SetHandler crowd-work
</Location>
<Location "/stats">
RDSFailover off
SetHandler crowd-work
</Location>
${php}${prefork}${even}
CONF
}

# A socket for each process, as conf/mpm-event-hold.conf recommends. It takes as many cores.
sub even ($self) {
    my $ratio = int qx{nproc} / $self->{children};
    return $self->{mpm} eq 'event' && !$self->{uneven} && $ratio ? "ListenCoresBucketsRatio $ratio\n" : '';
}

sub httpd ($self) { return $self->{httpd} }
sub tree  ($self) { return Bench::Tree->new($self->{httpd}->pid) }
sub hold  ($self) { return $self->{httpd}->database->{hold} // {} }
sub url   ($self, $path) {
    my $httpd = $self->{httpd};
    return $self->{tls} ? "https://127.0.0.1:${\$httpd->tls_port}$path" : "http://127.0.0.1:${\$httpd->port}$path";
}
sub work   ($self) { return $self->url($self->{php} ? '/work.php?ms=20' : '/work?ms=20') }
sub static ($self) { return 'http://127.0.0.1:' . $self->{httpd}->port . '/static.txt' }

sub outage ($self) {
    $self->{db}->set(behave => 'close', delay => 0)->drop;
    $self->{httpd}->wait_for_state('outage', 60) or die "there is no outage\n";
    return;
}

sub release ($self) {
    $self->{db}->set(behave => 'ok', delay => 0);
    RdsFailover::Httpd::wait_until(sub { ($self->{httpd}->database->{state} // 'outage') ne 'outage' }, 60);
    $self->{db}->set(delay => $SLOW);
    return;
}

# Until nobody waits and the state is `available`; false if that does not come.
sub settled ($self, $limit = 90) {
    $self->{db}->set(behave => 'ok', delay => 0);
    return RdsFailover::Httpd::wait_until(sub {
        my $database = $self->{httpd}->database;
        return ($database->{state} // '') eq 'available' && !$database->{hold}{now};
    }, $limit);
}

# { running, max, total } of mod_crowd; counted from here on with reset => 1.
sub stats ($self, %option) {
    my %stats = split ' ', $self->{httpd}->get($option{reset} ? '/stats?reset' : '/stats?stats')->{body};
    return \%stats;
}

sub stop ($self) { $self->{httpd}->stop; return }

1;
