#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A real browser looks at the status page while a failover goes by: states, queue, timeline and strip as they happen, without a reload,
# an error or a request to anybody else. Then the server goes away, and the page says so.
#   RF_PICTURES=folder   pictures of each stage, for eyes
#   RF_AXE=axe.min.js    axe-core (npm) judges each stage too
use v5.36;
use File::Path ();
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use Test::More;
use RdsFailover::Formats;
use RdsFailover::Story ();
use RdsFailover::Story::Browser ();

if (my $lack = RdsFailover::Story::Browser::missing()) { plan skip_all => "chromium: $lack" }

my $story = RdsFailover::Story->begin(app => 'address', outage => 12);
my $rig   = $story->rig;
my $epoch = $story->status->{epoch};
our $browser = RdsFailover::Story::Browser->start($rig, $rig->dir . '/browser');
my $url  = $rig->url('/rds-status');
my $page = $browser->open($rig->url('/static.txt'));

# What goes wrong in a page is kept by the page; what it asks for, too.
$browser->ask('Page.addScriptToEvaluateOnNewDocument', { source => <<'JS' }, $page);
window.wrong = []; window.asked = [];
for (const kind of ['error', 'unhandledrejection']) addEventListener(kind, (e) => wrong.push(kind + ': ' + (e.message || e.reason)));
addEventListener('securitypolicyviolation', (e) => wrong.push('policy: ' + e.violatedDirective + ' ' + e.blockedURI));
for (const level of ['error', 'warn']) { const old = console[level]; console[level] = (...a) => { wrong.push(level + ': ' + a.join(' ')); old(...a); }; }
const old = window.fetch; window.fetch = (what, ...how) => { asked.push(String(new URL(what, location))); return old(what, ...how); };
JS
$browser->ask('Page.navigate', { url => $url }, $page);
sub run ($expression) { return $browser->run($page, $expression) }
sub sees ($what, $expression, $limit = 60) { $browser->await($page, $expression, $limit); return pass($what) }

my $HERO  = q{document.querySelector('#db-0-hero .state').textContent};
my $axe   = $ENV{RF_AXE} ? RdsFailover::Formats::slurp($ENV{RF_AXE}) : '';
my @sizes = ([390, 844], [1440, 900]);

# The page as it is now, at each size, light and dark; and what axe-core says.
sub stage ($name) {
    if ($axe) {
        run($axe . '; 1');
        my $found = $browser->ask('Runtime.evaluate', { awaitPromise => JSON::PP::true, returnByValue => JSON::PP::true, expression =>
            q{axe.run().then((r) => r.violations.map((v) => v.id + ' ' + v.nodes.map((n) => n.target).join(' ')).join('\n'))} }, $page);
        is($found->{result}{value}, '', "$name: axe-core finds nothing");
    }
    my $dir = $ENV{RF_PICTURES} or return;
    File::Path::make_path($dir);
    for my $size (@sizes) {
        for my $scheme (qw(light dark)) {
            $browser->ask('Emulation.setDeviceMetricsOverride',
                { width => $size->[0], height => $size->[1], deviceScaleFactor => 1, mobile => JSON::PP::false }, $page);
            $browser->ask('Emulation.setEmulatedMedia', { features => [{ name => 'prefers-color-scheme', value => $scheme }] }, $page);
            my $shot = $browser->ask('Page.captureScreenshot', { format => 'png', captureBeyondViewport => JSON::PP::true }, $page);
            RdsFailover::Formats::write_file("$dir/$name-$size->[0]-$scheme.png", decode_base64($shot->{data}));
        }
    }
}

sees('the page lives', q{document.documentElement.classList.contains('scripted') && document.getElementById('age').textContent.startsWith('Live')});
sees('and is available', qq{$HERO.startsWith('Available')});
run(q{window.here = 'still'; document.querySelector('#db-0-hero')});
sees('the strip has begun', q{document.querySelectorAll('#db-0-strip .states rect').length > 0});
stage('1-available');

my $failing = $story->fail_later('crash', outage => 12);
sees('an outage', qq{$HERO.startsWith('Outage')});
like(run(q{document.title}), qr/^Outage/, 'in the title too');
like(run(q{document.getElementById('icon').href}), qr/b3261e/, 'and in the tab');
like(run(q{document.getElementById('said').textContent}), qr/ is (?:outage|suspect)$/, 'who does not see it, hears it');
my @waiting = map { $story->send(GET => "/trivial.php?n=$_") } 1 .. 6;
sees('six wait', q{document.querySelector('#db-0-queue dd').firstChild.textContent === '6'});
sees('the oldest has waited for a while', q{/\d/.test(document.querySelector('#db-0-queue div:nth-child(2) dd').textContent)});
sees('the timeline has begun, and waits for a writer',
    q{document.querySelector('#db-0-failover-list details[open] tr.lasting th').textContent.length > 0 &&
      [...document.querySelectorAll('#db-0-failover-list tr.lasting th')].some((e) => e.textContent === 'Writer verified')});
sees('an outage in the strip', q{document.querySelectorAll('#db-0-strip .f-outage').length > 0});
stage('2-outage');
$story->await($failing);
is($story->answer($_)->{status}, 200, 'each is answered') for @waiting;
$story->wait_state('available', epoch => $epoch + 1);
sees('available again', qq{$HERO.startsWith('Available')});
sees('nobody waits', q{document.querySelector('#db-0-queue dd').firstChild.textContent === '0'});
sees('the timeline is complete', q{[...document.querySelectorAll('#db-0-failover-list details:first-child tr.came th')].map((e) => e.textContent).join()
      === 'Detected,DNS moved,Writer verified,Requests let go,Queue empty'}) if $story->status->{failovers}[0]{dns_changed_ms};
my $writer = $story->status->{writer}{address};
sees('the chain ends at the new writer', qq{document.querySelector('#db-0-chain .writer code').textContent === '$writer'});
like(run(q{document.querySelector('#db-0-failover-list details .small').textContent}), qr/^6 requests held/, 'how many it held');
stage('3-after');
is(run('window.here'), 'still', 'all that without a reload');
is(run('wrong.join("\n")'), '', 'and without an error');
is_deeply([grep { !/^\Q$url\E\?(?:json|html)$/ } map {/\S+/g} run('asked.join(" ")')], [], 'it asked its own server, for the status');
cmp_ok(run('asked.filter((u) => u.endsWith("?json")).length'), '>=', 10, 'again and again');

# JSON of a real failover, as the schema says.
SKIP: {
    my $lack = RdsFailover::Formats::jsonschema_lack();
    skip $lack, 1 if $lack;
    my $schema = "$ENV{RF_SRCDIR}/docs/status.schema.json";
    is_deeply([RdsFailover::Formats::schema_problems($schema, JSON::PP->new->encode($story->report))], [], 'the JSON is as its schema says');
}

# --- contact is lost --------------------------------------------------------------------------------------------------------------
my @serving = $story->serving;
$story->signal('STOP', @serving);
sees('the page says that it has lost contact', q{!document.getElementById('lost').hidden && document.getElementById('age').textContent.startsWith('No contact')});
like(run(q{document.getElementById('lost').textContent}), qr/Contact with the server is lost: .*What you see is old/, 'in words');
my $lasting = q{document.querySelector('#db-0-hero .for').textContent};
my $looked  = q{document.querySelector('#db-0-hero [data-at]').textContent};
my ($said, $age) = (run($lasting), run($looked));
sees('what is old grows older', qq{$looked !== '$age'});
is(run($lasting), $said, 'but nobody knows that the state lasts');
stage('4-lost');
$story->signal('CONT', @serving);
sees('and finds it again', q{document.getElementById('lost').hidden && document.getElementById('age').textContent.startsWith('Live')}, 90);
$browser->end;
done_testing;
