# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Story::Traffic;

# Steady traffic from the driver while a story happens, and what became of each request.
use v5.36;
use Time::HiRes qw(time sleep);
use Demo::Child  ();
use Demo::Follow ();
use Demo::Ledger ();

our @MIX = (
    'page 4 GET /wp/?p={101-160} marker=RIG-POST-',
    'query 8 GET /ledger.php marker=RIG-OK',
    'insert 4 POST /ledger.php body=token={token} marker=RIG-OK',
    'transaction 2 POST /ledger.php body="token={token}&mode=transaction" marker=RIG-OK',
    'static 3 GET /static.txt marker=RIG-OK',
);
# A WordPress page that is caught in its middle tries the address it was given again and again, five seconds for each of its
# queries; where that is the dead server's (app=address), it lasts a minute. Stories that connect so do without.
our @SHORT = grep { !/^page/ } @MIX;

my $count = 0;

# %option: rate, kinds (lines of the driver's mix), timeout (seconds); follow: redirects, as browsers do; so by default if there
# is a front.
sub start ($class, $story, %option) {
    my $at   = $story->{rig}->dir . '/traffic-' . ++$count;
    my $self = bless { story => $story, at => $at, prefix => "s$$-$count", timeout => ($option{timeout} // 60) =~ s/s$//r }, $class;
    $self->{began} = time;
    $self->{child} = Demo::Child->start({ inside => 1, log => "$at.log" }, $story->{rig}->command(
        $story->{drive}, '--rate', $option{rate} // 25, '--duration', '600s', '--timeout', "$self->{timeout}s",
        ($option{follow} // $story->{rig}{front} ? '--follow' : ()),
        '--progress', 0, '--jsonl', "$at.jsonl", '--tokens', "$at.tokens", '--token-prefix', $self->{prefix},
        (map { ('--kind', $_) } @{ $option{kinds} // \@MIX }), $story->{rig}->url('')));
    $self->{follow} = Demo::Follow->new("$at.jsonl");
    my $end = time + 20;
    until ($self->{follow}->more) {
        die "the driver does not run:\n" . slurp("$at.log") if time > $end || $self->{child}->ended;
        sleep 0.02;
    }
    return $self;
}

# No more requests; the last ones are waited for.
sub stop ($self) {
    return $self if $self->{requests};
    $self->{child}->signal('TERM');
    my $end = time + $self->{timeout} + 30;
    until ($self->{child}->ended) {
        die "the driver does not end\n" if time > $end;
        sleep 0.05;
    }
    $self->{requests} = [ sort { $a->{due} <=> $b->{due} } $self->{follow}->all ];
    return $self;
}

sub requests ($self) { return @{ $self->stop->{requests} } }

# Waits until what comes now is answered soon: the backlog of an outage is worked off. Goes on after $limit s all the same.
sub settle ($self, $limit = 6) {
    my $since = time;
    my $end   = $since + $limit;
    while (time < $end) {
        my @new = grep { $_->{due} > $since && $_->{kind} ne 'static' } $self->so_far;
        return if @new >= 10 && !grep { ($_->{latency_ms} // 1e6) > 500 } @new[-10 .. -1];
        sleep 0.1;
    }
}

sub so_far ($self) { return $self->{follow}->all }

# Everything but what is right; {kind} and {due} tell which.
sub bad ($self) { return grep { $_->{outcome} ne 'ok' } $self->requests }

# What visitors were told about their writes against what the database holds; writes are what kinds matching $kinds send.
sub ledger ($self, $kinds = qr//) {
    $self->stop;
    my $there = $self->{story}{rig}->ledger;
    my %own   = map { $_ => $there->{$_} } grep {/^\Q$self->{prefix}\E-/} keys %$there;
    my $said  = Demo::Ledger::read_tokens("$self->{at}.tokens");
    return Demo::Ledger::check({ map { $_ => $said->{$_} } grep { $said->{$_}{kind} =~ $kinds } keys %$said }, \%own);
}

sub slurp ($path) { open my $in, '<', $path or return ''; local $/; return <$in> // '' }

1;
