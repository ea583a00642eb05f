#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# User data as cloud-init sees it: its schema, its size, the script in it; and that the schema is really asked.
use v5.36;
use Test::More;
use File::Temp ();
use RdsFailover::UserData qw(user_data written_files);

my $data = user_data();
like($data, qr/\A#cloud-config\n/, 'user data is cloud-config');
cmp_ok(length $data, '<', 16384, 'below 16 KB with names of 100 letters, as EC2 wants it');
unlike($data, qr/resolve:secretsmanager|password/i, 'nothing secret in it');
my %file = written_files($data);
is_deeply([sort keys %file], [qw(/etc/rdsfailover/stack.env /usr/local/sbin/rdsfailover-start)], 'it writes two files');
is($file{'/etc/rdsfailover/stack.env'}{mode}, 0640, 'of which the environment is for root and its group');
my @odd = grep { !/^[A-Z_]+=\S*$/ } split /\n/, $file{'/etc/rdsfailover/stack.env'}{content};
is("@odd", '', 'the environment is NAME=value, for sh and systemd alike');

SKIP: {
    skip 'shellcheck: not installed', 1 if !found('shellcheck');
    my $script = File::Temp->new(SUFFIX => '.sh');
    print $script $file{'/usr/local/sbin/rdsfailover-start'}{content};
    close $script;
    my $said = qx{shellcheck -S warning -e SC1091 '$script' 2>&1};
    is($said, '', 'shellcheck finds nothing in the script');
}
SKIP: {
    skip 'cloud-init: not installed', 3 if !found('cloud-init');
    my ($status, $said) = schema($data);
    is($status, 0, 'cloud-init accepts it') or diag $said;
    for (['a mode that is a number', $data =~ s/permissions: '0640'/permissions: 640/r], ['a file without a path', $data =~ s/- path: \S+/- mode: x/r]) {
        my ($what, $broken) = @$_;
        isnt((schema($broken))[0], 0, "and refuses $what");
    }
}
done_testing;

sub schema ($text) {
    my $in = File::Temp->new;
    print $in $text;
    close $in;
    my $said = qx{cloud-init schema --config-file '$in' 2>&1};
    return ($? >> 8, $said);
}

sub found ($program) { return grep { -x "$_/$program" } split /:/, $ENV{PATH} }
