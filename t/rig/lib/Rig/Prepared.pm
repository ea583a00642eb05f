# SPDX-License-Identifier: Apache-2.0
# The prepared data directory: accounts, tables and an installed WordPress, made once and copied for every server. It is
# kept under a hash of all that went into it; whoever deletes it pays ten seconds. Both servers of a rig
# start from it with empty logs, so that a lost side is rebuilt by copying it again and replaying the writer's log.
package Rig::Prepared;
use v5.36;
use Digest::SHA ();
use Fcntl qw(:flock);
use Rig::App ();
use Rig::Database ();
use Rig::Process qw(run capture slurp spew wait_for alive find_program);

sub key {
    my $sha = Digest::SHA->new(1);
    my ($version) = run(find_program('mariadbd'), '--version') =~ /(Ver \S+)/;
    $sha->add("user $>\n", $version, slurp('/usr/share/wordpress/wp-includes/version.php'));
    $sha->add(slurp("$ENV{RIG_HOME}/$_"))
        for qw(app/schema.sql app/install.php app/wordpress.php app/database.php templates/my.cnf lib/Rig/Prepared.pm);
    return substr $sha->hexdigest, 0, 12;
}

# Leaves a copy in $own (links, so that it costs nothing): data/, and secret, the password of the accounts. A rig that is up
# needs the cache no more.
sub take ($cache, $own, $say) {
    run('mkdir', '-p', $cache);
    open my $lock, '>', "$cache/lock" or die "cannot lock $cache: $!\n";
    flock $lock, LOCK_EX or die "cannot lock $cache: $!\n";
    my $dir = "$cache/" . key();
    if (!-d $dir) {
        $say->('preparing a database with WordPress in it (once, a few seconds)');
        run('sh', '-c', 'rm -rf "$1"/*-new "$1"/????????????', 'sh', $cache);
        build("$ENV{RIG_INSIDE}/prepare", $say);
        run('cp', '-a', "$ENV{RIG_INSIDE}/prepare", "$dir-new");
        run('rm', '-rf', "$ENV{RIG_INSIDE}/prepare");
        rename "$dir-new", $dir or die "cannot rename $dir-new: $!\n";
    }
    my ($status) = capture('cp', '-al', $dir, $own);
    run('sh', '-c', 'rm -rf "$2" && cp -a "$1" "$2"', 'sh', $dir, $own) if $status;
}

sub build ($dir, $say) {
    run('rm', '-rf', $dir);
    mkdir $dir or die "cannot make $dir: $!\n";
    open my $random, '<:raw', '/dev/urandom' or die "/dev/urandom: $!\n";
    read $random, my $bytes, 12;
    my $secret = unpack 'H*', $bytes;
    spew("$dir/secret", "$secret\n", 0600);
    Rig::Database::configure($dir, NETWORK => 0);
    chown((getpwnam 'mysql')[2, 3], $dir) unless $>;
    run('mariadb-install-db', "--defaults-file=$dir/my.cnf", '--auth-root-authentication-method=socket', '--skip-test-db',
        '--auth-root-socket-user=' . getpwuid($>));
    my $pid = Rig::Database::launch($dir);
    Rig::Database::await($dir, $pid);
    Rig::Database::ask_socket("$dir/sock", slurp("$ENV{RIG_HOME}/app/schema.sql") =~ s/\@SECRET\@/$secret/gr);
    Rig::App::create($secret, host => "localhost:$dir/sock");
    $say->(run('php', "$ENV{RIG_HOME}/app/install.php") =~ s/.*\n(?=.)//sr =~ s/\n//r);
    Rig::Database::ask_socket("$dir/sock", 'SET GLOBAL innodb_fast_shutdown=0; SHUTDOWN');
    wait_for('the prepared server shuts down', 60, sub { !alive($pid) });
    unlink "$dir/error.log", "$dir/my.cnf";
}

1;
