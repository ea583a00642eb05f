#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# No password in anything that is shown or logged, whichever way it came in, whether it is right, wrong or refused; and what a server
# or a name server calls itself is harmless, in every format and in the log.
use v5.36;
use Test::More;
use Digest::SHA qw(sha1_base64);
use File::Temp ();
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use RdsFailover::FakeDns;
use RdsFailover::FakeMysql;
use RdsFailover::Formats;
use RdsFailover::Httpd;

my $CHECK = 'RDSFailoverCheck interval=100ms fast=50ms timeout=300ms';
my $wait  = \&RdsFailover::Httpd::wait_until;
my $db    = RdsFailover::FakeMysql->new;
my $port  = $db->port;
my $files = File::Temp->newdir(TMPDIR => 1);
my $n     = 0;
chmod 0755, "$files";
sub file ($text) { return RdsFailover::Httpd::write_file("$files/" . ++$n, $text) }
my $users = file('alice:{SHA}' . sha1_base64('wonder') . "=\n");

# Every place that shows something; mod_info shows the configuration.
sub serve ($conf, %options) {
    my $httpd = RdsFailover::Httpd->new(location => 'RDSFailover on', load => [qw(info auth_basic authn_core authn_file authz_user)], %options, conf => <<"CONF");
$conf
$CHECK
<Location "/server-info">
SetHandler server-info
</Location>
<Location "/control">
SetHandler rds-status
RDSFailoverControl on
AuthType Basic
AuthName control
AuthUserFile "$users"
Require valid-user
</Location>
CONF
    my $start = $httpd->start;
    ok($start->{up}, 'the server starts') or diag $start->{said};
    return $httpd;
}
sub shown ($httpd, $when) {
    my %control = (headers => { Authorization => 'Basic ' . encode_base64('alice:wonder', ''), 'X-RDSFailover-Control' => 1 });
    my %said = map { ("$when $_" => $httpd->get($_)) } map({"/rds-status?$_"} qw(html json auto metrics health health=db nonsense)),
        '/server-status', '/server-status?auto', '/server-info', '/server-info?config';
    $said{"$when buttons"} = $httpd->get('/control', %control);
    $control{headers}{'Content-Type'} = 'application/x-www-form-urlencoded';
    $said{"$when order $_"} = $httpd->get('/control', method => 'POST', body => $_, %control) for 'action=arm&database=other', 'action=disarm';
    return map { ($_ => join "\n", %{ $said{$_}{headers} }, $said{$_}{body}) } keys %said;
}
# Names of what holds one of these.
sub holders ($words, %text) {
    return [grep { my $name = $_; grep { index($text{$name}, $_) >= 0 } @$words } sort keys %text];
}

# --- passwords ------------------------------------------------------------------------------------------------------------------------
my $encoded = 's3cr3t%2F%40%22%3Cx%3E';
my $plain   = 's3cr3t/@"<x>';
my @SECRETS = ($plain, $encoded, 's3cr3t', encode_base64($plain, ''), RdsFailover::Formats::escaped($plain));
my $URL     = "mysql://app:$encoded\@127.0.0.1:$port/shop";
my %PARTS   = (RDS_HOSTNAME => '127.0.0.1', RDS_PORT => $port, RDS_DB_NAME => 'shop', RDS_USERNAME => 'app', RDS_PASSWORD => $plain);
my %WAY = (
    'RDSFailoverDSN'            => { conf => qq{RDSFailoverDSN "$URL"} },
    'RDSFailoverDSN and Define' => { conf => qq{Define url "$URL"\nRDSFailoverDSN \${url}} },
    'RDSFailoverDSN with a parameter' => { conf => qq{RDSFailoverDSN "$URL?ssl-mode=PREFERRED"} },
    'a virtual host'            => { conf => '', after => qq{<VirtualHost *:*>\nServerName localhost\nRDSFailoverDSN "$URL"\n</VirtualHost>\n} },
    'DATABASE_URL'              => { env => { DATABASE_URL => $URL } },
    'DATABASE_URL_FILE'         => { env => { DATABASE_URL_FILE => file("$URL\n") } },
    'RDS_PASSWORD'              => { env => {%PARTS} },
    'RDS_PASSWORD_FILE'         => { env => { %PARTS, RDS_PASSWORD => '', RDS_PASSWORD_FILE => file("$plain\n") } },
    'each part in a file'       => { env => { map { ("${_}_FILE" => file("$PARTS{$_}\n")) } keys %PARTS } },
);
for my $way (sort keys %WAY) {
    subtest $way => sub {
        my %with  = %{ $WAY{$way} };
        my $httpd = serve($with{conf} // '', map { defined $with{$_} ? ($_ => $with{$_}) : () } qw(env after));
        ok($httpd->wait_for_state('available'), 'the server has its database') or diag $httpd->log;
        is(($db->saw('login'))[-1]{user}, 'app', 'and logs in');
        my %said = shown($httpd, 'available');
        # Where it matters most: the server says what it thinks of us, and what it makes of our login.
        $db->set(behave => 'refuse', error => [1045, '28000', "Access denied for user 'app'\@'localhost' (using password: YES)"])->drop;
        ok($wait->(sub { ($httpd->database->{probe}{cause} // '') eq 'refused' }, 30), 'the login is refused') or diag explain $httpd->database;
        %said = (%said, shown($httpd, 'refused'));
        $db->set(behave => 'close')->drop;
        ok($wait->(sub { ($httpd->database->{probe}{cause} // '') =~ /lost|unreachable/ }, 30), 'the database is gone');
        %said = (%said, shown($httpd, 'gone'));
        $db->set(behave => 'ok');
        like($said{'gone /rds-status?json'}, qr/127\.0\.0\.1/, 'the status says much');
        like($said{'gone /server-info'}, qr/RDSFailover/, 'so does mod_info');
        is_deeply(holders(\@SECRETS, %said), [], 'but no password');
        is_deeply(holders(\@SECRETS, log => $httpd->log, access => RdsFailover::Httpd::slurp("$httpd->{dir}/access_log")), [], 'nor does a log');
    };
}

# --- names ---------------------------------------------------------------------------------------------------------------------------
subtest 'names that want to be something else' => sub {
    my $attack = qq{</style><script>alert("1")</script>'\\\n[Wed] RF0104: forged\x1b[2J\xff};
    my $dns    = RdsFailover::FakeDns->new;
    # A label of 63 bytes may hold any byte.
    my $label = qq{<script>"'\n\x1b\\};
    $dns->set(names => { 'shop.rds.test' => { cname => "$label.rds.test", ttl => 1 }, lc "$label.rds.test" => { a => ['127.0.0.1'], ttl => 1 } });
    $db->set(behave => 'ok');
    $db->set_variables(hostname => $attack, version => $attack);
    my $httpd = serve("RDSFailoverDSN ${\$db->dsn(host => 'shop.rds.test')}\nRDSFailoverResolver 127.0.0.1:${\$dns->port} timeout=500ms");
    ok($wait->(sub { $httpd->database->{dns}{error} }, 30), 'a name that is none is not even believed') or diag explain $httpd->database;
    my %said = shown($httpd, 'name');
    is_deeply($httpd->database->{dns}{cnames}, [], 'nor shown');
    $dns->set(names => { 'shop.rds.test' => { a => ['127.0.0.1'], ttl => 1 } });
    ok($wait->(sub { $httpd->database->{writer}{server} }, 30), 'a writer') or diag explain $httpd->database;
    %said = (%said, shown($httpd, 'ok'));
    like($httpd->database->{writer}{server}, qr{^</style><script>alert}, 'it is called what it calls itself');
    $db->set(behave => 'refuse', error => [1045, '28000', $attack])->drop;
    ok($wait->(sub { ($httpd->database->{probe}{error} // '') =~ /forged/ }, 30), 'an error that wants to be something else') or diag explain $httpd->database;
    %said = (%said, shown($httpd, 'refused'));

    my %html = map { $_ => $said{$_} } grep {/html|buttons|server-status$/} keys %said;
    is(scalar keys %html, 9, 'nine pages');
    is_deeply([grep { $html{$_} =~ /<script>(?:alert|"|&quot;)|<\/style><script>/ } sort keys %html], [], 'no page has a script that is not ours');
    is_deeply([grep { $said{$_} =~ /\x1b|[^\n]\x0c|\x07/ } sort keys %said], [], 'no format has control characters');
    for my $format (qw(auto metrics)) {
        is_deeply([grep {/^\[Wed\]/} map { split /\n/, $said{$_} } grep {/\?$format$/} keys %said], [], "$format: a name makes no line of its own");
    }
    for my $when (qw(ok refused)) {
        my ($body) = $said{"$when /rds-status?json"} =~ /(\{.*)\z/s;
        ok(eval { JSON::PP->new->utf8->decode($body) }, "$when: the JSON is JSON") or diag $@;
        SKIP: {
            my $lack = RdsFailover::Formats::promtool_lack();
            skip $lack, 1 if $lack;
            is(RdsFailover::Formats::metrics_problems($httpd->get('/rds-status?metrics')->{body}), '', "$when: promtool is content");
        }
    }
    my @log = split /\n/, $httpd->log;
    is_deeply([grep { !/^\[\w{3} \w{3} \d\d [\d:.]+ \d{4}\] \[/ } @log], [], 'every line of the log is one of httpd') or diag join "\n", @log;
    is_deeply([grep {/[\x00-\x08\x0b-\x1f\x7f]/} @log], [], 'without control characters');
    ok((grep {/RF\d{4}.*alert/} @log), 'and it names what happened');
};
done_testing;
