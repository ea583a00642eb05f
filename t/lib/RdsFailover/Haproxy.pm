# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Haproxy;

# HAProxy as a load balancer before web hosts, which asks each of them ten times a second whether it may send it requests.
#
#   my $balancer = RdsFailover::Haproxy->new(servers => { a => $port, b => $port }, health => { site => '/rds-status?health' });
#   $balancer->port('site');         a frontend for each kind of question, with all servers behind it
#   $balancer->servers('site');      { a => { status => 'UP', failed => 0, … }, b => … }, as it sees them now

use v5.36;
use File::Temp ();
use HTTP::Tiny ();
use POSIX ();
use RdsFailover::Httpd ();

sub program () { return (grep { -x } '/usr/sbin/haproxy', '/usr/bin/haproxy', '/usr/local/sbin/haproxy')[0] }
sub missing () { return program() ? () : 'not installed (package haproxy)' }

sub new ($class, %options) {
    my $self = bless { %options, owner => $$, dir => File::Temp->newdir('haproxy-XXXXXX', TMPDIR => 1) }, $class;
    $self->{ports}{$_} = RdsFailover::Httpd::free_port() for keys %{ $self->{health} };
    $self->{stats} = RdsFailover::Httpd::free_port();
    RdsFailover::Httpd::write_file("$self->{dir}/haproxy.cfg", $self->conf_text);
    $self->{pid} = fork // die "fork: $!\n";
    if (!$self->{pid}) {
        open STDOUT, '>', "$self->{dir}/log";
        open STDERR, '>&', \*STDOUT;
        exec('setpriv', '--pdeathsig', 'TERM', '--', program(), '-db', '-f', "$self->{dir}/haproxy.cfg") or POSIX::_exit(127);
    }
    RdsFailover::Httpd::wait_until(sub { $self->csv }, 30) or die "HAProxy does not answer:\n" . RdsFailover::Httpd::slurp("$self->{dir}/log");
    return $self;
}

sub conf_text ($self) {
    my $text = <<"CONF";
global
    maxconn 200
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout check 5s
listen stats
    bind 127.0.0.1:$self->{stats}
    stats enable
    stats uri /
CONF
    for my $name (sort keys %{ $self->{health} }) {
        my $servers = join '', map {"    server $_ 127.0.0.1:$self->{servers}{$_} check inter 100ms fall 2 rise 2\n"} sort keys %{ $self->{servers} };
        $text .= <<"CONF";
listen $name
    bind 127.0.0.1:$self->{ports}{$name}
    balance roundrobin
    option httpchk GET $self->{health}{$name}
    http-check expect status 200
$servers
CONF
    }
    return $text;
}

sub port ($self, $name) { return $self->{ports}{$name} }

sub csv ($self) {
    my $answer = HTTP::Tiny->new(timeout => 5)->get("http://127.0.0.1:$self->{stats}/;csv");
    return $answer->{success} ? $answer->{content} =~ s/^# //r : undef;
}

sub servers ($self, $name) {
    my ($head, @lines) = split /\n/, $self->csv // return {};
    my @names = split /,/, $head;
    my %servers;
    for my $line (@lines) {
        my %field;
        @field{@names} = split /,/, $line;
        next if ($field{pxname} // '') ne $name || $field{svname} =~ /^(?:FRONT|BACK)END$/;
        $servers{ $field{svname} } = { status => $field{status}, failed => $field{chkfail}, downs => $field{chkdown} };
    }
    return \%servers;
}

sub stop ($self) {
    my $pid = delete $self->{pid} or return;
    kill 'TERM', $pid;
    waitpid $pid, 0;
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    $self->stop if $self->{owner} == $$;
    return;
}

1;
