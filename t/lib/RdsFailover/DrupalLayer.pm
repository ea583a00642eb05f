# SPDX-License-Identifier: Apache-2.0
package RdsFailover::DrupalLayer;

# Our drivers above a database layer: a real Drupal's, or a stand-in's (t/php/standin).
#   my $database = RdsFailover::DrupalLayer::database();
#   RdsFailover::DrupalLayer::try_driver($database, $root, 'name');        tests: layer.php or layer7.php, whatever $root is
#   RdsFailover::DrupalLayer::same_signatures($root, 'name');              tests: the stand-in for it has its signatures

use v5.36;
use Test::More ();
use RdsFailover::Mariadb ();

sub missing () {
    return 'php: not installed' if !grep { -x "$_/php" } split /:/, $ENV{PATH};
    return RdsFailover::Mariadb::missing();
}

sub here () { return ($ENV{RF_SRCDIR} // die "RF_SRCDIR is not set; run this through make check-php\n") . '/t/php' }

# The application's user may end its own connections.
sub database () {
    my $database = RdsFailover::Mariadb->new;
    $database->sql(q{GRANT CONNECTION ADMIN ON *.* TO app@'%'});
    return $database;
}

sub try_driver ($database, $root, $name) {
    my $script = -d "$root/core" ? 'layer.php' : 'layer7.php';
    return say_all($name, $script, $root, $database->address, $database->{port}, qw(app secret shop));
}

sub same_signatures ($root, $name) {
    my $standin = !-d "$root/core" ? 'drupal7'
        : -e "$root/core/modules/mysql/src/Driver/Database/mysql/TransactionManager.php" ? 'drupal11' : 'drupal9';
    return say_all("$name as $standin", 'signatures.php', here() . "/standin/$standin", $root);
}

# The script's TAP as tests of this file.
sub say_all ($name, $script, @arguments) {
    open my $from, '-|', 'php', '-d', 'display_errors=stderr', here() . "/drupal/$script", @arguments or die "php: $!\n";
    chomp(my @said = <$from>);
    close $from;
    Test::More::is($?, 0, "$name: $script ran to its end");
    my ($plan) = map {/^1\.\.(\d+)$/} @said;
    my @tests = grep {/^(?:not )?ok \d+ - /} @said;
    Test::More::is(scalar @tests, $plan, "$name: all of it was said");
    for (@tests) {
        my ($not, $what) = /^(not )?ok \d+ - (.*)/;
        Test::More::ok(!$not, "$name: $what");
    }
    return;
}

1;
