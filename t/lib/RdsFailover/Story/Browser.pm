# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Story::Browser;

# A real browser, headless Chromium, inside the rig, led by its DevTools protocol through a pipe (file descriptors 3 and 4).
#   my $lack    = RdsFailover::Story::Browser::missing();          a sentence, or nothing
#   my $browser = RdsFailover::Story::Browser->start($rig, $dir);  dies when it does not start; $dir becomes its profile
#   my $page    = $browser->open('http://…');                      a tab; returns when the page is there
#   $browser->run($page, 'document.forms[0].submit()');            the value of an expression
#   $browser->await($page, 'document.title == "done"', 60);        until the expression is true of the page shown then
#   $browser->requests($page);   those of the page itself: {url, method, body, status, redirects => [{status, headers}, …],
#                                cookies => [what each leg brought, …]}; status is undef as long as it waits
use v5.36;
use File::Path ();
use IO::Select ();
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(time sleep);
use Rig::Process ();

my $json = JSON::PP->new->utf8->allow_nonref;

sub program { return Rig::Process::find_program('chromium', 'chromium-browser', 'google-chrome') }

sub missing { return program() ? () : 'no headless Chromium here (package chromium)' }

sub start ($class, $rig, $dir) {
    File::Path::make_path($dir);
    pipe my $commands, my $to or die "pipe: $!\n";
    pipe my $from, my $answers or die "pipe: $!\n";
    # A sandbox takes rights that root in a container and a user in a namespace lack; nothing but the rig's own pages is loaded.
    my @command = $rig->command(program(), qw(--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run
        --disable-background-networking --disable-component-update --disable-sync --disable-extensions --remote-debugging-pipe),
        "--user-data-dir=$dir", 'about:blank');
    my $pid = fork // die "cannot fork: $!\n";
    if (!$pid) {
        # Ends the browser with the pipe, and not with a Ctrl-C that is for the test.
        setpgrp 0, 0;
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>', "$dir/log";
        open STDERR, '>&', \*STDOUT;
        @ENV{qw(HOME XDG_CONFIG_HOME XDG_CACHE_HOME)} = ($dir, $dir, $dir);
        # First out of the way of the numbers that they shall have.
        my ($in, $out) = (POSIX::dup2(fileno $commands, 20), POSIX::dup2(fileno $answers, 21));
        POSIX::dup2(20, 3);
        POSIX::dup2(21, 4);
        POSIX::close($_) for 5 .. 63;
        exec {$command[0]} @command or POSIX::_exit(127);
    }
    $to->autoflush(1);
    my $self = bless { pid => $pid, owner => $$, to => $to, from => $from, dir => $dir }, $class;
    @$self{qw(rest next answers pages)} = ('', 0, {}, {});
    close $_ for $commands, $answers;
    $self->ask('Browser.getVersion');
    return $self;
}

sub log_text ($self) { open my $in, '<', "$self->{dir}/log" or return ''; local $/; return <$in> // '' }

# One command of the protocol; dies when the browser refuses.
sub ask ($self, $method, $params = {}, $page = undef, $limit = 60) {
    my $id = ++$self->{next};
    local $SIG{PIPE} = 'IGNORE';
    my %command = (id => $id, method => $method, params => $params, ($page ? (sessionId => $page) : ()));
    print { $self->{to} } $json->encode(\%command), "\0";
    my $end = time + $limit;
    until ($self->{answers}{$id}) {
        die "the browser does not answer to $method\n" if time > $end;
        $self->listen(0.2);
    }
    my $answer = delete $self->{answers}{$id};
    die "$method: $answer->{error}{message}\n" if $answer->{error};
    return $answer->{result};
}

sub listen ($self, $patience) {
    return if !IO::Select->new($self->{from})->can_read($patience);
    sysread $self->{from}, $self->{rest}, 1 << 20, length $self->{rest} or die "the browser ended:\n" . $self->log_text;
    while ($self->{rest} =~ s/^([^\0]*)\0//) {
        my $message = $json->decode($1);
        if   ($message->{id}) { $self->{answers}{ $message->{id} } = $message }
        else                  { $self->note($message) }
    }
}

# Events of a page: the requests it makes. One that is redirected keeps its number, and its next event tells what the last leg got.
sub note ($self, $message) {
    my $page = $self->{pages}{ $message->{sessionId} // '' } or return;
    my $what = $message->{params};
    if ($message->{method} eq 'Network.requestWillBeSent') {
        my $request = $page->{number}{ $what->{requestId} };
        if (!$request) {
            my $cookies = $page->{cookies}{ $what->{requestId} } //= [];
            $request = $page->{number}{ $what->{requestId} } = { redirects => [], type => $what->{type}, cookies => $cookies };
            push @{ $page->{requests} }, $request;
        }
        my $redirect = $what->{redirectResponse};
        push @{ $request->{redirects} }, { map { $_ => $redirect->{$_} } qw(status headers) } if $redirect;
        @$request{qw(url method body)} = ($what->{request}{url}, $what->{request}{method}, $what->{request}{postData});
    }
    elsif ($message->{method} eq 'Network.requestWillBeSentExtraInfo') {
        # What really went over the wire; comes before or after the event above.
        my ($cookie) = map { $what->{headers}{$_} } grep {/^cookie$/i} keys %{ $what->{headers} };
        push @{ $page->{cookies}{ $what->{requestId} } }, $cookie // '';
    }
    elsif ($message->{method} eq 'Network.responseReceived') {
        my $request = $page->{number}{ $what->{requestId} } or return;
        $request->{status} = $what->{response}{status};
    }
}

sub open ($self, $url) {
    my $target = $self->ask('Target.createTarget', { url => 'about:blank' })->{targetId};
    my $page   = $self->ask('Target.attachToTarget', { targetId => $target, flatten => JSON::PP::true })->{sessionId};
    $self->{pages}{$page} = { requests => [], number => {}, cookies => {} };
    $self->ask($_, {}, $page) for qw(Page.enable Network.enable);
    my $went = $self->ask('Page.navigate', { url => $url }, $page);
    die "$url: $went->{errorText}\n" if $went->{errorText};
    $self->await($page, 'document.readyState == "complete" && location.href != "about:blank"', 60);
    return $page;
}

# A page that has begun to go elsewhere answers when the next one is there, and not before.
sub run ($self, $page, $expression) {
    my %how    = (returnByValue => JSON::PP::true, userGesture => JSON::PP::true);
    my $result = $self->ask('Runtime.evaluate', { expression => $expression, %how }, $page, 300);
    die "$expression: $result->{exceptionDetails}{text}\n" if $result->{exceptionDetails};
    return $result->{result}{value};
}

sub await ($self, $page, $expression, $limit) {
    my $end = time + $limit;
    until (eval { $self->run($page, $expression) }) {
        if (time > $end) {
            my $page = eval { $self->run($page, 'document.documentElement.outerHTML') } // $@;
            die "the page never has: $expression\nIt is: $page\n";
        }
        $self->listen(0.1);
    }
}

sub requests ($self, $page) { return grep { $_->{type} eq 'Document' } @{ $self->{pages}{$page}{requests} } }

sub end ($self) {
    my $pid = delete $self->{pid} or return;
    eval { $self->ask('Browser.close', {}, undef, 5) };
    close $self->{to};
    my $end = time + 10;
    until (waitpid($pid, POSIX::WNOHANG()) == $pid) {
        kill 'KILL', -$pid if time > $end;
        sleep 0.05;
    }
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    $self->end if $self->{owner} == $$;
}

1;
