#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# conf/ has a second line of defence. Do PHP, PHP-FPM and the kernel know every name in it, and does each line say why?
use v5.36;
use File::Temp ();
use FindBin;
use Test::More;

my $src  = "$FindBin::Bin/../..";
my $conf = "$src/conf";

sub slurp ($file) {
    open my $in, '<', $file or die "$file: $!\n";
    local $/;
    return scalar <$in>;
}

# The settings of a file, as [name, value, the comment before it]. A line switched off by its comment sign counts: ;name = value
sub settings ($file) {
    my ($comment, @found) = ('');
    for (split /\n/, slurp($file)) {
        if    (/^[;#]?([a-z][\w.]*) = (\S.*)$/) { push @found, [$1, $2, $comment]; $comment = '' }
        elsif (/^[;#]\s?(.*)/)                  { $comment .= "$1\n" }
        else                                    { $comment = '' }
    }
    return @found;
}

my %of = map { $_ => [settings("$conf/$_")] } qw(php-rdsfailover.ini php-fpm-rdsfailover.conf sysctl-rdsfailover.conf);
for my $file (sort keys %of) {
    cmp_ok(scalar @{ $of{$file} }, '>', 2, "$file has settings");
    for my $setting (@{ $of{$file} }) {
        my ($name, undef, $comment) = @$setting;
        like($comment, qr/\A.+^Cost: .+^Source: /ms, "$file, $name: reason, cost and source");
    }
}

SKIP: {
    skip 'php: not installed', 1 if !grep { -x "$_/php" } split /:/, $ENV{PATH};
    for my $setting (@{ $of{'php-rdsfailover.ini'} }) {
        my ($name, $value) = @$setting;
        # Where the project lies is the site's affair; that the file is there, ours.
        $value =~ s{^/usr/share/rdsfailover/}{$src/};
        is(qx{php -d '$name=$value' -r 'echo ini_get("$name");' 2>&1}, $value, "PHP knows $name");
    }
    my $dir = File::Temp->newdir;
    symlink "$conf/php-rdsfailover.ini", "$dir/90.ini";
    local $ENV{PHP_INI_SCAN_DIR} = ":$dir";
    # On the command line PHP sets max_execution_time by itself.
    is(qx{php -r 'echo ini_get("mysqlnd.net_read_timeout"), " ", ini_get("default_socket_timeout");' 2>&1}, '10 10',
        'PHP reads php-rdsfailover.ini');
}

SKIP: {
    my ($fpm) = sort { $b cmp $a } map { glob "$_/php-fpm*" } qw(/usr/sbin /usr/bin);
    skip 'php: no php-fpm', 2 if !$fpm;
    my $dir = File::Temp->newdir;
    my $user = $> == 0 ? "user = nobody\n" : '';
    open my $out, '>', "$dir/fpm.conf" or die "$dir: $!\n";
    print $out "[global]\nerror_log = $dir/log\n[www]\nlisten = $dir/sock\npm = static\npm.max_children = 2\n$user",
        "include = $conf/php-fpm-rdsfailover.conf\n";
    close $out or die "$dir: $!\n";
    my $said = qx{'$fpm' -tt --fpm-config '$dir/fpm.conf' 2>&1};
    is($?, 0, 'PHP-FPM accepts php-fpm-rdsfailover.conf') or diag $said;
    $said .= -e "$dir/log" ? slurp("$dir/log") : '';
    like($said, qr/request_terminate_timeout = 60s.*request_terminate_timeout_track_finished = yes/s, '… for the pool that is there');
}

for my $setting (@{ $of{'sysctl-rdsfailover.conf'} }) {
    my ($name, $value) = @$setting;
    my $file = '/proc/sys/' . $name =~ tr{.}{/}r;
    SKIP: {
        skip "sysctl: no $file here", 1 if !-e $file && !-e '/proc/sys/net/ipv4/tcp_retries2';
        ok(-e $file, "the kernel knows $name");
    }
    like($value, qr/^\d+$/, "$name is a number");
}
done_testing;
