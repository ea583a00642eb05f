# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Browser;

# A real browser, headless Chromium, led by its DevTools protocol through a pipe (file descriptors 3 and 4).
#   my $lack    = RdsFailover::Browser::missing();      a sentence, or nothing
#   my $browser = RdsFailover::Browser->start($dir);    dies when it does not start; $dir becomes its profile
#   my $browser = RdsFailover::Browser->start($dir, sub (@command) { return $rig->command(@command) });   inside the rig
#   my $page    = $browser->open('http://…');           a tab; returns when the page is there
#   $browser->run($page, 'document.forms[0].submit()'); the value of an expression, or of the promise that it is
#   $browser->await($page, 'document.title == "done"', 60);        until the expression is true of the page shown then
#   $browser->close($page);
#   $browser->look($page, 390, 844, 'dark');            a window of that size, and a user who likes it dark
#   $browser->picture($page, 'FILE.png');               all of the page, not only what the window shows
#   $browser->problems($page);   what the console has of errors and warnings since the tab was opened
#   $browser->dialogs($page);    what the page asked its user; each is answered yes, or no after $browser->{consent} = 0
#   $browser->requests($page);   those of the page itself: {url, method, body, status, redirects => [{status, headers}, …],
#                                cookies => [what each leg brought, …]}; status is undef as long as it waits
#   $browser->asked($page);      addresses of everything it asked for, in order
use v5.36;
use File::Path ();
use IO::Select ();
use JSON::PP ();
use MIME::Base64 ();
use POSIX ();
use Time::HiRes qw(time sleep);

my $json = JSON::PP->new->utf8->allow_nonref;

sub program {
    return (grep { -x } map { my $name = $_; map {"$_/$name"} split /:/, $ENV{PATH} } qw(chromium chromium-browser google-chrome))[0];
}

sub missing { return program() ? () : 'no headless Chromium here (package chromium)' }

sub start ($class, $dir, $inside = sub (@command) { return @command }) {
    File::Path::make_path($dir);
    pipe my $commands, my $to or die "pipe: $!\n";
    pipe my $from, my $answers or die "pipe: $!\n";
    # A sandbox takes rights that root in a container and a user in a namespace lack; nothing but a test's own pages is loaded.
    my @command = $inside->(program(), qw(--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run
        --disable-background-networking --disable-component-update --disable-sync --disable-extensions --remote-debugging-pipe),
        "--user-data-dir=$dir", 'about:blank');
    my $pid = fork // die "cannot fork: $!\n";
    if (!$pid) {
        # Ends the browser with the pipe, and not with a Ctrl-C that is for the test.
        setpgrp 0, 0;
        CORE::open(STDIN,  '<', '/dev/null');
        CORE::open(STDOUT, '>', "$dir/log");
        CORE::open(STDERR, '>&', \*STDOUT);
        @ENV{qw(HOME XDG_CONFIG_HOME XDG_CACHE_HOME)} = ($dir, $dir, $dir);
        # First out of the way of the numbers that they shall have.
        my ($in, $out) = (POSIX::dup2(fileno $commands, 20), POSIX::dup2(fileno $answers, 21));
        POSIX::dup2(20, 3);
        POSIX::dup2(21, 4);
        POSIX::close($_) for 5 .. 63;
        exec {$command[0]} @command or POSIX::_exit(127);
    }
    $to->autoflush(1);
    my $self = bless { pid => $pid, owner => $$, to => $to, from => $from, dir => $dir, consent => 1 }, $class;
    @$self{qw(rest next answers pages)} = ('', 0, {}, {});
    CORE::close($_) for $commands, $answers;
    $self->ask('Browser.getVersion');
    return $self;
}

sub log_text ($self) { CORE::open(my $in, '<', "$self->{dir}/log") or return ''; local $/; return <$in> // '' }

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

# Commands without an answer that anybody waits for: a page with a dialog answers nothing else until that is closed.
sub tell ($self, $method, $params, $page) {
    print { $self->{to} } $json->encode({ id => ++$self->{next}, method => $method, params => $params, sessionId => $page }), "\0";
}

# Events of a page: what it complains of and asks its user, and the requests it makes.
sub note ($self, $message) {
    my $page = $self->{pages}{ $message->{sessionId} // '' } or return;
    my $what = $message->{params};
    if ($message->{method} eq 'Runtime.exceptionThrown') {
        my $thrown = $what->{exceptionDetails};
        push @{ $page->{problems} }, 'exception: ' . ($thrown->{exception}{description} // $thrown->{text});
    }
    elsif ($message->{method} eq 'Runtime.consoleAPICalled' && $what->{type} =~ /^(?:error|warning|assert)$/) {
        push @{ $page->{problems} }, "$what->{type}: " . join ' ', map { $_->{value} // $_->{description} // $_->{type} } @{ $what->{args} };
    }
    elsif ($message->{method} eq 'Log.entryAdded' && $what->{entry}{level} =~ /^(?:error|warning)$/) {
        push @{ $page->{problems} }, "$what->{entry}{source}: $what->{entry}{text}" . ($what->{entry}{url} ? " ($what->{entry}{url})" : '');
    }
    elsif ($message->{method} eq 'Page.javascriptDialogOpening') {
        push @{ $page->{dialogs} }, $what->{message};
        my $yes = $self->{consent} ? JSON::PP::true : JSON::PP::false;
        $self->tell('Page.handleJavaScriptDialog', { accept => $yes }, $message->{sessionId});
    }
    else { note_request($page, $message->{method}, $what) }
}

# A request that is redirected keeps its number, and its next event tells what the last leg got.
sub note_request ($page, $method, $what) {
    if ($method eq 'Network.requestWillBeSent') {
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
    elsif ($method eq 'Network.requestWillBeSentExtraInfo') {
        # What really went over the wire; comes before or after the event above.
        my ($cookie) = map { $what->{headers}{$_} } grep {/^cookie$/i} keys %{ $what->{headers} };
        push @{ $page->{cookies}{ $what->{requestId} } }, $cookie // '';
    }
    elsif ($method eq 'Network.responseReceived') {
        my $request = $page->{number}{ $what->{requestId} } or return;
        $request->{status} = $what->{response}{status};
    }
}

sub open ($self, $url) {
    my $target = $self->ask('Target.createTarget', { url => 'about:blank' })->{targetId};
    my $page   = $self->ask('Target.attachToTarget', { targetId => $target, flatten => JSON::PP::true })->{sessionId};
    $self->{pages}{$page} = { target => $target, requests => [], number => {}, cookies => {}, problems => [], dialogs => [] };
    $self->ask($_, {}, $page) for qw(Page.enable Network.enable Runtime.enable Log.enable);
    my $went = $self->ask('Page.navigate', { url => $url }, $page);
    die "$url: $went->{errorText}\n" if $went->{errorText};
    $self->await($page, 'document.readyState == "complete" && location.href != "about:blank"', 60);
    return $page;
}

# A page that has begun to go elsewhere answers when the next one is there, and not before.
sub run ($self, $page, $expression) {
    my %how    = (returnByValue => JSON::PP::true, userGesture => JSON::PP::true, awaitPromise => JSON::PP::true);
    my $result = $self->ask('Runtime.evaluate', { expression => $expression, %how }, $page, 300);
    die substr($expression, 0, 200) . ": $result->{exceptionDetails}{text}\n" if $result->{exceptionDetails};
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

sub close ($self, $page) { $self->ask('Target.closeTarget', { targetId => delete $self->{pages}{$page}{target} }) }

sub look ($self, $page, $width, $height, $scheme) {
    my %size = (width => $width, height => $height, deviceScaleFactor => 1, mobile => JSON::PP::false);
    $self->ask('Emulation.setDeviceMetricsOverride', \%size, $page);
    $self->ask('Emulation.setEmulatedMedia', { features => [{ name => 'prefers-color-scheme', value => $scheme }] }, $page);
}

sub picture ($self, $page, $file) {
    my $shot = $self->ask('Page.captureScreenshot', { format => 'png', captureBeyondViewport => JSON::PP::true }, $page);
    CORE::open(my $out, '>:raw', $file) or die "$file: $!\n";
    print {$out} MIME::Base64::decode_base64($shot->{data});
    CORE::close($out) or die "$file: $!\n";
}

# What came before an answer came before it here, too.
sub problems ($self, $page) { $self->run($page, '1'); return @{ $self->{pages}{$page}{problems} } }
sub dialogs ($self, $page)  { return @{ $self->{pages}{$page}{dialogs} } }
sub asked ($self, $page)    { return map { $_->{url} } @{ $self->{pages}{$page}{requests} } }

sub requests ($self, $page) { return grep { $_->{type} eq 'Document' } @{ $self->{pages}{$page}{requests} } }

sub end ($self) {
    my $pid = delete $self->{pid} or return;
    eval { $self->ask('Browser.close', {}, undef, 5) };
    CORE::close($self->{to});
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
