#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The status handler: formats by query, by path and by Accept; the JSON's keys are a contract; never a password.
use v5.36;
use Test::More;
use JSON::PP qw(decode_json);
eval { require Apache::Test; Apache::Test->import(qw(-withtestmore)); require Apache::TestRequest; Apache::TestRequest->import(qw(GET HEAD POST PUT)); 1 }
    or plan skip_all => 'apache-test: Apache::Test is not installed';

sub type ($response) { return ($response->header('Content-Type') // '') =~ s/;.*//r }

# The monitor needs a moment after the start.
my $end = time + 30;
my $json;
do { $json = decode_json(GET('/rds-status?json')->content); select undef, undef, undef, 0.05 }
    until $json->{databases}[0]{state} eq 'available' || time > $end;

# --- formats -------------------------------------------------------------------------------------------------------------------
my %TYPE = (html => 'text/html', json => 'application/json', auto => 'text/plain', metrics => 'text/plain', health => 'text/plain');
for my $format (sort keys %TYPE) {
    for my $path ("/rds-status?$format", "/rds-status/$format") {
        my $response = GET($path);
        is($response->code, 200, $path);
        is(type($response), $TYPE{$format}, "$path is $TYPE{$format}");
        like($response->header('Cache-Control') // '', qr/no-store/, "$path is not stored") if $format ne 'health';
        is($response->header('X-Content-Type-Options'), 'nosniff', "$path is what it says");
        unlike($response->as_string, qr{p\@ss|p%40ss|wörd|w%C3%B6rd|w\\u00f6rd}, "$path shows no password");
    }
}
is(GET($_)->content, "ok\n", "$_, with a writer") for '/rds-status?health=db', '/rds-status/health/db';
is(type(GET('/rds-status')), 'text/html', 'the default is a page');
is(type(GET('/rds-status', Accept => 'application/json')), 'application/json', 'JSON for who asks for it');
is(type(GET('/rds-status', Accept => 'text/html,application/json;q=0.9')), 'text/html', 'a browser gets the page');
is(GET('/rds-status?nonsense')->code, 404, 'an unknown format');
like(GET('/rds-status?nonsense')->content, qr/json.*auto.*metrics.*health/, 'names the known ones');
my $head = HEAD('/rds-status?json');
is_deeply([$head->code, $head->content], [200, ''], 'HEAD');
for my $method (\&POST, \&PUT) {
    my $response = $method->('/rds-status?json');
    is($response->code, 405, $response->request->method . ' is not for this handler');
}

# --- JSON: these keys exist; what is unknown is null -----------------------------------------------------------------------------------
is_deeply([grep { !exists $json->{$_} } qw(module generated host mpm pid monitor capacity databases)], [], 'the top');
like($json->{generated}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/, 'RFC 3339');
like($json->{mpm}, qr/^(?:event|worker|prefork)$/, 'the MPM');
is_deeply([grep { !exists $json->{monitor}{$_} } qw(pid age_ms restarts)], [], 'the monitor');
my $database = $json->{databases}[0];
my %KEYS = (
    ''     => [qw(name endpoint port state since epoch armed order writer dns probe hold replay aws failovers)],
    writer => [qw(address server version read_only rtt_ms buffer_pool_bytes)],
    dns    => [qw(cnames addresses ttl changed)],
    probe  => [qw(last ok error interval_ms count failed)],
    hold   => [qw(now peak held released passed redirected expired aborted lost rejected running inflight allowed troubled oldest_ms times)],
);
for my $part (sort keys %KEYS) {
    my $object = $part ? $database->{$part} : $database;
    is_deeply([grep { !exists $object->{$_} } @{ $KEYS{$part} }], [], 'database ' . $part);
}
is($database->{state}, 'available', 'available');
is($database->{writer}{server}, 'fake-a', "the server's name");
is($database->{writer}{version}, '8.0.39', 'its version');
is($database->{writer}{buffer_pool_bytes}, 134217728, 'its buffer pool');
is($database->{writer}{read_only}, JSON::PP::false, 'writable');
is_deeply([@{ $database->{hold} }{qw(now held lost running allowed)}], [0, 0, 0, 0, undef], 'nothing held, nothing limited');
my $capacity = $json->{capacity};
is_deeply([grep { !defined $capacity->{$_} } qw(requests per_process blocking at_once_per_process limited_by advice)], [], 'what this host can hold');
cmp_ok($capacity->{requests}, '>', 0, 'is something');
is($database->{hold}{capacity}, $capacity->{requests}, 'for all databases together');

# --- ?auto: "Key: value" lines ----------------------------------------------------------------------------------------------------------
my $auto = GET('/rds-status?auto')->content;
is_deeply([grep { !/^[\w.\[\]-]+: ?.*$/ } split /\n/, $auto], [], '?auto has Key: value lines only');
like($auto, qr/: available$/m, 'and the state');

# --- the page ------------------------------------------------------------------------------------------------------------------------------
my $page = GET('/rds-status')->content;
like($page, qr/<!doctype html>/i, 'a page');
like($page, qr/available/, 'with the state');
like($page, qr/>$capacity->{requests} requests at once; $capacity->{limited_by} allows no more/, 'and with what the host can hold');
unlike($page, qr{(?:src|href)="?(?:https?:)?//}, 'that asks nobody else for anything');
like($page, qr/<noscript><meta http-equiv="refresh"/, 'and comes again without a script');
like(GET('/rds-status')->header('Content-Security-Policy') // '', qr/^default-src 'none';.*script-src 'sha256-/, 'with a policy');
# A link to another format leads there from either kind of address.
for my $path ('/rds-status', '/rds-status?html', '/rds-status/html') {
    my ($link) = GET($path)->content =~ /href="([^"]*json)"/;
    is($link, $path =~ m{/html$} ? 'json' : '?json', "from $path to $link");
}
done_testing();
