#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# cfn/bin/build: the same sources give the same artifact, whoever builds where; the Debian package in it installs into an empty tree and
# its module loads from there; the RPM's spec is one.
use v5.36;
use Test::More;
use File::Path qw(make_path);
use File::Temp ();
use RdsFailover::Lint qw(command_output slurp source_tree);

my $src = source_tree();
plan skip_all => 'dpkg: dpkg-buildpackage is not installed' if !found('dpkg-buildpackage');

my $dir = File::Temp->newdir('build-XXXXXX', TMPDIR => 1);
chmod 0755, "$dir";
system('sh', '-c', 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1/key" -out "$1/ca.pem" -subj /CN=ca 2>/dev/null',
    'sh', $dir) == 0 or die "openssl failed\n";
my @first  = build('first', '022', 'C.UTF-8');
my @second = build('second', '077', 'C');
is($first[-1] =~ s{.*/}{}r, $second[-1] =~ s{.*/}{}r, 'two builds have one version');
my ($one, $two) = map { $_->[-1] } \@first, \@second;
is(system('cmp', '-s', "$one/$_", "$two/$_"), 0, "and the same $_") for qw(artifact.tar.gz run VERSION);
my ($version) = slurp('configure.ac') =~ /^AC_INIT\(\[mod_rdsfailover\], \[([\d.]+)\]/m;
like($one, qr{/\Q$version\E-[0-9a-f]{12}$}, 'named by version and content');

system('tar', '-xzf', "$one/artifact.tar.gz", '-C', $dir) == 0 or die "tar failed\n";
my @debs = glob "$dir/tree/packages/*.deb";
is(scalar @debs, 1, 'the artifact has a Debian package');
is(scalar(() = glob "$dir/tree/packages/mod_rdsfailover-$version.tar.gz"), 1, 'and the sources');
ok(-x "$dir/tree/site/install", 'and the site');

# Dependencies are this machine's; what is installed comes from the tree alone.
my $root = "$dir/root";
make_path("$root/var/lib/dpkg/$_") for qw(updates info);
open my $status, '>', "$root/var/lib/dpkg/status" or die "$root: $!\n";
close $status;
my $said = qx{dpkg --instdir='$root' --admindir='$root/var/lib/dpkg' --log=/dev/null --force-depends --force-not-root --unpack '$debs[0]' 2>&1};
is($?, 0, 'it installs into an empty tree') or diag $said;
my $module = "$root/usr/lib/apache2/modules/mod_rdsfailover.so";
ok(-e $module, 'the module is there');
ok(-x "$root/usr/lib/apache2/modules/rdsfailover-prober", 'and its prober beside it');
ok(-e "$root/usr/share/rdsfailover/$_", "and $_") for qw(drupal-settings/settings.rdsfailover.php conf/rdsfailover.conf);
# Unpacked, not configured: its script would speak to this machine's httpd. Files of configuration then still have another name.
my $available = "$root/etc/apache2/mods-available";
for my $name (qw(rdsfailover.load rdsfailover.conf)) { rename "$available/$name.dpkg-new", "$available/$name" or die "$name: $!\n" }
my ($load) = (command_output('cat', "$available/rdsfailover.load") =~ /^LoadModule \S+ (\S+)/m);
is("$root$load", $module, 'and the file that a2enmod links loads it');
chomp(my $modules = qx{$ENV{RF_APXS} -q LIBEXECDIR});
open my $conf, '>', "$dir/httpd.conf" or die "$dir: $!\n";
print $conf <<"CONF";
ServerRoot "$root"
ServerName localhost
DefaultRuntimeDir "$dir"
PidFile "$dir/pid"
ErrorLog "$dir/error_log"
Listen 127.0.0.1:1
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule rdsfailover_module $module
Include "$root/etc/apache2/mods-available/rdsfailover.conf"
<IfModule !rdsfailover_module>
Include /nonexistent
</IfModule>
RDSFailover on
CONF
close $conf or die "$dir: $!\n";
my $tested = qx{$ENV{RF_HTTPD} -f '$dir/httpd.conf' -t 2>&1};
like($tested, qr/Syntax OK/, 'and httpd loads it, with the directives as packaged') or diag $tested;

SKIP: {
    skip 'rpm: rpmspec is not installed', 2 if !found('rpmspec');
    system('tar', '-xzf', "$dir/tree/packages/mod_rdsfailover-$version.tar.gz", '-C', $dir) == 0 or die "tar failed\n";
    my $spec = qx{rpmspec --parse '$dir/mod_rdsfailover-$version/mod_rdsfailover.spec' 2>&1};
    is($?, 0, 'rpm understands the spec') or diag $spec;
    like($spec, qr/^Version:\s+\Q$version\E$/m, 'with the version of this module');
}
done_testing;

# Somewhere, with another umask, locale and time zone: directory, log lines, the artifact's directory.
sub build ($name, $umask, $locale) {
    mkdir "$dir/$name";
    my @lines = split /\n/, command_output('sh', '-c', 'cd "$1" && umask "$2" && exec env LC_ALL="$3" TZ="$4" TMPDIR="$1" "$5" --site "$6" --ca "$7"'
        . ' --out out --package', 'sh', "$dir/$name", $umask, $locale, $name eq 'first' ? 'UTC' : 'Asia/Tokyo', "$src/cfn/bin/build",
        "$src/t/cfn/site", "$dir/ca.pem");
    die "cfn/bin/build said nothing\n" if !@lines;
    return @lines;
}

sub found ($program) { return grep { -x "$_/$program" } split /:/, $ENV{PATH} }
