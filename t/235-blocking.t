#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Requests that keep their worker while they wait: on prefork and worker all, on event what an internal redirect made, and streams
# of HTTP/2 (t/230-async.t). They are bounded, so that the server goes on; and they are let go by the same rules as all others.
use v5.36;
use Test::More;
use RdsFailover::Httpd;
use RdsFailover::Site;

my $mpm   = $ENV{RF_MPM} || 'event';
my $event = $mpm eq 'event';

# A site as PHP applications have it: whatever is no file is for the front controller, found by a rule for the directory or by
# DirectoryIndex. Both turn the request into another one after the module has first seen it.
my $CONF = <<'CONF';
<Directory "/">
AllowOverride All
</Directory>
CONF
sub front_controller (%options) {
    my $site = RdsFailover::Site->new(threads => 40, factor => 50, %options, conf => $CONF . ($options{conf} // ''));
    my $dir  = $site->httpd->dir;
    mkdir "$dir/htdocs/fc";
    RdsFailover::Httpd::write_file("$dir/htdocs/fc/index.cgi", "#!/bin/sh\n"
        . "echo \"\$REQUEST_METHOD \$QUERY_STRING\" >> '$dir/runs'\n"
        . "printf 'Content-Type: text/plain\\n\\n%s %s' \"\$RDSFAILOVER_STATE\" \"\$(md5sum)\"\n", 0755);
    RdsFailover::Httpd::write_file("$dir/htdocs/fc/file.txt", "a file\n");
    RdsFailover::Httpd::write_file("$dir/htdocs/fc/.htaccess", <<'RULES');
Options +ExecCGI +FollowSymLinks
AddHandler cgi-script .cgi
DirectoryIndex index.cgi
RewriteEngine on
RewriteCond %{REQUEST_FILENAME} !-f
RewriteCond %{REQUEST_FILENAME} !-d
RewriteRule ^(.*)$ index.cgi [L,QSA]
RULES
    return $site;
}

subtest 'which way of waiting this server has' => sub {
    my $site = RdsFailover::Site->new(threads => 16);
    my $json = $site->httpd->json;
    is($json->{mpm}, $mpm, "the status says $mpm");
    my $capacity = $json->{capacity};
    cmp_ok($capacity->{blocking}, '>', 0, "$capacity->{blocking} may keep a worker while they wait");
    cmp_ok($capacity->{blocking}, '<', 16, 'which leaves workers for the rest');
    if ($event) { cmp_ok($capacity->{requests}, '>', $capacity->{blocking}, "$capacity->{requests} may wait in all") }
    else        { is($capacity->{requests}, $capacity->{blocking}, 'no more may wait in all') }
};

subtest 'front controller and DirectoryIndex' => sub {
    my $site = front_controller();
    $site->break;
    my $clients = $site->clients;
    is($site->httpd->get('/fc/file.txt', timeout => 30)->{body}, "a file\n", 'a file is served');
    my @client = (
        (map { $clients->ask("/fc/news/today?rule-$_") } 1 .. 4),
        (map { $clients->ask("/fc/?index-$_") } 1 .. 4),
        (map { $clients->ask("/fc/index.cgi?direct-$_") } 1 .. 4),
        (map { $clients->ask("/fc/order?post-$_", method => 'POST', body => 'b' x 20_000) } 1 .. 4),
        (map { $clients->ask("/fc/late?late-$_", method => 'POST', body => 'b' x 20_000, late => 1) } 1 .. 2),
    );
    ok($site->holds(18), 'all wait');
    is(scalar($site->httpd->runs), 0, 'nothing has run');
    $_->send_body for @client[16, 17];
    $site->mend;
    ok($clients->settle, 'all are answered');
    $site->answers($clients, { 200 => 18 }, 'with one 200 each');
    my @other = grep { !/^(?:recovering|available) / } map { $_->answer->{body} } @client;
    is_deeply(\@other, [], 'by the application, which knows the state of now');
    require Digest::MD5;
    my $sum = Digest::MD5::md5_hex('b' x 20_000);
    is((grep { $_->answer->{body} =~ /$sum/ } @client), 6, 'with the whole body');
    is_deeply([sort $site->httpd->runs], [sort((map { ("GET rule-$_", "GET index-$_", "GET direct-$_", "POST post-$_") } 1 .. 4),
        map { "POST late-$_" } 1, 2)], 'each ran once');
    $site->drained;
    is($site->hold->{held}, 18, 'each was held once, redirect or not');
    $site->balanced;
};

# The section in which a request arrives is not protected, the one to which a rule for the directory redirects it is: it waits then,
# and on every MPM with its worker.
subtest 'protected by a redirect' => sub {
    my $site = front_controller(threads => 16, after => "<Location \"/open\">\nRDSFailover off\n</Location>\n");
    my $dir  = $site->httpd->dir;
    mkdir "$dir/htdocs/open";
    RdsFailover::Httpd::write_file("$dir/htdocs/open/.htaccess", "RewriteEngine on\nRewriteRule ^(.*)\$ /fc/index.cgi [L,QSA]\n");
    my $may = $site->httpd->json->{capacity}{blocking};
    $site->break;
    my $clients = $site->clients;
    my $async   = $event ? 20 : 0;
    $clients->ask("/app?$_") for 1 .. $async;
    ok($site->holds($async), "$async wait without a worker") if $async;
    $clients->ask("/open/x?open-$_") for 1 .. 40;
    ok($site->comes_to($clients, $async + 40), 'forty come that need one') or $site->tell;
    my $now = $site->hold->{now} - $async;
    cmp_ok($now, '>', 0, "$now of them wait");
    cmp_ok($now, '<=', $may, "no more than the $may that may");
    is($site->httpd->get('/static.txt', timeout => 30)->{status}, 200, 'a file is served');
    $site->mend;
    ok($clients->settle, 'who waited goes on');
    is_deeply($clients->tally, { 200 => $async + $now, 503 => 40 - $now }, 'with one answer each, the others with the ending');
    is(scalar($site->httpd->runs), $now, 'each ran once');
    $site->drained;
    $site->balanced;
};

# As many as may, and no more: the next one gets the ending at once, and files are served.
subtest 'more redirected requests than may keep a worker' => sub {
    my $site     = front_controller(threads => 16);
    my $blocking = $site->httpd->json->{capacity}{blocking};
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/fc/?$_") for 1 .. 40;
    ok($site->comes_to($clients, 40), 'forty come') or $site->tell;
    my $now = $site->hold->{now};
    cmp_ok($now, '>', 0, "$now wait");
    cmp_ok($now, '<=', $event ? 40 : $blocking, 'no more than may');
    is($site->httpd->get('/static.txt', timeout => 30)->{status}, 200, 'a file is served');
    is($site->httpd->get('/rds-status?json', timeout => 30)->{status}, 200, 'the status, too');
    my $endings = sub ($answer) { return $answer->{status} == 503 && $answer->{headers}{'retry-after'} };
    my $got = sub { return scalar grep { $endings->($_) } map { $_->answers } $clients->clients };
    ok($clients->until(sub { $got->() == 40 - $now }, 30), 'the others got the ending') or $site->tell;
    $site->mend;
    ok($clients->settle, 'who waited goes on');
    is_deeply($clients->tally, { 200 => $now, $now < 40 ? (503 => 40 - $now) : () }, 'with one answer each');
    is(scalar($site->httpd->runs), $now, 'each ran once');
    $site->drained;
    $site->balanced;
};

subtest 'one at a time' => sub {
    my $site = front_controller(release => 'concurrency=1');
    # Redirected ones and others share the one place.
    $site->app->set(delay => 0.02);
    $site->break;
    my $clients = $site->clients;
    $clients->ask($_ % 2 ? "/app?$_" : "/fc/?$_") for 1 .. 20;
    ok($site->holds(20), 'twenty wait');
    $site->mend;
    ok($clients->settle, 'all are answered');
    $site->answers($clients, { 200 => 20 }, 'with one 200 each');
    $site->drained;
    is($site->hold->{running}, 0, 'every place to run was given back');
    $site->balanced;
};

# What was asked behind it on the same connection must not wait for the place that it holds itself.
subtest 'pipelined requests and one place to run' => sub {
    my $site = RdsFailover::Site->new(threads => 40, factor => 50, release => 'concurrency=1');
    $site->break;
    my $clients = $site->clients;
    for my $n (1 .. 5) {
        my $client = $clients->ask("/app?$n-1");
        $client->ask("/app?$n-$_") for 2, 3;
    }
    ok($site->holds(5), 'the first of each waits');
    $site->mend;
    # The release gives up its pace after a minute: whoever is answered then was not let go by it.
    ok($clients->settle(45), 'all are answered') or $site->tell;
    $site->answers($clients, { 200 => 15 }, 'every request of every connection');
    $site->ran_once([map { ("$_-1", "$_-2", "$_-3") } 1 .. 5]);
    $site->drained;
    $site->balanced;
};

# Nor does an answer that is ready wait for what was asked behind it.
subtest 'answered, with a request behind it that waits' => sub {
    my $site = RdsFailover::Site->new(threads => 40, factor => 50, conf => 'SetEnvIf Request_URI exempt no-rdsfailover');
    $site->break;
    my $clients = $site->clients;
    for my $n (1 .. 5) {
        my $client = $clients->open;
        $client->hold_back;
        $client->ask($_) for '/static.txt', "/app/exempt?exempt-$n", "/app?$n";
        $client->hold_back(0);
    }
    ok($site->holds(5), 'the third of each waits');
    ok($clients->until(sub { !grep { $_->answers < 2 } $clients->clients }, 30), 'the two before it are answered meanwhile')
        or $site->tell;
    $site->mend;
    ok($clients->settle, 'all are answered');
    $site->answers($clients, { 200 => 15 }, 'every request of every connection');
    $site->balanced;
};

subtest 'the client leaves' => sub {
    my $site = front_controller();
    $site->break;
    my $clients = $site->clients;
    my @leave = map { $clients->ask("/fc/leaves?leaves-$_", method => 'POST', body => 'b' x 100) } 1 .. 4;
    my @stay  = map { $clients->ask("/fc/stays?stays-$_") } 1 .. 4;
    ok($site->holds(8), 'eight wait');
    $leave[$_]->leave for 0, 1;
    $leave[$_]->reset for 2, 3;
    ok($site->holds(4), 'four leave, and are noticed');
    is($site->hold->{aborted}, 4, 'as aborted');
    $site->mend;
    ok($clients->settle, 'the others are answered');
    is_deeply($clients->tally, { 200 => 4, left => 4 }, 'with 200');
    is_deeply([sort $site->httpd->runs], [map { "GET stays-$_" } 1 .. 4], 'who left never ran');
    ok($clients->until(sub { 4 == grep { $_->{status} == 499 } $site->httpd->accessed }, 30), 'the access log says 499');
    $site->balanced;
};

# The redirect of an ErrorDocument comes after something has run: it is not held again, whatever happens meanwhile.
subtest 'endings' => sub {
    my $site = front_controller(conf => "ErrorDocument 503 /fc/index.cgi?error\n",
        location => 'RDSFailoverHold 1s front=none then=error');
    $site->break;
    my $clients = $site->clients;
    $clients->ask("/fc/x?$_") for 1 .. 4;
    $clients->ask("/fc/index.cgi?$_") for 5 .. 8;
    ok($clients->settle, 'all get an answer though no writer came');
    is_deeply($clients->tally, { 503 => 8 }, 'the ending');
    is($site->hold->{held}, 8, 'each was held once');
    is($site->hold->{expired}, 8, 'and expired');
    is_deeply([grep { !/error/ } $site->httpd->runs], [], 'no request was executed');
    $site->balanced;
};
done_testing;
