#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A real Drupal, 7 or 9 to 11, whose database goes away at one statement: what its visitor sees without us, and with us. The table of
# docs/drupal.md.
use v5.36;
use Test::More;
use RdsFailover::Caught        ();
use RdsFailover::Drupal        ();
use RdsFailover::DrupalVisitor ();
use RdsFailover::Mariadb       ();
use RdsFailover::PhpFpm        ();

my $lack = RdsFailover::Drupal::missing() // RdsFailover::Mariadb::missing() // RdsFailover::PhpFpm::missing();
plan skip_all => $lack if $lack;

my $db     = RdsFailover::Mariadb->new;
my $drupal = RdsFailover::Drupal->new(database => $db);
my $modern = RdsFailover::Drupal::modern();
my $caught = RdsFailover::Caught->new(database => $db, map { my $kind = $_; $kind => sub ($port) {
    RdsFailover::PhpFpm->new(root => $drupal->site($kind, host => '127.0.0.1', port => $port, patient => 1)) } } qw(stock ours));
my $stock  = $caught->httpd('stock');
my $guest  = RdsFailover::DrupalVisitor->new($stock);
my $admin  = RdsFailover::DrupalVisitor->new($stock)->log_in('admin', $drupal->password);
note 'Drupal ' . $drupal->version;

# The caches of both are filled.
for my $path ('/node/1', '/user/login', '/node/1') {
    $caught->ask($_, $guest->get($path)) for qw(stock ours);
}
for my $kind (qw(stock ours stock ours)) {
    my $answer = $caught->ask($kind, $admin->get('/node/1'));
    like($answer->{body}, qr/RF-POST/, "$kind: an article") or diag($caught->php($kind)->log);
}

# --- what is asked: a request, and a statement that counts what it wrote ------------------------------------------------------
my $number = 0;
my %table  = $modern ? (comment => 'comment_field_data', node => 'node_field_data', users => 'users_field_data')
    : (comment => 'comment', node => 'node', users => 'users');
my %ask = (
    page    => sub { $guest->get('/node/1') },
    private => sub { $admin->get('/node/1') },
    comment => sub {
        my $subject = 'comment-' . ++$number;
        return ($guest->post('/node/1', 'comment', subject => $subject, comment_body => 'text'),
            "SELECT COUNT(*) FROM shop.$table{comment} WHERE subject = '$subject'");
    },
    article => sub {
        my $title = 'article-' . ++$number;
        return ($admin->post('/node/add/article', 'article', title => $title, body => 'text'),
            "SELECT COUNT(*) FROM shop.$table{node} WHERE title = '$title'");
    },
    login => sub {
        $db->sql("UPDATE shop.$table{users} SET login = 1 WHERE uid = 1");
        return (RdsFailover::DrupalVisitor->new($stock)->post('/user/login', 'user_login', name => 'admin', pass => $drupal->password),
            "SELECT COUNT(*) FROM shop.$table{users} WHERE uid = 1 AND login > 1");
    },
);
# What answers a form that was accepted.
my $done = $modern ? 303 : 302;

# --- the cases -------------------------------------------------------------------------------------------------------------------
# what is asked, where the database goes away, how; without us: status and rows; with us: the same, and how often it ran.
my $first = $modern ? 'FROM .cache_container' : 'FROM .?cache_bootstrap';
# 9.4 to 10.1 take the missing answer for a missing page; and all before 10.2 a session that was not written for one that was.
my $old     = $drupal->version =~ /^(?:7|9|10\.[01])\./;
my $empty   = $modern && $old ? 404 : 500;
my $session = $old ? $done : 500;
my @cases = (
    [page    => 'no connection: the login is lost',    { when => 'login' },           [500],       [200, undef, 2]],
    [comment => 'no connection: the login is lost',    { when => 'login' },           [500, 0],    [$done, 1, 2]],
    [page    => 'the first read is lost',              { on => $first },              [$empty],    [200, undef, 2]],
    [page    => 'a later read is lost',                { on => $modern ? 'cache_page' : 'FROM .?node' }, [500], [200, undef, 2]],
    [private => 'a later read is lost',                { on => $modern ? 'cache_dynamic' : 'FROM .block_role' }, [500], [200, undef, 2]],
    [comment => 'lost in the transaction',             { on => 'INSERT INTO .?comment' }, [500, 0], [$done, 1, 2]],
    [article => 'lost in the transaction',             { on => 'INSERT INTO .?node_revision' }, [500, 0], [$done, 1, 2]],
    [article => 'COMMIT is lost, it never arrived',    { on => '^COMMIT' },           [500, 0],    [500, 0, 1]],
    [article => 'COMMIT is executed, its answer lost', { on => '^COMMIT', when => 'after' }, [500, 1], [500, 1, 1]],
    [article => 'lost after COMMIT',                   { on => $modern ? '^(?:INSERT INTO|UPDATE) .cachetags' : 'INSERT INTO .?watchdog' }, [500, 1], [500, 1, 1]],
    [login   => 'a write outside a transaction is executed, its answer lost', { on => 'UPDATE .?users.* .?login', when => 'after' },
        [500, 1], [500, 1, 1]],
    [login   => 'the write of the session is lost',    { on => 'INSERT INTO .?sessions' }, [$session, 1], [$session, 1, 1]],
    [article => 'the server turns read-only',          { on => 'INSERT INTO .?node', then => 'read-only' }, [500, 0], [$done, 1, 2]],
    [private => 'lost after the answer',               { on => 'UPDATE .?users.* .?access' }, [200], [200, undef, 1]],
    [page    => 'the PHP process is killed',           { on => $modern ? 'cache_page' : 'FROM .?node', then => 'kill' }, [503],
        [200, undef, 2]],
    [article => 'the PHP process is killed',           { on => 'INSERT INTO .?node', then => 'kill' }, [503, 0], [503, 0, 1]],
);

for my $case (@cases) {
    my ($what, $where, $lost, $without, $with) = @$case;
    for my $way (['without', @$without], ['with', @$with]) {
        my ($who, $status, $rows, $attempts) = @$way;
        # Drupal notes the last visit of a user every three minutes.
        $db->sql("UPDATE shop.$table{users} SET access = 1 WHERE uid = 1") if $where eq 'lost after the answer';
        my ($request, $count) = $ask{$what}->();
        my $answer = $caught->$who($request, %$lost);
        subtest "$what, $where: $who us" => sub {
            is($answer->{lost}, 1, 'the request was inside');
            is($answer->{status}, $status, "the visitor gets $status");
            is($answer->{attempts}, $attempts, "it ran $attempts times") if defined $attempts;
            is($db->sql($count), $rows, "rows: $rows") if defined $rows;
            like($answer->{body}, qr{RF-POST.*</html>}s, 'the whole page') if $status == 200;
        } or diag($answer->{error} // '', $caught->httpd('ours')->log =~ s/^(?!.*RF03).*\n//mgr);
    }
}

# --- what no waiting repairs ------------------------------------------------------------------------------------------------------
$db->sql(q{SET PASSWORD FOR app@'%' = PASSWORD('changed')});
for my $kind (qw(stock ours)) {
    is($caught->ask($kind, $guest->get('/node/1'))->{status}, 500, "$kind: a wrong password is Drupal's own error, at once");
}
is($caught->httpd('ours')->database->{replay}{withheld}, scalar(grep { ($_->[4][2] // 0) == 2 } @cases), 'and no answer was withheld for it');
$db->sql(q{SET PASSWORD FOR app@'%' = PASSWORD('secret')});
unlike($caught->php('ours')->log, qr{PHP (?:Warning|Deprecated|Notice|Parse)[^\n]*drupal-settings}, 'no complaint of PHP about drupal-settings');
done_testing;
