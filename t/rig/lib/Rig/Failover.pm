# SPDX-License-Identifier: Apache-2.0
# Failovers of every kind, and the rebuild of the side that was lost. The old side is fenced before the new one is promoted, so
# that at no time two servers acknowledge writes.
package Rig::Failover;
use v5.36;
use Fcntl qw(:flock);
use POSIX ();
use Rig::Database ();
use Rig::Dns ();
use Rig::Events ();
use Rig::Namespace ();
use Rig::Process qw(wait_for);
use Time::HiRes qw(time sleep);

# What strikes the writer, and what then keeps it from acknowledging anything more.
my %KIND = (
    graceful => { strike => \&Rig::Database::shut_down, fence => sub { } },
    crash    => { strike => \&Rig::Database::kill_hard, fence => sub { } },
    # A stopped process stays so, its port open, until its side is rebuilt: what it would acknowledge waits for the standby.
    hang      => { strike => sub ($side) { kill 'STOP', Rig::Database::pid($side) }, fence => sub { } },
    blackhole => { strike => \&cut, fence => \&Rig::Database::kill_hard },
    readonly  => { strike => sub ($side) { Rig::Database::ask($side, 'SET GLOBAL read_only=1') }, fence => sub { } },
    flap      => { strike => \&Rig::Database::kill_hard, fence => sub { }, flap => 10 },
);

sub kinds { return sort keys %KIND }

# Its own socket in the file system still answers.
sub cut ($side) { Rig::Namespace::ask($ENV{RIG_INSIDE}, 'cut', Rig::Database::address($side)) }

sub mend ($side) { Rig::Namespace::ask($ENV{RIG_INSIDE}, 'mend', Rig::Database::address($side)) }

sub exclusively ($state, $sub) {
    open my $lock, '>', "$ENV{RIG_INSIDE}/failover.lock" or die "cannot lock: $!\n";
    flock $lock, LOCK_EX or die "cannot lock: $!\n";
    $state->read;
    return $sub->();
}

# Options: outage, fence (seconds from the fault), dns (seconds from the promotion), flap (seconds of alternating DNS), class (of
# the side that will write), rebuild (seconds until the lost side is rebuilt by itself; undef: when told).
# Returns {from, to, fault, fenced, promoted, dns_flipped}: epoch seconds.
sub perform ($state, $kind, $option, $say) {
    my $how = $KIND{$kind} // die "no kind \"$kind\" of failover; there are " . join(', ', kinds()) . "\n";
    my $result = exclusively($state, sub {
        my $dir = $ENV{RIG_INSIDE};
        rebuild_lost($state, undef, $say) if $state->get('lost');
        my $old = $state->get('writer');
        my $new = Rig::Database::other($old);
        reclass_standby($state, $option->{class}, $say) if $option->{class};
        Rig::Database::await_in_step($new, $old);
        my %at = (from => $old, to => $new, kind => $kind);

        $say->("fault: $kind of $old ($option->{outage} s)");
        $at{fault} = time;
        $how->{strike}->($old);
        Rig::Events::note($dir, 'fault', t => $at{fault}, kind => $kind, side => $old);
        pause($at{fault} + $option->{fence});
        $how->{fence}->($old);
        $at{fenced} = Rig::Events::note($dir, 'fenced', side => $old);
        Rig::Database::apply_received($new);

        pause($at{fault} + $option->{outage});
        $at{promoted} = Rig::Database::promote($new);
        Rig::Events::note($dir, 'promoted', t => $at{promoted}, side => $new, address => Rig::Database::address($new));
        $say->("promoted: $new accepts writes");
        pause($at{promoted} + $option->{dns});
        watch_resolver($dir, Rig::Database::address($new));
        my $flap_until = time + ($option->{flap} // $how->{flap} // 0);
        while (time < $flap_until) {
            for my $side ($new, $old) {
                Rig::Dns::flip($side);
                Rig::Events::note($dir, 'dns_flap', side => $side);
                sleep 1;
            }
        }
        $at{dns_flipped} = Rig::Dns::flip($new);
        Rig::Events::note($dir, 'dns_flipped', t => $at{dns_flipped}, side => $new, address => Rig::Database::address($new));
        $say->("DNS points to $new");
        $state->change(sub ($data) {
            @$data{qw(writer lost generation)} = ($new, $old, $data->{generation} + 1);
            $data->{class}{$old} = $option->{class} if $option->{class};
        });
        return \%at;
    });
    rebuild_later($state, $option->{rebuild}) if defined $option->{rebuild};
    return $result;
}

sub pause ($until) { my $left = $until - time; sleep $left if $left > 0 }

# What an upgrade begins with: the standby becomes that class, unless it is; one that was lost is rebuilt first.
sub reclass ($state, $class, $say) {
    return exclusively($state, sub {
        rebuild_lost($state, undef, $say) if $state->get('lost');
        return { side => reclass_standby($state, $class, $say) };
    });
}

sub reclass_standby ($state, $class, $say) {
    my $side = Rig::Database::other($state->get('writer'));
    return $side if $class eq $state->get('class')->{$side};
    $say->("standby $side becomes class $class");
    Rig::Database::shut_down($side);
    Rig::Database::reclass($side, $class, $state);
    Rig::Database::start($side, $state);
    Rig::Database::ask($side, 'START SLAVE');
    Rig::Events::note($ENV{RIG_INSIDE}, 'reclassed', side => $side, class => $class);
    return $side;
}

# In the background: when the caching resolver gives the new address for the first time.
sub watch_resolver ($dir, $address) {
    background(sub {
        wait_for('the resolver gives the new address', 120, sub { (Rig::Dns::resolver_address() // '') eq $address });
        Rig::Events::note($dir, 'resolver_changed', address => $address);
    });
}

sub background ($sub) {
    my $pid = fork // die "cannot fork: $!\n";
    return if $pid;
    POSIX::setsid();
    POSIX::close($_) for 3 .. 63;    # the lock, above all
    open STDIN,  '<',  '/dev/null';
    open STDOUT, '>>', "$ENV{RIG_INSIDE}/log/background.log";
    open STDERR, '>&', \*STDOUT;
    eval { $sub->(); 1 } or print STDERR $@;
    POSIX::_exit(0);
}

sub rebuild_later ($state, $delay) {
    my $generation = $state->get('generation');
    background(sub {
        sleep $delay;
        exclusively($state, sub {
            return unless $state->get('lost') && $state->get('generation') == $generation;
            rebuild_lost($state, undef, sub (@) { });
        });
    });
}

sub rebuild ($state, $class, $say) {
    return exclusively($state, sub {
        return rebuild_lost($state, $class, $say) if $state->get('lost');
        return { side => undef };
    });
}

# Copies the prepared data directory and replays the writer's whole log, which begins at that very copy.
sub rebuild_lost ($state, $class, $say) {
    my $side   = $state->get('lost');
    my $writer = $state->get('writer');
    $class //= $state->get('class')->{$side};
    $say->("rebuilding $side as standby, class $class");
    Rig::Database::kill_hard($side);
    mend($side);
    Rig::Database::create($side, $class, $state, $state->get('prepared'));
    Rig::Database::start($side, $state);
    Rig::Database::follow($side, $writer, $state);
    Rig::Database::await_in_step($side, $writer);
    $state->change(sub ($data) { $data->{lost} = undef });
    my $t = Rig::Events::note($ENV{RIG_INSIDE}, 'rebuilt', side => $side, class => $class);
    $say->("standby $side is in step");
    return { side => $side, rebuilt => $t };
}

1;
