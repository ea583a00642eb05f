# SPDX-License-Identifier: Apache-2.0
# Runs one verb inside the namespace: inside.pl <directory> <verb> <arguments as JSON>. Answers in lines of JSON: {"say": …}
# while it works, at last {"result": …} or {"error": …}.
use v5.36;
use FindBin ();
use JSON::PP ();
use lib "$FindBin::Bin/..";
use Rig::Inside ();
use Rig::Namespace ();
use Rig::State ();

my ($dir, $verb, $argument) = @ARGV;
my $json = JSON::PP->new->canonical->utf8->allow_nonref;
umask 022;
STDOUT->autoflush(1);
my $tell = sub ($key, $value) { print $json->encode({ $key => $value }), "\n" };
$ENV{RIG_INSIDE} = Rig::Namespace::inside_dir($dir);
chdir $ENV{RIG_INSIDE};
my $result = eval {
    my $state = Rig::State->load($ENV{RIG_INSIDE});
    my $sub = $Rig::Inside::VERB{$verb} // die "no verb $verb\n";
    $sub->($state, $json->decode($argument), sub ($text) { $tell->('say', $text) });
};
if ($@) { $tell->('error', "$@"); exit 1 }
$tell->('result', $result);
