# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Wordpress;

# Debian's WordPress, installed into a database: a directory of links to the package with a configuration of its own, which goes
# with the object.
#
#   my $wordpress = RdsFailover::Wordpress->new(database => $mariadb);
#   my $php = $wordpress->server(port => $proxy->port, db_php => 1, ini => { … });     # a RdsFailover::PhpServer; fpm => 1: a PhpFpm
#
# /?p=101 is an article with comments and RF-POST in it. t/php/pages/site.php is its plugin: what a test can ask of it.

use v5.36;
use File::Temp ();
use RdsFailover::PhpFpm    ();
use RdsFailover::PhpServer ();

my $PACKAGE = '/usr/share/wordpress';
my $THEME   = 'twentytwentythree';

# Why there can be none here, or undef.
sub missing () {
    return "wordpress: no $PACKAGE/wp-load.php (package wordpress)" if !-e "$PACKAGE/wp-load.php";
    return "wordpress: no theme (package wordpress-theme-$THEME)" if !-d "$PACKAGE/wp-content/themes/$THEME";
    return;
}

# database: a RdsFailover::Mariadb; its database shop becomes WordPress's.
sub new ($class, %options) {
    my $self = bless { dir => File::Temp->newdir('wordpress-XXXXXX', TMPDIR => 1), database => $options{database} }, $class;
    my ($dir, $src) = ("$self->{dir}", $ENV{RF_SRCDIR} // die "RF_SRCDIR is not set; run this through make check-php\n");
    chmod 0755, $dir;
    mkdir "$dir/site";
    for my $entry (glob "$PACKAGE/*") {
        my ($name) = $entry =~ m{([^/]+)\z};
        symlink $entry, "$dir/site/$name" if $name !~ /^wp-con(?:fig|tent)/;
    }
    symlink "$src/t/php/wordpress/wp-config.php", "$dir/site/wp-config.php";
    for my $kind (qw(stock ours)) {
        mkdir $_ for "$dir/$kind", "$dir/$kind/mu-plugins";
        symlink "$PACKAGE/wp-content/$_", "$dir/$kind/$_" for qw(themes plugins);
        symlink "$src/t/php/wordpress/site.php", "$dir/$kind/mu-plugins/site.php";
    }
    symlink "$src/drupal-settings/wordpress/db.php", "$dir/ours/db.php";
    # wp-load.php would take the package's directory for the site's.
    spew("$dir/stock.php", "<?php define('ABSPATH', '$dir/site/');\n");
    spew("$dir/ours.php",  "<?php define('ABSPATH', '$dir/site/');\nrequire '$src/drupal-settings/prepend.php';\n");
    local %ENV = (%ENV, $self->environment($self->{database}{port}, 'stock'));
    my $said = qx{php -d auto_prepend_file='$dir/stock.php' -d sendmail_path=/bin/true '$src/t/php/wordpress/install.php' 2>&1};
    die "WordPress was not installed:\n$said" if $? || $said !~ /^installed/m;
    return $self;
}

# Port: where WordPress believes its database is. db_php: with the drop-in and the prepend file, or as WordPress made it.
sub server ($self, %options) {
    my $kind = $options{db_php} ? 'ours' : 'stock';
    my $class = $options{fpm} ? 'RdsFailover::PhpFpm' : 'RdsFailover::PhpServer';
    return $class->new(
        root => "$self->{dir}/site",
        ini  => { auto_prepend_file => "$self->{dir}/$kind.php", sendmail_path => '/bin/true', %{ $options{ini} // {} } },
        env  => { $self->environment($options{port}, $kind), %{ $options{env} // {} } });
}

sub environment ($self, $port, $kind) {
    return (RF_DB_PORT => $port, RF_DB_PASSWORD => 'secret', RF_CONTENT => "$self->{dir}/$kind");
}

sub spew ($file, $text) {
    open my $out, '>', $file or die "$file: $!\n";
    print $out $text;
    close $out or die "$file: $!\n";
    return;
}

1;
