# SPDX-License-Identifier: Apache-2.0
package RdsFailover::ReplayApp;

# An application that fails when it is told to, and a site in front of it whose database goes away meanwhile. (Not under PHP's own
# web server: a worker of that takes a second connection while its first is busy.) Its kinds:
#
#   fpm      PHP-FPM, asked by mod_proxy_fcgi
#   http     the same behind an httpd of its own, asked by mod_proxy_http
#   balancer the same, as the only member of a balancer
#   mod_php  PHP inside httpd; the site runs prefork
#   cgi      a script
#
#   my $app  = RdsFailover::ReplayApp->new('fpm');            # processes => 24, of PHP-FPM
#   my $site = $app->site(location => 'RDSFailoverReplay all');
#   my $clients = $site->clients;
#   $clients->ask($app->path('a', fail => 1));
#   $app->fails_under($site, $clients, ['a'], 1);             # the database dies, the request fails and waits
#   $site->mend;
#
# What one request is told is in its query ($PHP below): `id` names it, `fail` says how many of its runs fail. A run that fails
# first waits until ->let_go(number of the run, its `group` if it is told one). How often each ran: ->runs($id).

use v5.36;
use Carp qw(croak);
use File::Temp ();
use POSIX ();
use RdsFailover::Httpd ();
use RdsFailover::Site  ();
use Test::More ();

my $PHP = <<'PHP';
<?php
$q = $_GET;
$dir = '@DIR@';
$id = preg_replace('/\W/', '', $q['id'] ?? 'none');
if (!isset($q['unread'])) $body = file_get_contents('php://input');
file_put_contents("$dir/runs-$id", "$_SERVER[REQUEST_METHOD]\n", FILE_APPEND | LOCK_EX);
$run = substr_count(file_get_contents("$dir/runs-$id"), "\n");
if (isset($q['first'])) { echo "begun\n"; while (ob_get_level()) ob_end_flush(); flush(); }
if ($run <= ($q['fail'] ?? 0)) {
    $go = "$dir/go-" . ($q['group'] ?? '') . $run;
    for ($i = 0; $i < 6000 && !file_exists($go); $i++) { usleep(10000); clearstatcache(); }
    header('Set-Cookie: failed=1');
    header('X-Failed: yes');
    header('ETag: "failed"');
    header('Cache-Control: max-age=999');
    foreach ((array) ($q['outcome'] ?? []) as $word) header("RDS-Failover-Outcome: $word", false);
    http_response_code((int) ($q['status'] ?? 500));
    if (($q['status'] ?? 0) == 303) header('Location: /elsewhere');
    if (!isset($q['empty'])) echo str_pad('FAILED ', (int) ($q['size'] ?? 20), 'x');
    exit;
}
if (($q['modified'] ?? '') === 'not') { http_response_code(304); exit; }
header('Content-Type: text/plain');
header('Set-Cookie: good=1');
if (isset($q['cache'])) header("Cache-Control: max-age=$q[cache]");
if (isset($q['word'])) header("RDS-Failover-Outcome: $q[word]");
echo json_encode([
    'id' => $id, 'run' => $run, 'method' => $_SERVER['REQUEST_METHOD'], 'uri' => $_SERVER['REQUEST_URI'],
    'path_info' => $_SERVER['PATH_INFO'] ?? '', 'attempt' => $_SERVER['RDSFAILOVER_ATTEMPT'] ?? null,
    'state' => $_SERVER['RDSFAILOVER_STATE'] ?? null, 'md5' => isset($body) ? md5($body) : null,
    'length' => isset($body) ? strlen($body) : null, 'redirect' => $_SERVER['REDIRECT_STATUS'] ?? null,
]);
if (isset($q['large'])) echo str_repeat('y', (int) $q['large']);
PHP

# The same for CGI.
my $CGI = <<'CGI';
#!@PERL@
use v5.36;
use Digest::MD5 qw(md5_hex);
use Fcntl qw(LOCK_EX);
use JSON::PP ();
my (%q, @word);
for (split /&/, $ENV{QUERY_STRING}) {
    my ($key, $value) = split /=/, $_, 2;
    push @word, $value if $key =~ /^outcome/;
    $q{$key} = $value;
}
my $body = do { local $/; <STDIN> } // '';
open my $runs, '+>>', "@DIR@/runs-$q{id}" or die $!;
flock $runs, LOCK_EX;
print $runs "$ENV{REQUEST_METHOD}\n";
seek $runs, 0, 0;
my $run = () = <$runs>;
close $runs;
$| = 1;
if ($run <= ($q{fail} // 0)) {
    for (1 .. 6000) { last if -e "@DIR@/go-$run"; select undef, undef, undef, 0.01 }
    my $status = $q{status} // 500;
    print "Status: $status\n", "Set-Cookie: failed=1\nX-Failed: yes\nETag: \"failed\"\nCache-Control: max-age=999\n",
        (map {"RDS-Failover-Outcome: $_\n"} @word), $status == 303 ? "Location: /elsewhere\n" : '', "Content-Type: text/html\n\n";
    print 'FAILED ', 'x' x (($q{size} // 20) - 7) if !exists $q{empty};
    exit;
}
if (exists $q{modified}) { print "Status: 304\n\n"; exit }
print "Content-Type: text/plain\nSet-Cookie: good=1\n\n";
print JSON::PP::encode_json({
    id => $q{id}, run => $run, method => $ENV{REQUEST_METHOD}, uri => $ENV{REQUEST_URI}, path_info => $ENV{PATH_INFO} // '',
    attempt => $ENV{RDSFAILOVER_ATTEMPT}, state => $ENV{RDSFAILOVER_STATE}, md5 => md5_hex($body), length => length $body,
}), 'y' x ($q{large} // 0);
CGI

# Why there can be no application of this kind here, or undef.
sub missing ($kind) {
    return 'php: no PHP-FPM here' if $kind =~ /^(?:fpm|http|balancer)$/ && !fpm();
    return 'php: no mod_php here' if $kind eq 'mod_php' && !libphp();
    return;
}

sub fpm ()    { return (sort { $b cmp $a } map { glob "$_/php-fpm*" } qw(/usr/sbin /usr/bin))[0] }
sub libphp () { return (sort { $b cmp $a } glob RdsFailover::Httpd::modules_dir() . '/libphp*.so')[0] }

my %LOAD = (fpm => ['proxy_fcgi'], balancer => [qw(slotmem_shm lbmethod_byrequests proxy_balancer)]);

sub new ($class, $kind, %option) {
    my $self = bless { kind => $kind, processes => 24, %option, dir => File::Temp->newdir('replay-XXXXXX', TMPDIR => 1), owner => $$ }, $class;
    my $dir  = $self->{dir};
    chmod 0777, "$dir";
    RdsFailover::Httpd::write_file("$dir/app.php", $PHP =~ s/\@DIR\@/$dir/r);
    RdsFailover::Httpd::write_file("$dir/app.cgi", $CGI =~ s/\@DIR\@/$dir/gr =~ s/\@PERL\@/$^X/r, 0755);
    $self->{behind} = RdsFailover::Httpd->new(module => 0, mpm => 'event', load => [qw(proxy proxy_fcgi)], conf => $self->conf_of('fpm'))
        if $kind =~ /^(?:http|balancer)$/;
    $self->begin;
    return $self;
}

sub dir ($self) { return "$self->{dir}" }

# Starts PHP-FPM and what asks it, again after ->end.
sub begin ($self) {
    my ($kind, $dir) = @$self{qw(kind dir)};
    return $self if $kind =~ /^(?:mod_php|cgi)$/;
    # Benches run as root.
    my $user = $> == 0 ? "user = nobody\ngroup = nogroup\nlisten.mode = 0666\n" : '';
    RdsFailover::Httpd::write_file("$dir/fpm.conf", <<"CONF");
[global]
error_log = $dir/log
[www]
listen = $dir/sock
pm = static
pm.max_children = $self->{processes}
$user
CONF
    unlink "$dir/sock";
    my $pid = $self->{pid} = fork // croak "fork: $!";
    if (!$pid) {
        setpgrp 0, 0;
        open STDIN,  '<',  '/dev/null';
        open STDOUT, '>>', "$dir/said";
        open STDERR, '>&', \*STDOUT;
        exec('setpriv', '--pdeathsig', 'TERM', '--', fpm(), '--nodaemonize', '--fpm-config', "$dir/fpm.conf") or POSIX::_exit(127);
    }
    RdsFailover::Httpd::wait_until(sub { -S "$dir/sock" })
        or croak 'PHP does not start: ' . RdsFailover::Httpd::slurp("$dir/said");
    if ($self->{behind}) {
        my $start = $self->{behind}->start;
        $start->{up} or croak "the httpd behind does not start: $start->{said}";
    }
    return $self;
}

# PHP-FPM dies with all that it runs.
sub end ($self) {
    $self->{behind}->stop if $self->{behind};
    my $pid = delete $self->{pid} or return $self;
    kill 'KILL', -$pid;
    waitpid $pid, 0;
    return $self;
}

# What httpd has to know of it. Everything below /php is the application.
sub conf ($self) { return $self->conf_of($self->{kind}) }

sub conf_of ($self, $kind) {
    my $dir = $self->{dir};
    my $behind = 'http://127.0.0.1:' . ($self->{behind} ? $self->{behind}->port : 0);
    return "ProxyPass /php $behind/php\n" if $kind eq 'http';
    return "<Proxy \"balancer://app\">\nBalancerMember $behind\n</Proxy>\nProxyPass /php balancer://app/php\n" if $kind eq 'balancer';
    my $allow = "<Directory \"$dir\">\nRequire all granted\n</Directory>\n";
    return "ScriptAlias /php/app.php \"$dir/app.cgi\"\n$allow" if $kind eq 'cgi';
    my $fcgi = "proxy:unix:$dir/sock|fcgi://localhost";
    my ($before, $handler) = $kind eq 'mod_php'
        ? ('LoadModule php_module ' . libphp() . "\n", 'application/x-httpd-php')
        : ("SetEnv proxy-sendcl 1\n", $fcgi);
    return qq{$before${allow}Alias /php "$dir"\n<Files app.php>\nAcceptPathInfo On\nSetHandler "$handler"\n</Files>\n};
}

# A site in front of it. Options as RdsFailover::Site's; a log of its own says what became of each request.
sub site ($self, %options) {
    my $conf = $self->conf . qq{CustomLog replay_log "%>s %{rdsfailover-attempts}n %{rdsfailover-outcome}n %{rdsfailover-held}n %U%q"\n};
    if ($self->{kind} eq 'mod_php') {
        $options{mpm} = 'prefork';
        # Without PHP's extensions: opcache loads itself in a way that the sanitizers do not allow.
        $options{env} = { PHP_INI_SCAN_DIR => '' };
    }
    $options{cgi} = 'cgid' if ($options{mpm} // $ENV{RF_MPM} // 'event') ne 'prefork';
    return RdsFailover::Site->new(%options, conf => $conf . ($options{conf} // ''),
        load => [@{ $LOAD{ $self->{kind} } // [] }, @{ $options{load} // [] }]);
}

# Where a request is sent that is told this: { fail => 1, outcome => 'unknown', … }.
sub path ($self, $id, %told) {
    my $info  = delete $told{path_info} // '';
    my $query = join '&', "id=$id", map { my $key = $_; map { "$key=$_" } ref $told{$key} ? @{ $told{$key} } : $told{$key} } sort keys %told;
    return "/php/app.php$info?" . $query;
}

sub runs ($self, $id) { my @runs = split /\n/, RdsFailover::Httpd::slurp("$self->{dir}/runs-$id"); return scalar @runs }

sub inside ($self, @ids) {
    return RdsFailover::Httpd::wait_until(sub { !grep { !$self->runs($_) } @ids }, 60);
}

sub let_go ($self, $run, $group = '') { RdsFailover::Httpd::write_file("$self->{dir}/go-$group$run", ''); return $self }

# Whoever comes to this run from now on waits again.
sub not_yet ($self, $run) { unlink "$self->{dir}/go-$run"; return $self }

# Tests: all of these are inside when the database dies; then they fail, and so many of them wait to run again.
sub fails_under ($self, $site, $clients, $ids, $waiting) {
    Test::More::ok($clients->until(sub { !grep { !$self->runs($_) } @$ids }, 60), 'all are inside the application');
    $site->break;
    $self->let_go(1);
    my $open = sub { $clients->tally->{open} // 0 };
    $clients->until(sub { $open->() == $waiting && ($site->hold->{now} // -1) == $waiting }, 60);
    Test::More::is($site->hold->{now}, $waiting, "$waiting wait");
    return Test::More::is($open->(), $waiting, 'and of those nobody has an answer');
}

# Nobody is let go any more, and nobody ran.
sub forget ($self) { unlink glob "$self->{dir}/go-* $self->{dir}/runs-*"; return $self }

# The lines of the site's own log: { id => [{ status, attempts, outcome, held }] }. A request is logged after its answer has gone out:
# waits until there is a line for each of these.
sub logged ($self, $site, @ids) {
    my $log = sub { RdsFailover::Httpd::slurp($site->httpd->dir . '/replay_log') };
    RdsFailover::Httpd::wait_until(sub { my $text = $log->(); !grep { $text !~ /\bid=$_\b/ } @ids });
    my %seen;
    for (split /\n/, $log->()) {
        my %line;
        @line{qw(status attempts outcome held url)} = split / /;
        my ($id) = ($line{url} // '') =~ /\bid=(\w+)/ or next;
        push @{ $seen{$id} }, \%line;
    }
    return \%seen;
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    $self->end if $self->{owner} == $$;
    return;
}

1;
