# SPDX-License-Identifier: Apache-2.0
package RdsFailover::HoldWatch;

# Asks for the status all the time, from a process of its own, and checks in every answer that whoever was held is counted once:
# held = released + passed + redirected + expired + aborted + lost + now.
#
#   my $watch = RdsFailover::HoldWatch->new($httpd);
#   ...
#   $watch->ok;        # a test: nothing was wrong, and there were answers to look at

use v5.36;
use IO::Select ();
use JSON::PP   ();
use POSIX      ();
use RdsFailover::Httpd ();
use Test::More ();
use Time::HiRes qw(time);

sub new ($class, $httpd, %options) {
    pipe my $from_child, my $to_us or die "pipe: $!\n";
    pipe my $from_us, my $to_child or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        # What this process inherited must not keep a client's connection open that its owner closes.
        my %keep = map { fileno $_ => 1 } $to_us, $from_us;
        $keep{$_} || POSIX::close($_) for 3 .. 4095;
        my $told = eval { look($httpd, IO::Select->new($from_us), $options{pause} // 0.01) };
        $told //= { looks => 0, wrong => ["died: $@"] };
        syswrite $to_us, JSON::PP->new->canonical->encode($told);
        POSIX::_exit(0);
    }
    return bless { pid => $pid, from => $from_child, to => $to_child, owner => $$ }, $class;
}

sub look ($httpd, $end, $pause) {
    my ($looks, $unanswered, @wrong, %most, @states) = (0, 0);
    while (!$end->can_read($pause)) {
        my $json = $httpd->json;
        if (!$json) { $unanswered++; next }
        $looks++;
        for my $database (@{ $json->{databases} }) {
            my $hold    = $database->{hold};
            my $missing = $hold->{held} - $hold->{now};
            $missing -= $hold->{$_} for qw(released passed redirected expired aborted lost);
            push @wrong, JSON::PP->new->canonical->encode($hold) if $missing || $hold->{now} < 0;
            $most{$_} = $hold->{$_} // 0 for grep { ($hold->{$_} // 0) > ($most{$_} // 0) } qw(now running allowed);
            push @states, $database->{state} if !@states || $states[-1] ne $database->{state};
        }
    }
    $#wrong = 4 if @wrong > 5;
    return { looks => $looks, unanswered => $unanswered, wrong => \@wrong, most => \%most, states => \@states };
}

# { looks, unanswered, wrong => [...], most => { now, running, allowed }, states => [...] }
sub stop ($self) {
    if (my $pid = delete $self->{pid}) {
        close $self->{to};
        my $text = do { local $/; my $in = $self->{from}; scalar <$in> };
        waitpid $pid, 0;
        $self->{told} = JSON::PP->new->decode($text || '{"looks":0,"wrong":["the watch ended by itself"]}');
    }
    return $self->{told};
}

sub ok ($self, $what = 'the counters agreed in every status') {
    my $told = $self->stop;
    my $ok   = $told->{looks} > 0 && !@{ $told->{wrong} };
    Test::More::ok($ok, "$what ($told->{looks})") or Test::More::diag(Test::More::explain($told));
    return $ok;
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    $self->stop if $self->{owner} == $$;
    return;
}

1;
