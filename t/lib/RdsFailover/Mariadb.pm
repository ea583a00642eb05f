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
    @{ $self->{as} } = $> == 0 ? '--user=mysql' : ();
    if ($> == 0) { chmod 0711, "$self->{dir}"; mkdir "$self->{dir}/run"; system 'chown', 'mysql', "$self->{dir}", "$self->{dir}/run" }
    else         { mkdir "$self->{dir}/run" }
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
        exec 'mariadbd', '--no-defaults', @{ $self->{as} }, "--datadir=$self->{dir}/data", "--bind-address=$self->{address}",
            "--port=$self->{port}", "--socket=$self->{dir}/run/socket", "--pid-file=$self->{dir}/run/pid",
            '--innodb-buffer-pool-size=16M', '--innodb-log-file-size=8M', @{ $self->{options} };
        require POSIX;
        POSIX::_exit(127);
    }
    my $until = time + $LIMIT;
    until (-S "$self->{dir}/run/socket" && system('mariadb-admin', '--no-defaults', "--socket=$self->{dir}/run/socket", '-uroot', '--silent', 'ping') == 0) {
        die "mariadbd ended:\n", tail($log) if waitpid($pid, 1) == $pid;
        die "mariadbd does not start:\n", tail($log) if time > $until;
        sleep 0.1;
    }
    return $self;
}

sub tail ($file) {
    open my $in, '<', $file or return "(no log)\n";
    my @lines = <$in>;
    return splice @lines, @lines > 20 ? -20 : 0;
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

sub signal ($self, $name) { kill $name, $self->{pid} or croak "kill: $!"; return $self }

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
