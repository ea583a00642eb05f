# SPDX-License-Identifier: Apache-2.0
# The site: files for httpd, and the configuration with which WordPress and the ledger page find their database.
package Rig::App;
use v5.36;
use Rig::Process qw(run slurp spew);

my $CONTENT = '/usr/share/wordpress/wp-content';

# Where PHP finds drupal-settings/ if the application is to report: a copy, because httpd's user may not be able to read the checkout.
sub settings { return "$ENV{RIG_INSIDE}/drupal-settings" }

# $site{host} is the fixed configuration every site has; the module's environment, when there is one, goes before it.
sub create ($secret, %site) {
    my $dir  = $ENV{RIG_INSIDE};
    my $home = $ENV{RIG_HOME};
    mkdir $_ for "$dir/app", "$dir/htdocs";
    run('cp', "$home/app/database.php", "$dir/app/");
    run('cp', "$home/app/ledger.php", "$home/app/trivial.php", "$dir/htdocs/");
    spew("$dir/htdocs/static.txt", "RIG-OK\n" . ("a file that the server sends by itself\n" x 200));
    spew("$dir/htdocs/index.html", qq(<!doctype html><title>Rig</title><p><a href="/wp/">shop</a> <a href="/rds-status">rds-status</a>\n));
    my $content = $site{outcome} ? report($dir) : $CONTENT;
    my %value = (name => 'shop', user => 'shop', password => $secret, app => 'name', ca => '', connect_timeout => 0, outcome => 0, %site);
    my $php = join '', map {"    '$_' => " . ($value{$_} =~ /^\d+$/ ? $value{$_} : "'$value{$_}'") . ",\n"} sort keys %value;
    spew("$dir/app/site.php", "<?php\nreturn [\n$php];\n");
    spew("$dir/etc/wordpress/config-default.php",
        slurp("$home/app/wordpress.php") =~ s/\@INSIDE\@/$dir/gr =~ s/\@CONTENT\@/$content/gr =~ s/\@SECRET\@/$secret/gr);
}

# WordPress's content directory is the package's, and db.php.
sub report ($dir) {
    run('cp', '-R', "$ENV{RIG_HOME}/../../drupal-settings", settings());
    mkdir "$dir/wp-content";
    symlink "$CONTENT/$_", "$dir/wp-content/$_" for qw(themes plugins);
    symlink settings() . '/wordpress/db.php', "$dir/wp-content/db.php";
    return "$dir/wp-content";
}

1;
