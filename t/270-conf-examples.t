#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Every configuration in conf/ starts, and the sites among them hold a request while the database is away and run a failed one again.
# Only their addresses and paths are replaced, so that they work here, and only the modules that they name are loaded.
use v5.36;
use JSON::PP qw(decode_json);
use Test::More;
use RdsFailover::FakeMysql ();
use RdsFailover::Httpd     ();
use RdsFailover::ReplayApp ();

*wait_until = \&RdsFailover::Httpd::wait_until;
my $CHECK = 'RDSFailoverCheck interval=100ms fast=50ms timeout=300ms';
my $conf  = "$ENV{RF_SRCDIR}/conf";

# What Debian's package enables, and the examples need not name.
my @USUAL = qw(alias auth_basic authn_core authn_file authz_core authz_host authz_user deflate dir env filter log_config mime negotiation
    reqtimeout setenvif status);
# Asked for: the page that is protected. DocumentRoot of the application: its own directory, or one below it.
my %SITE = (
    'site-minimal.conf'   => { page => '/index.php', own_root => 0 },
    'site-drupal.conf'    => { page => '/node/1',    own_root => 1 },
    'site-wordpress.conf' => { page => '/2026/11/hello-world/', own_root => 1 },
    'site-proxy.conf'     => { page => '/app.php',   own_root => 1, kind => 'http' },
    'site-alb.conf'       => { page => '/index.php', own_root => 1 },
    'site-cache.conf'     => { page => '/index.php', own_root => 1 },
);
is_deeply([map { s{.*/}{}r } glob "$conf/site-*.conf"], [sort keys %SITE], 'every example is tested');

my $missing = RdsFailover::ReplayApp::missing('fpm');
SKIP: {
    skip $missing, scalar keys %SITE if $missing;
    for my $file (sort keys %SITE) {
        subtest $file => sub { site($file, $SITE{$file}) };
    }
}

subtest 'the reference, every line of it in force' => sub {
    my $db   = RdsFailover::FakeMysql->new;
    my $text = RdsFailover::Httpd::slurp("$conf/rdsfailover.conf") =~ s/^#LoadModule .*\n//mr;
    # A remark has one blank behind its #, a directive that is commented out has none, or its indentation.
    my $lines = $text =~ s/^#(?=[A-Z<]| {4})//gmr;
    my $said  = ($lines =~ s/RDSFailoverDSN .*/RDSFailoverDSN ${\$db->dsn}/r);
    cmp_ok(scalar(() = $said =~ /^RDSFailover/gm), '>=', 10, 'it has directives');
    my $httpd = Example->new(text => $said, modules => ['rdsfailover']);
    my $start = $httpd->start;
    ok($start->{up} && $httpd->wait_for_state('available'), 'available') or diag $start->{said};
};

subtest 'the others' => sub {
    for my $file (qw(logformat.conf mpm-event-hold.conf)) {
        my $mpm  = $file =~ /^mpm-(\w+)-/ ? $1 : undef;
        my $httpd = Example->new($mpm ? (mpm => $mpm) : (), text => RdsFailover::Httpd::slurp("$conf/$file"), modules => ['rdsfailover']);
        my $start = $httpd->start;
        ok($start->{up}, "$file is accepted") or diag $start->{said};
    }
};
done_testing;

sub site ($file, $site) {
    my $app  = RdsFailover::ReplayApp->new($site->{kind} // 'fpm');
    my $db   = RdsFailover::FakeMysql->new;
    my ($text, @modules) = read_example($file, $app);
    my $httpd = Example->new(text => $text, modules => \@modules, app_conf => $site->{own_root} ? '' : usual_site($app),
        env => { DATABASE_URL => $db->dsn });
    is($httpd->check->{ok}, 1, 'configtest') or diag $httpd->check->{said};
    my $start = $httpd->start;
    ok($start->{up} && $httpd->wait_for_state('available'), 'available') or return diag $start->{said} . $httpd->log;
    my $seen = page_of($httpd->get("$site->{page}?id=first"));
    is($seen->{uri}, $site->{kind} ? "/php$site->{page}?id=first" : "$site->{page}?id=first", 'a page') or diag explain $seen;
    is($seen->{attempt}, '1', 'which is protected') if !$site->{kind};    # HTTP carries no environment
    return if !$seen->{uri};

    # One is inside the application when the database dies, another comes afterwards.
    my $inside = $httpd->begin("$site->{page}?id=inside&fail=1");
    ok($app->inside('inside'), 'a request is inside');
    $db->set(behave => 'close')->drop;
    ok($httpd->wait_for_state('outage'), 'outage');
    $app->let_go(1);
    my $later = $httpd->begin("$site->{page}?id=later", method => 'POST', body => 'a=1');
    ok(wait_until(sub { ($httpd->database->{hold}{now} // 0) == 2 }), 'both wait') or diag explain $httpd->database->{hold};
    is($httpd->get('/rds-status/health')->{status}, 200, 'the health check is 200 meanwhile');
    alb($httpd) if $file eq 'site-alb.conf';
    $db->set(behave => 'ok');
    is(page_of($inside->finish(60))->{run}, 2, 'the one that failed ran again');
    is(page_of($later->finish(60))->{method}, 'POST', 'the other ran');
    is($app->runs('later'), 1, 'once');
    cached($httpd, $app, $db, $text, $site->{page}) if $file eq 'site-cache.conf';
    return;
}

# Who asks through the load balancer sees the site and not the status.
sub alb ($httpd) {
    my %visitor = (headers => { 'X-Forwarded-For' => '203.0.113.9' });
    is($httpd->get("/rds-status$_", %visitor)->{status}, 403, "a visitor sees no /rds-status$_") for '', '/health';
    return;
}

# The cache goes on while there is no writer.
sub cached ($httpd, $app, $db, $text, $page) {
    my $ask = sub ($id, $seconds) { page_of($httpd->get("$page?id=$id&cache=$seconds"))->{run} // 0 };
    is($ask->('fresh', 600), 1, 'a page is stored, for long');
    is($ask->('stale', 1), 1, 'and another, for a second');
    sleep 2;
    ok($httpd->wait_for_state('available') && $db->set(behave => 'close')->drop && $httpd->wait_for_state('outage'), 'outage again');
    is($ask->('fresh', 600), 1, 'the first comes from the cache');
    my $first = $httpd->begin("$page?id=stale&cache=1");
    ok(wait_until(sub { ($httpd->database->{hold}{now} // 0) == 1 }), 'who comes for the second waits');
    is($ask->('stale', 1), 1, 'who comes after him gets it as it was');
    is($httpd->database->{hold}{now}, 1, 'and did not wait');
    $db->set(behave => 'ok');
    is(page_of($first->finish(60))->{run}, 2, 'the first gets it anew');

    # The same, with a hold that ends before the outage.
    $httpd->stop;
    $httpd->configure(text => $text =~ s/RDSFailoverHold \K150s/1s/r);
    ok($httpd->start->{up} && $httpd->wait_for_state('available'), 'available');
    is($ask->('old', 1), 1, 'a page is stored');
    sleep 2;
    ok($db->set(behave => 'close')->drop && $httpd->wait_for_state('outage'), 'outage');
    is($ask->('old', 1), 1, 'whose hold ends gets it from the cache, stale');
    is($httpd->get("$page?id=never")->{status}, 503, 'or 503, if it is not there');
    return;
}

sub page_of ($answer) { return eval { decode_json($answer->{body}) } // { status => $answer->{status}, body => $answer->{body} } }

# The text of an example with this machine's addresses and paths, and the modules that it names.
sub read_example ($file, $app) {
    my $text = RdsFailover::Httpd::slurp("$conf/$file");
    my ($list) = $text =~ /^# Modules: ([^(\n]+)/m or die "$file names no modules\n";
    my $dir  = $app->dir;
    my $root = "$dir/www";
    # Debian's package and its apachectl make these two for httpd's user.
    mkdir $_ for $root, "$dir/mod_cache_disk", "$dir/lock";
    chmod 0777, "$dir/mod_cache_disk", "$dir/lock";
    symlink "$dir/app.php", "$root/index.php" or die "$root/index.php: $!\n";
    # As Drupal's own has it.
    RdsFailover::Httpd::write_file("$root/.htaccess", "RewriteEngine on\nRewriteCond %{REQUEST_FILENAME} !-f\n"
        . "RewriteCond %{REQUEST_FILENAME} !-d\nRewriteRule ^ index.php [L]\n") if $file eq 'site-drupal.conf';
    my $behind = $app->{behind} ? "http://127.0.0.1:${\$app->{behind}->port}/php/" : '';
    $text =~ s{/run/php/php8\.2-fpm\.sock}{$dir/sock}g;
    $text =~ s{/var/www/html(?:/web)?}{$root}g;
    $text =~ s{/var/cache/apache2/mod_cache_disk"}{$dir/mod_cache_disk"}g;
    $text =~ s{/var/lock/apache2/}{$dir/lock/}g;
    $text =~ s{http://app\.internal\.example:8080/}{$behind}g;
    $text =~ s{10\.0\.0\.0/16}{127.0.0.0/8}g;
    $text =~ s{<VirtualHost \*:80>}{<VirtualHost *>};
    my @paths = $text =~ m{^[^#\n]*?["\s:](/(?:etc|run|srv|usr|var)/[^\s"|]*)}gm;
    is(join(' ', grep { !m{^\Q$dir\E} } @paths), '', 'no other path of a machine is in it');
    return ($text, split ' ', $list);
}

# Where an example is only the module's part: a site as any other.
sub usual_site ($app) {
    my $dir = $app->dir;
    return "DocumentRoot \"$dir/www\"\n<Directory \"$dir/www\">\nRequire all granted\n</Directory>\n<FilesMatch \"\\.php\$\">\n"
        . "SetHandler \"proxy:unix:$dir/sock|fcgi://localhost\"\n</FilesMatch>\n";
}

# A server whose configuration is the example's, with Debian's usual modules and those that it names.
package Example;
use parent -norequire, 'RdsFailover::Httpd';

sub conf_text ($self) {
    my $dir     = $self->{dir};
    my $modules = RdsFailover::Httpd::modules_dir();
    my %load    = map { $_ => 1 } @USUAL, "mpm_$self->{mpm}", @{ $self->{modules} }, $self->{app_conf} ? qw(proxy proxy_fcgi) : ();
    delete $load{rdsfailover} or die "an example does not load the module\n";
    # mod_proxy's and mod_cache's own must come before those that need them.
    my $loads = join '', map { -e "$modules/mod_$_.so" ? "LoadModule ${_}_module $modules/mod_$_.so\n" : '' } sort keys %load;
    my $user    = $> == 0 ? "User nobody\nGroup nogroup\n" : '';
    my $workers = $self->{text} =~ /mpm_event_module/ ? '' : $self->workers_text;
    my $app     = $self->{app_conf} // '';
    return <<"CONF";
ServerRoot "$dir"
ServerName localhost
DefaultRuntimeDir "$dir/run"
PidFile "$dir/run/httpd.pid"
Listen 127.0.0.1:$self->{port}
${loads}LoadModule rdsfailover_module ${\RdsFailover::Httpd::stage()}/mod_rdsfailover.so
${user}ErrorLog "$dir/error_log"
LogLevel info
TypesConfig /dev/null
<Directory "/">
AllowOverride None
Require all denied
</Directory>
$workers$CHECK
$app
$self->{text}
CONF
}
