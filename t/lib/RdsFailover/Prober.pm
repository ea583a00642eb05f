# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Prober;

# A prober under test, driven by t/prober/monitor.c. It ends with the object.
#
#   my $prober = RdsFailover::Prober->new(dsn => 'mysql://…', resolvers => ['127.0.0.1:5353']);
#   my $sample = $prober->ask('127.0.0.1');           # probe and wait for its verdict: a hash, see rf_sample.h
#   my $ticket = $prober->probe('127.0.0.1', 200);    # probe with 200 ms
#   $prober->await(kind => 'idle-lost');              # the next sample that is like that; others are skipped
#
# Waiting is generous and never what a test measures; `at` and `rtt` of a sample are microseconds of the monotonic clock.

use v5.36;
use Carp qw(croak);
use IO::Select;
use IPC::Open2 qw(open2);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my $LIMIT = 30;

sub new ($class, %options) {
    my $build = $ENV{RF_BUILDDIR} or die "RF_BUILDDIR is not set: run make check-prober\n";
    my ($helper, $prober) = ("$build/t/prober/monitor", ($ENV{RF_STAGE} // "$build/stage/modules") . '/rdsfailover-prober');
    -x $_ or die "$_ is missing: run make check-prober\n" for $helper, $prober;
    my $self = bless { ticket => 0, buffer => '', owner => $$ }, $class;
    $self->{helper} = open2($self->{out}, $self->{in}, $helper, @{ $options{wrapper} // [] }, $prober, 'test');
    $self->{in}->autoflush(1);
    ($self->{pid}) = ($self->line // '') =~ /^started pid=(\d+)/ or die "$helper does not start\n";
    $self->configure($options{dsn}, @{ $options{resolvers} // [] }) if $options{dsn};
    return $self;
}

sub pid ($self) { return $self->{pid} }

sub now () { return int(clock_gettime(CLOCK_MONOTONIC) * 1e6) }

sub command ($self, @words) {
    print { $self->{in} } "@words\n";
    return $self;
}

sub configure ($self, @words) { return $self->command('configure', @words) }
sub forget ($self, $address) { return $self->command('forget', $address) }

sub probe ($self, $address, $ms = 5000) {
    $self->command('probe', $address, ++$self->{ticket}, $ms);
    return $self->{ticket};
}

sub resolve ($self, $ms = 5000) {
    $self->command('resolve', ++$self->{ticket}, $ms);
    return $self->{ticket};
}

# Inodes of the sockets that the prober says it has open.
sub sockets ($self) {
    $self->command('sockets', ++$self->{ticket});
    return split /,/, $self->await(kind => 'sockets', ticket => $self->{ticket})->{sockets};
}

sub ask ($self, $address, $ms = 20_000) { return $self->await(kind => 'probe', ticket => $self->probe($address, $ms)) }

sub look_up ($self, $ms = 20_000) { return $self->await(kind => 'dns', ticket => $self->resolve($ms)) }

# A line of the helper, or undef if none comes in time.
sub line ($self, $limit = $LIMIT) {
    my $until  = now() + $limit * 1e6;
    my $select = IO::Select->new($self->{out});
    while ($self->{buffer} !~ /\n/) {
        my $left = ($until - now()) / 1e6;
        return undef if $left <= 0 || !$select->can_read($left);
        sysread($self->{out}, $self->{buffer}, 65536, length $self->{buffer}) or return undef;
    }
    $self->{buffer} =~ s/^(.*)\n//;
    return $1;
}

sub sample ($self, $limit = $LIMIT) {
    my $line = $self->line($limit) // return undef;
    my ($facts, $text) = $line =~ /^(kind=.*?) text=(.*)$/ or return { kind => $line };
    return { text => $text, map { split /=/, $_, 2 } split / /, $facts };
}

# The next sample with these values; dies with what came instead. The samples skipped are in skipped().
sub await ($self, %like) {
    my $until = now() + $LIMIT * 1e6;
    $self->{skipped} = [];
    while (now() < $until) {
        my $sample = $self->sample(($until - now()) / 1e6) // last;
        return $sample if !grep { ($sample->{$_} // '') ne $like{$_} } keys %like;
        push @{ $self->{skipped} }, $sample;
    }
    croak sprintf "no sample with %s; there were: %s\n", join(' ', %like),
        join('; ', map { my $s = $_; join ' ', map { "$_=$s->{$_}" } sort keys %$s } @{ $self->{skipped} }) || 'none';
}

sub skipped ($self) { return @{ $self->{skipped} } }

# Close the monitor's end. True if the prober ends by itself, with status 0.
sub stop ($self) {
    my $helper = delete $self->{helper} or return;
    close $self->{in};
    my $last = '';
    while (defined(my $line = $self->line)) { $last = $line }
    kill 'KILL', $self->{pid} if $last !~ /^ended/;
    waitpid $helper, 0;
    return $last eq 'ended status=0';
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    $self->stop if $self->{owner} == $$;
    return;
}

1;
