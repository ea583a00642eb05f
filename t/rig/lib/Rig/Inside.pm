# SPDX-License-Identifier: Apache-2.0
# What a rig does inside its namespace, one function a verb: (state, arguments, say) → result.
package Rig::Inside;
use v5.36;
use Rig::App ();
use Rig::Database ();
use Rig::Dns ();
use Rig::Events ();
use Rig::Failover ();
use Rig::Front ();
use Rig::Httpd ();
use Rig::Php ();
use Rig::Prepared ();
use Rig::Process qw(slurp wait_for);
use Rig::Tls ();

our %VERB = (
    up      => \&up,
    fail    => sub ($state, $arg, $say) { Rig::Failover::perform($state, $arg->{kind}, $arg, $say) },
    rebuild => sub ($state, $arg, $say) { Rig::Failover::rebuild($state, $arg->{class}, $say) },
    reclass => sub ($state, $arg, $say) { Rig::Failover::reclass($state, $arg->{class}, $say) },
    prime   => sub ($state, $arg, $say) { my $address = Rig::Dns::prime(); return { address => $address } },
    flip    => sub ($state, $arg, $say) { return { t => Rig::Dns::flip($arg->{side}) } },
    status  => \&status,
    sql     => sub ($state, $arg, $say) { [ Rig::Database::ask_socket(Rig::Database::socket_of(side($state, $arg->{side})), $arg->{sql}, 'shop') ] },
    ledger  => \&ledger,
    httpd   => \&httpd,
);

sub up ($state, $arg, $say) {
    my $dir = $ENV{RIG_INSIDE};
    my $prepared = "$dir/prepared";
    Rig::Prepared::take($arg->{cache}, $prepared, $say);
    my $secret   = slurp("$prepared/secret") =~ s/\s+//gr;
    $state->change(sub ($data) {
        @$data{qw(writer lost generation secret prepared inside)} = ('a', undef, 0, $secret, $prepared, $dir);
    });
    Rig::Tls::create("$dir/tls", $Rig::Dns::ENDPOINT) if $state->option('tls');
    $say->('two database servers, a replicates to b');
    my %pid;
    for my $side (qw(a b)) {
        Rig::Database::create($side, $state->option("class_$side"), $state, $prepared);
        $pid{$side} = Rig::Database::launch(Rig::Database::dir($side), $state->option("class_$side"));
    }
    Rig::App::create($secret, host => $Rig::Dns::ENDPOINT, app => $state->option('app'),
        ca => $state->option('tls') ? "$dir/tls/ca.pem" : '', connect_timeout => $state->option('php_settings') ? 3 : 0,
        outcome => $state->option('outcome') ? 1 : 0);
    Rig::Dns::start('a');
    my @hosts = Rig::Httpd::hosts($state);
    for my $host (@hosts) {
        Rig::Php::configure($state, $host);
        Rig::Php::start($state, $host) if $state->option('mpm') eq 'event';
    }
    Rig::Database::await(Rig::Database::dir($_), $pid{$_}) for qw(a b);
    Rig::Database::promote('a');
    Rig::Database::follow('b', 'a', $state);
    Rig::Database::await_in_step('b', 'a');
    for my $host (@hosts) {
        Rig::Httpd::start($state, $host, $say);
        for my $path ('/wp/?p=101', '/ledger.php', '/trivial.php') {
            my $answer;
            wait_for(sub {"$path does not work on host $host:\n" . ($answer // 'no answer') . "\n"}, 30, sub {
                return ($answer = Rig::Httpd::get($path, address => Rig::Httpd::address($host), limit => 30) // '') =~ / 200 .*RIG-OK/s;
            }, 0.2);
        }
    }
    Rig::Front::start($state, $say) if $state->option('front');
    Rig::Events::note($dir, 'up');
    return { url => $Rig::Httpd::URL };
}

sub side ($state, $word) {
    return $state->get('writer') if $word eq 'writer';
    return Rig::Database::other($state->get('writer')) if $word eq 'standby';
    die "no side \"$word\"; there are a, b, writer and standby\n" unless defined Rig::Database::address($word);
    return $word;
}

sub status ($state, $arg, $say) {
    my %side;
    for my $side (qw(a b)) {
        my $pid   = Rig::Database::pid($side);
        my $stopped = $pid && slurp("/proc/$pid/stat") =~ /\)\s+T/;
        my $lost  = ($state->get('lost') // '') eq $side;
        $side{$side} = {
            address => Rig::Database::address($side), class => $state->get('class')->{$side}, pid => $pid,
            role => $lost ? 'lost' : $state->get('writer') eq $side ? 'writer' : 'standby',
            process => !$pid ? 'gone' : $stopped ? 'stopped' : 'running' };
    }
    my $standby = Rig::Database::other($state->get('writer'));
    return {
        sides => \%side, writer => $state->get('writer'), url => $Rig::Httpd::URL,
        in_step => !$state->get('lost') && eval { Rig::Database::in_step($standby, $state->get('writer')) } ? 1 : 0,
        dns => { endpoint => $Rig::Dns::ENDPOINT, authority => Rig::Dns::authority_address(), resolver => Rig::Dns::resolver_address() },
        httpd => { pid => Rig::Httpd::pid(), module => $state->option('module') ? 1 : 0, mpm => $state->option('mpm') },
        hosts => [ map { { url => 'http://' . Rig::Httpd::address($_) . ':8080', pid => Rig::Httpd::pid($_) } } Rig::Httpd::hosts($state) ],
        front => $state->option('front') ? { url => "http://$Rig::Front::ADDRESS", seconds => $state->option('front') } : undef };
}

# Every token with the number of its rows, as the writer has them.
sub ledger ($state, $arg, $say) {
    return { map {@$_} Rig::Database::ask_socket(Rig::Database::socket_of($state->get('writer')),
        'SELECT token, COUNT(*) FROM ledger GROUP BY token', 'shop') };
}

# Changes options that concern httpd alone and starts it again, on one host or all; how: stop, start, restart (a full stop and start)
# or graceful.
sub httpd ($state, $arg, $say) {
    my $how = $arg->{how} // 'restart';
    if (my $option = $arg->{option}) {
        $state->change(sub ($data) { $data->{options} = { %{ $data->{options} }, %$option } });
    }
    my @hosts = defined $arg->{host} ? $arg->{host} : Rig::Httpd::hosts($state);
    for my $host (@hosts) {
        if ($how eq 'graceful') { Rig::Httpd::signal($state, $host, 'graceful', $say) }
        else {
            Rig::Httpd::halt($host) if $how =~ /^(stop|restart)$/;
            Rig::Httpd::start($state, $host, $say) if $how =~ /^(start|restart)$/;
        }
    }
    return { pid => Rig::Httpd::pid($hosts[0]) };
}

1;
