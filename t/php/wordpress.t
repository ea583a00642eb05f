#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The real WordPress loses its database at a statement: as WordPress made it, and with drupal-settings/wordpress/db.php.
use v5.36;
use Test::More;
use RdsFailover::Mariadb    ();
use RdsFailover::MysqlProxy ();
use RdsFailover::PhpServer  ();
use RdsFailover::Wordpress  ();

my $lack = RdsFailover::Wordpress::missing() // RdsFailover::PhpServer::missing() // RdsFailover::Mariadb::missing();
plan skip_all => $lack if $lack;

my $db        = RdsFailover::Mariadb->new;
my $wordpress = RdsFailover::Wordpress->new(database => $db);
my $proxy     = RdsFailover::MysqlProxy->new(to => ['127.0.0.1', $db->{port}]);
my $stock     = $wordpress->server(port => $proxy->port);
my $ours      = $wordpress->server(port => $proxy->port, db_php => 1);
my $GET       = '/?p=101';

# Status and report of one request, with the proxy told so.
sub seen ($answer, $what) {
    note sprintf '%s: %d %s, %.1f s', $what, $answer->{status}, $answer->{outcome}, $answer->{seconds};
    return "$answer->{status} $answer->{outcome}";
}

sub get ($php, $path, $want, $what, %say) {
    $proxy->tell(%say);
    my $answer = $php->get($path);
    is(seen($answer, $what), $want, $what);
    is(scalar $proxy->saw_now('lost'), 1, '… the link was lost') if defined $say{on};
    return $answer;
}

# A comment; returns how many rows it has.
sub comment ($php, $want, $what, %say) {
    state $n = 0;
    my $text = 'comment-' . ++$n;
    $proxy->tell(%say);
    my %form   = (comment_post_ID => 101, author => 'Guest', email => 'guest@rds.test', comment => $text);
    my $answer = $php->post('/wp-comments-post.php', %form);
    is(seen($answer, $what), $want, $what);
    is(scalar $proxy->saw_now('lost'), 1, '… the link was lost') if defined $say{on};
    return $db->sql("SELECT COUNT(*) FROM shop.wp_comments WHERE comment_content = '$text'");
}

sub meta ($value) { return $db->sql("SELECT COUNT(*) FROM shop.wp_postmeta WHERE meta_key = 'rf' AND meta_value = '$value'") }

# --- nothing is wrong --------------------------------------------------------------------------------------------------
for my $php ($stock, $ours) {
    my $name = $php == $ours ? 'ours' : 'stock';
    like(get($php, $GET, '200 -', "$name, an article")->{content}, qr/RF-POST.*<\/html>/s, '… the whole of it');
    is(comment($php, '302 -', "$name, a comment"), 1, '… one row');
}
get($ours, "$GET&rf=transaction", '200 -', 'ours, a transaction');
is(meta($_), 1, "… $_") for qw(one two);
get($ours, "$GET&rf=mistake", '200 -', "ours, the application's own mistake");
like(get($ours, "$GET&rf=check", '200 -', 'ours, a plugin checks the connection')->{content}, qr/^checked/, '… it stands');
$db->sql("DELETE FROM shop.wp_postmeta WHERE meta_key = 'rf'");

# --- it cannot connect -----------------------------------------------------------------------------------------------------
get($stock, $GET, '500 -',            'stock, refused', open => 0);
get($ours,  $GET, '500 not-executed', 'ours, refused',  open => 0);
is(comment($ours, '500 not-executed', 'ours, a comment, refused', open => 0), 0, '… no row');
get($ours, $GET, '500 not-executed', 'ours, the login is lost', when => 'login');
get($ours, $GET, '500 not-executed', "ours, wpdb's own $_ is lost", on => "^$_") for 'SET NAMES', 'SELECT @@SESSION', 'SET SESSION';

# --- a read is lost ----------------------------------------------------------------------------------------------------------
get($stock, $GET, '500 -',            'stock, the first read is lost', on => 'FROM wp_options');
get($ours,  $GET, '500 not-executed', 'ours, the first read is lost',  on => 'FROM wp_options');
get($ours,  $GET, '500 not-executed', 'ours, in the middle of the page', on => 'FROM wp_comments');
my $half = get($ours, "$GET&rf=half", '500 not-executed', 'ours, half a page is in the buffer', on => 'other_half');
unlike($half->{content}, qr/half a page/, '… and is thrown away');
like($half->{content}, qr/Error establishing a database connection/, '… and the error page, which asks the database itself, is whole');
like(get($ours, "$GET&rf=shutdown", '200 not-executed', 'ours, the page is done already', on => 'at_shutdown')->{content}, qr/^done/,
    '… and stays what it is');
for my $on ('FROM wp_options', 'FROM wp_posts', 'FROM wp_comments') {
    my $answer = get($ours, $GET, '200 -', "ours, $on, the server is there again", on => $on, then => 'serve');
    like($answer->{content}, qr/RF-POST.*<\/html>/s, '… the whole page');
}
my $cut = get($ours, "$GET&rf=flush", '200 -', 'ours, a byte has left: nothing can be said', on => 'FROM wp_comments');
unlike($cut->{content}, qr/Error establishing/, '… and no error page follows what was sent');
get($ours, "$GET&rf=check", '500 not-executed', 'ours, lost before a plugin checks the connection', on => 'before_check');

# --- a comment ---------------------------------------------------------------------------------------------------------------
my %insert   = (on => 'INSERT INTO `wp_comments`');
my %executed = (%insert, when => 'after', then => 'serve');
is(comment($stock, '302 -', 'stock, INSERT executed, its answer lost, the server there again', %executed),
    2, '… the comment stands there two times');
is(comment($ours, '500 unknown', 'ours, INSERT executed, its answer lost, the server there again', %executed),
    1, '… one row');
is(comment($ours, '500 unknown', 'ours, INSERT executed, its answer lost', %insert, when => 'after'), 1, '… one row');
is(comment($ours, '500 unknown', 'ours, INSERT never arrived', %insert), 0, '… no row, and it cannot know');
my %read = (on => '^SELECT comment_ID FROM wp_comments');
is(comment($ours, '500 not-executed', 'ours, the read before the INSERT is lost', %read), 0, '… no row');
is(comment($ours, '302 -', 'ours, the same, the server is there again', %read, then => 'serve'), 1, '… one row');
$db->sql('SET GLOBAL read_only = 1');
is(comment($stock, '500 -', 'stock, the server is still read-only'), 0, '… no row');
is(comment($ours, '500 not-executed', 'ours, the server is still read-only'), 0, '… no row');
$db->sql('SET GLOBAL read_only = 0');

# --- a plugin's writes -------------------------------------------------------------------------------------------------------
my %second = (on => q{'two'}, when => 'after', then => 'serve');
get($stock, "$GET&rf=transaction", '200 -', 'stock, lost in a transaction', %second);
is(meta('one') . meta('two'), '01', '… half of it is kept');
$db->sql("DELETE FROM shop.wp_postmeta WHERE meta_key = 'rf'");
get($stock, "$GET&rf=transaction", '200 -', 'stock, COMMIT lost before', on => '^COMMIT', then => 'serve');
is(meta('one') . meta('two'), '00', '… success, and nothing is kept');
get($ours, "$GET&rf=transaction", '500 not-executed', 'ours, lost in a transaction', %second);
is(meta('one'), 0, '… rolled back');
get($ours, "$GET&rf=transaction", '500 not-executed', 'ours, a read lost in it', on => 'in_transaction', then => 'serve');
is(meta('one') . meta('two'), '00', '… rolled back');
get($ours, "$GET&rf=transaction", '500 unknown', 'ours, COMMIT lost before', on => '^COMMIT');
get($ours, "$GET&rf=transaction", '500 unknown', 'ours, COMMIT executed, its answer lost', on => '^COMMIT', when => 'after', then => 'serve');
is(meta('one'), 1, '… one row');
get($ours, "$GET&rf=transaction", '500 unknown', 'ours, lost after COMMIT', on => 'after_commit');
get($ours, "$GET&rf=write-then-read", '500 unknown', 'ours, a write answered, a read lost', on => 'after_write');
get($ours, "$GET&rf=write-then-read", '200 -', 'ours, the same, the server is there again', on => 'after_write', then => 'serve');
is(meta('written'), 2, '… a row each');
get($ours, "$GET&rf=transient", '500 not-executed', 'ours, only caches were written', on => 'after_option');
get($ours, "$GET&rf=option", '500 unknown', 'ours, a setting was written', on => 'after_option');
get($ours, "$GET&rf=idle", '200 -', 'ours, the server closed an idle connection before a write');
is(meta('idle'), 1, '… one row');

# --- what is configured ------------------------------------------------------------------------------------------------------
{
    my $php = $wordpress->server(port => $proxy->port, db_php => 1, env => { RF_DB_PASSWORD => 'wrong' });
    my $answer = get($php, $GET, '500 -', 'a wrong password is no failover');
    like($answer->{content}, qr/Error establishing a database connection/, '… and the page says so');
}
{
    my $php = $wordpress->server(port => $proxy->port, db_php => 1, env => { RDSFAILOVER_NOT_EXECUTED_FOR_WRITES => 0 },
        ini => { 'mysqlnd.net_read_timeout' => 2 });
    is(comment($php, '500 unknown', 'a comment, refused, RDSFAILOVER_NOT_EXECUTED_FOR_WRITES=0', open => 0), 0, '… no row');
    get($php, $GET, '500 not-executed', 'a silent server, mysqlnd.net_read_timeout=2', on => 'FROM wp_posts', how => 'hang');
}
unlike($ours->log, qr{PHP (?:Warning|Deprecated|Notice|Parse|Fatal)[^\n]*drupal-settings}, 'no complaint of PHP about it');
done_testing;
