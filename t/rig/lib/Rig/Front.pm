# SPDX-License-Identifier: Apache-2.0
# What stands in front of the hosts: HAProxy, which shares requests out evenly and gives up on one after so many seconds, as a
# load balancer does. It tries nothing again: what goes wrong behind it is seen.
package Rig::Front;
use v5.36;
use Rig::Httpd ();
use Rig::Process qw(spawn wait_for find_server alive tail);
use Rig::Template ();

our $ADDRESS = '127.0.0.1:8000';

sub dir { return "$ENV{RIG_INSIDE}/front" }

sub start ($state, $say) {
    my $dir = dir();
    my $log = "$ENV{RIG_INSIDE}/log/front.log";
    mkdir $dir;
    # Whether a host may be sent anything is what the module itself says, which never lets a failover empty the fleet.
    my $health  = $state->option('module') ? '/rds-status?health' : '/static.txt';
    my @servers = map { "    server host$_ " . Rig::Httpd::address($_) . ":8080\n" } Rig::Httpd::hosts($state);
    my $seconds = $state->option('front');
    Rig::Template::write('haproxy.cfg', "$dir/haproxy.cfg", ADDRESS => $ADDRESS, SECONDS => $seconds, HEALTH => $health,
        ROOT => !$>, SERVERS => join('', @servers));
    my $pid = spawn($log, find_server('haproxy'), '-db', '-f', "$dir/haproxy.cfg");
    wait_for(sub { "HAProxy does not answer:\n" . tail($log) }, 30, sub {
        die "HAProxy ended:\n" . tail($log) unless alive($pid);
        return (Rig::Httpd::get('/static.txt', address => '127.0.0.1', port => 8000) // '') =~ / 200 .*RIG-OK/s;
    }, 0.02);
    $say->("front: HAProxy at $ADDRESS before " . @servers . (@servers == 1 ? ' host' : ' hosts') . ", gives up after $seconds s");
}

1;
