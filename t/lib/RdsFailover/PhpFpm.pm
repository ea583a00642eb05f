# SPDX-License-Identifier: Apache-2.0
package RdsFailover::PhpFpm;

# A PHP-FPM of its own with one pool. It ends with the object.
#
#   my $php = RdsFailover::PhpFpm->new(root => $dir, ini => { auto_prepend_file => $file }, env => { … });
#   my $httpd = RdsFailover::Httpd->new(load => ['proxy', 'proxy_fcgi'], conf => $php->conf);    # $dir is the server's /

use v5.36;
use Carp       qw(croak);
use File::Temp ();
use POSIX      ();
use Time::HiRes qw(sleep time);

my $LIMIT = 60;

# Why there can be none here, or undef.
sub missing () { return program() ? undef : 'php: no PHP-FPM here' }

sub program () { return (sort { $b cmp $a } map { glob "$_/php-fpm*" } qw(/usr/sbin /usr/bin))[0] }

sub new ($class, %options) {
    my $self = bless { dir => File::Temp->newdir('fpm-XXXXXX', TMPDIR => 1), owner => $$, %options{qw(root ini env)} }, $class;
    my $dir  = "$self->{dir}";
    chmod 0755, $dir;
    my %ini  = (
        display_errors => 0, log_errors => 1, output_buffering => 4096, sendmail_path => '/bin/true',
        memory_limit => '256M', 'session.save_path' => $dir, sys_temp_dir => $dir, upload_tmp_dir => $dir,
        %{ $options{ini} // {} });
    my $more = join '', (map {"php_admin_value[$_] = $ini{$_}\n"} sort keys %ini),
        map {"env[$_] = $options{env}{$_}\n"} sort keys %{ $options{env} // {} };
    # Root stays root: the checkout may be where nobody else can read.
    $more .= "user = root\ngroup = root\nlisten.mode = 0666\n" if $> == 0;
    open my $out, '>', "$dir/conf" or croak "$dir/conf: $!";
    print $out "[global]\nerror_log = $dir/log\n[www]\nlisten = $dir/sock\npm = static\npm.max_children = 4\n"
        . "catch_workers_output = yes\n$more";
    close $out or croak "$dir/conf: $!";
    my $pid = $self->{pid} = fork // croak "fork: $!";
    if (!$pid) {
        setpgrp 0, 0;
        open STDIN,  '<',  '/dev/null';
        open STDOUT, '>>', "$dir/said";
        open STDERR, '>&', \*STDOUT;
        exec('setpriv', '--pdeathsig', 'TERM', '--', program(), '--nodaemonize', ($> == 0 ? '--allow-to-run-as-root' : ()),
             '--fpm-config', "$dir/conf") or POSIX::_exit(127);
    }
    my $until = time + $LIMIT;
    until (-S "$dir/sock") {
        die "PHP-FPM ended:\n", $self->log if waitpid($pid, POSIX::WNOHANG()) == $pid;
        die "PHP-FPM does not start:\n", $self->log if time > $until;
        sleep 0.02;
    }
    return $self;
}

# What httpd has to know: `root` is its /, and what is no file there goes to index.php. The worker never rests.
sub conf ($self) {
    my $backend = "unix:$self->{dir}/sock|fcgi://localhost";
    return <<"CONF";
<Proxy "$backend">
ProxySet retry=0
</Proxy>
AliasMatch "^/(?!rds-status|server-status)(.*)" "$self->{root}/\$1"
<Directory "$self->{root}">
Require all granted
Options FollowSymLinks
AllowOverride None
DirectoryIndex index.php
FallbackResource /index.php
<FilesMatch "\\.php\$">
SetHandler "proxy:$backend"
</FilesMatch>
</Directory>
CONF
}

# Those that run now; the master starts others.
sub kill_workers ($self) {
    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $in, '<', $stat or next;
        my ($pid, $parent) = (<$in> // '') =~ /^(\d+) \(.*\) \S (\d+)/ or next;
        kill 'KILL', $pid if $parent == $self->{pid};
    }
    return;
}

sub log ($self) {
    my $text = '';
    for my $file ("$self->{dir}/said", "$self->{dir}/log") {
        open my $in, '<', $file or next;
        local $/;
        $text .= <$in> // '';
    }
    return $text;
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    return if $self->{owner} != $$ || !$self->{pid};
    kill 'KILL', -$self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

1;
