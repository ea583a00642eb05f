# SPDX-License-Identifier: Apache-2.0
# The two database servers, "a" and "b": configuration by class, start, stop, replication, questions asked over their
# local sockets (which no failover cuts).
package Rig::Database;
use v5.36;
use Rig::Process qw(run capture spawn wait_for pid_in alive stop slurp find_program find_server tail);
use Rig::Template ();

my %ADDRESS = (a => '127.0.0.11', b => '127.0.0.12');
my %ID      = (a => 11,           b => 12);

# What an instance class is here. "small" is one processor and memory for a tenth of the item table, read past the page cache;
# "large" is every processor and memory for all of it.
my %CLASS = (
    small => { BUFFER_POOL => '8M',   FLUSH => 'O_DIRECT' },
    large => { BUFFER_POOL => '256M', FLUSH => 'fsync' },
);

sub address ($side) { return $ADDRESS{$side} }
sub other ($side)   { return $side eq 'a' ? 'b' : 'a' }
sub classes         { return sort keys %CLASS }
sub dir ($side)     { return "$ENV{RIG_INSIDE}/$side" }
sub socket_of ($side)  { return dir($side) . '/sock' }
sub pid ($side)     { my $pid = pid_in(dir($side) . '/pid'); return alive($pid) ? $pid : undef }

# The values every server of a rig has, the one that prepares the data directory too.
sub configure ($dir, %value) {
    my %set = (DIR => $dir, ROOT => !$>, TLS => 0, TLS_DIR => "$ENV{RIG_INSIDE}/tls", NETWORK => 1, %value);
    Rig::Template::write('my.cnf', "$dir/my.cnf", %set);
}

# Makes $side anew from the prepared data directory: no trace of what it was before.
sub create ($side, $class, $state, $prepared) {
    my $dir = dir($side);
    die "no class \"$class\"; there are " . join(' and ', classes()) . "\n" unless $CLASS{$class};
    run('rm', '-rf', $dir);
    mkdir $dir or die "cannot make $dir: $!\n";
    run(qw(cp -a --reflink=auto --sparse=always), "$prepared/data", "$dir/data");
    reclass($side, $class, $state);
    chown((getpwnam 'mysql')[2, 3], $dir) unless $>;
}

sub reclass ($side, $class, $state) {
    configure(dir($side), %{ $CLASS{$class} }, ADDRESS => $ADDRESS{$side}, ID => $ID{$side}, TLS => $state->option('tls') ? 1 : 0);
    $state->change(sub ($data) { $data->{class}{$side} = $class });
}

# Each side has a host name of its own, so that @@hostname tells who answers.
sub launch ($dir, $class = 'large') {
    my ($cpu) = slurp('/proc/self/status') =~ /^Cpus_allowed_list:\s*(\d+)/m;
    my @pin = $class eq 'small' ? (find_program('taskset'), '-c', $cpu) : ();
    @pin = (find_program('unshare'), ($> ? qw(--user --map-current-user --keep-caps) : ()), '--uts', 'sh', '-c', 'hostname "$1" && shift && exec "$@"', 'sh', "database-$1", @pin) if $dir =~ m{/([ab])$};
    return spawn("$dir/error.log", @pin, find_server('mariadbd'), "--defaults-file=$dir/my.cnf");
}

sub await ($dir, $pid) {
    wait_for(sub {"mariadbd in $dir does not answer:\n" . tail("$dir/error.log")}, 60, sub {
        die "mariadbd in $dir ended:\n" . tail("$dir/error.log") if !alive($pid);
        my ($status) = -S "$dir/sock" ? capture(client("$dir/sock"), '-e', 'SELECT 1') : (1);
        return $status == 0;
    }, 0.02);
}

sub client ($socket) { return ('mariadb', '--no-defaults', '-u', scalar getpwuid($>), '-S', $socket, qw(-N -B --raw)) }

# Asks $side as its administrator; returns rows as lists of columns.
sub ask ($side, $sql) { return ask_socket(socket_of($side), $sql) }

sub ask_socket ($socket, $sql, $database = 'mysql') {
    my ($status, $text) = capture(\$sql, client($socket), $database);
    if ($status) { chomp $text; die "$text\n" }
    return map { [ split /\t/, $_, -1 ] } split /\n/, $text;
}

sub value ($side, $sql) { my ($row) = ask($side, $sql); return $row ? $row->[0] : undef }

sub replica_status ($side) {
    my $text = join "\n", map { join "\t", @$_ } ask($side, 'SHOW SLAVE STATUS\G');
    my %field = $text =~ /^\s*(\w+): ?(.*)$/mg;
    return \%field;
}

sub follow ($side, $writer, $state) {
    my $tls = $state->option('tls') ? 1 : 0;
    ask($side, "CHANGE MASTER TO MASTER_HOST='$ADDRESS{$writer}', MASTER_PORT=3306, MASTER_USER='repl',"
            . " MASTER_PASSWORD='" . $state->get('secret') . "', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1,"
            . " MASTER_HEARTBEAT_PERIOD=1, MASTER_SSL=$tls, MASTER_SSL_VERIFY_SERVER_CERT=0; START SLAVE");
}

# The standby has all the writer has, and the writer waits for it before it acknowledges a commit.
sub in_step ($standby, $writer) {
    my %status = map {@$_} ask($writer, "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_%'");
    return 0 unless ($status{Rpl_semi_sync_master_status} // '') eq 'ON' && $status{Rpl_semi_sync_master_clients} > 0;
    return gtid_reached($standby, value($writer, 'SELECT @@gtid_binlog_pos'), 0.3);
}

sub gtid_reached ($side, $gtid, $limit) {
    return 1 if ($gtid // '') eq '';
    return (value($side, "SELECT MASTER_GTID_WAIT('$gtid', $limit)") // -1) == 0;
}

sub await_in_step ($standby, $writer) {
    wait_for(sub {
        my $at = replica_status($standby);
        "standby $standby does not catch up: Last_IO_Error: $at->{Last_IO_Error} Last_SQL_Error: $at->{Last_SQL_Error}\n"
    }, 120, sub { in_step($standby, $writer) }, 0.03);
}

# Applies what has arrived, whatever became of the writer.
sub apply_received ($side) {
    ask($side, 'STOP SLAVE IO_THREAD');
    wait_for("standby $side applies what it has received", 60, sub {
        my $at = replica_status($side);
        return 1 if !%$at || $at->{Slave_SQL_Running} eq 'No';
        return $at->{Gtid_IO_Pos} eq (value($side, 'SELECT @@gtid_slave_pos') // '');
    });
}

# From the returned time on $side accepts writes.
sub promote ($side) {
    my @rows = ask($side, 'STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only=0; SELECT UNIX_TIMESTAMP(SYSDATE(6))');
    return 0 + $rows[-1][0];
}

sub start ($side, $state) {
    my $pid = launch(dir($side), $state->get('class')->{$side});
    await(dir($side), $pid);
}

sub shut_down ($side) {
    my $pid = pid($side) // return;
    ask($side, 'SHUTDOWN WAIT FOR ALL SLAVES');
    wait_for("server $side shuts down", 60, sub { !alive($pid) });
}

sub kill_hard ($side) { stop(pid($side), 'KILL') }

1;
