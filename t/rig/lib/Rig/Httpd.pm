# SPDX-License-Identifier: Apache-2.0
# httpd of the rig: its own configuration from templates, sized so that a whole outage's requests fit while they wait.
package Rig::Httpd;
use v5.36;
use POSIX qw(ceil);
use Rig::Dns ();
use Rig::Php ();
use Rig::Process qw(run capture wait_for pid_in alive stop find_program tail);
use Rig::Template ();

our $URL = 'http://127.0.0.1:8080';
my $THREADS = 100;
my $SHARE   = 0.75;    # of the workers may hold a request; the others answer what needs no database

sub dir { return "$ENV{RIG_INSIDE}/httpd" }

# How many requests may wait: those that arrive from the fault until the site is itself again, and room for those that run.
sub size ($mpm, $rate, $outage) {
    my $tail  = 3 + $Rig::Dns::TTL;    # noticing, and the resolver's cache
    my $need  = ceil($rate * ($outage + $tail));
    my $floor = $mpm eq 'event' ? 700 : 150;
    my $slots = ceil($need / $SHARE);
    $slots = $floor if $slots < $floor;
    $slots = ceil($slots / $THREADS) * $THREADS if $mpm eq 'event';
    my $say = sprintf '%s: %g requests/s x (%g s outage + %g s to notice and for the resolver) = %d that wait, on %g of the workers: %d %s',
        $mpm, $rate, $outage, $tail, $need, $SHARE, $slots,
        $mpm eq 'event' ? 'threads in ' . $slots / $THREADS . ' processes of ' . $THREADS . ', room for as many again at a restart'
        : 'processes';
    return ($slots, $say);
}

sub php_module {
    my ($path) = sort { $b cmp $a } map { glob "$_/libphp*.so" } module_dir();
    return $path;
}

sub module_dir {
    for my $dir (qw(/usr/lib/apache2/modules /usr/lib64/httpd/modules)) { return $dir if -d $dir }
    die "httpd's modules are not where Debian or Amazon Linux put them\n";
}

sub dsn ($state) {
    my $tls = $state->option('tls') ? "?ssl-mode=VERIFY_IDENTITY&ssl-ca=$ENV{RIG_INSIDE}/tls/ca.pem" : '';
    return 'mysql://shop:' . $state->get('secret') . "\@$Rig::Dns::ENDPOINT:3306/shop$tls";
}

sub configure ($state, $say) {
    my $dir = dir();
    my $mpm = $state->option('mpm');
    mkdir $_ for $dir, "$dir/run";
    my ($slots, $arithmetic) = size($mpm, $state->option('rate') // ($mpm eq 'event' ? 30 : 5), $state->option('outage'));
    $say->($arithmetic);
    my $module = $state->option('module') ? take_module($state->option('stage')) : '';
    die "mpm prefork needs mod_php (package libapache2-mod-php)\n" if $mpm eq 'prefork' && !php_module();
    die "mpm event needs PHP-FPM (package php-fpm)\n"              if $mpm eq 'event'   && !Rig::Php::program();
    Rig::Template::write('httpd.conf', "$dir/httpd.conf",
        DIR => $dir, LOG => "$ENV{RIG_INSIDE}/log", HTDOCS => "$ENV{RIG_INSIDE}/htdocs", MODULES => module_dir(), ROOT => !$>,
        EVENT => $mpm eq 'event', SLOTS => $slots, THREADS => $THREADS, PROCESSES => $slots / $THREADS,
        TWICE => 2 * $slots / $THREADS, PHP_SOCKET => Rig::Php::dir() . '/sock', PHP_MODULE => php_module() // '',
        MODULE => $module, APP => $state->option('app'), CHECK => $state->option('check') // '', CONF => $state->option('conf') // '');
}

# The rig runs a copy: the staged file may be built anew meanwhile, and servers must be able to read it.
sub take_module ($stage) {
    my $copy = "$ENV{RIG_INSIDE}/modules";
    die "the module is not at $stage/mod_rdsfailover.so: run \"make stage\", or say --stage\n" unless -e "$stage/mod_rdsfailover.so";
    run('rm', '-rf', $copy);
    mkdir $copy;
    run('cp', '-pL', (grep { -f $_ } glob "$stage/*"), $copy);
    return $copy;
}

sub control ($state, @more) {
    my %env = (PHP_INI_SCAN_DIR => Rig::Php::scan_dir('apache2'), %{ $state->option('httpd_env') // {} });
    $env{DATABASE_URL} = dsn($state) if $state->option('module') && !exists $env{DATABASE_URL};
    return ({%env}, find_program('apache2', 'httpd'), '-d', dir(), '-f', dir() . '/httpd.conf', @more);
}

sub pid { my $pid = pid_in(dir() . '/pid'); return alive($pid) ? $pid : undef }

sub start ($state, $say) {
    configure($state, $say);
    my ($status, $text) = capture(control($state, '-k', 'start'));
    die "httpd does not start:\n$text" . tail("$ENV{RIG_INSIDE}/log/httpd-error.log") if $status;
    wait_for(sub { "httpd does not answer:\n" . tail("$ENV{RIG_INSIDE}/log/httpd-error.log") }, 30, sub {
        return (get('/static.txt') // '') =~ / 200 .*RIG-OK/s;
    }, 0.02);
}

# $how: graceful or restart, with the configuration written anew.
sub signal ($state, $how, $say) {
    configure($state, $say);
    run(control($state, '-k', $how));
}

sub halt { stop(pid(), 'TERM', 15); unlink dir() . '/pid' }

# One request in plain HTTP/1.0; the whole answer, undef when there is none within $limit seconds.
sub get ($path, $limit = 10) {
    require IO::Socket::INET;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 8080, Timeout => $limit) or return undef;
    print {$socket} "GET $path HTTP/1.0\r\nHost: 127.0.0.1:8080\r\n\r\n";
    my $answer = '';
    eval {
        local $SIG{ALRM} = sub { die "late\n" };
        alarm $limit;
        local $/;
        $answer = <$socket> // '';
        alarm 0;
        1;
    } or return undef;
    return $answer;
}

1;
