#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A host's whole way on Debian, once: an image is baked of a release, starts with its user data, and tells CloudFormation that the site
# answers, because it does. What differs on Amazon Linux is in docs/aws.md.
use v5.36;
use Test::More;
use RdsFailover::Host;

my $host = RdsFailover::Host::prepare(
    site   => "$ENV{RF_SRCDIR}/t/cfn/site",
    config => qq{SITE_NAME="A stand-in"\nSITE_ARTICLES="7"\nSITE_FILES="web/files"\nSITE_EXPECT="7 articles"\nANSWER_LIMIT="60"\n},
);
my $tree   = $host->tree;
my $BUCKET = $host->bucket;

# --- the image ---------------------------------------------------------------------------------------------------------------
my $baked = $host->baked;
like($baked, qr/^status 0$/m, 'run --bake succeeds') or diag $baked;
like($baked, qr/Syntax OK/, 'httpd accepts its configuration without any environment');
ok(!-e $tree->path("/etc/rdsfailover/$_"), "the image has no $_") for qw(database-url database.env site.env operators tuning.env stack.env);

# --- the first start -----------------------------------------------------------------------------------------------------------
my $start = $host->start;
like($start->{said}, qr/telling CloudFormation$/m, 'what user data calls comes to its end') or diag $start->{said}, $tree->read('/var/log/apache2/error.log');
like($start->{said}, qr/packages of the distribution: done before/, 'what the image has is not done again');
is($host->signals, "--exit-code 0 --stack demo --resource Fleet --region eu-west-1\n", 'CloudFormation hears of success, once');
like($host->page('/')->{body}, qr/^A stand-in: 7 articles, by TLS$/, 'a page comes from httpd, PHP-FPM and the database, with its configuration');
is($tree->read('/var/lib/rdsfailover/files/installed'), "www-data\n", 'the site was installed once, as the web server\'s user');

is($host->visitor('/rds-status/health', '203.0.113.9')->{status}, 200, 'the load balancer may ask for health');
is($host->visitor('/rds-status', '203.0.113.9')->{status}, 401, 'a visitor may not see the status');
is($host->visitor('/rds-status', '127.0.0.1, 203.0.113.9')->{status}, 401, 'nor one who says that he is local');
is($host->visitor('/rds-status', '203.0.113.9', '--user operator:switch')->{status}, 200, 'the operator may');
my @order = ('X-RDSFailover-Control: 1', '-d action=arm', '-d ttl=60');
is($host->visitor('/rds-control', '203.0.113.9', @order)->{status}, 401, 'nobody gives orders without a password');
is($host->visitor('/rds-control', '203.0.113.9', '--user operator:switch', @order)->{status}, 200, 'the operator does');
my $status = $host->page('/rds-status?json')->{body};
like($status, qr/"state"\s*:\s*"available"/, 'the module sees the writer');
unlike($status . $start->{said}, qr/one1ONE|ma"st/, 'no password in the status, nor in what run said');

my @httpd = split ' ', $tree->read('/run/apache2/apache2.pid') // die "httpd does not run\n";
open my $environ, '<', "/proc/$httpd[0]/environ" or die "environ: $!\n";
like(do { local $/; <$environ> }, qr/DATABASE_URL_FILE=/, 'httpd gets the name of a file');
for (['database-url', 0640], ['operators', 0640], ['site.env', 0640], ['database.env', 0640], ['stack.env', 0640]) {
    my ($name, $mode) = @$_;
    is((stat $tree->path("/etc/rdsfailover/$name"))[2] & 07777, $mode, sprintf '%s is %04o', $name, $mode);
}
open my $limits, '<', "/proc/$httpd[0]/limits" or die "limits: $!\n";
chomp(my $allowed = qx{sh -c 'ulimit -H -n'});
$allowed = 20200 if $allowed eq 'unlimited' || $allowed > 20200;
like(do { local $/; <$limits> }, qr/^Max open files +$allowed\b/m, 'and descriptors for what it holds, or as many as this machine allows');

# --- again -----------------------------------------------------------------------------------------------------------------------
$tree->write('/aws/secrets/site', '{"username":"site","password":"two2TWO"}');
my $second = $host->run();
is($second->{status}, 0, 'a second run succeeds, with another password in Secrets Manager') or diag $second->{said};
like($host->page('/')->{body}, qr/^A stand-in: 7 articles/, 'and the site uses it');
like($host->signals, qr/\A[^\n]*\n\z/, 'CloudFormation is not told again');

# --- static data -----------------------------------------------------------------------------------------------------------------
$tree->write("$BUCKET/static/v1/logo.txt", "version 1\n");
is($host->run('--static', 'v1')->{status}, 0, 'static data from the bucket');
is($host->page('/static/logo.txt')->{body}, "version 1\n", 'is served');
$tree->write('/srv/local/logo.txt', "of this host\n");
is($host->run('--static', '/srv/local')->{status}, 0, 'and from a local directory');
is($host->page('/static/logo.txt')->{body}, "of this host\n", 'is served');
isnt($host->run('--static', 'v2')->{status}, 0, 'a version that is not there is refused');
is($host->page('/static/logo.txt')->{body}, "of this host\n", 'and changes nothing');

# --- what goes wrong is told -----------------------------------------------------------------------------------------------------
unlink $tree->path('/var/lib/rdsfailover/done/one.signal');
$tree->write("$BUCKET/releases/one/site.env", qq{SITE_NAME="A stand-in"\nSITE_FILES="web/files"\nSITE_EXPECT="8 articles"\nANSWER_LIMIT="3"\n});
my $damaged = $host->start;
like($damaged->{said}, qr/site\.env: FAILED/, 'a release whose sums are wrong is not run');
like($host->signals, qr/^--exit-code 1 --stack demo --resource Fleet --region eu-west-1\n\z/m, 'and CloudFormation hears of it');
RdsFailover::Host::sums($tree);
my $wrong = $host->start;
like($wrong->{said}, qr/does not answer with 200 and '8 articles'/, 'a site that shows something else does not answer');
is(scalar(() = $host->signals =~ /^--exit-code 1/mg), 2, 'and that is no success');
$host->stop;
done_testing;
