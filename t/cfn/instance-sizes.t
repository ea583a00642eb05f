#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The sizes that run works out fit every instance type of web.yaml, and httpd's own limits.
use v5.36;
use Test::More;
use File::Temp ();
use RdsFailover::Lint qw(slurp source_tree);

# MB as the kernel tells them, which is less than the nominal; processors.
my %TYPE = (
    't4g.small'  => [1846, 2], 't4g.medium' => [3837, 2], 't4g.large' => [7819, 2], 'm7g.medium' => [3837, 1], 'm7g.large' => [7819, 2],
    'c7g.large'  => [3837, 2],
);
my ($list) = slurp('cfn/templates/web.yaml') =~ /^  WebInstanceType:.*?AllowedValues: \[([^\]]*)\]/ms;
is_deeply([sort split /, /, $list], [sort keys %TYPE], 'every instance type of web.yaml is looked at');
my $httpd = slurp('cfn/instance/etc/httpd.conf');
my %own = map { /^\s*(\w+)\s+(\d+)$/ ? ($1 => $2) : () } split /\n/, $httpd;
my ($descriptors) = slurp('cfn/instance/etc/httpd.service.conf') =~ /^LimitNOFILE=(\d+)$/m;
my $child_mb = 70;

for my $type (sort keys %TYPE) {
    my ($mb, $processors) = @{ $TYPE{$type} };
    my %size = sizes(HOST_MEMORY_MB => $mb, HOST_PROCESSORS => $processors);
    my $used = 350 + 128 + $size{HTTPD_HOLD} * 128 / 1024 + $size{FPM_CHILDREN} * $child_mb;
    cmp_ok($used, '<=', $mb, "$type: $size{HTTPD_HOLD} held and $size{FPM_CHILDREN} processes of PHP fit into $mb MB");
    cmp_ok($size{FPM_CHILDREN}, '>=', 5, "$type: enough of them");
    cmp_ok($size{FPM_CHILDREN}, '<=', $own{MaxRequestWorkers}, "$type: no more than httpd has workers for");
    cmp_ok($size{HTTPD_HOLD}, '>=', 3000, "$type: enough may wait");
    my $children = $own{MaxRequestWorkers} / $own{ThreadsPerChild};
    cmp_ok(4 * $size{HTTPD_FACTOR} * $children, '>=', $size{HTTPD_HOLD}, "$type: and httpd accepts as many connections");
    cmp_ok(2 * $size{HTTPD_HOLD} + 200, '<=', $descriptors, "$type: and has descriptors for them");
}
my %given = sizes(HOST_MEMORY_MB => 1846, HOST_PROCESSORS => 2, FPM_CHILDREN => 3, HTTPD_HOLD => 800);
is_deeply(\%given, { FPM_CHILDREN => 3, HTTPD_HOLD => 800, HTTPD_FACTOR => 100 }, 'a release may say otherwise');
like(said(HOST_MEMORY_MB => 480, HOST_PROCESSORS => 2), qr/480 MB are too few/, 'a host that is too small is refused, with the numbers');
done_testing;

# What write_tuning of run makes of a host: the numbers, or all it says.
sub sizes (%environment) { return said(%environment) =~ /^([A-Z_]+)=(\d+)$/mg }

sub said (%environment) {
    my $dir = File::Temp->newdir('sizes-XXXXXX', TMPDIR => 1);
    my $lib = source_tree() . '/cfn/instance/lib';
    # put changes owners, which only root may.
    my $script = '. "$0/step.sh"; . "$0/host.sh"; put() { cat >"$3"; }; etc=$1; write_tuning; cat "$1/tuning.env"';
    open my $out, '-|', 'env', (map { "$_=$environment{$_}" } sort keys %environment), 'sh', '-c', "exec 2>&1; $script", $lib, "$dir" or die "sh: $!\n";
    local $/;
    my $text = <$out> // '';
    close $out;
    return $text;
}
