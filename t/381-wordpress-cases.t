#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The real WordPress, whose database goes away at one statement: what its visitor sees without us, and with us. The table of
# docs/php.md.
use v5.36;
use Test::More;
use RdsFailover::Caught    ();
use RdsFailover::Mariadb   ();
use RdsFailover::PhpFpm    ();
use RdsFailover::Wordpress ();

my $lack = RdsFailover::Wordpress::missing() // RdsFailover::Mariadb::missing() // RdsFailover::PhpFpm::missing();
plan skip_all => $lack if $lack;

my $db        = RdsFailover::Mariadb->new;
my $wordpress = RdsFailover::Wordpress->new(database => $db);
# Ours waits longer for its database than any test.
my %patient = ('mysqlnd.net_read_timeout' => 600, default_socket_timeout => 600);
my $caught  = RdsFailover::Caught->new(database => $db,
    stock => sub ($port) { $wordpress->server(fpm => 1, port => $port) },
    ours  => sub ($port) { $wordpress->server(fpm => 1, port => $port, db_php => 1, ini => {%patient}) });

# --- what is asked: a request, and a statement that counts what it wrote ------------------------------------------------------
my $number = 0;
my $ARTICLE = '/?p=101';
sub form ($path, $text) {
    return { method => 'POST', path => $path, body => $text, headers => { 'Content-Type' => 'application/x-www-form-urlencoded' } };
}
my %ask = (
    page    => sub ($who) { { path => $ARTICLE } },
    flushed => sub ($who) { { path => "$ARTICLE&rf=flush" } },
    # WordPress as it is goes on trying when its visitor has the answer: the next request must not be what is lost then.
    ended   => sub ($who) { { path => "$ARTICLE&rf=finished&who=$who" } },
    comment => sub ($who) {
        my $text = 'caught-' . ++$number;
        return (form('/wp-comments-post.php', "comment_post_ID=101&author=Guest&email=guest%40rds.test&comment=$text"),
            "SELECT COUNT(*) FROM shop.wp_comments WHERE comment_content = '$text'");
    },
    # A plugin's form: two rows in a transaction.
    plugin => sub ($who) {
        $db->sql("DELETE FROM shop.wp_postmeta WHERE meta_key = 'rf'");
        return (form("$ARTICLE&rf=transaction", 'a=1'), "SELECT COUNT(*) FROM shop.wp_postmeta WHERE meta_key = 'rf'");
    },
);
for my $kind (qw(stock ours stock ours)) {
    like($caught->ask($kind, $ask{page}->(''))->{body}, qr{RF-POST.*</html>}s, "$kind: an article") or diag($caught->php($kind)->log);
}

# --- the cases -------------------------------------------------------------------------------------------------------------------
# what is asked, where the database goes away, how; without us: status and rows; with us: the same, and how often it ran.
my @cases = (
    [page    => 'no connection: the login is lost',    { when => 'login' },                 [500],    [200, undef, 2]],
    [comment => 'no connection: the login is lost',    { when => 'login' },                 [500, 0], [302, 1, 2]],
    [page    => 'the first read is lost',              { on => 'FROM wp_options' },         [500],    [200, undef, 2]],
    [page    => 'a read in the middle is lost',        { on => 'FROM wp_comments' },        [200],    [200, undef, 2]],
    [comment => 'the read before the INSERT is lost',  { on => '^SELECT comment_ID FROM wp_comments' }, [500, 0], [302, 1, 2]],
    [plugin  => 'lost in the transaction',             { on => q{'two'} },                  [200, 0], [200, 2, 2]],
    [plugin  => 'COMMIT is lost, it never arrived',    { on => '^COMMIT' },                 [200, 0], [500, 0, 1]],
    [plugin  => 'COMMIT is executed, its answer lost', { on => '^COMMIT', when => 'after' }, [200, 2], [500, 2, 1]],
    [plugin  => 'lost after COMMIT',                   { on => 'after_commit' },            [200, 2], [500, 2, 1]],
    [comment => 'a write outside a transaction is executed, its answer lost', { on => 'INSERT INTO `wp_comments`', when => 'after' },
        [500, 1], [500, 1, 1]],
    [comment => 'the server turns read-only',          { on => 'INSERT INTO `wp_comments`', then => 'read-only' }, [500, 0], [302, 1, 2]],
    [flushed => 'lost after the first byte',           { on => 'FROM wp_comments' },        [200],    [200, undef, 1]],
    [ended   => 'lost after the answer',               { on => 'after_answer_WHO' },        [200],    [200, undef, 1]],
    [page    => 'the PHP process is killed',           { on => 'FROM wp_comments', then => 'kill' }, [503], [200, undef, 2]],
    [comment => 'the PHP process is killed',           { on => 'INSERT INTO `wp_comments`', then => 'kill' }, [503, 0], [503, 0, 1]],
);

for my $case (@cases) {
    my ($what, $where, $lost, $without, $with) = @$case;
    for my $way (['without', @$without], ['with', @$with]) {
        my ($who, $status, $rows, $attempts) = @$way;
        my ($request, $count) = $ask{$what}->($who);
        my %lost = map { $_ => $lost->{$_} =~ s/WHO/$who/r } keys %$lost;
        my $answer = $caught->$who($request, %lost);
        subtest "$what, $where: $who us" => sub {
            is($answer->{lost}, 1, 'the request was inside');
            is($answer->{status}, $status, "the visitor gets $status");
            is($answer->{attempts}, $attempts, "it ran $attempts times") if defined $attempts;
            is($db->sql($count), $rows, "rows: $rows") if defined $rows;
            like($answer->{body}, qr{RF-POST.*</html>}s, 'the whole page') if $what eq 'page' && $who eq 'with';
            unlike($answer->{body}, qr/Guest/, 'a page with holes in it') if $what eq 'page' && $who eq 'without' && $status == 200;
            is($answer->{body}, 'done', 'the whole answer') if $what eq 'ended';
        } or diag($answer->{error} // '', substr($answer->{body}, 0, 300), "\n", $caught->httpd('ours')->log =~ s/^(?!.*RF03).*\n//mgr);
    }
}

# --- a GET that wrote: what it costs to repeat it --------------------------------------------------------------------------------
my $withheld = grep { ($_->[4][2] // 0) == 2 } @cases;
is($caught->httpd('ours')->database->{replay}{withheld}, $withheld, 'so many answers were withheld');
for my $mode (['safe', 500, 1, 2], ['idempotent', 200, 2, 4]) {
    my ($name, $status, $attempts, $rows) = @$mode;
    $caught->restart("RDSFailoverReplay $name\n");
    my (undef, $count) = $ask{plugin}->('');
    my $answer = $caught->with({ path => "$ARTICLE&rf=transaction" }, on => '^COMMIT', when => 'after');
    is("$answer->{status} $answer->{attempts}", "$status $attempts", "$name: a GET whose COMMIT was executed");
    is($db->sql($count), $rows, "… the two rows are $rows");
}

# --- what no waiting repairs ------------------------------------------------------------------------------------------------------
$db->sql(q{SET PASSWORD FOR app@'%' = PASSWORD('changed')});
for my $kind (qw(stock ours)) {
    is($caught->ask($kind, $ask{page}->(''))->{status}, 500, "$kind: a wrong password is WordPress's own error, at once");
}
is($caught->httpd('ours')->database->{replay}{withheld}, 1, 'and no answer was withheld for it, but the GET of before');
$db->sql(q{SET PASSWORD FOR app@'%' = PASSWORD('secret')});
unlike($caught->php('ours')->log, qr{PHP (?:Warning|Deprecated|Notice|Parse)[^\n]*drupal-settings}, 'no complaint of PHP about drupal-settings');
done_testing;
