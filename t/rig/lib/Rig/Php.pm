# SPDX-License-Identifier: Apache-2.0
# PHP-FPM with the settings that conf/ recommends (or, for comparison, without them).
package Rig::Php;
use v5.36;
use Rig::App ();
use Rig::Process qw(run spawn spew wait_for alive tail);
use Rig::Template ();

# Each host has a PHP of its own.
sub dir ($host = 1) { return "$ENV{RIG_INSIDE}/php" . ($host > 1 ? $host : '') }

sub program {
    my ($path) = sort { $b cmp $a } map { glob "$_/php-fpm*" } qw(/usr/sbin /usr/bin);
    return $path;
}

# The directories PHP reads settings from: the machine's own for its kind of server, then the rig's.
sub scan_dir ($kind, $host) {
    my ($system) = sort { $b cmp $a } glob "/etc/php/*/$kind/conf.d";
    return join ':', grep { defined $_ } $system, dir($host) . '/conf.d';
}

sub configure ($state, $host) {
    my $dir = dir($host);
    mkdir $_ for $dir, "$dir/conf.d";
    unlink glob "$dir/conf.d/*";
    run('cp', "$ENV{RIG_HOME}/../../conf/php-rdsfailover.ini", "$dir/conf.d/90-rdsfailover.ini") if $state->option('php_settings');
    spew("$dir/conf.d/95-rig.ini", "display_errors=0\nlog_errors=1\nerror_log=$ENV{RIG_INSIDE}/log/php.log\n"
            . "session.save_path=/tmp\nopcache.enable=1\nopcache.revalidate_freq=60\nexpose_php=0\n"
            . ($state->option('outcome') ? 'auto_prepend_file=' . Rig::App::settings() . "/prepend.php\n" : ''));
}

sub start ($state, $host) {
    my $dir = dir($host);
    my $log = "$ENV{RIG_INSIDE}/log/" . ($dir =~ s{.*/php}{fpm}r) . '.log';
    Rig::Template::write('fpm.conf', "$dir/fpm.conf", DIR => $dir, LOG => $log, ROOT => !$>, CHILDREN => $state->option('children'));
    my $pid = spawn($log, { PHP_INI_SCAN_DIR => scan_dir('fpm', $host) }, program(), '--nodaemonize', '--fpm-config', "$dir/fpm.conf");
    wait_for(sub { "PHP-FPM did not start:\n" . tail($log) }, 30, sub {
        die "PHP-FPM ended:\n" . tail($log) unless alive($pid);
        return -S "$dir/sock";
    });
}

1;
