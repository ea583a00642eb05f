# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Drupal;

# The Drupal that DRUPAL_ROOT names (7, or 9 to 11 with its vendor directory), installed into a database: copies of its files, one as
# Drupal made it and one with drupal-settings, which go with the object. DRUPAL_ROOT itself is only read.
#
#   my $drupal = RdsFailover::Drupal->new(database => $mariadb);            # minutes, on a slow machine
#   my $dir    = $drupal->site('ours', host => '127.0.0.1', port => 3306);  # or 'stock': a document root
#
# /node/1 is an article with RF-POST in it that anybody may comment on; admin's password is $drupal->password.

use v5.36;
use File::Basename qw(basename dirname);
use File::Temp ();

my $PASSWORD = 'a-test-s-password';

# Why there can be none here, or undef.
sub missing () {
    my $root = $ENV{DRUPAL_ROOT} or return 'drupal: not run: DRUPAL_ROOT is not set';
    return "drupal: DRUPAL_ROOT is $root, and there is no Drupal with an index.php" if !-e "$root/index.php";
    return if !modern() || -e "$root/vendor/autoload.php" || -e dirname($root) . '/vendor/autoload.php';
    return "drupal: no vendor/autoload.php in $root or beside it";
}

# 9 to 11, and not 7.
sub modern () { return -d "$ENV{DRUPAL_ROOT}/core" }

# database: a RdsFailover::Mariadb; its database shop becomes Drupal's.
sub new ($class, %options) {
    my $self = bless { dir => File::Temp->newdir('drupal-XXXXXX', TMPDIR => 1), sites => 0, %options }, $class;
    my $src = $ENV{RF_SRCDIR} // die "RF_SRCDIR is not set; run this through make check-php or check-stories\n";
    chmod 0755, "$self->{dir}";
    # A server's user may not be able to read the checkout.
    run('cp', '-R', "$src/drupal-settings", "$self->{dir}/drupal-settings");
    my $site = $self->site('stock', host => $self->{database}->address, port => $self->{database}{port});
    my $said = '';
    for my $script (modern() ? qw(install.php fill.php) : 'install7.php') {
        $said .= php($site, "$src/t/php/drupal/$script", $PASSWORD);
        die "Drupal was not installed ($script):\n" . substr($said, 0, 1500) . "\n…\n" . substr($said, -1500) . "\n" if $said !~ /^(?:installed (\S+)|node \d+$)/m;
        $self->{version} = $1 if defined $1;
    }
    return $self;
}

sub version  ($self) { return $self->{version} }
sub password ($self) { return $PASSWORD }

# Files of a site, as Drupal made it ('stock') or with drupal-settings ('ours'). What it believes of its database: host, port, user,
# password; ours believes the environment first. patient: ours waits longer for it than any test. Returns the document root.
sub site ($self, $kind, %database) {
    my $root = $ENV{DRUPAL_ROOT};
    my $top  = "$self->{dir}/" . ++$self->{sites};
    # Its name as well: Composer's class loader knows it.
    my $site = "$top/" . basename($root);
    mkdir $top;
    copy($root, $site);
    copy(dirname($root) . '/vendor', "$top/vendor") if modern() && !-d "$root/vendor";
    my $files = "$site/sites/default/files";
    system('rm', '-rf', $files, "$site/sites/default/settings.php") == 0 or die "$site: cannot be cleaned\n";
    run('mkdir', '-p', $files);
    run('mkdir', '-p', "$top/tmp");
    chmod 0777, $files, "$top/tmp";
    my $own = '';
    if ($kind eq 'ours') {
        my $name = modern() ? 'settings.rdsfailover.php' : 'settings7.rdsfailover.php';
        symlink "$self->{dir}/drupal-settings/drupal7/rdsmysql", "$site/includes/database/rdsmysql" if !modern();
        $own = "\$settings['rdsfailover'] = \$conf['rdsfailover'] = ['connect_timeout' => 600, 'read_timeout' => 600];\n"
            if $database{patient};
        $own .= "include '$self->{dir}/drupal-settings/$name';\n";
    }
    # Otherwise it leaves a .htaccess in /tmp.
    $own .= "\$settings['file_temp_path'] = \$conf['file_temporary_path'] = '$top/tmp';\n";
    spew("$site/sites/default/settings.php", settings(%database) . $own);
    return $site;
}

# The directory may be on another file system, where there are no links to it.
sub copy ($from, $to) {
    system('sh', '-c', 'cp -al "$1" "$2" 2>/dev/null || { rm -rf "$2"; cp -a "$1" "$2"; }', 'sh', $from, $to) == 0
        or die "cannot copy $from to $to\n";
    run('chmod', 'u+w', "$to/sites", "$to/sites/default") if -d "$to/sites/default";
    return;
}

sub settings (%database) {
    my %of = (driver => 'mysql', database => 'shop', user => 'app', password => 'secret', %database);
    my $core = modern() ? "'namespace' => 'Drupal\\\\mysql\\\\Driver\\\\Database\\\\mysql', "
        . "'autoload' => 'core/modules/mysql/src/Driver/Database/mysql/', " : '';
    return <<"PHP";
<?php
\$databases['default']['default'] = ['driver' => 'mysql', 'database' => '$of{database}', 'username' => '$of{user}',
    'password' => '$of{password}', 'host' => '$of{host}', 'port' => $of{port}, 'prefix' => '', $core];
\$settings['hash_salt'] = \$drupal_hash_salt = 'of a test';
\$settings['config_sync_directory'] = 'sites/default/files/sync';
PHP
}

sub php ($site, @script) {
    my $command = join ' ', map {"'$_'"} 'php', '-d', 'memory_limit=512M', '-d', 'display_errors=stderr', '-d', 'sendmail_path=/bin/true',
        '-d', "sys_temp_dir=$site/../tmp", '-d', "upload_tmp_dir=$site/../tmp", @script;
    return scalar qx{cd '$site' && $command 2>&1};
}

sub run (@command) { return system(@command) == 0 || die "@command: failed\n" }

sub spew ($file, $text) {
    open my $out, '>', $file or die "$file: $!\n";
    print $out $text;
    close $out or die "$file: $!\n";
    return;
}

1;
