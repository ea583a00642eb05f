#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# build, release, deploy and teardown as a person calls them, before an account that is a directory (t/cfn/operator/aws): what they make,
# what they refuse, and that a script that was killed after any of its changes goes on where it was.
use v5.36;
use Test::More;
use File::Path qw(make_path);
use File::Temp ();
use JSON::PP ();
use RdsFailover::Lint qw(slurp source_tree);

my $src = source_tree();
system('/usr/bin/python3 -c "import botocore, jmespath" 2>/dev/null') == 0
    or plan skip_all => 'aws: no python3-botocore for /usr/bin/python3';
my $scratch = File::Temp->newdir('operator-XXXXXX', TMPDIR => 1);
my $artifact = artifact('one', 'echo one');

# --- what they say of themselves ---------------------------------------------------------------------------------------------------
for my $script (qw(build release run deploy teardown)) {
    my $text = slurp("cfn/bin/$script");
    my ($loop) = $text =~ /^    case \$1 in\n(.*?)^    esac/ms or die "cfn/bin/$script: no options\n";
    my @options = $loop =~ /^    (?:-\w\|)?(--[\w-]+)\)/mg;
    my $help = run($scratch, $script, '--help');
    is($help->{status}, 0, "$script --help") or diag $help->{said};
    unlike($help->{said}, qr/shellcheck/, "$script --help ends before the comments that are for its readers");
    is(join(' ', grep { my $o = $_; !grep { $_ eq $o } @options } qw(--dry-run --yes --help)), '', "$script has --dry-run and --yes");
    is(run($scratch, $script, '--nonsense')->{status}, 2, "$script refuses an option it does not have");
}

# --- what would be billed -----------------------------------------------------------------------------------------------------------
my %type = map { $_ => 1 } map { slurp($_) =~ /^    Type: (AWS::\S+)/mg } map { "cfn/templates/$_" } map { s{.*/}{}r } glob "$src/cfn/templates/*.yaml";
my %price = map { /^(AWS\S+)\t(.+)\t(https:\S+)$/ ? ($1 => [$2, $3]) : () } split /\n/, slurp('cfn/prices.tsv');
is_deeply([sort keys %price], [sort keys %type], 'cfn/prices.tsv knows each type of resource that the templates have, and no other');
my $plan = run(account(), 'deploy', qw(--stack demo --image 1.0.0 --dry-run --parameter HostedZone=Z --parameter HostName=www.example.com));
is($plan->{status}, 0, 'deploy --dry-run') or diag $plan->{said};
is(join(' ', grep { $plan->{said} !~ /\Q$_\E\b/ } grep { $_ ne 'AWS::CloudFormation::Stack' } keys %type), '', 'lists every type');
is(join(' ', grep { $price{$_}[0] ne '-' && index($plan->{said}, "BILLED $price{$_}[0]") < 0 } keys %price), '', 'says what is billed, and how');
is(join(' ', grep { $price{$_}[0] ne '-' && index($plan->{said}, $price{$_}[1]) < 0 } keys %price), '', 'and where its price is');
is($plan->{calls}, '', 'and changes nothing');

# --- a release --------------------------------------------------------------------------------------------------------------------------
my $account = account();
set_state($account, denied => ['describe-stacks']);
like(run($account, 'release', qw(--stack demo --yes --artifact), $artifact)->{said}, qr/\A(?!.*there is no bucket).*AccessDenied/s,
    'release that may not look says that, and not that there is no bucket');
set_state($account, denied => []);
like(run($account, 'release', qw(--stack demo --yes --artifact), $artifact)->{said}, qr/there is no bucket: .*deploy --stack demo --storage-only/,
    'release without a bucket says what makes one');
my $storage = run($account, 'deploy', qw(--stack demo --storage-only --yes));
is($storage->{status}, 0, 'deploy --storage-only') or diag $storage->{said};
for (['PASSWORD="x"', qr/line 1: PASSWORD looks like a secret/], ['API_TOKEN=x', qr/looks like a secret/], ['RDS_HOSTNAME=x', qr/comes from the stack/],
    ['A=$(id)', qr/line 1 is not NAME="value"/], ["A=1\nb=2", qr/line 2 is not/], ['A="x"y', qr/line 1 is not/]) {
    my ($text, $expected) = @$_;
    like(run($account, 'release', qw(--stack demo --yes --artifact), $artifact, '--config', file($text))->{said}, $expected, "configuration '$text' is refused");
}
my $config = file(qq{# comment\nSITE_NAME="A site, with words"\nSITE_ARTICLES=5\n});
my @release = (qw(release --stack demo --yes --artifact), $artifact, '--config', $config);
my $first = run($account, @release);
is($first->{status}, 0, 'release') or diag $first->{said};
my ($name) = $first->{out} =~ /(\S+)\n\z/;
like($name, qr/^1\.0-one-[0-9a-f]{6}$/, 'is named by artifact and configuration');
my $there = "$account/s3/demo-storage-artifacts/releases/$name";
is(system("cd '$there' && sha256sum --quiet --check SHA256SUMS"), 0, 'its sums are true');
is_deeply([sort map { s{.*/}{}r } glob "$there/*"], [qw(SHA256SUMS VERSION artifact.tar.gz run site.env)], 'and it is whole');
my @puts = grep { m{^put .*/releases/} } split /\n/, $first->{calls};
like($puts[-1], qr{/SHA256SUMS$}, 'its sums were uploaded last');
my $again = run($account, @release);
is("$again->{status} $again->{calls}", "0 $first->{calls}", 'again: it is there, nothing is uploaded');
my $other = run($account, @release, '--name', $name, '--artifact', artifact('two', 'echo two'));
is($other->{status}, 1, 'another content under this name is refused');
like($other->{said}, qr/A release never changes/, 'in a sentence');
is($other->{calls}, $first->{calls}, 'and not uploaded');
like(run($account, grep({ $_ ne '--yes' } @release), '--name', 'new')->{said}, qr/nobody is there to answer; --yes answers/, 'without --yes somebody must answer');

# --- the stack ---------------------------------------------------------------------------------------------------------------------------
my @deploy = (qw(deploy --stack demo --yes --release), $name);
like(run($account, qw(deploy --stack demo --yes --release none))->{said}, qr/the bucket has no release none/, 'a release that is not there is refused');
my $deployed = run($account, @deploy, '--parameter', 'DbInstanceClass=db.t4g.medium');
is($deployed->{status}, 0, 'deploy') or diag $deployed->{said};
like($deployed->{out}, qr{^Url\thttp://balancer/$}m, 'prints the outputs');
like($deployed->{said}, qr/Add Database \(AWS::CloudFormation::Stack\)/, 'after it showed what would be added');
like($deployed->{said}, qr/demo: CREATE_COMPLETE/, 'and followed the events');
my $same = run($account, @deploy);
like($same->{said}, qr/stack demo: nothing to change/, 'again: nothing to change');
my $changed = run($account, @deploy, '--parameter', 'WebInstances=2');
is($changed->{status}, 0, 'a parameter changes') or diag $changed->{said};
my $parameters = state_of($account)->{stacks}{demo}{parameters};
is("$parameters->{WebInstances} $parameters->{DbInstanceClass} $parameters->{Release}", "2 db.t4g.medium $name", 'and all others stay as they were');
is(run($account, @deploy, '--parameter', 'Nonsense=1')->{status}, 2, 'a parameter that the template does not have is refused');

set_state($account, fail => ['demo']);
my $bad = account_like($account);
set_state($bad, fail => ['other']);
like(run($bad, qw(deploy --stack other --yes --release x))->{said}, qr/the bucket has no release/, 'another stack has another bucket');
run($bad, $release[0], '--stack', 'other', @release[3 .. $#release], '--name', 'x');
my $failed = run($bad, qw(deploy --stack other --yes --release x));
is($failed->{status}, 1, 'a stack that AWS rolls back is a failure');
like($failed->{said}, qr/stack other is ROLLBACK_COMPLETE/, 'and said to be one');
set_state($bad, fail => []);
my $repaired = run($bad, qw(deploy --stack other --yes --release x));
is($repaired->{status}, 0, 'after a repair the same command deletes what is left and begins again') or diag $repaired->{said};

my $before = run($account, qw(deploy --stack demo --static v1 --dry-run));
like($before->{said}, qr/would have each host of stack demo put static data v1 in place/, 'deploy --static --dry-run says what it would do');
unlike($before->{calls}, qr/^send-command/m, 'and asks no host');
like(run($account, qw(deploy --stack demo --static v1))->{calls}, qr{^send-command demo-fleet: .*/run --static v1$}m, 'static data is asked for on the hosts');
set_state($account, hosts => 0);
like(run($account, qw(deploy --stack demo --static v1))->{said}, qr/not every host has static data v1: Success, 0 hosts/, 'and no host is not every host');
# On a host, where static data is put below /var/lib.
my $host = "$scratch/host";
make_path("$host/tree/instance");
symlink "$src/cfn/instance/lib", "$host/tree/instance/lib" or die "$host: $!\n";
system('cp', "$src/cfn/bin/run", $host) == 0 or die "cp failed\n";
like(scalar qx{sh '$host/run' --static v1 --dry-run 2>&1}, qr/\Arun: [\d:]{8} static data v1: to do\n\z/, 'run --static --dry-run only tells');

# --- and its end ---------------------------------------------------------------------------------------------------------------------------
set_state($account, protected => JSON::PP::true, fail => []);
my $refused = run($account, qw(teardown --stack demo --yes));
like($refused->{said}, qr/deletion protection/, 'teardown refuses while the database has deletion protection');
ok(state_of($account)->{stacks}{demo}, 'and deletes nothing');
set_state($account, denied => ['describe-db-instances']);
like(run($account, qw(teardown --stack demo --yes))->{said}, qr/AccessDenied.*demo-db has deletion protection cannot be asked/s, 'and while that cannot be asked');
ok(state_of($account)->{stacks}{demo}, 'and deletes nothing');
set_state($account, denied => [], protected => JSON::PP::false());
my $half = account_like($account);
set_state($half, stacks => { %{ state_of($half)->{stacks} }, demo => { %{ state_of($half)->{stacks}{demo} }, status => 'DELETE_FAILED' } });
my $not = run($half, @deploy);
is($not->{status}, 1, 'deploy deletes nothing of a stack whose deletion failed');
like($not->{said}, qr/demo is DELETE_FAILED: cfn\/bin\/teardown goes on/, 'and says what does');
is(run($half, qw(teardown --stack demo --yes))->{status}, 0, 'which it does');
my $look = run($account, qw(teardown --stack demo --dry-run));
like($look->{said}, qr/stack demo with database demo-db.*bucket demo-storage-artifacts/s, 'teardown --dry-run names what would go');
ok(state_of($account)->{stacks}{demo}, 'and deletes nothing');
my $gone = run($account, qw(teardown --stack demo --yes));
is($gone->{status}, 0, 'teardown') or diag $gone->{said};
is_deeply(state_of($account)->{stacks}, {}, 'no stack is left');
ok(!-e "$account/s3/demo-storage-artifacts", 'nor the bucket');
like($gone->{out}, qr/snapshot demo-snapshot-1, up to 20 GiB: aws rds delete-db-snapshot/, 'what stays is named, and how to delete it');
is(run($account, qw(teardown --stack demo --yes))->{status}, 0, 'again: there is nothing to do');

# --- killed after each change, and called again ------------------------------------------------------------------------------------------------
my $killed = account();
my $deaths = lineage($killed, [qw(deploy --stack demo --yes --storage-only)]) + lineage($killed, [@release]) + lineage($killed, [@deploy]);
cmp_ok($deaths, '>=', 15, "deploy and release were killed $deaths times");
is(state_of($killed)->{stacks}{demo}{status}, 'CREATE_COMPLETE', 'and the stack is there');
is(system("cd '$killed/s3/demo-storage-artifacts/releases/$name' && sha256sum --quiet --check SHA256SUMS"), 0, 'with its release');
$deaths = lineage($killed, [qw(teardown --stack demo --yes)]);
cmp_ok($deaths, '>=', 4, "teardown was killed $deaths times");
is_deeply(state_of($killed)->{stacks}, {}, 'and nothing is left');
ok(!-e "$killed/s3/demo-storage-artifacts", 'of the bucket either');
done_testing;

# Runs a script again and again, each time killed after its first change, until it comes to its end: how often that was.
sub lineage ($where, $command) {
    for my $times (0 .. 60) {
        local $ENV{FAKE_AWS_KILL} = (state_of($where)->{changes} // 0) + 1;
        my $done = run($where, @$command);
        return $times if $done->{status} == 0;
        if ($done->{status} != 137) { fail("@$command goes on after a kill"); diag $done->{said}; return $times }
    }
    fail("@$command comes to an end");
    return 0;
}

sub account () { my $dir = File::Temp::tempdir('account-XXXXXX', DIR => $scratch); mkdir "$dir/s3"; return $dir }

sub account_like ($from) { my $dir = account(); system('cp', '-R', "$from/.", $dir) == 0 or die "cp failed\n"; return $dir }

sub state_of ($where) {
    return -e "$where/state.json" ? JSON::PP::decode_json(slurp("$where/state.json")) : {};
}

sub set_state ($where, %value) {
    my $state = { %{ state_of($where) }, %value };
    open my $out, '>', "$where/state.json" or die "$where: $!\n";
    print $out JSON::PP::encode_json($state);
    close $out or die "$where: $!\n";
    return;
}

sub artifact ($name, $content) {
    my $dir = "$scratch/artifact-$name";
    make_path($dir);
    for (['run', "#!/bin/sh\n"], ['artifact.tar.gz', $content], ['VERSION', "1.0-$name\n"]) {
        open my $out, '>', "$dir/$_->[0]" or die "$dir: $!\n";
        print $out $_->[1];
        close $out or die "$dir: $!\n";
    }
    return $dir;
}

sub file ($text) {
    state $number = 0;
    my $path = "$scratch/config-" . ++$number;
    open my $out, '>', $path or die "$path: $!\n";
    print $out "$text\n";
    close $out or die "$path: $!\n";
    return $path;
}

# { status, as a shell has it; out, what scripts read; said, both streams; calls, what was changed in the account so far }
sub run ($where, $script, @words) {
    local $ENV{PATH} = "$src/t/cfn/operator:$ENV{PATH}";
    local @ENV{qw(FAKE_AWS RDS_AWS_POLL AWS_EC2_METADATA_DISABLED)} = ("$where", 0, 'true');
    local @ENV{qw(AWS_REGION AWS_DEFAULT_REGION RDS_AWS_ENDPOINT)};
    delete @ENV{qw(AWS_REGION AWS_DEFAULT_REGION RDS_AWS_ENDPOINT)};
    my $out = File::Temp->new;
    my $status = system('sh', '-c', 'o=$1; e=$2; shift 2; exec setsid "$@" >"$o" 2>"$e" </dev/null', 'sh', "$out", "$out.err", "$src/cfn/bin/$script", @words);
    my ($said, $errors) = (slurp("$out"), slurp("$out.err"));
    unlink "$out.err";
    return { status => $status & 127 ? 128 + ($status & 127) : $status >> 8, out => $said, said => $errors . $said,
        calls => -e "$where/calls" ? slurp("$where/calls") : '' };
}
