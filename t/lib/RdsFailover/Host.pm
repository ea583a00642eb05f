# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Host;

# A host in a tree of its own (RdsFailover::HostTree), with a database as RDS's: a name, a certificate, a master. The test that calls
# prepare becomes another process twice: in a mount namespace, where an image is baked with this machine's network, and then in a network
# that leads nowhere, where prepare returns. What goes before prepare is done each time.
#
# site: a directory, or what makes one below a scratch directory.
#
#   my $host = RdsFailover::Host::prepare(site => "$dir/site", config => qq{SITE_NAME="x"\n});
#   my $start = $host->start;                       # as user data does it: { status, said }
#   my $page = $host->page('/');                    # { status, body }

use v5.36;
use Test::More ();
use File::Temp ();
use RdsFailover::FakeDns;
use RdsFailover::HostTree;
use RdsFailover::Mariadb;
use RdsFailover::UserData qw(user_data written_files);

my ($NAME, $BUCKET) = qw(db.instance.test artifacts);
# The load balancer's address and the host's, in the network of network.yaml.
my ($BALANCER, $HOST) = qw(10.42.0.7 10.42.0.8);

sub prepare (%option) {
    my $stage = $ENV{HOST_STAGE} // 'outside';
    outside() if $stage eq 'outside';
    bake($ENV{HOST_DIR}, %option) if $stage eq 'bake';
    return bless { tree => RdsFailover::HostTree->again($ENV{HOST_DIR}), services($ENV{HOST_DIR}) }, __PACKAGE__;
}

sub outside () {
    my $why = RdsFailover::HostTree::missing() // RdsFailover::Mariadb::missing();
    Test::More::plan(skip_all => $why) if $why;
    my $dir = File::Temp->newdir('host-XXXXXX', TMPDIR => 1);
    @ENV{qw(HOST_STAGE HOST_DIR)} = ('bake', "$dir");
    my $status = system qw(unshare --mount --pid --fork --kill-child --mount-proc), $^X, $0;
    undef $dir;
    # Not exit: nothing was planned here, and Test::More would say so.
    require POSIX;
    POSIX::_exit($status >> 8 || ($status ? 1 : 0));
}

sub bake ($dir, %option) {
    my $tree = RdsFailover::HostTree->new($dir);
    my $tls  = RdsFailover::Mariadb::certificates($NAME);
    system('cp', '-R', "$tls", "$dir/tls") == 0 or die "cp failed\n";
    my $site = ref $option{site} ? $option{site}->($dir) : $option{site};
    chomp(my $artifact = qx{'$ENV{RF_SRCDIR}/cfn/bin/build' --site '$site' --ca '$tls/ca.pem' --out '$dir/artifacts' --package});
    die "cfn/bin/build failed\n" if $?;
    my $release = $tree->path("/aws/s3/$BUCKET/releases/one");
    system('sh', '-c', 'mkdir -p "$2" && cp -R "$1/." "$2/"', 'sh', $artifact, $release) == 0 or die "cp failed\n";
    $tree->write("/aws/s3/$BUCKET/releases/one/site.env", $option{config});
    sums($tree);
    my $bake = $tree->run('sh', '-c', "mkdir -p /opt/rdsfailover/releases && cp -R /aws/s3/$BUCKET/releases/one /opt/rdsfailover/releases/"
        . ' && sh /opt/rdsfailover/releases/one/run --bake');
    if ($bake->{status} && $bake->{said} =~ /Temporary failure resolving|Could not connect|Unable to locate package/) {
        Test::More::plan(skip_all => 'packages: no mirror of Debian can be reached');
    }
    $tree->write('/aws/baked', $bake->{said} . "status $bake->{status}\n");
    $ENV{HOST_STAGE} = 'start';
    # The mounts stay.
    exec qw(unshare --net), $^X, $0 or die "unshare: $!\n";
}

# Whoever changes a release says so.
sub sums ($tree) {
    system('sh', '-c', 'cd "$1" && rm -f SHA256SUMS && sha256sum * >SHA256SUMS', 'sh', $tree->path("/aws/s3/$BUCKET/releases/one")) == 0
        or die "sha256sum failed\n";
    return;
}

sub services ($dir) {
    for ([qw(link set lo up)], map { [qw(addr add), "$_/32", qw(dev lo)] } $BALANCER, $HOST) {
        system('ip', @$_) == 0 or die "ip @$_: failed\n";
    }
    my $dns = RdsFailover::FakeDns->new(port => 53, say => { names => { $NAME => { a => ['127.0.0.1'], ttl => 5 } } });
    my $database = RdsFailover::Mariadb->new(port => 3306, options => [
        "--ssl-ca=$dir/tls/ca.pem", "--ssl-cert=$dir/tls/server.pem", "--ssl-key=$dir/tls/server.key", '--require-secure-transport=ON',
    ]);
    # A password as RDS makes them, with what shells and JSON trip over.
    $database->sql(q{CREATE USER admin@'%' IDENTIFIED BY 'ma"st\\\\er'}, q{GRANT ALL ON *.* TO admin@'%' WITH GRANT OPTION});
    my $tree = RdsFailover::HostTree->again($dir);
    $tree->write('/etc/resolv.conf', "nameserver 127.0.0.1\n");
    $tree->write('/aws/secrets/master', '{"username":"admin","password":"ma\"st\\\\er"}');
    $tree->write('/aws/secrets/site', '{"username":"site","password":"one1ONE"}');
    $tree->write('/aws/secrets/operator', '{"username":"operator","password":"switch"}');
    return (dns => $dns, database => $database);
}

sub tree     ($self) { return $self->{tree} }
sub database ($self) { return $self->{database} }
sub bucket   ($self) { return "/aws/s3/$BUCKET" }

# What run --bake said, and its status in the last line.
sub baked ($self) { return $self->{tree}->read('/aws/baked') }

# What cloud-init does with user data: it writes the files, and calls one.
sub start ($self) {
    my %file = written_files(user_data(
        'AWS::StackName' => 'demo', 'AWS::Region' => 'eu-west-1', ArtifactBucket => $BUCKET, Release => 'one', DatabaseInstance => 'demo-db',
        DatabaseEndpoint => $NAME, DatabasePort => 3306, DatabaseName => 'shop', MasterSecret => 'master', SiteSecret => 'site',
        OperatorSecret => 'operator', FrontTimeout => 180,
    ));
    $self->{tree}->write($_, $file{$_}{content}, $file{$_}{mode}) for keys %file;
    return $self->{tree}->run('/usr/local/sbin/rdsfailover-start');
}

# run of the release that is installed, as a person on the host calls it.
sub run ($self, @words) {
    return $self->{tree}->run('sh', '-c', 'set -a; . /etc/rdsfailover/stack.env; set +a; exec sh /opt/rdsfailover/releases/one/run "$@"', 'sh', @words);
}

# What CloudFormation has been told.
sub signals ($self) { return $self->{tree}->read('/aws/signals') // '' }

# A request from the host itself; words are options of curl, or headers.
sub page ($self, $path, @words) { return $self->ask("http://127.0.0.1$path", @words) }

# One that the load balancer passes on, with what it says of the visitor.
sub visitor ($self, $path, $for, @words) { return $self->ask("http://$HOST$path", "--interface $BALANCER", "X-Forwarded-For: $for", @words) }

sub ask ($self, $url, @words) {
    my @options = map { /^-/ ? split(' ', $_, 2) : ('-H', $_) } @words;
    my $answer = $self->{tree}->run(qw(curl -s -m 60 -w %{http_code}), @options, $url);
    my ($body, $code) = $answer->{said} =~ /\A(.*)(\d{3})\z/s;
    return { status => $code // 0, body => $body // '' };
}

sub stop ($self) { $self->{tree}->run('apachectl', 'stop'); return }

1;
