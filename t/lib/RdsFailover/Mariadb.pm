# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Mariadb;

# A MariaDB server of its own, in a directory of its own, that ends with the object. User app, password secret, database shop.
#
#   my $database = RdsFailover::Mariadb->new(address => '127.0.0.1', options => ['--max-connect-errors=5']);
#   $database->sql('SET GLOBAL read_only = 1');

use v5.36;
use Carp       qw(croak);
use File::Temp ();
use IO::Socket::INET;
use POSIX      ();
use Time::HiRes qw(sleep time);

my $LIMIT = 120;

# Why there can be none here, or undef.
sub missing () {
    for my $program (qw(mariadbd mariadb-install-db mariadb)) {
        return "mariadb: $program is not installed" if !grep { -x "$_/$program" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/libexec';
    }
    return;
}

sub new ($class, %options) {
    local $ENV{PATH} = "$ENV{PATH}:/usr/sbin:/usr/libexec";
    my $self = bless {
        address => $options{address} // '127.0.0.1',
        dir     => File::Temp->newdir('mariadb-XXXXXX', TMPDIR => 1),
        options => $options{options} // [],
        owner   => $$,
    }, $class;
    $self->{port} = $options{port} // free_port($self->{address});
    mkdir "$self->{dir}/run";
    chmod 0711, "$self->{dir}";
    # Root of a namespace of one user has nobody else to become.
    my $mysql = getpwnam 'mysql';
    my $becomes = $> == 0 && defined $mysql && chown($mysql, -1, "$self->{dir}", "$self->{dir}/run") == 2;
    $self->{as} = $> != 0 ? [] : [$becomes ? '--user=mysql' : '--user=root'];
    my $log = "$self->{dir}/install.log";
    system('sh', '-c', 'log=$1; shift; "$@" >"$log" 2>&1', 'sh', $log, 'mariadb-install-db', '--no-defaults', @{ $self->{as} },
        "--datadir=$self->{dir}/data", '--auth-root-authentication-method=normal', '--skip-test-db') == 0
        or die "mariadb-install-db failed:\n", tail($log);
    $self->start;
    $self->sql('CREATE DATABASE shop', q{CREATE USER app@'%' IDENTIFIED BY 'secret'}, q{GRANT ALL ON shop.* TO app@'%'});
    return $self;
}

sub free_port ($address) {
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => $address) or die "$address: $@\n";
    return $socket->sockport;
}

sub start ($self) {
    my $log = "$self->{dir}/log";
    local $ENV{PATH} = "$ENV{PATH}:/usr/sbin:/usr/libexec";
    my $pid = $self->{pid} = fork // croak "fork: $!";
    if (!$pid) {
        open STDIN,  '<',  '/dev/null';
        open STDOUT, '>>', $log;
        open STDERR, '>&', \*STDOUT;
        { exec 'mariadbd', '--no-defaults', @{ $self->{as} }, "--datadir=$self->{dir}/data", "--bind-address=$self->{address}",
            "--port=$self->{port}", "--socket=$self->{dir}/run/socket", "--pid-file=$self->{dir}/run/pid",
            '--innodb-buffer-pool-size=16M', '--innodb-log-file-size=8M', @{ $self->{options} } }
        POSIX::_exit(127);
    }
    my $until = time + $LIMIT;
    until (-S "$self->{dir}/run/socket" && $self->answers) {
        die "mariadbd ended:\n", tail($log) if waitpid($pid, 1) == $pid;
        die "mariadbd does not start:\n", tail($log) if time > $until;
        sleep 0.1;
    }
    return $self;
}

sub answers ($self) {
    open my $in, '-|', 'mariadb-admin', '--no-defaults', "--socket=$self->{dir}/run/socket", '-uroot', '--silent', 'ping' or return 0;
    my @said = <$in>;
    return close $in;
}

sub tail ($file) {
    open my $in, '<', $file or return "(no log)\n";
    my @lines = <$in>;
    return splice @lines, @lines > 20 ? -20 : 0;
}

# A directory with an authority (ca.pem), a certificate for `name` from it (server.pem, server.key), and another authority
# (other.pem). It goes with the object.
sub certificates ($name) {
    my $dir = File::Temp->newdir('tls-XXXXXX', TMPDIR => 1);
    my @key = qw(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes);
    my $run = sub (@words) {
        system('sh', '-c', '"$@" 2>/dev/null', 'sh', 'openssl', @words) == 0 or die "openssl @words: failed\n";
    };
    $run->('req', '-x509', @key, '-keyout', "$dir/$_.key", '-out', "$dir/$_.pem", '-days', 2, '-subj', "/CN=$_") for qw(ca other);
    $run->('req', @key, '-keyout', "$dir/server.key", '-out', "$dir/server.csr", '-subj', '/CN=server');
    open my $out, '>', "$dir/names" or die "$dir: $!\n";
    print $out "subjectAltName=DNS:$name\n";
    close $out or die "$dir: $!\n";
    $run->('x509', '-req', '-in', "$dir/server.csr", '-CA', "$dir/ca.pem", '-CAkey', "$dir/ca.key", '-CAcreateserial', '-days', 2,
        '-extfile', "$dir/names", '-out', "$dir/server.pem");
    chmod 0755, "$dir";
    chmod 0644, glob "$dir/*";
    return $dir;
}

sub address ($self) { return $self->{address} }
sub pid     ($self) { return $self->{pid} }

sub dsn ($self, %part) {
    return sprintf 'mysql://%s:%s@%s:%d/%s%s', $part{user} // 'app', $part{password} // 'secret', $part{host} // $self->{address},
        $self->{port}, $part{database} // 'shop', $part{query} // '';
}

# Rows as lines, columns by tab.
sub sql ($self, @statements) {
    open my $in, '-|', 'mariadb', '--no-defaults', "--socket=$self->{dir}/run/socket", '-uroot', '-N', '-B', '-e', join('; ', @statements)
        or croak "mariadb: $!";
    chomp(my @rows = <$in>);
    close $in or croak "mariadb: the statement failed: @statements";
    return wantarray ? @rows : $rows[0];
}

# A stop is over when every thread has stopped.
sub signal ($self, $name) {
    kill $name, $self->{pid} or croak "kill: $!";
    while ($name eq 'STOP') {
        my @running = grep { /^State:\s+[^T]/m } map { slurp($_) } glob "/proc/$self->{pid}/task/*/status";
        last if !@running;
        sleep 0.001;
    }
    return $self;
}

sub slurp ($file) {
    open my $in, '<', $file or return '';
    local $/;
    return <$in> // '';
}

sub kill_now ($self) { return $self->end('KILL') }

sub end ($self, $signal) {
    my $pid = delete $self->{pid} or return $self;
    kill 'CONT',  $pid;
    kill $signal, $pid;
    waitpid $pid, 0;
    return $self;
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    $self->end('KILL') if $self->{owner} == $$;
    return;
}

1;
