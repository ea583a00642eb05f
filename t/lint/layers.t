#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The file name tells the layer, and includes go down only. The core is pure: no I/O, no clock, no state of its own.
use v5.36;
use Test::More;
use RdsFailover::Lint qw(files slurp c_code build_dir command_output);

# What each layer may include of the project, and which of the world's headers it must not see.
my $CLIENTS = qr{mysql|mariadb|ares|curl};
# Adapters that need no client library are for the module too; build-aux/list-sources names them.
my $SYSTEM  = qr{/rf_io_(?:caps|file|futex|sockets)\.};
my $HTTPD   = qr{^(?:httpd|http_\w+|ap_\w+|util_\w+|scoreboard|mpm_common|unixd|mod_\w+|apr\w*)\.h$};
my $WORLD   = qr{^(?:unistd|fcntl|poll|sys/poll|sys/select|sys/epoll|sys/mman|sys/wait|signal|netdb|pthread|dirent|sys/stat|sys/time|threads)\.h$};
my %LAYER = (
    core    => { may => qr{^core$},                     not => qr{$CLIENTS|$HTTPD|$WORLD} },
    monitor => { may => qr{^(?:core|monitor)$},         not => qr{$CLIENTS|$HTTPD|$WORLD} },
    sys     => { may => qr{^(?:core|sys)$},             not => qr{$CLIENTS|$HTTPD} },
    io      => { may => qr{^(?:core|sys|io)$},          not => $HTTPD },
    prober  => { may => qr{^(?:core|sys|io|prober)$},   not => $HTTPD },
    glue    => { may => qr{^(?:core|sys|monitor|glue)$}, not => $CLIENTS },
);
my $IMPURE = qr{\b(time|gettimeofday|clock_gettime|clock|ftime|sleep|usleep|nanosleep|socket|connect|bind|send|sendto|recv|poll|select
    |open|openat|fopen|read|write|fork|execv|execve|system|popen|getenv|setenv|rand|random|srand|printf|puts|perror|syslog|exit|abort)\s*\(}x;

sub layer ($file) {
    return 'glue'    if $file =~ m{/mod_rdsfailover[^/]*$};
    return "sys"     if $file =~ $SYSTEM;
    return 'io'      if $file =~ m{/rf_io_};
    return 'prober'  if $file =~ m{/rf_prober};
    return 'monitor' if $file =~ m{/rf_monitor};
    return 'core';
}

my @sources = files(qr{^mod_rdsfailover/[^/]+\.[ch]$});
my %here    = map { s{.*/}{}r => layer($_) } @sources;
for my $file (@sources) {
    my $layer = layer($file);
    my $rule  = $LAYER{$layer};
    my $code  = c_code(slurp($file), strings => 1);
    my @wrong;
    while ($code =~ /^[ \t]*#[ \t]*include[ \t]+(?:"([^"]+)"|<([^>]+)>)/mg) {
        my $name = $1 // $2;
        if (defined $here{$name}) {
            push @wrong, "$name is of layer $here{$name}" if $here{$name} !~ $rule->{may};
        }
        elsif (defined $1) { push @wrong, "\"$name\" is not in mod_rdsfailover/" }
        elsif ($name =~ $rule->{not}) { push @wrong, "<$name> is not for this layer" }
    }
    is("@wrong", '', "$file ($layer) includes only what lies below it");

    next if $layer ne 'core' && $layer ne 'monitor';
    my $bare  = c_code(slurp($file));
    my @calls = map { $_->[1] } grep { $_->[0] !~ /(?:->|\.)\s*$/ } calls($bare);
    is("@calls", '', "$file ($layer) has no clock, no I/O");
}

# A static table is fine, a variable is not: writable data of the core's objects must be empty.
SKIP: {
    my $flags = slurp(build_dir() . '/Makefile');
    skip 'plain-build: sanitizers add data of their own to each object', 1 if $flags =~ /^RF_CFLAGS = .*-fsanitize/m;
    my @objects = grep { -e } map { build_dir() . "/mod_rdsfailover/.libs/librfcore_la-$_" =~ s/\.c$/.o/r }
        map { s{.*/}{}r } grep { layer($_) eq 'core' && /\.c$/ } @sources;
    ok(@objects > 0, 'objects of the core were found') or last;
    my @state;
    for my $object (@objects) {
        my %size = command_output('size', '-A', '-d', $object) =~ /^(\.data|\.bss|\.tdata|\.tbss)\s+(\d+)/mg;
        push @state, "$object: $_ $size{$_}" for grep { $size{$_} } sort keys %size;
    }
    is("@state", '', 'the core has no variables');
}
done_testing;

sub calls ($code) {
    my @found;
    while ($code =~ /$IMPURE/g) {
        my ($name, $at) = ($1, $-[0]);
        push @found, [substr($code, 0, $at) =~ s/.*\n//sr, $name];
    }
    return @found;
}
