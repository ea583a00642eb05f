# SPDX-License-Identifier: Apache-2.0
package Bench::Haproxy;

# HAProxy, which lets 40 requests through to the application and queues the others while those hang. It can do that only while the
# application hangs; one that is down is answered with 503 at once.

use v5.36;
use parent -norequire, 'Bench::Program';
use Bench::Program ();

sub missing ($class) { return 'haproxy' if !grep { -x } '/usr/sbin/haproxy', '/usr/bin/haproxy'; return }

sub configure ($self, $dir) {
    $self->write_file('haproxy.cfg', <<"CONF");
global
    maxconn 15000
    no strict-limits
    nbthread 2
defaults
    mode http
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    timeout queue 300s
    backlog 4096
    option http-keep-alive
frontend all
    bind 127.0.0.1:$self->{port}
    # It serves no files.
    http-request return status 200 content-type text/plain string "static" if { path /static.txt }
    default_backend app
backend app
    fullconn 15000
    server app 127.0.0.1:${\$self->{app}->port} maxconn 40
CONF
    return ('haproxy', '-W', '-f', "$dir/haproxy.cfg");
}

sub work    ($self) { return $self->url('/work') }
sub static  ($self) { return $self->url('/static.txt') }
sub outage  ($self) { $self->{app}->ask('/hang?1'); return }
sub release ($self) { $self->{app}->ask('/hang?0'); return }

1;
