#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# mod_cache beside the module: an answer that nobody gets is not stored, whatever it says of itself; all else is as without us.
use v5.36;
use JSON::PP qw(decode_json);
use Test::More;
use RdsFailover::Httpd ();
use RdsFailover::ReplayApp ();

my $missing = RdsFailover::ReplayApp::missing('fpm');
plan skip_all => $missing if $missing;
plan skip_all => 'mod_cache: none here' if !-e RdsFailover::Httpd::modules_dir() . '/mod_cache_disk.so';

# Whether the cache answers first of all, or as a handler.
sub site ($app, $quick, %more) {
    mkdir $app->dir . '/cache';
    chmod 0777, $app->dir . '/cache';
    my $conf = "CacheRoot \"${\$app->dir}/cache\"\nCacheEnable disk /php\nCacheEnable disk /site\nCacheQuickHandler $quick\n"
        . "CacheLock on\nCacheLockPath \"${\$app->dir}/lock\"\nCacheHeader on\n";
    return $app->site(load => [qw(cache cache_disk)], conf => $conf . ($more{conf} // ''));
}

sub ask ($site, $path, %how) {
    my $clients = $site->clients;
    my $client  = $clients->ask($path, %how);
    ok($clients->settle, "$path is answered");
    return $client->answer // { status => 0, headers => {}, body => '' };
}

sub run_of ($answer) { return (eval { decode_json($answer->{body}) } // {})->{run} }

for my $quick (qw(on off)) {
    subtest "CacheQuickHandler $quick: answers that are withheld" => sub {
        my $app  = RdsFailover::ReplayApp->new('fpm');
        my $site = site($app, $quick, conf => "Alias /site \"${\$app->dir}\"\n<Directory \"${\$app->dir}\">\nRewriteEngine on\n"
            . "RewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule ^ /php/app.php [L,QSA]\n</Directory>\n");
        my %path = (
            500     => $app->path('own', fail => 1, cache => 600),
            200     => $app->path('cut', fail => 1, cache => 600, status => 200, outcome => 'not-executed', size => 100_000),
            404     => $app->path('lost', fail => 1, cache => 600, status => 404, outcome => 'not-executed'),
            rewrite => '/site/shop?id=shop&fail=1&cache=600&status=404&outcome=not-executed',
        );
        my $clients = $site->clients;
        my %client  = map { $_ => $clients->ask($path{$_}) } sort keys %path;
        $app->fails_under($site, $clients, [qw(own cut lost shop)], 4);
        $site->mend;
        ok($clients->settle, 'all are answered');
        is_deeply([map { run_of($client{$_}->answer) } sort keys %path], [2, 2, 2, 2], 'by the second attempts');
        $site->drained;
        is(run_of(ask($site, $path{$_})), 2, "$_: whoever comes later gets that, too") for sort keys %path;
        is_deeply([map { $app->runs($_) } qw(own cut lost)], [2, 2, 2], 'from the cache');
        $site->break;
        is(run_of(ask($site, $path{200})), 2, 'and need not wait in an outage') if $quick eq 'on';
        $site->mend;
        $site->drained;
        $site->balanced;
    };

    subtest "CacheQuickHandler $quick: answers that go out" => sub {
        my $app  = RdsFailover::ReplayApp->new('fpm');
        my $site = site($app, $quick);
        my $own  = $app->path('own', fail => 9, outcome => 'unknown', status => 200);
        $app->let_go($_) for 1, 2;
        for (1, 2) {
            my $answer = ask($site, $own);
            like($answer->{body}, qr/^FAILED/, 'a failure of its own goes out');
            is($answer->{headers}{'rds-failover-outcome'}, undef, 'without the word');
        }
        is($app->runs('own'), 1, 'and is kept, as it wished');

        # The cache goes on with what it had while PHP is gone and the database is well.
        my $page = $app->path('page', cache => 600);
        is(run_of(ask($site, $page)), 1, 'a page is stored');
        my %again = (headers => { 'Cache-Control' => 'max-age=0' });
        is(run_of(ask($site, $page, %again)), 2, 'and fetched anew');
        $app->end;
        my $stale = ask($site, $page, %again);
        is($stale->{status}, 200, 'PHP is gone: it is served as it was');
        is(run_of($stale), 2, 'the last good one');
        is($app->runs('page'), 2, 'without PHP');
    };
}
done_testing;
