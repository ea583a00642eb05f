# SPDX-License-Identifier: Apache-2.0
# One of cfn/bin's scripts, run in the rig as its operator would, and what it says. The command is the one for AWS itself; only the
# address of the API and the pace of looking are the rehearsal's.
package Demo::Procedure;
use v5.36;
use Cwd ();
use Time::HiRes qw(time);
use Rig ();

our $POLL = 2;    # seconds between looks: each starts a command that takes half a second of a processor

# A minute of RDS takes 0.6 s: what matters is the outage, which has a length of its own.
our $SCALE = 100;

sub bin { return Cwd::realpath("$ENV{RIG_HOME}/../../cfn/bin") }

# Without the module there is nobody to ask for the status, or to be told that a failover is coming.
sub command ($rig, $name, $class, $state) {
    my @site = $rig->{module} ? map { ('--status', $rig->host_url($_, '/rds-status'), '--control', $rig->host_url($_, '/rds-control')) } $rig->hosts : ();
    return (bin() . "/$name", '--class', $class, '--stack', 'demo', @site, '--poll', $POLL, '--state', $state, '--yes');
}

# Runs it; $tell->($line) gets each line that stays. Dies unless it did what it should, well or badly. Returns
# {name, class, code, seconds, page}: code 0, or 4 if something is not as it should be afterwards.
sub run ($rig, $name, $class, $state, $tell) {
    local %ENV = %ENV;
    Rig->put_on($rig->operator);
    my $began = time;
    open my $from, '-|', $rig->command('sh', '-c', 'exec "$@" 2>&1', 'sh', command($rig, $name, $class, $state)) or die "cannot run $name: $!\n";
    my ($page, $checked, @last) = (undef, 0);
    while (my $line = <$from>) {
        chomp $line;
        push @last, $line;
        shift @last if @last > 8;
        my ($step, $text) = $line =~ /^\d\d:\d\d:\d\dZ\s+(\S+)\s+(.*)/ ? ($1, $2) : ('', $line);
        $page = $1 if $step eq 'report' && $text =~ /^the page: (.*)/;
        # One line for all checks, and none for what only tells that time passes.
        $checked++, next if $step eq 'check' && $text =~ /^ok: /;
        next if $text =~ /^(?:\d+ min )?\d+ s: /;
        if ($checked && $step ne 'check') { $tell->("check: $checked of its checks find nothing wrong"); $checked = 0 }
        $tell->($step ? "$step: $text" : $text) if length $text;
    }
    close $from;
    my $code = $? >> 8;
    die "$name ended with $code:\n" . join("\n", @last) . "\n" if $code != 0 && $code != 4;
    return { name => $name, class => $class, code => $code, seconds => time - $began, page => $page };
}

# Why there can be no rehearsal here; undef when there can.
sub lacks {
    return 'the aws command is not installed (package awscli, or https://aws.amazon.com/cli/)' unless grep { -x "$_/aws" } '/usr/bin', split /:/, $ENV{PATH};
    return 'botocore is not installed for /usr/bin/python3 (package python3-botocore)' if system q{/usr/bin/python3 -c 'import botocore' 2>/dev/null};
    return undef;
}

1;
