# SPDX-License-Identifier: Apache-2.0
package RdsFailover::PhpServer;

# PHP's own web server (php -S): one process, one request after the other, header() and output buffering as under PHP-FPM.
# It ends with the object.
#
#   my $php = RdsFailover::PhpServer->new(root => $dir, ini => { auto_prepend_file => $file }, env => { … });
#   my $answer = $php->get('/page.php');          # a hash of HTTP::Tiny: status, headers (small letters), content

use v5.36;
use Carp       qw(croak);
use File::Temp ();
use HTTP::Tiny ();
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

my $LIMIT = 60;

# Why there can be none here, or undef.
sub missing () {
    return 'php: no php on the PATH' if !grep { -x "$_/php" } split /:/, $ENV{PATH};
    my %have = map { chomp; lc() => 1 } qx{php -m};
    my @lack = grep { !$have{$_} } qw(mysqli pdo_mysql);
    return @lack ? "php: without @lack" : undef;
}

sub new ($class, %options) {
    my $self = bless {
        dir   => File::Temp->newdir('php-XXXXXX', TMPDIR => 1),
        owner => $$,
        ini   => {
            display_errors => 0, log_errors => 1, output_buffering => 4096, max_execution_time => 30, 'opcache.enable' => 0,
            'mysqlnd.net_read_timeout' => 86400, default_socket_timeout => 60, %{ $options{ini} // {} },
        },
        %options{qw(root env)},
    }, $class;
    $self->{port} = do { IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport };
    my $pid = $self->{pid} = fork // croak "fork: $!";
    if (!$pid) {
        open STDIN,  '<',  '/dev/null';
        open STDOUT, '>>', "$self->{dir}/log";
        open STDERR, '>&', \*STDOUT;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        %ENV = (%ENV, %{ $self->{env} // {} });
        my @ini = map { ('-d', "$_=$self->{ini}{$_}") } sort keys %{ $self->{ini} };
        { exec 'php', @ini, '-S', "127.0.0.1:$self->{port}", '-t', $self->{root} }
        POSIX::_exit(127);
    }
    my $until = time + $LIMIT;
    until (IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port})) {
        die "php -S ended:\n", $self->log if waitpid($pid, POSIX::WNOHANG()) == $pid;
        die "php -S does not start:\n", $self->log if time > $until;
        sleep 0.02;
    }
    return $self;
}

sub port ($self) { return $self->{port} }

sub log ($self) {
    open my $in, '<', "$self->{dir}/log" or return '';
    local $/;
    return <$in> // '';
}

sub get ($self, $path) { return $self->ask('GET', $path) }

sub post ($self, $path, %form) {
    my $body = HTTP::Tiny->new->www_form_urlencode(\%form);
    return $self->ask('POST', $path, { content => $body, headers => { 'content-type' => 'application/x-www-form-urlencoded' } });
}

# Besides HTTP::Tiny's: outcome, the header RDS-Failover-Outcome, or '-'; seconds.
sub ask ($self, $method, $path, $more = {}) {
    my $began  = time;
    my $answer = HTTP::Tiny->new(timeout => $LIMIT, max_redirect => 0, proxy => undef, http_proxy => undef)
        ->request($method, "http://127.0.0.1:$self->{port}$path", $more);
    return { %$answer, outcome => $answer->{headers}{'rds-failover-outcome'} // '-', seconds => time - $began };
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    return if $self->{owner} != $$ || !$self->{pid};
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

1;
