#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What stands between a PHP application and the client when its request runs twice: front controllers, error pages, filters, HTTP/2.
use v5.36;
use JSON::PP qw(decode_json);
use POSIX ();
use Test::More;
use RdsFailover::ReplayApp ();

my $missing = RdsFailover::ReplayApp::missing('fpm');
plan skip_all => $missing if $missing;

# What the server is told of the directory /site, where there is no such file.
my %WAY = (
    'a front controller by rewrite, per directory' =>
        "RewriteEngine on\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule ^ /php/app.php [L,QSA]",
    # Without END the second rule would meet what the first one redirects to.
    'a front controller by rewrite with END' =>
        "RewriteEngine on\nRewriteRule ^shop/ /php/app.php [END,QSA]\nRewriteRule ^app\\.php\$ - [F]",
    'FallbackResource' => 'FallbackResource /php/app.php',
    'DirectoryIndex' => 'DirectoryIndex app.php',
    'an ErrorDocument as front controller' => 'ErrorDocument 404 /php/app.php?id=cart&fail=1',
);

# What it is asked for there.
my %ASKED = (DirectoryIndex => '/site/?id=cart&fail=1');

for my $mpm (qw(event worker prefork)) {
    for my $way (sort keys %WAY) {
        subtest "$mpm: $way" => sub {
            my $app  = RdsFailover::ReplayApp->new('fpm');
            my $site = $app->site(mpm => $mpm, conf => "Alias /site \"${\$app->dir}\"\n"
                . "<Directory \"${\$app->dir}\">\n$WAY{$way}\n</Directory>\n");
            my $clients = $site->clients;
            my $url     = $ASKED{$way} // '/site/shop/cart?id=cart&fail=1';
            my $client  = $clients->ask($url);
            $app->fails_under($site, $clients, ['cart'], 1);
            $site->mend;
            ok($clients->settle, 'it is answered');
            my $answer = $client->answer // {};
            my $seen = eval { decode_json($answer->{body}) } // {};
            is($seen->{run}, 2, 'by the second attempt');
            is($seen->{uri}, $url, 'at its own URL');
            is($answer->{headers}{'x-failed'}, undef, 'without the headers of the first');
            is($app->runs('cart'), 2, 'it ran twice');
            is(scalar @{ $app->logged($site, 'cart')->{cart} // [] }, 1, 'one line in the access log');
            $site->drained;
            $site->balanced;
        };
    }

    for my $page (['ProxyErrorOverride', "ProxyErrorOverride on\n"], ['ProxyErrorOverride and a page', "ProxyErrorOverride on\nErrorDocument 500 /static.txt\n"]) {
        subtest "$mpm: $page->[0]" => sub {
            my $app     = RdsFailover::ReplayApp->new('fpm');
            my $site    = $app->site(mpm => $mpm, conf => $page->[1]);
            my $clients = $site->clients;
            my $client  = $clients->ask($app->path('page', fail => 1));
            $app->fails_under($site, $clients, ['page'], 1);
            $site->mend;
            ok($clients->settle, 'it is answered');
            is(($client->answer // {})->{status}, 200, 'with 200');
            is($app->runs('page'), 2, 'it ran twice');
            $site->drained;
            $site->balanced;
        };
    }
}

subtest 'compressed' => sub {
    my $app     = RdsFailover::ReplayApp->new('fpm');
    my $site    = $app->site(load => ['filter', 'deflate'], conf => "AddOutputFilterByType DEFLATE text/plain text/html\n");
    my $clients = $site->clients;
    my $client  = $clients->ask($app->path('zip', fail => 1, large => 5000), headers => { 'Accept-Encoding' => 'gzip' });
    $app->fails_under($site, $clients, ['zip'], 1);
    $site->mend;
    ok($clients->settle, 'it is answered');
    my $answer = $client->answer // {};
    is($answer->{headers}{'content-encoding'}, 'gzip', 'compressed');
    require IO::Uncompress::Gunzip;
    IO::Uncompress::Gunzip::gunzip(\$answer->{body}, \my $text);
    like($text, qr/\A\{"id":"zip","run":2,.*\}y{5000}\z/s, 'once, and whole');
    $site->drained;
};

for (['HTTP/2', 'http', '--http2-prior-knowledge'], ['HTTP/2 and TLS', 'https', '--http2', '--insecure']) {
    my ($name, $scheme, @how) = @$_;
    subtest $name => sub {
        plan skip_all => 'curl: no curl with HTTP/2 on the PATH' if qx{curl -V 2>/dev/null} !~ /HTTP2/;
        my $app  = RdsFailover::ReplayApp->new('fpm');
        my $site = $app->site(http2 => 1, tls => $scheme eq 'https');
        my $dir  = $app->dir;
        my $port = $scheme eq 'https' ? $site->httpd->tls_port : $site->httpd->port;
        RdsFailover::Httpd::write_file("$dir/body", 'b' x 20_000);
        my @curl;
        for my $id (qw(get post)) {
            my $url = "$scheme://127.0.0.1:$port" . $app->path($id, fail => 1, outcome => 'not-executed');
            my $pid = fork // die "fork: $!\n";
            if (!$pid) {
                open STDOUT, '>', "$dir/version-$id" or POSIX::_exit(127);
                exec('curl', '-s', '-m', 100, @how, '-w', '%{http_version}', '-o', "$dir/answer-$id", $url,
                    $id eq 'post' ? ('--data-binary', "\@$dir/body") : ()) or POSIX::_exit(127);
            }
            push @curl, $pid;
        }
        ok($app->inside(qw(get post)), 'both are inside');
        $site->break;
        $app->let_go(1);
        ok($site->holds(2), 'both wait');
        $site->mend;
        for (@curl) { waitpid $_, 0; is($?, 0, 'curl has an answer') }
        for my $id (qw(get post)) {
            my $seen = eval { decode_json(RdsFailover::Httpd::slurp("$dir/answer-$id")) } // {};
            is_deeply([@$seen{qw(run length)}], [2, $id eq 'post' ? 20_000 : 0], "$id: again, with its body");
            is(RdsFailover::Httpd::slurp("$dir/version-$id"), 2, "$id: by HTTP/2");
        }
        $site->drained;
        $site->balanced;
    };
}
done_testing;
