#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Configuration in the documentation is what httpd accepts, with the module loaded; PHP and JSON in it parse.
use v5.36;
use Test::More;
use File::Temp ();
use JSON::PP   ();
use RdsFailover::Httpd ();
use RdsFailover::Lint qw(files slurp source_tree);

my $src  = source_tree();
my @LOAD = qw(auth_basic authn_core authn_file authz_user cache cache_disk proxy proxy_fcgi proxy_http remoteip);
my $have_php = grep { -x "$_/php" } split /:/, $ENV{PATH};
my %seen;
for my $file (files(qr{\.md$})) {
    my $text = slurp($file);
    while ($text =~ /^ *```(apache|php|json)\n(.*?)^ *```$/gms) {
        my ($language, $code) = ($1, $2);
        my $what = "$file, line " . (1 + (substr($text, 0, $-[0]) =~ tr/\n//)) . ": $language";
        $seen{$language}++;
        if ($language eq 'apache') {
            # The staged module is loaded already, and programs that are installed elsewhere lie in conf/ here.
            $code =~ s/^LoadModule rdsfailover_module .*\n//m;
            $code =~ s{/usr/local/lib/rdsfailover/(?=notify-)}{$src/conf/}g;
            my $check = RdsFailover::Httpd->new(conf => $code, load => \@LOAD)->check;
            ok($check->{ok}, $what) or diag $check->{said};
        }
        elsif ($language eq 'json') { ok(defined eval { JSON::PP->new->allow_nonref->decode($code) }, $what) or diag $@ }
        else {
          SKIP: {
                skip 'php: not installed', 1 if !$have_php;
                my $script = File::Temp->new;
                print {$script} $code =~ /<\?php/ ? '' : "<?php\n", $code;
                close $script;
                my $said = qx{php -l '$script' 2>&1};
                is($?, 0, $what) or diag $said;
            }
        }
    }
}
cmp_ok($seen{apache} // 0, '>=', 15, 'configuration was found');
# The test can fail.
ok(!RdsFailover::Httpd->new(conf => 'RDSFailoverHold 150 seconds')->check->{ok}, 'what httpd refuses is noticed');
done_testing;
