# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Httpd;

# A private httpd with the staged module, for tests that need several servers, bad configuration or a server that gets hurt.
# Lives in a scratch directory on a free loopback port and dies with its object.
#
#   my $httpd = RdsFailover::Httpd->new(conf => "RDSFailoverDSN $dsn", location => 'RDSFailover on');
#   my $start = $httpd->start;                 # { up => 1, said => "what came on stderr and in the error log" }
#   my $answer = $httpd->get('/env');          # { status, headers, body, seconds }, status 0: no answer
#
# Below the document root: /static.txt, /env (a CGI that prints its environment), /count (a CGI that counts its runs in
# $httpd->runs), /sum (a CGI that prints the MD5 of what it was sent), /app (what RdsFailover::FakeApp says, if there is one). /rds-status has the status handler.

use v5.36;
use Carp qw(croak);
use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use POSIX    ();
use Scalar::Util qw(weaken);
use Time::HiRes qw(time sleep);
use RdsFailover::Valgrind ();

# A server whose process crashed fails the file, whatever its tests say. Objects that outlive the file are looked at here too.
my (%living, $crashed);
END { $_->stop for grep { defined && $_->{owner} == $$ } values %living; $? ||= 1 if $crashed }

sub new ($class, %options) {
    my $self = bless {
        conf     => '',                    # in the server's scope
        location => '',                    # in <Location "/">
        after    => '',                    # at the end: virtual hosts
        env      => {},                    # of the server
        mpm      => $ENV{RF_MPM} || 'event',
        module   => 1,
        threads  => 64,                    # of a child
        children => 1,
        spare    => 3,                     # children more than that, for old ones that still hold requests at a graceful restart
        factor   => undef,                 # AsyncRequestWorkerFactor
        per_child => 0,                    # MaxConnectionsPerChild
        timeout  => 20,                    # Timeout
        app      => undef,                 # RdsFailover::FakeApp behind /app
        tls      => 0,                     # also listens on tls_port
        http2    => 0,                     # on both ports
        cgi      => 'cgi',                 # or cgid, which threaded servers have
        wrapper  => [],                    # a command that runs httpd: valgrind
        limit    => $ENV{RF_VALGRIND} ? 300 : 30,    # seconds until it is up
        %options,
        dir   => File::Temp->newdir('httpd-XXXXXX', TMPDIR => 1),
        owner => $$,
        port  => free_port(),
    }, $class;
    $self->{tls_port} = free_port() if $self->{tls};
    $self->{wrapper} = [RdsFailover::Valgrind::wrapper()] if $ENV{RF_VALGRIND} && $self->{module} && !@{ $self->{wrapper} };
    $self->write_files;
    weaken($living{"$self"} = $self);
    return $self;
}

sub dir      ($self) { return "$self->{dir}" }
sub port     ($self) { return $self->{port} }
sub tls_port ($self) { return $self->{tls_port} }
sub pid      ($self) { return $self->{pid} }
sub conf_file ($self) { return "$self->{dir}/httpd.conf" }

sub free_port () {
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => 0) or croak "no free port: $@";
    return $socket->sockport;
}

# --- configuration ------------------------------------------------------------------------------------------------------

sub write_files ($self) {
    my $dir = $self->{dir};
    chmod 0755, "$dir";
    mkdir "$dir/$_" for qw(htdocs cgi run);
    write_file("$dir/htdocs/static.txt", "static\n");
    write_file("$dir/cgi/env",   "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nenv\n",                                        0755);
    write_file("$dir/cgi/count", "#!/bin/sh\necho \"\$REQUEST_METHOD \$QUERY_STRING\" >> '$dir/runs'\n"
        . "printf 'Content-Type: text/plain\\n\\ndone\\n'\n", 0755);
    write_file("$dir/cgi/sum", "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nexec md5sum\n", 0755);
    if ($self->{tls}) {
        system(qw(openssl req -x509 -nodes -days 2 -subj /CN=localhost -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -keyout),
            "$dir/key.pem", '-out', "$dir/cert.pem", '-batch') == 0 or croak 'openssl cannot make a certificate';
    }
    write_file($self->conf_file, $self->conf_text);
    return;
}

sub workers_text ($self) {
    my ($threads, $children) = @$self{qw(threads children)};
    my $all   = $threads * $children;
    my $limit = $children + $self->{spare};
    my $text  = $self->{mpm} eq 'prefork'
        ? "StartServers 4\nServerLimit $all\nMaxRequestWorkers $all\n"
        : "StartServers $children\nServerLimit $limit\nThreadsPerChild $threads\nThreadLimit $threads\nMaxRequestWorkers $all\n"
        . "MinSpareThreads 1\nMaxSpareThreads $all\n";
    $text .= "AsyncRequestWorkerFactor $self->{factor}\n" if defined $self->{factor} && $self->{mpm} eq 'event';
    $text .= "MaxConnectionsPerChild $self->{per_child}\n" if $self->{per_child};
    return $text;
}

sub tls_text ($self) {
    return '' if !$self->{tls};
    return <<"CONF";
Listen 127.0.0.1:$self->{tls_port}
<VirtualHost 127.0.0.1:$self->{tls_port}>
SSLEngine on
SSLCertificateFile "$self->{dir}/cert.pem"
SSLCertificateKeyFile "$self->{dir}/key.pem"
</VirtualHost>
CONF
}

sub conf_text ($self) {
    my $dir     = $self->{dir};
    my $modules = modules_dir();
    my $load = join '', map { "LoadModule ${_}_module $modules/mod_$_.so\n" } grep { -e "$modules/mod_$_.so" }
        "mpm_$self->{mpm}", qw(authz_core authz_host alias dir mime headers setenvif env rewrite include status log_config), $self->{cgi},
        $self->{app} ? qw(proxy proxy_http) : (), $self->{tls} ? 'ssl' : (), $self->{http2} ? 'http2' : (), @{ $self->{load} // [] };
    my $module  = $self->{module} ? 'LoadModule rdsfailover_module ' . stage() . "/mod_rdsfailover.so\n" : '';
    my $workers = $self->workers_text;
    my $app     = $self->{app} ? "ProxyPass /app http://127.0.0.1:${\$self->{app}->port}/app disablereuse=on retry=0\n" : '';
    my $http2   = $self->{http2} ? "Protocols h2 h2c http/1.1\n" : '';
    my $tls     = $self->tls_text;
    my $user = $> == 0 ? "User nobody\nGroup nogroup\n" : '';
    return <<"CONF";
ServerRoot "$dir"
ServerName localhost
DefaultRuntimeDir "$dir/run"
PidFile "$dir/run/httpd.pid"
Listen 127.0.0.1:$self->{port}
$load$module$user$workers
ErrorLog "$dir/error_log"
LogLevel info
CustomLog "$dir/access_log" "%P %>s %m %U%q %{rdsfailover-held}n"
KeepAlive On
Timeout $self->{timeout}
DocumentRoot "$dir/htdocs"
ScriptAlias /env "$dir/cgi/env"
ScriptAlias /count "$dir/cgi/count"
ScriptAlias /sum "$dir/cgi/sum"
<IfModule mod_mime.c>
TypesConfig /dev/null
AddType text/plain .txt
</IfModule>
<Directory "/">
AllowOverride None
</Directory>
<Directory "$dir">
Require all granted
</Directory>
<Location "/rds-status">
SetHandler rds-status
</Location>
<Location "/server-status">
SetHandler server-status
</Location>
$app$http2$self->{conf}
<Location "/">
$self->{location}
</Location>
$tls$self->{after}
CONF
}

# Change the configuration; the next start, restart or graceful reads it.
sub configure ($self, %options) {
    @$self{keys %options} = values %options;
    write_file($self->conf_file, $self->conf_text);
    return $self;
}

sub stage ()       { return $ENV{RF_STAGE} || die "RF_STAGE is not set; run this through make check-server\n" }
sub program ()     { return $ENV{RF_HTTPD} || '/usr/sbin/apache2' }
sub modules_dir () {
    state $dir = do { my $out = qx{@{[ $ENV{RF_APXS} || 'apxs' ]} -q LIBEXECDIR}; chomp $out; $out };
    return $dir;
}

# --- life ---------------------------------------------------------------------------------------------------------------

# The configuration test of httpd: { ok, said }.
sub check ($self) {
    local $ENV{LD_PRELOAD} = $ENV{RF_PRELOAD} // '';
    my $said = $self->with_env(sub { my $program = program(); scalar qx{$program -f '@{[ $self->conf_file ]}' -t 2>&1} });
    return { ok => $? == 0, said => $said };
}

# { up => 0 or 1, said => stderr and the error log of this start }
sub start ($self) {
    croak 'already running' if $self->{pid};
    my $before = -s $self->log_file || 0;
    my $stderr = "$self->{dir}/stderr";
    my $pid    = fork // croak "fork: $!";
    if (!$pid) {
        @ENV{keys %{ $self->{env} }} = values %{ $self->{env} };
        $ENV{LD_PRELOAD} = $ENV{RF_PRELOAD} if $ENV{RF_PRELOAD};
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', $stderr;
        # The prefork MPM ends by killing its process group, which must not be ours.
        setpgrp 0, 0;
        # setpriv: a test that is killed leaves no server behind.
        exec('setpriv', '--pdeathsig', 'TERM', '--', @{ $self->{wrapper} }, program(), '-f', $self->conf_file, '-DFOREGROUND')
            or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    my $up = wait_until(sub {
        if (waitpid($pid, POSIX::WNOHANG()) == $pid) { $self->{exit} = $?; delete $self->{pid}; return 1 }
        return -s "$self->{dir}/run/httpd.pid" && IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port});
    }, $self->{limit});
    my $said = slurp($stderr) . substr $self->log, $before;
    return { up => $up && $self->{pid} ? 1 : 0, said => $said };
}

sub stop ($self) {
    my $pid = $self->{pid} or return;
    $self->look_for_crashes(qr{AH0005[12]: .*(?:Segmentation|Abort|Bus|Illegal|Floating)|AddressSanitizer|runtime error:});
    kill 'TERM', $pid;
    my $gone = wait_until(sub { waitpid($pid, POSIX::WNOHANG()) == $pid }, $ENV{RF_VALGRIND} ? 150 : 15);
    if (!$gone) { kill 'KILL', $pid; waitpid $pid, 0 }
    delete $self->{pid};
    my (undef, @reports) = RdsFailover::Valgrind::reports($self->{dir});
    $crashed = 1 if @reports;
    print STDERR map { s/^/# VALGRIND: /gmr } @reports;
    # The event MPM has a race of its own when it is stopped early (close_worker_sockets); what is ours names us.
    $self->look_for_crashes(qr{#\d+ 0x\w+ in .*rdsfailover|mod_rdsfailover.*runtime error:});
    return $gone;
}

sub graceful ($self) { return kill 'USR1', $self->{pid} }
sub restart  ($self) { return kill 'HUP',  $self->{pid} }
sub graceful_stop ($self) { return kill 'WINCH', $self->{pid} }

# True while the parent process is there.
sub alive ($self) { return $self->{pid} && waitpid($self->{pid}, POSIX::WNOHANG()) == 0 }

# A graceful restart, until the new generation answers and its monitor has taken over.
sub graceful_over ($self, $limit = 30) {
    my $before = $self->monitor_pid;
    $self->graceful;
    return wait_until(sub { my $pid = $self->monitor_pid; $pid && $pid != $before }, $limit);
}

# The processes that serve requests, of every generation.
sub children ($self) {
    my @pids;
    for my $stat (glob '/proc/[0-9]*/stat') {
        my ($pid, $name, $parent) = slurp($stat) =~ /^(\d+) \((.*)\) \S (\d+)/ or next;
        push @pids, $pid if $parent == $self->{pid} && $name !~ /^rds/;
    }
    @pids = sort { $a <=> $b } @pids;
    return @pids;
}

# Those of them that serve one of these clients (RdsFailover::Clients::Client) now.
sub children_connected_to_client ($self, @clients) {
    return $self->children_connected_to(map { $_->port } grep { !$_->closed } @clients);
}

# Those of them that have a connection whose other end is one of these ports now: the application's, a client's.
sub children_connected_to ($self, @ports) {
    my $remote = join '|', map { sprintf '%04X', $_ } @ports;
    my %inode;
    for (split /\n/, slurp('/proc/net/tcp')) {
        my @field = split;
        $inode{"socket:[$field[9]]"} = 1 if @field > 9 && $field[2] =~ /:(?:$remote)$/ && $field[3] eq '01';    # established
    }
    return grep { grep { $inode{ readlink($_) // '' } } glob "/proc/$_/fd/*" } $self->children;
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    return if $self->{owner} != $$;
    $self->stop;
    return;
}

# What a segmentation fault, an abort or a sanitizer leaves behind.
sub look_for_crashes ($self, $sign) {
    my @signs = grep { $_ =~ $sign }
        split /\n/, slurp("$self->{dir}/stderr") . $self->log;
    return if !@signs || $self->{looked}++;
    $crashed = 1;
    print STDERR map { "# CRASHED: $_\n" } splice(@signs, 0, 5);
    return;
}

# --- logs ---------------------------------------------------------------------------------------------------------------

sub log_file ($self) { return "$self->{dir}/error_log" }
sub log      ($self) { return slurp($self->log_file) }

# The lines with this message id.
sub logged ($self, $id) { return grep { /\b\Q$id\E\b/ } split /\n/, $self->log }

# Of each request that is over, in that order: { pid, status, method, url, held (ms, undef: never) }.
sub accessed ($self) {
    my @requests;
    for (split /\n/, slurp("$self->{dir}/access_log")) {
        my %request;
        @request{qw(pid status method url held)} = split / /;
        $request{held} = undef if $request{held} eq '-';
        push @requests, \%request;
    }
    return @requests;
}

# How often /count ran, and what it was asked for.
sub runs ($self) { return split /\n/, slurp("$self->{dir}/runs") }

# --- requests -----------------------------------------------------------------------------------------------------------

# One request on a connection of its own. Options: method, headers => {}, body, host, timeout.
sub get ($self, $path, %options) { return $self->begin($path, %options)->finish($options{timeout} // 60) }

# Send a request and come back at once; ->finish waits for the answer, ->leave closes without it.
sub begin ($self, $path, %options) {
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}) or return
        bless { began => time, error => "no connection: $!" }, 'RdsFailover::Httpd::Request';
    my %headers = (Host => $options{host} // 'localhost', Connection => 'close', %{ $options{headers} // {} });
    my $body    = $options{body} // '';
    $headers{'Content-Length'} //= length $body if length $body || ($options{method} // 'GET') =~ /^(?:POST|PUT|PATCH)$/;
    my $head = join '', ($options{method} // 'GET') . " $path HTTP/1.1\r\n", map({ "$_: $headers{$_}\r\n" } sort keys %headers), "\r\n";
    local $SIG{PIPE} = 'IGNORE';
    syswrite $socket, $head . $body;
    return bless { socket => $socket, began => time }, 'RdsFailover::Httpd::Request';
}

sub json ($self) {
    my $answer = $self->get('/rds-status?json', timeout => 10);
    return $answer->{status} == 200 ? eval { JSON::PP->new->decode($answer->{body}) } : undef;
}

# The first database of the status, or {}.
sub database ($self) {
    my $json = $self->json or return {};
    return $json->{databases}[0] // {};
}

sub wait_for_state ($self, $state, $limit = 30) {
    return wait_until(sub { ($self->database->{state} // '') eq $state }, $limit);
}

sub monitor_pid ($self) {
    my $json = $self->json or return 0;
    return $json->{monitor}{pid} // 0;
}

# --- small things ---------------------------------------------------------------------------------------------------------

# Calls the code until it gives something true, which is returned; something false after the limit.
sub wait_until ($code, $limit = 30, $pause = 0.02) {
    my $end = time + $limit;
    while (1) {
        my $result = $code->();
        return $result if $result || time > $end;
        sleep $pause;
    }
}

sub with_env ($self, $code) {
    local @ENV{keys %{ $self->{env} }} = values %{ $self->{env} };
    return $code->();
}

sub write_file ($path, $text, $mode = 0644) {
    open my $out, '>:raw', $path or croak "$path: $!";
    print $out $text;
    close $out or croak "$path: $!";
    chmod $mode, $path;
    return $path;
}

sub slurp ($path) {
    open my $in, '<:raw', $path or return '';
    local $/;
    return scalar <$in> // '';
}

package RdsFailover::Httpd::Request;

use Time::HiRes qw(time);

# { status, headers => {lower case}, body, seconds }; status 0 and `error` if there was no whole answer in time.
sub finish ($self, $timeout = 60) {
    my $answer = { status => 0, headers => {}, body => '', seconds => 0, error => $self->{error} };
    my $socket = $self->{socket} or return $answer;
    my $select = IO::Select->new($socket);
    my $end    = time + $timeout;
    my $text   = $self->{got} // '';
    while (1) {
        my $left = $end - time;
        if ($left <= 0 || !$select->can_read($left)) { $answer->{error} = "no answer within $timeout s"; last }
        my $n = sysread $socket, $text, 65536, length $text;
        if (!defined $n) { $answer->{error} = "connection broke: $!"; last }
        last if !$n;
    }
    $answer->{seconds} = time - $self->{began};
    close $socket;
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    if (($head // '') =~ m{\AHTTP/1\.[01] (\d{3})}) {
        $answer->{status} = 0 + $1 if !$answer->{error};
        $answer->{headers}{ lc $1 } = $2 while $head =~ /^([\w-]+):[ \t]*(.*?)\r?$/mg;
        $body = dechunk($body // '') if ($answer->{headers}{'transfer-encoding'} // '') =~ /chunked/i;
        $answer->{body} = $body // '';
    }
    else { $answer->{error} //= 'the connection was closed without an answer' }
    return $answer;
}

# True if something of the answer has come within the time.
sub answered ($self, $within = 0) {
    my $socket = $self->{socket} or return 1;
    return scalar IO::Select->new($socket)->can_read($within);
}

sub leave ($self) { close delete $self->{socket} if $self->{socket}; return }

sub dechunk ($text) {
    my $body = '';
    while ($text =~ s/\A([0-9A-Fa-f]+)[^\r\n]*\r\n//) {
        my $n = hex $1 or last;
        $body .= substr $text, 0, $n, '';
        $text =~ s/\A\r\n//;
    }
    return $body;
}

1;
