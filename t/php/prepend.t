#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# drupal-settings/prepend.php before applications that know nothing of it: what it says of a request, and what it does not.
use v5.36;
use FindBin;
use Test::More;
use RdsFailover::FakeMysql  ();
use RdsFailover::Mariadb    ();
use RdsFailover::MysqlProxy ();
use RdsFailover::PhpServer  ();

my $lack = RdsFailover::PhpServer::missing() // RdsFailover::Mariadb::missing();
plan skip_all => $lack if $lack;

my $src     = "$FindBin::Bin/../..";
my $prepend = "$src/drupal-settings/prepend.php";
my $closed  = RdsFailover::Mariadb::free_port('127.0.0.1');
my %start   = (root => "$FindBin::Bin/pages");
my $php     = RdsFailover::PhpServer->new(%start, ini => { auto_prepend_file => $prepend });

sub page (%query) { return '/page.php?' . HTTP::Tiny->new->www_form_urlencode({ with => 'pdo', port => $closed, %query }) }

# --- no connection -------------------------------------------------------------------------------------------------------
for my $with (qw(pdo mysqli)) {
    my %status = (throw => 500, 503 => 503, hide => 200);
    for my $error (sort keys %status) {
        my $answer = $php->get(page(with => $with, error => $error));
        is("$answer->{status} $answer->{outcome}", "$status{$error} not-executed", "$with, refused, the application: $error");
    }
}
my $answer = $php->post(page(error => 'hide'), a => 1);
is($answer->{outcome}, 'not-executed', 'a POST');
$answer = $php->get(page(error => 'callback'));
is("$answer->{headers}{'x-application'} $answer->{outcome}", 'here not-executed', 'the application has taken the header callback');
$answer = $php->get(page(error => 'flush'));
is($answer->{outcome}, '-', 'nothing can be said when a byte has left');
like($php->get(page(error => 'hide'))->{content}, qr/^timeouts 10 10$/, 'it waits 10 s for the database, not a day');

my $fake = RdsFailover::FakeMysql->new;
for my $case (
    ['not-executed', 'closes at once',                 behave => 'close'],
    ['not-executed', 'half a greeting',                behave => 'truncated'],
    ['not-executed', 'too many connections',           behave => 'deny', error => [1040, '08004', 'Too many connections']],
    ['-',            'the password is wrong',          behave => 'refuse', error => [1045, '28000', 'Access denied']],
    ['-',            'there is no such database',      behave => 'refuse', error => [1049, '42000', 'Unknown database']],
    ['-',            'nothing is wrong',               behave => 'ok'],
    ['-',            'a statement is wrong',           behave => 'fail', error => [1146, '42S02', 'No such table']],
    ['-',            'the demoted writer: a statement was sent', behave => 'fail', error => [1290, 'HY000', '--read-only']],
) {
    my ($outcome, $what, %say) = @$case;
    $fake->set(%say);
    for my $with (qw(pdo mysqli)) {
        $answer = $php->get(page(with => $with, port => $fake->port, error => 'hide', 'sql[]' => 'UPDATE t SET a = 1'));
        is($answer->{outcome}, $outcome, "$with, $what");
    }
}
$fake->set(behave => 'ok');
is($php->get(page(error => 'replica', next => $fake->port))->{outcome}, '-', 'the next server it tried answered');

# --- after something was sent ------------------------------------------------------------------------------------------
my $db = RdsFailover::Mariadb->new;
$db->sql('CREATE TABLE shop.t (a INT) ENGINE=InnoDB', 'INSERT INTO shop.t VALUES (1)');
my $proxy = RdsFailover::MysqlProxy->new(to => ['127.0.0.1', $db->{port}]);
for my $with (qw(pdo mysqli)) {
    $proxy->tell;
    is($php->get(page(with => $with, port => $proxy->port, 'sql[]' => 'SELECT a FROM t'))->{outcome}, '-', "$with, a read answered");
    for my $sql ('SELECT a FROM t', 'INSERT INTO t VALUES (2)') {
        $proxy->tell(on => '^(?:SELECT|INSERT)');
        $answer = $php->get(page(with => $with, port => $proxy->port, error => '503', 'sql[]' => $sql));
        is(scalar $proxy->saw_now('lost'), 1, "$with, $sql: lost");
        is("$answer->{status} $answer->{outcome}", '503 -', '… nothing is said: it may have been executed');
    }
}

# --- the site's own wishes -----------------------------------------------------------------------------------------------
{
    my $own = RdsFailover::PhpServer->new(%start, env => { RDSFAILOVER_NOT_EXECUTED_FOR_WRITES => 0 },
        ini => { auto_prepend_file => $prepend, 'mysqlnd.net_read_timeout' => 33, default_socket_timeout => 44 });
    like($own->get(page(port => $fake->port, error => 'hide'))->{content}, qr/^timeouts 33 44$/, 'timeouts that the site has set stay');
    is($own->get(page())->{outcome}, 'not-executed', 'GET, with RDSFAILOVER_NOT_EXECUTED_FOR_WRITES=0');
    is($own->post(page(), a => 1)->{outcome}, 'unknown', 'POST, with it');
}
{
    my $blind = RdsFailover::PhpServer->new(%start, ini => { auto_prepend_file => $prepend, 'mysqlnd.collect_statistics' => 0 });
    $answer = $blind->get(page());
    is("$answer->{status} $answer->{outcome}", '500 -', 'without statistics it says nothing');
}
is(qx{php -d auto_prepend_file='$prepend' -r 'echo "1 ", ini_get("mysqlnd.net_read_timeout");' 2>&1}, '1 86400',
    'the command line is left alone');
unlike($php->log, qr{PHP (?:Warning|Deprecated|Notice|Parse|Fatal).*prepend\.php}, 'no complaint of PHP about it');
done_testing;
