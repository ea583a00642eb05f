# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Story;

# A failover story: a rig with the module, traffic, single requests and the module's own status, with waiting for conditions.
#   my $story = RdsFailover::Story->begin(app => 'address');   options of Rig->new; dies or skips the file with a reason
#   my $story = RdsFailover::Story->begin(hosts => 2, front => 15);   visitors come by the front; the status is each host's own
#   my $traffic = $story->traffic;                             RdsFailover::Story::Traffic
#   my $answer  = $story->get('/trivial.php');                 {status, headers, body, began, ended}
#   my $held    = $story->send(POST => '/ledger.php', body => …);  goes on by itself; $story->answer($held) waits for it
#   $story->wait_state('available', epoch => 2);
# The rig goes with the variable. RF_STAGE and RF_BUILDDIR (set by t/run-tests) say what is tested.
use v5.36;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IO::Select ();
use List::Util ();
use POSIX ();
use IPC::Open2 qw(open2);
use JSON::PP ();
use Test::More ();
use Time::HiRes qw(time sleep);
use Time::Local ();

my ($src, $lib);
BEGIN { $lib = abs_path(dirname(__FILE__) . '/..'); $src = abs_path("$lib/../..") }
use lib "$src/t/rig/lib";
use Rig ();
use RdsFailover::Story::Traffic ();

my $json = JSON::PP->new->utf8;

# Long enough for anything on a machine that has other things to do; never what a test is about.
our $LIMIT = 60;

sub begin ($class, %option) {
    my @lack = Rig::Namespace::missing(front => $option{front});
    Test::More::plan(skip_all => "rig: @lack") if @lack;
    my $build = $ENV{RF_BUILDDIR} // "$src/build";
    $option{keep} //= 1 if $ENV{STORY_KEEP};
    my $self  = bless { owner => $$, drive => "$build/rds-drive", next => 0, answers => {} }, $class;
    $self->{rig} = Rig->new(module => 1, stage => $ENV{RF_STAGE} // "$build/stage/modules",
        ($ENV{STORY_VERBOSE} ? (say => sub ($text) { Test::More::note($text) }) : ()), %option)->up;
    my ($from, $to);
    $self->{agent} = open2($from, $to, $self->{rig}->command($^X, "-I$lib", '-MRdsFailover::Story::Agent', '-e',
        'RdsFailover::Story::Agent::serve'));
    $to->autoflush(1);
    @$self{qw(from to rest)} = ($from, $to, '');
    $self->wait_state('available') if $self->{rig}{module};
    return $self;
}

sub rig ($self) { return $self->{rig} }

sub end ($self) {
    close delete $self->{to} if $self->{to};
    if (my $agent = delete $self->{agent}) { waitpid $agent, 0 }
    if (my $rig   = delete $self->{rig})   { $rig->down }
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    $self->end if $self->{owner} == $$;
}

sub traffic ($self, %option) { return RdsFailover::Story::Traffic->start($self, %option) }

# ---- single requests ---------------------------------------------------------------------------------------------------

# Returns a number for answer() and leave(). Goes where visitors go; $option{at}, a number, asks that host itself.
sub send ($self, $method, $path, %option) {
    my $id = ++$self->{next};
    my $at = delete $option{at};
    ($option{server}) = (defined $at ? $self->{rig}->host_url($at, '') : $self->{rig}->url('')) =~ m{//(.*)};
    print { $self->{to} } $json->encode({ id => $id, method => $method, path => $path, %option }), "\n";
    return $id;
}

# The client goes away without waiting.
sub leave ($self, $id) { print { $self->{to} } $json->encode({ id => $id, leave => 1 }), "\n" }

sub listen ($self, $patience) {
    return if !IO::Select->new($self->{from})->can_read($patience);
    sysread $self->{from}, $self->{rest}, 1 << 20, length $self->{rest} or die "the client inside the rig ended\n";
    while ($self->{rest} =~ s/^([^\n]*)\n//) {
        my $answer = $json->decode($1);
        $self->{answers}{ $answer->{id} } = $answer;
    }
}

# The answer if it is there already, else undef.
sub answered ($self, $id) { $self->listen(0); return $self->{answers}{$id} && parse($self->{answers}{$id}) }

sub answer ($self, $id, $limit = $LIMIT) {
    my $end = time + $limit;
    until ($self->{answers}{$id}) {
        die "no answer to request $id within $limit s\n" if time > $end;
        $self->listen(0.2);
    }
    return parse($self->{answers}{$id});
}

sub parse ($answer) {
    my %parsed = (status => 0, headers => {}, body => '', map { $_ => $answer->{$_} } qw(began ended));
    my ($head, $body) = split /\r\n\r\n/, $answer->{raw}, 2;
    $head //= '';
    if ($head =~ s{^HTTP/\S+ (\d+)[^\r\n]*(?:\r\n)?}{}) {
        $parsed{status} = $1;
        $parsed{headers}{ lc $1 } = $2 while $head =~ /^([^:\r\n]+):[ ]*([^\r\n]*)/mg;
        $parsed{body} = $body // '';
    }
    if (($parsed{headers}{'transfer-encoding'} // '') eq 'chunked') {
        my ($chunked, $whole) = ($parsed{body}, '');
        while ($chunked =~ s/^([0-9a-fA-F]+)[^\r\n]*\r\n//) {
            my $n = hex $1 or last;
            $whole .= substr $chunked, 0, $n;
            substr $chunked, 0, $n + 2, '';
        }
        $parsed{body} = $whole;
    }
    return \%parsed;
}

sub get ($self, $path, %option) { return $self->answer($self->send(GET => $path, %option)) }

# ---- the module's own view ---------------------------------------------------------------------------------------------

# The whole status of a host; undef when there is none.
sub report ($self, $host = 1) {
    my $answer = $self->get('/rds-status?json', at => $host);
    return $answer->{status} == 200 ? eval { $json->decode($answer->{body}) } : undef;
}

sub status ($self, $host = 1) { my $report = $self->report($host) or return undef; return $report->{databases}[0] }

# One for each host, in order; none at all if one of them has none.
sub statuses ($self) {
    my @all = map { $self->status($_) } $self->{rig}->hosts;
    return (grep { !$_ } @all) ? () : @all;
}

# A figure of the holds, summed over all hosts; undef when a host says nothing.
sub held ($self, $what) {
    my @all = $self->statuses or return undef;
    return List::Util::sum(map { $_->{hold}{$what} } @all);
}

sub wait_for ($self, $what, $condition, $limit = $LIMIT) {
    my $end = time + $limit;
    my $seen;
    until ($seen = $condition->()) {
        if (time > $end) {
            my $status = eval { JSON::PP->new->utf8->canonical->pretty->encode([ $self->statuses ]) } // "no status\n";
            die "$what: not within $limit s\n$status" . $self->error_log;
        }
        sleep 0.02;
    }
    return $seen;
}

# Waits until each host is in this state (a pattern; and at least that epoch). Returns the status of the first.
sub wait_state ($self, $state, %option) {
    return $self->wait_for("state $state", sub {
        my @all = $self->statuses or return undef;
        return (grep { $_->{state} !~ /^(?:$state)$/ || $_->{epoch} < ($option{epoch} // 0) } @all) ? undef : $all[0];
    }, $option{limit} // $LIMIT);
}

# $n requests wait now, on all hosts.
sub wait_held ($self, $n) {
    return $self->wait_for("$n held requests", sub { ($self->held('now') // -1) == $n ? $self->status : undef });
}

# What of the sum of leaving requests is missing; 0 is right.
sub imbalance ($self, $hold) {
    return $hold->{held} - $hold->{now} - List::Util::sum(@$hold{qw(released passed redirected expired aborted lost)});
}

# RFC 3339 to epoch seconds.
sub epoch ($text) {
    my (@at) = ($text // '') =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(\.\d+)?Z$/ or die "no time: " . ($text // 'null') . "\n";
    return Time::Local::timegm_modern(@at[5, 4, 3, 2], $at[1] - 1, $at[0]) + ($at[6] // 0);
}

# A failover as the status tells it, with epoch seconds: {started, hold (the first request was held from then on), released, …}.
sub failover ($self, $status, $n = 0) {
    my $f = $status->{failovers}[$n] or return undef;
    my $started = epoch($f->{started});
    return { %$f, started => $started, map { $_->[0] => defined $f->{ $_->[1] } ? $started + $f->{ $_->[1] } / 1000 : undef }
            [hold => 'detected_ms'], [declared => 'declared_ms'], [released => 'released_ms'] };
}

# The same for all hosts: from the first that noticed; held and released by all of them only at the last one's time.
sub failover_everywhere ($self, $n = 0) {
    my @all = grep {defined} map { $self->failover($_, $n) } $self->statuses;
    my %f   = %{ $all[0] };
    $f{started} = List::Util::min(map { $_->{started} } @all);
    for my $moment (qw(hold declared released)) { $f{$moment} = List::Util::max(map { $_->{$moment} // 0 } @all) }
    return \%f;
}

sub error_log ($self) {
    my $text = '';
    for my $path (glob $self->{rig}->dir . '/log/httpd*-error.log') {
        open my $in, '<', $path or next;
        my @lines = grep {/ RF\d{4}/} <$in>;
        $text .= "$path:\n" . join '', @lines > 40 ? @lines[-40 .. -1] : @lines;
    }
    return $text;
}

sub log_lines ($self, $file, $pattern) {
    open my $in, '<', $self->{rig}->dir . "/log/$file" or return;
    return grep {/$pattern/} <$in>;
}

# ---- doing things to it --------------------------------------------------------------------------------------------------

# $rig->fail(…) in the background; $story->await(…) returns what it returned.
sub fail_later ($self, $kind, %option) {
    pipe my $from, my $to or die "pipe: $!\n";
    my $pid = fork // die "cannot fork: $!\n";
    if (!$pid) {
        close $from;
        my $told = eval { $self->{rig}->fail($kind, rebuild => undef, %option) } // { error => $@ };
        print {$to} $json->encode($told);
        close $to;
        POSIX::_exit(0);
    }
    close $to;
    return { pid => $pid, from => $from };
}

sub await ($self, $failing) {
    local $/;
    my $told = $json->decode(readline($failing->{from}) || '{"error":"the failover ended without an answer"}');
    waitpid $failing->{pid}, 0;
    die "fail: $told->{error}\n" if defined $told->{error};
    return $told;
}

# Signals processes by the number they have inside, as the status tells it.
sub signal ($self, $name, @pids) { return $self->{rig}->run($^X, '-e', 'kill shift, @ARGV or die "kill: $!\n"', $name, @pids) }

# Numbers of the processes inside whose program or name matches.
sub pids ($self, $pattern) {
    my $look = 'for (glob "/proc/[0-9]*") { my ($n) = /(\d+)/; my $t = ""; for my $f ("cmdline", "comm")'
        . ' { open my $in, "<", "$_/$f" or next; $t .= (<$in> // "") . " " } print "$n\n" if $n != $$ && $t =~ $ARGV[0] }';
    return split /\n/, $self->{rig}->capture($^X, '-e', $look, $pattern);
}

# httpd's children that have a client's connection open now.
sub serving ($self) {
    my %pid = map { $_ => 1 } $self->{rig}->capture('ss', '-Htnp', 'state', 'established', 'sport = :8080') =~ /pid=(\d+)/g;
    return sort keys %pid;
}

sub write_page ($self, $name, $text) {
    open my $out, '>', $self->{rig}->dir . "/htdocs/$name" or die "$name: $!\n";
    print {$out} $text;
    close $out or die "$name: $!\n";
}

1;
