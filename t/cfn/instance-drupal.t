#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A real Drupal on a host, from cfn/instance/site: installed without a browser, filled, and shown. DRUPAL_ROOT is a document root web/ with
# vendor/ beside it, as composer makes them from composer.json there; packages.drupal.org itself is not asked.
use v5.36;
use Test::More;
use File::Basename qw(basename dirname);
use RdsFailover::Host;

my $root = $ENV{DRUPAL_ROOT} // '';
plan skip_all => 'drupal: not run: DRUPAL_ROOT is not set' if $root eq '';
plan skip_all => "drupal: $root is no web/ with core/ in it, and vendor/ with drush beside it"
    if basename($root) ne 'web' || !-d "$root/core" || !-e dirname($root) . '/vendor/bin/drush';

my $host = RdsFailover::Host::prepare(
    site   => \&site,
    config => qq{SITE_NAME="On a host"\nSITE_ARTICLES="23"\nSITE_EXPECT="On a host"\nSITE_HOST="www.example.com"\nANSWER_LIMIT="120"\n},
);
my $start = $host->start;
like($host->signals, qr/\A--exit-code 0 [^\n]*\n\z/, 'CloudFormation hears that Drupal answers') or diag $start->{said};
like($start->{said}, qr/^Drupal [\d.]+ is installed$/m, 'it was installed by its own installer');
my $front = $host->page('/', 'Host: www.example.com');
is($front->{status}, 200, 'the front page');
like($front->{body}, qr/Article 23: \w+/, 'has the newest article');
is($host->page('/node/1', 'Host: www.example.com')->{status}, 200, 'an article has its page');
like($host->page('/node/1', 'Host: www.example.com')->{body}, qr/Article 1: /, 'by a clean address');
is($host->page('/', 'Host: elsewhere.example.com')->{status}, 400, 'another Host is refused');
is($host->page('/nowhere', 'Host: www.example.com')->{status}, 404, 'what is not there is 404');
is($host->database->sql(q{SELECT COUNT(*) FROM shop.node WHERE type = 'article'}), 23, 'as many articles as the configuration says');
like($host->page('/user/login', 'Host: www.example.com')->{body}, qr/<input[^>]*name="pass"/, 'there is a page to log in');
my $second = $host->run();
is($second->{status}, 0, 'a second run succeeds') or diag $second->{said};
unlike($second->{said}, qr/is installed$/m, 'and does not install again');
is($host->database->sql(q{SELECT COUNT(*) FROM shop.node WHERE type = 'article'}), 23, 'nor make articles twice');
$host->stop;
done_testing;

sub site ($dir) {
    my $site = "$dir/site";
    system('cp', '-R', dirname($root) . '/', $site) == 0 or die "cp failed\n" if !-e $site;
    # What composer's scaffolding and git add, and a copy may lack.
    system('sh', '-c', 'chmod +x "$2"/vendor/bin/* "$2/vendor/drush/drush/drush" && cp "$2"/web/core/assets/scaffold/files/default.settings.php "$2/web/sites/default/" && rm -f "$2/composer.json" &&'
        . ' cp -R "$1/." "$2/" && rm "$2/composer.json"', 'sh', "$ENV{RF_SRCDIR}/cfn/instance/site", $site) == 0 or die "cp failed\n";
    return $site;
}
