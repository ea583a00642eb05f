# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Story::Drupal;

# A failover of the rig under the visitors of a real Drupal (DRUPAL_ROOT): guests and an editor who read, and an editor who writes.
#   my $site   = RdsFailover::Story::Drupal->begin(module => 1);           # or 0: Drupal as it is, on an httpd without us
#   my $record = $site->play('crash', outage => 15, rate => 6);
# A record: {requests, failed_gets, failed_posts (as RdsFailover::Story::Replay has them), slowest_ms, and of the articles written:
# writes, lost, doubled, ghosts}.

use v5.36;
use List::Util qw(max);
use Time::HiRes qw(time sleep);
use Demo::Ledger ();
use RdsFailover::Drupal        ();
use RdsFailover::DrupalVisitor ();
use RdsFailover::Mariadb       ();
use RdsFailover::Story         ();
use RdsFailover::Story::Replay ();

my $PATIENCE = 150;    # seconds the driver waits for an answer: as long as the rig's RDSFailoverHold

# Why there can be none here, or undef.
sub missing () { return RdsFailover::Drupal::missing() // RdsFailover::Mariadb::missing() }

# %option: module, and what RdsFailover::Story->begin takes.
sub begin ($class, %option) {
    my $conf  = ($option{module} ? "RDSFailoverAbortStale on\n" : '') . ($option{conf} // '');
    my $story = RdsFailover::Story->begin(app => 'address', children => 10, %option, conf => $conf);
    my $rig   = $story->rig;
    my $state = $rig->state;
    # Installed aside: what an installer takes is nothing for a small database.
    my $aside  = RdsFailover::Mariadb->new;
    my $drupal = RdsFailover::Drupal->new(database => $aside);
    my $dump   = $rig->dir . '/drupal.sql';
    system('sh', '-c', 'mariadb-dump --no-defaults -uroot -S "$1" shop > "$2"', 'sh', "$aside->{dir}/run/socket", $dump) == 0
        or die "Drupal's database cannot be dumped\n";
    $rig->run('sh', '-c', 'mariadb --no-defaults -S "$1" shop < "$2"', 'sh', $state->get('inside') . '/a/sock', $dump) == 0
        or die "Drupal's database cannot be loaded\n";
    my $root = $drupal->site($option{module} ? 'ours' : 'stock', host => 'shop.rds.test', port => 3306, user => 'shop',
        password => $state->get('secret'));
    my $self = bless { story => $story, drupal => $drupal, conf => $conf . <<"CONF" }, $class;
Alias /drupal "$root"
<Directory "$root">
AllowOverride None
Options FollowSymLinks
Require all granted
DirectoryIndex index.php
FallbackResource /drupal/index.php
</Directory>
CONF
    $rig->httpd('restart', conf => $self->{conf});
    $story->wait_state('available') if $option{module};
    # The driver has no cookies: who says that he is the editor has the editor's.
    my $editor = RdsFailover::DrupalVisitor->new($self, '/drupal')->log_in('admin', $drupal->password);
    $rig->httpd('restart', conf => $self->{conf} .= qq(RequestHeader set Cookie "$editor->{cookie}" "expr=%{QUERY_STRING} =~ /as=editor/"\n));
    $story->wait_state('available') if $option{module};
    my $article = $editor->post('/drupal/node/add/article', 'article', title => 'TOKEN', body => 'text')->{body} =~ s/TOKEN/{token}/r;
    $self->{mix} = [
        'guest 6 GET /drupal/node/1?n={token} marker=RF-POST',
        'editor 6 GET /drupal/node/1?as=editor&n={token} marker=RF-POST',
        qq(article 4 POST /drupal/node/add/article?as=editor&n={token} expect=302,303 body="$article"),
    ];
    for my $path ('/drupal/node/1', '/drupal/node/1?as=editor', '/drupal/node/1', '/drupal/node/1?as=editor') {
        my $answer = $self->get($path);
        $answer->{body} =~ /RF-POST/ or die "$path is no article: $answer->{status}\n$answer->{body}\n";
    }
    return $self;
}

sub story  ($self) { return $self->{story} }
sub drupal ($self) { return $self->{drupal} }

# As RdsFailover::Httpd has it.
sub get ($self, $path, %option) {
    delete $option{path};
    return $self->{story}->answer($self->{story}->send(delete $option{method} // 'GET', $path, %option));
}

sub play ($self, $kind, %option) {
    my $story = $self->{story};
    my $rig   = $story->rig;
    $rig->rebuild;
    my $epoch   = $rig->{module} ? $story->status->{epoch} : undef;
    my $traffic = $story->traffic(rate => $option{rate} // 6, kinds => $self->{mix}, timeout => $PATIENCE);
    sleep 3;
    $rig->prime;
    my $told = $rig->fail($kind, outage => $option{outage}, rebuild => undef);
    $story->wait_state('available|recovering', epoch => $epoch + 1) if $rig->{module};
    $traffic->settle(20);
    $traffic->stop;
    my @failed = map { RdsFailover::Story::Replay::named($story, $told->{fault}, $_) } $traffic->bad;
    my $get    = qr/^(?:guest|editor)$/;
    my $table  = RdsFailover::Drupal::modern() ? 'node_field_data' : 'node';
    my %rows   = map {@$_} @{ $rig->sql('writer', "SELECT title, COUNT(*) FROM $table WHERE title LIKE '$traffic->{prefix}-%' GROUP BY title") };
    my $said   = Demo::Ledger::read_tokens("$traffic->{at}.tokens");
    my $ledger = Demo::Ledger::check({ map { $_ => $said->{$_} } grep { $said->{$_}{kind} eq 'article' } keys %$said }, \%rows);
    return {
        kind => $kind, requests => scalar $traffic->requests, slowest_ms => max(map { $_->{latency_ms} // () } $traffic->requests),
        failed_gets  => [ grep { $_->{kind} =~ $get } @failed ],
        failed_posts => [ grep { $_->{kind} !~ $get } @failed ],
        (map { $_ => $ledger->{$_} } qw(writes lost doubled ghosts)),
    };
}

sub end ($self) { return (delete $self->{story})->end }

1;
