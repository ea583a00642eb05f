# SPDX-License-Identifier: Apache-2.0
# httpd of the rig, one for each host of the site: its own configuration from templates, sized so that a whole outage's requests
# fit while they wait. Hosts share files, as after a deployment; no process, no memory and no directory to write to.
package Rig::Httpd;
use v5.36;
use Digest::SHA ();
use POSIX qw(ceil);
use Rig::Dns ();
use Rig::Php ();
use Rig::Process qw(run capture wait_for pid_in alive stop find_program tail);
use Rig::Template ();

our $URL = 'http://127.0.0.1:8080';
my $THREADS = 25;
my $SHARE   = 0.75;    # of prefork's processes may hold a request; the others answer what needs no database
my $SPARED  = 5;       # of the threads of a process are never given to released requests (rf_capacity.c)
my $LEAST   = 1500;    # requests that one process of the event MPM can keep waiting, at least

sub hosts ($state) { return 1 .. $state->option('hosts') }

# The first host's files have plain names.
sub suffix ($host)    { return $host > 1 ? $host : '' }
sub dir ($host = 1)   { return "$ENV{RIG_INSIDE}/httpd" . suffix($host) }
sub address ($host)   { return "127.0.0.$host" }
sub error_log ($host) { return "$ENV{RIG_INSIDE}/log/httpd" . suffix($host) . '-error.log' }

# How many requests may wait: those that arrive from the fault until the site is itself again, and room for those that run.
# On event they wait without a thread, as conf/mpm-event-hold.conf has it: a process takes connections while they are fewer than
# its threads and AsyncRequestWorkerFactor for each idle one. On prefork each keeps a process.
sub size ($mpm, $rate, $outage, $workers) {
    my $tail = 3 + $Rig::Dns::TTL;    # noticing, and the resolver's cache
    my $need = ceil($rate * ($outage + $tail));
    my $say  = sprintf '%s: %g requests/s x (%g s outage + %g s to notice and for the resolver) = %d that wait, ',
        $mpm, $rate, $outage, $tail, $need;
    if ($mpm eq 'prefork') {
        my $slots = ceil($need / $SHARE);
        $slots = 150 if $slots < 150;
        return ({ SLOTS => $slots }, $say . "on $SHARE of the workers: $slots processes");
    }
    my $processes = ceil($workers / $THREADS);
    # Any one process may get most of them.
    my $factor = ceil(($need > $LEAST ? $need : $LEAST) / $SPARED);
    my $limit  = 8 * $processes;
    return ({ SLOTS => $processes * $THREADS, PROCESSES => $processes, THREADS => $THREADS, LIMIT => $limit, FACTOR => $factor,
            SPARE => ($processes + 1) * $THREADS },
        $say . sprintf 'up to %d in each of %d processes of %d threads (factor %d x %d idle), room for %d of before a restart',
        $factor * $SPARED, $processes, $THREADS, $factor, $SPARED, $limit - $processes);
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

sub configure ($state, $host, $say) {
    my $dir = dir($host);
    my $mpm = $state->option('mpm');
    mkdir $_ for $dir, "$dir/run";
    my $rate = ($state->option('rate') // ($mpm eq 'event' ? 30 : 5)) / $state->option('hosts');
    my ($size, $arithmetic) = size($mpm, $rate, $state->option('outage'), $state->option('workers'));
    $say->($arithmetic) if $host == 1;
    my $module = $state->option('module') ? take_module($state->option('stage'), $host) : '';
    die "mpm prefork needs mod_php (package libapache2-mod-php)\n" if $mpm eq 'prefork' && !php_module();
    die "mpm event needs PHP-FPM (package php-fpm)\n"              if $mpm eq 'event'   && !Rig::Php::program();
    Rig::Process::spew("$dir/users", 'operator:{SHA}' . Digest::SHA::sha1_base64($state->get('secret')) . "=\n");
    Rig::Template::write('httpd.conf', "$dir/httpd.conf", %$size,
        DIR => $dir, LOG => "$ENV{RIG_INSIDE}/log", NAME => 'httpd' . suffix($host), ADDRESS => address($host),
        HTDOCS => "$ENV{RIG_INSIDE}/htdocs", MODULES => module_dir(), ROOT => !$>,
        EVENT => $mpm eq 'event', PHP_SOCKET => Rig::Php::dir($host) . '/sock', PHP_MODULE => php_module() // '',
        FRONT => $state->option('front') ? $state->option('front') . 's' : 'none',
        MODULE => $module, APP => $state->option('app'), CHECK => $state->option('check') // '', CONF => $state->option('conf') // '');
}

# The rig runs a copy: the staged file may be built anew meanwhile, and servers must be able to read it.
sub take_module ($stage, $host) {
    my $copy = "$ENV{RIG_INSIDE}/modules" . suffix($host);
    die "the module is not at $stage/mod_rdsfailover.so: build it (./bootstrap build), or say --stage\n" unless -e "$stage/mod_rdsfailover.so";
    run('rm', '-rf', $copy);
    mkdir $copy;
    run('cp', '-pL', (grep { -f $_ } glob "$stage/*"), $copy);
    return $copy;
}

# A waiting request takes two descriptors, and a login shell allows a process 1024.
sub control ($state, $host, @more) {
    my %env = (PHP_INI_SCAN_DIR => Rig::Php::scan_dir('apache2', $host), %{ $state->option('httpd_env') // {} });
    $env{DATABASE_URL} = dsn($state) if $state->option('module') && !exists $env{DATABASE_URL};
    return ({%env}, 'sh', '-c', 'ulimit -S -n 65536 2>/dev/null || ulimit -S -n "$(ulimit -H -n)"; exec "$@"', 'sh',
        find_program('apache2', 'httpd'), '-d', dir($host), '-f', dir($host) . '/httpd.conf', @more);
}

sub pid ($host = 1) { my $pid = pid_in(dir($host) . '/pid'); return alive($pid) ? $pid : undef }

sub start ($state, $host, $say) {
    configure($state, $host, $say);
    my ($status, $text) = capture(control($state, $host, '-k', 'start'));
    die "httpd does not start:\n$text" . tail(error_log($host)) if $status;
    wait_for(sub { "httpd does not answer:\n" . tail(error_log($host)) }, 30, sub {
        return (get('/static.txt', address => address($host)) // '') =~ / 200 .*RIG-OK/s;
    }, 0.02);
}

# $how: graceful or restart, with the configuration written anew.
sub signal ($state, $host, $how, $say) {
    configure($state, $host, $say);
    run(control($state, $host, '-k', $how));
}

sub halt ($host = 1) { stop(pid($host), 'TERM', 15); unlink dir($host) . '/pid' }

# One request in plain HTTP/1.0; the whole answer, undef when there is none within the limit.
sub get ($path, %option) {
    my %o = (address => '127.0.0.1', port => 8080, limit => 10, %option);
    require IO::Socket::INET;
    my $socket = IO::Socket::INET->new(PeerAddr => $o{address}, PeerPort => $o{port}, Timeout => $o{limit}) or return undef;
    print {$socket} "GET $path HTTP/1.0\r\nHost: $o{address}:$o{port}\r\n\r\n";
    my $answer = '';
    eval {
        local $SIG{ALRM} = sub { die "late\n" };
        alarm $o{limit};
        local $/;
        $answer = <$socket> // '';
        alarm 0;
        1;
    } or return undef;
    return $answer;
}

1;
