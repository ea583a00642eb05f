# SPDX-License-Identifier: Apache-2.0
# The rig's own world: network, mounts and processes of a namespace, held by one process. Killing the holder ends all.
# Addresses are the same in every rig; the namespaces keep them apart.
package Rig::Namespace;
use v5.36;
use Fcntl qw(O_WRONLY O_NONBLOCK);
use POSIX ();
use Rig::Process qw(run capture slurp spew wait_for find_program);

# Under this directory the namespace sees the rig's directory, whatever the rights on the way to it: servers drop to
# users who may not look into somebody's home.
my @ROOMS = qw(/mnt /media /srv);

# Names what the machine lacks, as sentences for a person; empty when a rig can run. $option{front}: one with a front.
sub missing (%option) {
    my @need = (
        [ 'util-linux', 'unshare' ], [ 'util-linux', 'nsenter' ], [ 'mount', 'mount' ], [ 'iproute2', 'ip' ],
        [ 'mariadb-server', 'mariadbd' ], [ 'mariadb-client', 'mariadb' ], [ 'knot', 'knotd' ],
        [ 'unbound', 'unbound' ], [ 'apache2', 'apache2' ], [ 'openssl', 'openssl' ], [ 'php-cli', 'php' ],
        ($option{front} ? [ 'haproxy', 'haproxy' ] : ()));
    my @lack = map {"$_->[1] (package $_->[0])"} grep { !find_program($_->[1]) } @need;
    push @lack, '/usr/share/wordpress (package wordpress)' unless -e '/usr/share/wordpress/wp-load.php';
    push @lack, 'the theme (package wordpress-theme-twentytwentythree)'
        unless -d '/usr/share/wordpress/wp-content/themes/twentytwentythree';
    push @lack, 'php-mysql (package php-mysql)' if find_program('php') && `php -m 2>/dev/null` !~ /^pdo_mysql$/m;
    return "not installed: " . join(', ', @lack) if @lack;
    my ($status, $text) = capture(unshare_command(), 'true');
    return if $status == 0;
    chomp $text;
    return "this root directory is no mount point, as after a plain chroot ($text): bind it onto itself before the chroot"
        if $text =~ /root filesystem propagation/;
    my $why = $text || 'unshare failed';
    return "no namespaces for this user ($why); become root, or allow them: sysctl kernel.unprivileged_userns_clone=1"
        . ' (Ubuntu 24.04: kernel.apparmor_restrict_unprivileged_userns=0)';
}

# A user keeps his own id in a user namespace and has every right inside it: no subordinate ids needed.
sub unshare_command {
    my $unshare = find_program('unshare');
    return ($unshare, ($> ? qw(--user --map-current-user --keep-caps) : ()),
        qw(--net --mount --pid --fork --kill-child --mount-proc));
}

# Starts the holder. Returns {pid => the holder's, lifeline => handle}; closing the handle ends the rig.
sub start ($dir, $keep) {
    pipe my $stdin, my $lifeline or die "cannot make a pipe: $!\n";
    pipe my $answer, my $stdout or die "cannot make a pipe: $!\n";
    my $pid = fork // die "cannot fork: $!\n";
    if (!$pid) {
        POSIX::setsid();
        POSIX::dup2(fileno $stdin, 0);
        POSIX::dup2(fileno $stdout, 1);
        open my $log, '>>', "$dir/log/init.log";
        POSIX::dup2(fileno $log, 2) if $log;
        exec unshare_command(), $^X, "$ENV{RIG_HOME}/lib/Rig/init.pl", $dir, $keep ? 1 : 0 or POSIX::_exit(127);
    }
    close $_ for $stdin, $stdout;
    my $line = <$answer> // 'error the namespace could not be made: ' . slurp("$dir/log/init.log");
    die $line =~ s/^error //r unless $line eq "ready\n";
    $lifeline->autoflush(1);
    return { pid => $pid, lifeline => $lifeline };
}

# The command line that runs @command inside the namespace held by $pid. The root is the holder's: the one of the namespace would
# lead out of a chroot.
sub enter_command ($pid, @command) {
    my $ns = "/proc/$pid/ns";
    return (find_program('nsenter'), ($> ? ("--user=$ns/user", '--preserve-credentials') : ()),
        "--net=$ns/net", "--mount=$ns/mnt", "--pid=$ns/pid_for_children", "--root=/proc/$pid/root", @command);
}

# ---- inside ------------------------------------------------------------------------------------------------------

sub inside_dir ($dir) {
    my ($room) = grep { -d $_ && index("$dir/", "$_/") && index("$ENV{RIG_HOME}/", "$_/") } @ROOMS;
    return ($room // die "no empty place among @ROOMS to show the rig's directory at\n") . '/rig';
}

sub spew_into ($path, $text) {
    open my $out, '>', $path or die "cannot write $path: $!\n";
    print {$out} $text;
    close $out or die "cannot write $path: $!\n";
}

sub furnish ($dir) {
    my $inside = inside_dir($dir);
    my $room   = $inside =~ s{/rig$}{}r;
    run(qw(mount -t tmpfs -o mode=755 rig), $room);
    mkdir $inside;
    run(qw(mount --bind), $dir, $inside);

    # Names come from the rig's resolver alone; nss modules of the machine (resolve, mymachines) would ask its own.
    mkdir "$dir/etc";
    mkdir "$dir/etc/wordpress";
    spew("$dir/etc/resolv.conf", "nameserver 127.0.0.54\noptions timeout:2 attempts:2\n");
    spew("$dir/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n");
    spew("$dir/etc/hosts", "127.0.0.1 localhost " . (POSIX::uname())[1] . "\n127.0.0.10 web.rds.test\n");
    for my $file (qw(resolv.conf nsswitch.conf hosts wordpress)) {
        next if $file eq 'hosts' && !-e "/etc/hosts";
        die "/etc/$file does not exist, so the rig cannot put its own in its place\n" unless -e "/etc/$file";
        run(qw(mount --bind), "$dir/etc/$file", "/etc/$file");
    }
    run(qw(mount -t tmpfs rig /run/nscd)) if -e '/run/nscd';

    # A database server does not count connect errors of 127.0.0.1: it must see the web host at another address.
    my $ip = find_program('ip');
    POSIX::mkfifo("$dir/init.fifo", 0600);
    spew_into('/proc/sys/net/ipv4/ip_unprivileged_port_start', "0\n");
    run($ip, qw(link set lo up));
    run($ip, qw(address add 127.0.0.10/32 dev lo));
    run($ip, qw(route add table local local), "127.0.0.$_", qw(dev lo src 127.0.0.10)) for 11, 12;
}

# ---- black holes -------------------------------------------------------------------------------------------------

# Drops every packet from and to an address on arrival ("cut"), or stops doing so ("mend"). A user who enters the namespace
# has no rights over its network, the first process has: it is asked.
sub ask ($inside, $what, $address) {
    my $reply = "$inside/reply.$$";
    sysopen my $fifo, "$inside/init.fifo", O_WRONLY | O_NONBLOCK or die "the rig's first process does not listen: $!\n";
    syswrite $fifo, "$what $address reply.$$\n";
    wait_for("the rig's first process answers", 10, sub { -e $reply }, 0.002);
    my $text = slurp($reply);
    unlink $reply;
    die $text if length $text;
}

# What ask() asks for, done by the first process.
sub serve ($dir, $line) {
    my ($what, $address, $reply) = $line =~ /^(cut|mend) (127\.0\.0\.\d+) (reply\.\d+)$/ or return;
    my $table = 'rig_' . $address =~ tr/./_/r;
    my $rules = $what eq 'mend' ? "table inet $table\ndelete table inet $table\n"
        : "table inet $table {\nchain input {\ntype filter hook input priority 0;\nip daddr $address drop\nip saddr $address drop\n}\n}\n";
    my ($status, $text) = find_program('nft') ? capture(\$rules, 'nft', '-f', '-') : (1, "nft is not installed (package nftables)\n");
    $text = '' if $what eq 'mend' || !$status;
    spew("$dir/$reply", $text);
}

1;
