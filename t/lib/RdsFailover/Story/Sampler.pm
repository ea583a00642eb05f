# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Story::Sampler;

# Fifty times a second, inside the rig: what the module allows and, between two such looks, how many connections an account has
# open on a database server and how many of them run a statement. As a program:
#   perl -MRdsFailover::Story::Sampler -e 'RdsFailover::Story::Sampler::loop(@ARGV)' SOCKET ACCOUNT FILE
# A line is {"t": epoch seconds, "state": …, "allowed": n or null, "next_state": …, "next_allowed": …, "connections": n,
# "statements": n}: the first two as before the count, the next two as after it.
use v5.36;
use File::Basename qw(dirname);
use IPC::Open2 qw(open2);
use JSON::PP ();
use Time::HiRes qw(time sleep);
use Demo::Child  ();
use Demo::Follow ();
use Demo::Watch  ();

my $lib   = dirname(__FILE__) . '/../..';
my $count = 0;
my $json = JSON::PP->new->canonical->utf8;

sub start ($class, $story, $side, $account) {
    my $at   = $story->{rig}->dir . '/sampler-' . ++$count;
    my $self = bless { at => $at }, $class;
    $self->{child} = Demo::Child->start({ inside => 1, log => "$at.log" }, $story->{rig}->command(
        $^X, "-I$lib", "-I$ENV{RIG_HOME}/lib", '-MRdsFailover::Story::Sampler', '-e', 'RdsFailover::Story::Sampler::loop(@ARGV)',
        $story->{rig}->state->get('inside') . "/$side/sock", $account, "$at.jsonl"));
    $self->{follow} = Demo::Follow->new("$at.jsonl");
    $story->wait_for('samples', sub {
        die "the sampler ended:\n" . RdsFailover::Story::Traffic::slurp("$at.log") if $self->{child}->ended;
        return scalar $self->{follow}->all;
    });
    return $self;
}

# All samples; there will be no more.
sub stop ($self) {
    $self->{child}->stop;
    return $self->{follow}->all;
}

sub loop ($socket, $account, $file) {
    open my $out, '>', $file or die "cannot write $file: $!\n";
    $out->autoflush(1);
    open2(my $from, my $to, qw(mariadb --no-defaults -n -N -B --raw --unbuffered), '-u', scalar getpwuid($>), '-S', $socket);
    $to->autoflush(1);
    my $look = sub {
        my $status = Demo::Watch::ask('127.0.0.1', 8080, '/rds-status?json') // return (undef, undef);
        my $database = $status->{databases}[0];
        return ($database->{state}, $database->{hold}{allowed});
    };
    my ($state, $allowed) = $look->();
    my $due = time;
    while (1) {
        # Whoever says goodbye is gone as far as the application goes.
        print {$to} 'SELECT COUNT(*), COALESCE(SUM(INFO IS NOT NULL), 0) FROM information_schema.processlist'
            . " WHERE USER = '$account' AND COMMAND NOT IN ('Quit', 'Killed');\n";
        my $t    = time;
        my $line = <$from> // die "the database server is gone\n";
        my ($connections, $statements) = $line =~ /^(\d+)\t(\d+)$/ or die "not a count: $line";
        my ($next_state, $next_allowed) = $look->();
        say {$out} $json->encode({ t => $t, state => $state, allowed => $allowed, next_state => $next_state,
            next_allowed => $next_allowed, connections => 0 + $connections, statements => 0 + $statements });
        ($state, $allowed) = ($next_state, $next_allowed);
        $due += 0.02;
        $due = time if $due < time;
        sleep $due - time if $due > time;
    }
}

1;
