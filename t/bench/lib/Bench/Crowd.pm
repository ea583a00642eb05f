# SPDX-License-Identifier: Apache-2.0
package Bench::Crowd;

# Runs rds-crowd.
#
#   my $crowd = Bench::Crowd->new(url => ..., clients => 2000, side => ..., options => ['--post', 3000]);
#   $crowd->wait_for('BEGUN');       # the number that came with it; undef: it ended before
#   my $result = $crowd->finish;     # its JSON

use v5.36;
use File::Temp ();
use IO::Select ();
use JSON::PP   ();
use POSIX      ();
use Time::HiRes qw(time);

sub program () { return ($ENV{RF_BUILDDIR} // die "RF_BUILDDIR is not set\n") . '/rds-crowd' }

sub new ($class, %options) {
    my $dir  = File::Temp->newdir('crowd-XXXXXX', TMPDIR => 1);
    my @line = (program(), '--clients', $options{clients}, '--out', "$dir/out.json",
        $options{side} ? ('--side', $options{side}) : (), @{ $options{options} // [] }, $options{url});
    pipe my $from, my $to or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>&', $to or POSIX::_exit(127);
        exec @line or POSIX::_exit(127);
    }
    return bless { pid => $pid, from => $from, dir => $dir, text => '', owner => $$ }, $class;
}

# Reads what it says until this word comes.
sub wait_for ($self, $word, $limit = 300) {
    my $end = time + $limit;
    while (1) {
        return $1 if $self->{text} =~ /^$word ?(\d*)$/m;
        my $left = $end - time;
        return undef if $left <= 0 || !IO::Select->new($self->{from})->can_read($left);
        sysread $self->{from}, $self->{text}, 4096, length $self->{text} or return undef;
    }
}

sub finish ($self, $limit = 400) {
    my $pid = delete $self->{pid} or return $self->{result};
    my $end = time + $limit;
    while (waitpid($pid, POSIX::WNOHANG()) == 0) {
        if (time > $end) { kill 'TERM', $pid; waitpid $pid, 0; last }
        select undef, undef, undef, 0.02;
    }
    open my $in, '<', "$self->{dir}/out.json" or die "rds-crowd left no results\n";
    local $/;
    return $self->{result} = JSON::PP::decode_json(<$in>);
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    if ($self->{pid} && $self->{owner} == $$) { kill 'KILL', $self->{pid}; waitpid $self->{pid}, 0 }
    return;
}

1;
