#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Handlers that are not the application's, in protected sections: they answer as they do elsewhere.
use v5.36;
use Test::More;
use RdsFailover::Httpd;
use RdsFailover::ReplayApp ();
use RdsFailover::Site;

subtest 'a handler that sets the status and returns it' => sub {
    my $site = RdsFailover::Site->new(threads => 8, load => ['lua'],
        conf => "ErrorDocument 404 /static.txt\n<Files *.lua>\nSetHandler lua-script\n</Files>");
    RdsFailover::Httpd::write_file($site->httpd->dir . '/htdocs/x.lua', "function handle(r)\n r.status = 404\n return 404\nend\n");
    my $file   = $site->httpd->get('/static.txt');
    my $answer = $site->httpd->get('/x.lua');
    is($answer->{status}, 404, 'is not found');
    is($answer->{body}, $file->{body}, 'and has its ErrorDocument');
};

subtest 'a cache that is a handler' => sub {
    my $missing = RdsFailover::ReplayApp::missing('fpm');
    plan skip_all => $missing if $missing;
    my $app = RdsFailover::ReplayApp->new('fpm');
    mkdir $app->dir . '/cache' or die "cache: $!\n";
    chmod 0777, $app->dir . '/cache';
    my $site = $app->site(threads => 8, load => [qw(cache cache_disk)],
        conf => 'CacheRoot ' . $app->dir . "/cache\nCacheEnable disk /\nCacheQuickHandler off\nCacheHeader on\nKeepAliveTimeout 60");
    my $clients = $site->clients;
    my @asked;
    for (1 .. 4) {
        push @asked, $clients->ask($app->path('cached', cache => 60));
        ok($clients->settle, 'an answer');
    }
    is(join(' ', map { $_->answer->{headers}{'x-cache'} =~ /^(\w+)/ } @asked), 'MISS HIT HIT HIT', 'one from the application, three from the cache');
    is($app->runs('cached'), 1, 'which ran once');
    is($site->hold->{inflight}, 0, 'none counts as executing, though their clients are still there');
};
done_testing;
