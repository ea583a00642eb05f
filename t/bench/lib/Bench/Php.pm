# SPDX-License-Identifier: Apache-2.0
package Bench::Php;

# PHP-FPM with one page that answers as mod_crowd does. Debian: php-fpm.

use v5.36;
use File::Temp ();
use POSIX ();
use RdsFailover::Httpd ();

sub program () { my ($path) = sort { $b cmp $a } grep { -x } map { glob "$_/php-fpm*" } qw(/usr/sbin /usr/bin); return $path }
sub missing ($class) { return program() ? () : 'php-fpm' }

sub new ($class) {
    my $self = bless { dir => File::Temp->newdir('php-XXXXXX', TMPDIR => 1), owner => $$ }, $class;
    my $dir  = "$self->{dir}";
    chmod 0755, $dir;
    RdsFailover::Httpd::write_file("$dir/work.php", <<'PHP');
<?php
$started = (int)(microtime(true) * 1e6);
$body = file_get_contents('php://input');
usleep(1000 * (int)($_GET['ms'] ?? 20));
header("X-Started: $started");
header('X-Ended: ' . (int)(microtime(true) * 1e6));
header('Content-Type: text/plain');
printf("ok %d %08x %d %s\n", getmypid(), crc32($body), strlen($body), $_SERVER['HTTP_X_CROWD'] ?? '-');
PHP
    my $user = $> == 0 ? "user = nobody\ngroup = nogroup\nlisten.owner = nobody\nlisten.group = nogroup\n" : '';
    RdsFailover::Httpd::write_file("$dir/fpm.conf", <<"CONF");
[global]
error_log = $dir/log
daemonize = no
[www]
${user}listen = $dir/socket
listen.backlog = 4096
pm = static
pm.max_children = 60
php_admin_value[opcache.enable] = 0
CONF
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>', "$dir/said";
        open STDERR, '>&', \*STDOUT;
        exec(qw(setpriv --pdeathsig TERM --), program(), '--nodaemonize', '--fpm-config', "$dir/fpm.conf") or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    RdsFailover::Httpd::wait_until(sub { -S "$dir/socket" || waitpid($pid, POSIX::WNOHANG()) != 0 }, 30);
    -S "$dir/socket" or die 'php-fpm does not start: ', map { RdsFailover::Httpd::slurp("$dir/$_") } qw(said log);
    return $self;
}

# For httpd: /work.php.
sub conf ($self) {
    return <<"CONF";
Alias "/work.php" "$self->{dir}/work.php"
<Directory "$self->{dir}">
Require all granted
SetHandler "proxy:unix:$self->{dir}/socket|fcgi://php"
</Directory>
CONF
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    if ($self->{pid} && $self->{owner} == $$) { kill 'TERM', $self->{pid}; waitpid $self->{pid}, 0 }
    return;
}

1;
