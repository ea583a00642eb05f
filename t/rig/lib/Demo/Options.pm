# SPDX-License-Identifier: Apache-2.0
# The demo's command line.
package Demo::Options;
use v5.36;
use Demo::Procedure ();

my $HELP = <<'END';
Usage: demo [options]

Puts a local Multi-AZ database under load, upgrades it to a larger class by a failover and takes it back
down by another, without the module and with it; prints the two side by side and writes
t/rig/out/report.html. Both are done by cfn/bin/upgrade and cfn/bin/downgrade, through the aws command, with
a stand-in for the RDS API. Takes about five minutes. Ctrl-C ends it and leaves nothing behind.

  --kind KIND      how the database goes away: graceful (a class change), crash, blackhole or hang (graceful)
  --outage TIME    seconds without a database, each time (15)
  --rate N         requests a second (30)
  --hosts N        web hosts (1)
  --front TIME     a load balancer before them that gives up on a request after so many seconds (none)
  --app HOW        how the application finds the database: name or address (name)
  --only WHICH     with or without: one run alone
  --build DIR      where rds-drive and stage/ are ($BUILDDIR, or build)
  --keep           keep the rigs' directories (logs) below t/rig/out
  --help           this text

Exit: 0 done, and the module kept its promise; 1 it did not, or the demo could not run; 2 bad usage; 130 stopped.
END

my %TAKES = (
    kind   => [ qr/^(?:graceful|crash|blackhole|hang)$/, 'graceful, crash, blackhole and hang are accepted' ],
    outage => [ qr/^(?:[1-9]\d?|[1-9]\d?\.\d+|[12]\d\d|300)$/, 'seconds from 1 to 300 are accepted' ],
    rate   => [ qr/^(?:[1-9]\d{0,2})$/,                  'a whole number from 1 to 999 is accepted' ],
    hosts  => [ qr/^[1-4]$/,                             'a number from 1 to 4 is accepted' ],
    front  => [ qr/^(?:1[5-9]|[2-9]\d|[1-5]\d\d|600)$/,  'seconds from 15 to 600 are accepted' ],
    app    => [ qr/^(?:name|address)$/,                  'name and address are accepted' ],
    only   => [ qr/^(?:with|without)$/,                  'with and without are accepted' ],
    build  => [ qr/./,                                   'a directory is accepted' ],
);

sub refuse ($text) { print STDERR "demo: $text\n"; exit 2 }

sub parse (@argv) {
    my %option = (kind => 'graceful', outage => 15, rate => 30, hosts => 1, front => undef, app => 'name', build => $ENV{BUILDDIR} // "$ENV{RIG_HOME}/../../build", keep => 0, only => undef);
    while (defined(my $word = shift @argv)) {
        if ($word eq '--help') { print $HELP; exit 0 }
        if ($word eq '--keep') { $option{keep} = 1; next }
        my ($name, $value) = $word =~ /^--([a-z]+)(?:=(.*))?$/s;
        my $takes = $TAKES{ $name // '' } or refuse("\"$word\" is not an option; see --help");
        $value //= shift @argv // '';
        refuse("--$name: \"$value\": $takes->[1]") unless $value =~ $takes->[0];
        $option{$name} = $value;
    }
    if (my $why = Demo::Procedure::lacks()) { refuse($why) }
    $option{build} = Cwd::realpath($option{build}) // $option{build};
    refuse("--build: \"$option{build}\": there is no rds-drive in it; build it first (./bootstrap build)") unless -x "$option{build}/rds-drive";
    refuse("--build: \"$option{build}\": there is no stage/modules/mod_rdsfailover.so in it; build it first (./bootstrap build)")
        unless ($option{only} // '') eq 'without' || -e "$option{build}/stage/modules/mod_rdsfailover.so";
    return \%option;
}

1;
