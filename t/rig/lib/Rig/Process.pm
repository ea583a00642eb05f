# SPDX-License-Identifier: Apache-2.0
# Processes inside the rig: start a server that outlives its starter, run a command that must succeed,
# wait for a condition. Used inside the namespace only.
package Rig::Process;
use v5.36;
no warnings "exec";
use Exporter 'import';
use Fcntl qw(O_WRONLY O_CREAT O_APPEND);
use POSIX ();
use Time::HiRes qw(time sleep);

our @EXPORT_OK = qw(spawn run capture wait_for pid_in alive stop slurp spew find_program find_server tail);

sub slurp ($path) {
    open my $in, '<', $path or die "cannot read $path: $!\n";
    local $/;
    return scalar(<$in>) // '';
}

# Replaces the file as a whole: a reader sees the old text or the new one.
sub spew ($path, $text, $mode = 0644) {
    my $new = "$path.new$$";
    open my $out, '>', $new or die "cannot write $new: $!\n";
    chmod $mode, $new;
    print {$out} $text or die "cannot write $new: $!\n";
    close $out or die "cannot write $new: $!\n";
    rename $new, $path or die "cannot rename $new: $!\n";
}

# Servers live in sbin, which the PATH of a user lacks.
$ENV{PATH} = join q(:), ($ENV{PATH} || q(/usr/bin:/bin)), qw(/usr/sbin /sbin) if ($ENV{PATH} // q()) !~ m{/usr/sbin};

sub find_program (@names) {
    for my $name (@names) {
        for my $dir (split /:/, $ENV{PATH}) {
            return "$dir/$name" if -x "$dir/$name" && !-d _;
        }
    }
    return undef;
}

# The path to start a server by. A profile of AppArmor would keep it from the directory of the rig, and profiles go by path: such
# a server is started from a copy.
sub find_server (@names) {
    my $path = find_program(@names) // return undef;
    my $profile = "/etc/apparmor.d/" . substr($path, 1) =~ tr{/}{.}r;
    return $path unless -e $profile && slurp($profile) =~ /^[^#\n]*\{/m;
    my $copy = "$ENV{RIG_INSIDE}/bin/" . $path =~ s{.*/}{}r;
    run("mkdir", "-p", "$ENV{RIG_INSIDE}/bin");
    run("cp", $path, $copy) unless -e $copy;
    return $copy;
}

sub tail ($path, $lines = 12) {
    my @all = -e $path ? split /^/, slurp($path) : ();
    return join '', map {"    $_"} @all > $lines ? @all[-$lines .. -1] : @all;
}

# Starts @command in a session of its own, so that Ctrl-C on the terminal does not reach it.
sub spawn ($log, @command) {
    my %env = ref $command[0] ? %{ shift @command } : ();
    my $pid = fork // die "cannot fork: $!\n";
    return $pid if $pid;
    POSIX::setsid();
    sysopen my $out, $log, O_WRONLY | O_CREAT | O_APPEND, 0644 or POSIX::_exit(126);
    open STDIN, '<', '/dev/null';
    POSIX::dup2(fileno $out, 1);
    POSIX::dup2(fileno $out, 2);
    POSIX::close($_) for 3 .. 63;
    @ENV{ keys %env } = values %env;
    exec {$command[0]} @command;
    POSIX::_exit(127);
}

# Runs a command to its end; what it said becomes the error message when it fails.
sub run (@command) {
    my ($status, $text) = capture(@command);
    return $text if $status == 0;
    my $how = $status & 127 ? 'died of signal ' . ($status & 127) : 'ended with ' . ($status >> 8);
    die "@command[0 .. ($#command > 3 ? 3 : $#command)] … $how:\n$text\n";
}

sub capture (@command) {
    my %env   = ref $command[0] eq 'HASH'   ? %{ shift @command } : ();
    my $stdin = ref $command[0] eq 'SCALAR' ? ${ shift @command } : undef;
    pipe my $read, my $write or die "cannot make a pipe: $!\n";
    my $in;
    if (defined $stdin) {
        open $in, '+>', undef or die "cannot make a temporary file: $!\n";
        print {$in} $stdin;
        seek $in, 0, 0;
    }
    else { open $in, '<', '/dev/null' or die "/dev/null: $!\n" }
    my $pid = fork // die "cannot fork: $!\n";
    if (!$pid) {
        POSIX::dup2(fileno $in, 0);
        POSIX::dup2(fileno $write, 1);
        POSIX::dup2(fileno $write, 2);
        @ENV{ keys %env } = values %env;
        exec {$command[0]} @command;
        print STDERR "cannot run $command[0]: $!\n";
        POSIX::_exit(127);
    }
    close $write;
    my $text = do { local $/; <$read> } // '';
    waitpid $pid, 0;
    return ($?, $text);
}

# True as soon as $condition is; dies with $what after $limit seconds. A limit is generous: it never decides a test.
sub wait_for ($what, $limit, $condition, $pause = 0.01) {
    my $end = time + $limit;
    until ($condition->()) {
        my $late = time > $end;
        die ref $what ? $what->() : "$what: not within $limit s\n" if $late;
        sleep $pause;
    }
    return 1;
}

sub pid_in ($file) {
    return undef unless -s $file;
    my ($pid) = slurp($file) =~ /(\d+)/;
    return $pid;
}

# A zombie is not alive.
sub alive ($pid) {
    return 0 unless $pid && kill 0, $pid;
    open my $in, '<', "/proc/$pid/stat" or return 0;
    my $line = <$in> // '';
    return $line =~ /\)\s+[ZX]/ ? 0 : 1;
}

sub stop ($pid, $signal = 'TERM', $limit = 30) {
    return unless alive($pid);
    kill $signal, $pid;
    my $end = time + $limit;
    while (alive($pid)) {
        kill 'KILL', $pid if time > $end;
        waitpid $pid, POSIX::WNOHANG();
        sleep 0.005;
    }
}

1;
