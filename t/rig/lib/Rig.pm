# SPDX-License-Identifier: Apache-2.0
# A rig: the laptop's stand-in for a Multi-AZ database with a site before it. The object is a guard: the rig goes with it.
# README.md tells what the methods do.
package Rig;
use v5.36;
use Cwd ();
use File::Basename ();
use File::Path ();
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(time sleep);

BEGIN { $ENV{RIG_HOME} = Cwd::realpath(File::Basename::dirname(__FILE__) . '/..') }
use lib "$ENV{RIG_HOME}/lib";
use Rig::Events    ();
use Rig::Namespace ();
use Rig::Process qw(alive);
use Rig::State ();

my $json = JSON::PP->new->canonical->utf8->allow_nonref;
my $count = 0;

my %DEFAULT = (
    module => 0, mpm => 'event', app => 'name', tls => 0, check => '', conf => '', class_a => 'small', class_b => 'small',
    php_settings => 1, outcome => undef, children => 20, workers => 100, hosts => 1, front => undef, rate => undef, outage => 15,
    httpd_env => undef, stage => undef, keep => 0, say => undef, name => undef, dir => undef);
my $MOST_HOSTS = 4;
my %CHOICE = (mpm => [qw(event prefork)], app => [qw(name address)], class_a => [qw(large small)], class_b => [qw(large small)]);

# The directory everything made at run time goes to.
sub out { return $ENV{RIG_OUT} // "$ENV{RIG_HOME}/out" }

sub default_stage { return Cwd::realpath("$ENV{RIG_HOME}/../..") . '/build/stage/modules' }

sub new ($class, %option) {
    for my $key (sort keys %option) {
        die "no option \"$key\"; there are " . join(', ', sort keys %DEFAULT) . "\n" unless exists $DEFAULT{$key};
        check($key, $option{$key});
    }
    my $self = bless { %DEFAULT, %option, owner => $$ }, $class;
    $self->{name}  //= "rig-$$-" . ++$count;
    $self->{stage} //= default_stage();
    $self->{outcome} //= $self->{module};
    $self->{dir}   //= out() . "/$self->{name}";
    return $self;
}

sub check ($key, $value) {
    die "hosts: \"" . ($value // '') . "\" is not a number from 1 to $MOST_HOSTS\n" if $key eq 'hosts' && ($value // '') !~ /^[1-$MOST_HOSTS]$/;
    die "front: \"$value\" is not 15 seconds or more\n" if $key eq 'front' && defined $value && ($value !~ /^\d+$/ || $value < 15);
    my $choice = $CHOICE{$key} or return;
    return if grep { $_ eq ($value // '') } @$choice;
    die "$key: \"" . ($value // '') . '" is not one of ' . join(', ', @$choice) . "\n";
}

# A rig that somebody else holds (the command line after "up").
sub attach ($class, $name, $dir = undef) {
    my $self = $class->new(name => $name, $dir ? (dir => $dir) : ());
    my $pid = holder_of($self->{dir}) // die "no rig \"$name\" is up (looked in $self->{dir})\n";
    return bless { %$self, %{ $self->state->get('options') // {} }, holder => $pid, guest => 1 }, $class;
}

# The process that holds the rig of that directory; undef when none does, whatever was left there.
sub holder_of ($dir) {
    return undef unless -e "$dir/state.json";
    $dir = Cwd::realpath($dir);
    my $pid = Rig::State->load($dir)->get('holder');
    return undef unless alive($pid) && open my $in, '<', "/proc/$pid/cmdline";
    return (<$in> // '') =~ /init\.pl\0\Q$dir\E\0/ ? $pid : undef;
}

sub say ($self, $text) { $self->{say}->($text) if $self->{say} }

sub up ($self) {
    my $dir = $self->{dir};
    umask 022;
    my @lack = Rig::Namespace::missing(front => $self->{front});
    die join("\n", @lack) . "\n" if @lack;
    die "the module is not at $self->{stage}/mod_rdsfailover.so: build it (./bootstrap build), or say where it is (stage)\n"
        if $self->{module} && !-e "$self->{stage}/mod_rdsfailover.so";
    $self->say('no black holes here: nft is not installed (package nftables)') unless Rig::Process::find_program('nft');
    File::Path::make_path($dir);
    $dir = $self->{dir} = Cwd::realpath($dir);
    die "a rig is up in $dir already\n" if holder_of($dir);
    die "$dir is not empty, and no rig's\n" if !-e "$dir/state.json" && !-d "$dir/log" && glob "\Q$dir\E/*";
    File::Path::remove_tree($dir);
    File::Path::make_path("$dir/log");
    chmod 0777, "$dir/log";
    my $holder = eval { Rig::Namespace::start($dir, $self->{keep}) } or do {
        my $error = $@;
        File::Path::remove_tree($dir);
        die $error;
    };
    @$self{qw(holder lifeline)} = @$holder{qw(pid lifeline)};
    my %option = map { $_ => $self->{$_} } grep { !/^(say|dir|name|keep)$/ } keys %DEFAULT;
    Rig::State->load($dir)->change(sub ($data) {
        @$data{qw(name holder options)} = ($self->{name}, $holder->{pid}, \%option);
    });
    eval { $self->inside('up', { cache => out() . '/cache' }); 1 } or do {
        my $error = $@;
        $self->{keep} ? $self->say("what it left is in $dir") : $self->down;
        die $error;
    };
    return $self;
}

# From now on the rig outlives this object and this process.
sub detach ($self) { print { $self->{lifeline} } "detach\n"; $self->{guest} = 1; return $self }

# ---- failovers -------------------------------------------------------------------------------------------------------

sub fail ($self, $kind, %option) {
    my %known = (outage => $self->{outage}, fence => undef, dns => 0, flap => undef, class => undef, rebuild => 20);
    for my $key (sort keys %option) {
        die "fail: no option \"$key\"; there are " . join(', ', sort keys %known) . "\n" unless exists $known{$key};
        check('class_a', $option{$key}) if $key eq 'class' && defined $option{$key};
    }
    %option = (%known, %option);
    $option{fence} //= $option{outage} < 2 ? $option{outage} / 2 : 1;
    return $self->inside('fail', { kind => $kind, %option });
}

sub rebuild ($self, %option) { return $self->inside('rebuild', \%option) }
sub prime ($self)            { return $self->inside('prime',   {})->{address} }
sub flip ($self, $side)      { return $self->inside('flip', { side => $side })->{t} }

sub events ($self) { return Rig::Events::all($self->{dir}) }

# The first event of that name at or after $since (epoch seconds); waits $limit seconds for it.
sub wait_event ($self, $event, $since = 0, $limit = 60) {
    my $end = time + $limit;
    while (1) {
        for my $line ($self->events) { return $line if $line->{event} eq $event && $line->{t} >= $since }
        die "no event \"$event\" within $limit s\n" if time > $end;
        sleep 0.02;
    }
}

# ---- the site --------------------------------------------------------------------------------------------------------

# Where visitors come in: the front if there is one.
sub url ($self, $path = '/')          { return 'http://' . ($self->{front} ? '127.0.0.1:8000' : '127.0.0.1:8080') . $path }
sub host_url ($self, $n, $path = '/') { return "http://127.0.0.$n:8080$path" }
sub hosts ($self)                     { return 1 .. $self->{hosts} }
sub dir ($self)              { return $self->{dir} }
sub dsn ($self)              { my $state = $self->state; return 'mysql://shop:' . $state->get('secret') . '@shop.rds.test:3306/shop' }

sub state ($self)            { return Rig::State->load($self->{dir}) }
sub status ($self)           { return $self->inside('status', {}) }
sub writer ($self)           { return $self->state->get('writer') }
sub sql ($self, $side, $sql) { return $self->inside('sql', { side => $side, sql => $sql }) }
sub ledger ($self)           { return $self->inside('ledger', {}) }

sub httpd ($self, $how = 'restart', %option) {
    my %may = map { $_ => 1 } qw(module stage check conf app rate outage workers httpd_env);
    my $host = delete $option{host};
    for my $key (sort keys %option) {
        die "httpd: \"$key\" cannot be changed while the rig is up; these can: " . join(', ', sort keys %may) . "\n" unless $may{$key};
        check($key, $option{$key});
    }
    return $self->inside('httpd', { how => $how, host => $host, option => \%option })->{pid};
}

# The environment of somebody who operates the site, inside: its control (/rds-control of each host), its database, and the RDS API
# where rds_api() has it, with AWS's published example key, which opens nothing else. Debian's aws command comes before any other. What
# the caller's own environment says of AWS, or of proxies, does not count.
sub operator ($self) {
    my %other  = map { $_ => undef } grep {/^AWS_/} keys %ENV;
    my $secret = $self->state->get('secret');
    return (
        %other, NO_PROXY => '127.0.0.1', no_proxy => '127.0.0.1', AWS_CONFIG_FILE => '/dev/null', AWS_SHARED_CREDENTIALS_FILE => '/dev/null',
        RDS_CONTROL_USER => 'operator', RDS_CONTROL_PASSWORD => $secret, DATABASE_URL => "mysql://operator:$secret\@shop.rds.test:3306/shop",
        RDS_AWS_ENDPOINT => 'http://127.0.0.1:4566', AWS_ACCESS_KEY_ID => 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY => 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
        AWS_DEFAULT_REGION => 'eu-west-1', AWS_EC2_METADATA_DISABLED => 'true', AWS_PAGER => '', PATH => "/usr/bin:$ENV{PATH}");
}

# Sets an environment as operator() gives it: what is undef goes.
sub put_on ($class, %environment) {
    for my $name (keys %environment) {
        if (defined $environment{$name}) { $ENV{$name} = $environment{$name} }
        else                             { delete $ENV{$name} }
    }
}

# The command line of the stand-in for the RDS API whose failovers, of that kind, are this rig's; to be run inside. Later options win.
sub rds_api ($self, $kind, @option) {
    my $hook = join ' ', map { "'" . s/'/'"'"'/gr . "'" } "$ENV{RIG_HOME}/aws/on-rig", '--kind', $kind, $self->{dir};
    return ("$ENV{RIG_HOME}/aws/rds-api", '--port', 4566, '--hook', $hook, '--scale', 60, '--outage', $self->{outage}, @option);
}

# ---- running things inside ---------------------------------------------------------------------------------------------

# The command line that runs @command inside; an array for exec, system or open.
sub command ($self, @command) {
    die "the rig is not up\n" unless $self->{holder};
    return Rig::Namespace::enter_command($self->{holder}, 'sh', '-c', 'cd "$1" 2>/dev/null; shift; exec "$@"', 'sh', Cwd::getcwd(), @command);
}

sub run ($self, @command) { return system($self->command(@command)) >> 8 }

sub capture ($self, @command) {
    open my $from, '-|', $self->command(@command) or die "cannot run $command[0]: $!\n";
    local $/;
    my $text = <$from> // '';
    close $from;
    return wantarray ? ($text, $? >> 8) : $text;
}

sub inside ($self, $verb, $argument) {
    open my $from, '-|', $self->command($^X, "$ENV{RIG_HOME}/lib/Rig/inside.pl", $self->{dir}, $verb, $json->encode($argument))
        or die "cannot enter the rig: $!\n";
    my ($result, $error);
    while (my $line = <$from>) {
        my $told = eval { $json->decode($line) } // { say => $line };
        if (exists $told->{say}) { $self->say($told->{say}) }
        ($result, $error) = ($told->{result}, $told->{error});
    }
    close $from;
    die $error if defined $error;
    die "$verb ended without an answer\n" if $?;
    return $result;
}

# ---- the end -----------------------------------------------------------------------------------------------------------

sub down ($self) {
    my $holder = delete $self->{holder} // return;
    my $init = first_child($holder);
    if (my $lifeline = delete $self->{lifeline}) { close $lifeline }
    kill 'TERM', $init if $init && $self->{guest};
    my $end = time + 20;
    while (alive($holder)) {
        kill 'KILL', $holder if time > $end;
        waitpid $holder, POSIX::WNOHANG();
        sleep 0.01;
    }
    return;
}

sub first_child ($pid) {
    opendir my $proc, '/proc' or return undef;
    for my $child (grep {/^\d+$/} readdir $proc) {
        open my $in, '<', "/proc/$child/stat" or next;
        return $child if (<$in> // '') =~ /^\d+ \(.*\) \S+ $pid /;
    }
    return undef;
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    $self->down if !$self->{guest} && ($self->{owner} // 0) == $$;
}

1;
