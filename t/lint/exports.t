#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# httpd gets one symbol and no client library: those live in the prober, whose crash or hang is not a request's. OpenSSL's libcrypto
# signs places in the module; its TLS stays outside.
use v5.36;
use Test::More;
use RdsFailover::Lint qw(stage build_dir command_output);

my $module = stage() . '/mod_rdsfailover.so';
my $prober = stage() . '/rdsfailover-prober';
my $CLIENT = qr{^lib(?:mariadb|mysqlclient|cares|curl|ssl|gnutls)\b};

ok(-e $module, 'the module is staged') or die "nothing to check\n";
ok(-x $prober, 'the prober is staged');

my @symbols = map { (split)[-1] } split /\n/, command_output('nm', '-D', '--defined-only', $module);
is("@symbols", 'rdsfailover_module', 'the module exports one symbol');

my @needs = needed($module);
is(join(' ', grep { /$CLIENT/ } @needs), '', "no client library is linked to the module (needed: @needs)");
my @direct = grep { !/^(?:libjansson|libcrypto|libcap-ng|libc|libm|libpthread|libdl|librt|ld-linux[\w-]*|libasan|libubsan|libgcc_s)\b/ } @needs;
is("@direct", '', 'the module needs jansson, libcrypto, libcap-ng and the C library, nothing else');

my @missing = map { (split)[-1] } split /\n/, command_output('nm', '-D', '-u', $module);
is(join(' ', grep { /^rf_/ || (/^json_/ && !grep { /jansson/ } @needs) } @missing), '', 'no symbol is missing that httpd does not bring');

my @probers = grep { /$CLIENT/ } needed($prober);
ok((grep { /^lib(?:mariadb|mysqlclient)/ } @probers), "the prober has the database client (@probers): the check above can see one");
ok((grep { /^libcares/ } @probers), 'the prober has c-ares');

my @core = grep { !/^rf_/ } map { (split)[-1] } grep { / [TDBRVW] / } split /\n/,
    command_output('nm', '--defined-only', '-g', build_dir() . '/.libs/librfcore.a');
is("@core", '', 'every function of the core is called rf_...');
done_testing;

sub needed ($file) { return command_output('readelf', '-d', $file) =~ /\(NEEDED\).*\[([^\]]+)\]/g }
