#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A real browser looks at the status page while a failover goes by: states, queue, timeline and strip as they happen, without a reload,
# an error or a request to anybody else; axe-core finds nothing at any stage. Then the server goes away, and the page says so.
#   RF_PICTURES=folder   pictures of each stage, for eyes
use v5.36;
use File::Path ();
use JSON::PP ();
use Test::More;
use RdsFailover::Axe ();
use RdsFailover::Browser ();
use RdsFailover::Formats;
use RdsFailover::Story ();

if (my $lack = RdsFailover::Browser::missing()) { plan skip_all => "chromium: $lack" }
my ($no_axe) = RdsFailover::Axe::lack();

my $story = RdsFailover::Story->begin(app => 'address', outage => 20);
my $rig   = $story->rig;
my $epoch = $story->status->{epoch};
our $browser = RdsFailover::Browser->start($rig->dir . '/browser', sub (@command) { $rig->command(@command) });
my $url  = $rig->url('/rds-status');
my $page = $browser->open($url);
sub run ($expression) { return $browser->run($page, $expression) }
sub sees ($what, $expression, $limit = 60) { $browser->await($page, $expression, $limit); return pass($what) }

my $HERO = q{document.querySelector('#db-0-hero .state').textContent};
my $dir  = $ENV{RF_PICTURES} and File::Path::make_path($ENV{RF_PICTURES});

# The page as it is now, on a phone and on a desk, light and dark.
sub stage ($name) {
    for my $size ([390, 844], [1440, 900]) {
        for my $scheme (qw(light dark)) {
            $browser->look($page, @$size, $scheme);
            SKIP: {
                skip $no_axe, 1 if $no_axe;
                is(join("\n", RdsFailover::Axe::violations($browser, $page)), '', "$name, $size->[0] $scheme: axe-core finds nothing");
            }
            $browser->picture($page, "$dir/$name-$size->[0]-$scheme.png") if $dir;
        }
    }
}

sees('the page lives', q{document.documentElement.classList.contains('scripted') && document.getElementById('age').textContent.startsWith('Live')});
sees('and is available', qq{$HERO.startsWith('Available')});
run(q{window.here = 'still'; document.querySelector('#db-0-hero')});
sees('the strip has begun', q{document.querySelectorAll('#db-0-strip .states rect').length > 0});
stage('1-available');

my $failing = $story->fail_later('crash', outage => 20);
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
is(join("\n", $browser->problems($page)), '', 'and without a word in the console');
my @asked = $browser->asked($page);
is_deeply([grep { !/^(?:data:.*|\Q$url\E(?:\?(?:json|html))?)$/ } @asked], [], 'it asked its own server, for the status');
cmp_ok(scalar(grep {/\?json$/} @asked), '>=', 10, 'again and again');

# JSON of a real failover, as the schema says.
SKIP: {
    my $lack = RdsFailover::Formats::jsonschema_lack();
    skip $lack, 1 if $lack;
    my $schema = "$ENV{RF_SRCDIR}/docs/status.schema.json";
    is_deeply([RdsFailover::Formats::schema_problems($schema, JSON::PP->new->encode($story->report))], [], 'the JSON is as its schema says');
}

# --- the monitor stands still ------------------------------------------------------------------------------------------------------
my $monitor = $story->report->{monitor}{pid};
$story->signal('STOP', $monitor);
sees('the page says that the monitor is silent', q{document.querySelector('.notes .note')?.textContent.startsWith('The monitor has fallen silent')});
sees('and that nothing is known', qq{$HERO.startsWith('Unknown')});
stage('4-silent');
$story->signal('CONT', $monitor);
sees('until it goes on', qq{$HERO.startsWith('Available')});

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
stage('5-lost');
$story->signal('CONT', @serving);
sees('and finds it again', q{document.getElementById('lost').hidden && document.getElementById('age').textContent.startsWith('Live')}, 90);
$browser->end;
done_testing;
