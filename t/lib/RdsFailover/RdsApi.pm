# SPDX-License-Identifier: Apache-2.0
package RdsFailover::RdsApi;

# The stand-in for the RDS API (t/rig/aws) for one test: it listens when new() returns and ends with the object, or with the test.
#
#   my $api = RdsFailover::RdsApi->new(scale => 600, class => 'db.t4g.small');
#   my $said = $api->ask(rds => 'DescribeDBInstances', DBInstanceIdentifier => 'shop');    # {ok} or {error}, by botocore
#   local @ENV{ keys %env } = values %env if %env = $api->environment;                     # for scripts that call aws
#   $api->set(instances => { shop => { MultiAZ => JSON::PP::false } });                   # a merge patch of its world

use v5.36;
use Carp     qw(croak);
use IPC::Open2 qw(open2);
use JSON::PP ();
use RdsFailover::Lint qw(source_tree);
use HTTP::Tiny ();
use Time::HiRes qw(time sleep);

my $JSON = JSON::PP->new->utf8->canonical;

# Why it cannot run here; undef when it can.
sub why_not ($class = undef) {
    return 'aws: no /usr/bin/python3 with botocore here (package python3-botocore)' if system(q{/usr/bin/python3 -c 'import botocore' 2>/dev/null});
    return undef;
}

# As above, for tests that call the aws command.
sub why_no_cli ($class = undef) {
    return why_not() // ((grep { -x "$_/aws" } '/usr/bin', split /:/, $ENV{PATH}) ? undef : 'aws: no aws command here (package awscli)');
}

# %option: those of rds-api without their dashes, "-" written "_"; trouble may be a list.
sub new ($class, %option) {
    my @words = map {
        my ($name, $value) = ($_ =~ tr/_/-/r, $option{$_});
        map { ("--$name", $_) } ref $value ? @$value : $value;
    } sort keys %option;
    my ($out, $in);
    my $pid = open2($out, $in, source_tree() . '/t/rig/aws/rds-api', '--while-stdin', @words);
    chomp(my $url = <$out> // croak 'rds-api does not start');
    return bless { pid => $pid, in => $in, out => $out, url => $url, owner => $$, http => HTTP::Tiny->new(timeout => 30) }, $class;
}

sub url ($self) { return $self->{url} }

# What a script needs to reach it: credentials that only it knows, and the aws of the distribution before any other.
sub environment ($self) {
    return (
        RDS_AWS_ENDPOINT => $self->{url}, AWS_ACCESS_KEY_ID => 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY => 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
        AWS_DEFAULT_REGION => 'eu-west-1', AWS_REGION => 'eu-west-1', AWS_EC2_METADATA_DISABLED => 'true', AWS_CONFIG_FILE => '/dev/null',
        AWS_SHARED_CREDENTIALS_FILE => '/dev/null', AWS_PAGER => '', PATH => "/usr/bin:$ENV{PATH}");
}

# {ok => answer} or {error => {code, message, status}}.
sub ask ($self, $service, $operation, %parameters) {
    return $self->asked({ service => $service, operation => $operation, parameters => \%parameters });
}

# The same, whole: see t/aws/ask.
sub asked ($self, $request) {
    my $asker = $self->{asker} //= do {
        my ($out, $in);
        my $pid = open2($out, $in, source_tree() . '/t/aws/ask');
        $in->autoflush(1);
        { pid => $pid, in => $in, out => $out };
    };
    print { $asker->{in} } $JSON->encode({ url => $self->{url}, %$request }), "\n";
    my $line = readline $asker->{out};
    return $JSON->decode($line // croak 't/aws/ask ended');
}

# Runs the aws command: (exit code, standard output and error together).
sub aws ($self, @words) {
    my %environment = $self->environment;
    local @ENV{ keys %environment } = values %environment;
    my $pid = open my $from, '-|' // croak "fork: $!";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        exec 'aws', '--endpoint-url', $self->{url}, @words or POSIX::_exit(127);
    }
    local $/;
    my $text = <$from> // '';
    close $from;
    return ($? >> 8, $text);
}

# All that it knows, and the requests it has had: t/rig/aws/standin/world.py.
sub world ($self) {
    my $answer = $self->{http}->get("$self->{url}/control");
    croak "control: $answer->{status}" if !$answer->{success};
    return $JSON->decode($answer->{content});
}

sub set ($self, %patch) {
    my $answer = $self->{http}->post("$self->{url}/control", { content => $JSON->encode(\%patch) });
    croak "control: $answer->{status} $answer->{content}" if !$answer->{success};
    return $self;
}

sub requests ($self, $operation = undef) {
    return grep { !defined $operation || ($_->{operation} // '') eq $operation } @{ $self->world->{requests} };
}

# The instance once $condition->($instance) is true; dies after $limit seconds.
sub wait_for ($self, $condition, $limit = 60, $name = 'shop') {
    my $end = time + $limit;
    while (1) {
        my $instance = $self->world->{instances}{$name};
        return $instance if $condition->($instance);
        croak "not within $limit s; $name is: " . $JSON->encode($instance) if time > $end;
        sleep 0.02;
    }
}

sub DESTROY ($self) {
    return if $self->{owner} != $$;
    local ($?, $!, $@);
    for my $one ($self->{asker}, $self) {
        next if !$one;
        close $one->{in};
        close $one->{out};
        waitpid $one->{pid}, 0;
    }
}

1;
