#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Each moment of t/unit/report_page.c as a real browser shows it, with its script and under its policy: axe-core finds nothing, light
# and dark, on a phone and on a desk; nothing is wider than the window; the console stays empty.
#   RF_PICTURES=folder   pictures of each, for eyes
use v5.36;
use File::Path ();
use File::Temp ();
use JSON::PP ();
use Test::More;
use RdsFailover::Axe;
use RdsFailover::Browser;
use RdsFailover::FakePages;

for my $lack (RdsFailover::Browser::missing()) { plan skip_all => "chromium: $lack" }
my ($lack) = RdsFailover::Axe::lack();

my $program = "$ENV{RF_BUILDDIR}/t/unit/report_page";
my $dir     = File::Temp->newdir;
my $profile = File::Temp->newdir;
is(system($program, "$dir"), 0, 'the moments are written') or BAIL_OUT("$program does not run");
my @moments = map { m{([^/]+)\.html$} } glob "$dir/*.html";
cmp_ok(scalar @moments, '>=', 10, 'many');

# Phones, and what a wide screen shows at 400 % (WCAG 1.4.10); a desk; a wall.
my %WIDTH = (320 => 640, 390 => 844, 1440 => 900, 2560 => 1440);
my $pages   = RdsFailover::FakePages->new(say => { folder => "$dir" });
my $browser = RdsFailover::Browser->start("$profile");
my $pictures = $ENV{RF_PICTURES} and File::Path::make_path($ENV{RF_PICTURES});

for my $moment (@moments) {
    subtest $moment => sub {
        my $page = $browser->open($pages->url("$moment?html"));
        $browser->await($page, q{document.getElementById('age').textContent.startsWith('Live')}, 60);
        my $buttons = $browser->run($page, 'document.querySelectorAll("button").length');
        if ($buttons) {
            $browser->run($page, q{document.querySelector('button[value="arm"]').click()});
            $browser->await($page, q{!document.getElementById('answer').hidden}, 60);
        }
        for my $width (sort { $a <=> $b } keys %WIDTH) {
            for my $scheme (qw(light dark)) {
                $browser->look($page, $width, $WIDTH{$width}, $scheme);
                cmp_ok($browser->run($page, 'document.documentElement.scrollWidth'), '<=', $width, "$width $scheme: all of it fits") or diag $browser->run($page,
                    '[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth).map((e) => e.outerHTML.slice(0, 120)).join("\n")');
                is($browser->run($page, 'getComputedStyle(document.documentElement).backgroundColor'),
                    $scheme eq 'dark' ? 'rgb(12, 17, 23)' : 'rgb(243, 245, 248)', "$width $scheme: as the user likes it");
                next if $width != 390 && $width != 1440;
                SKIP: {
                    skip $lack, 1 if $lack;
                    is(join("\n", RdsFailover::Axe::violations($browser, $page)), '', "$width $scheme: axe-core finds nothing");
                }
                $browser->picture($page, "$pictures/$moment-$width-$scheme.png") if $pictures;
            }
        }
        is(join("\n", $browser->problems($page)), '', 'the console is empty');
        my $own = $pages->url($moment);
        is_deeply([grep { !/^(?:data:|\Q$own\E\?(?:html|json)$)/ } $browser->asked($page)], [], 'it asked nobody else');
        is(scalar($browser->dialogs($page)), $buttons ? 1 : 0, 'and asked its user nothing but about the order');
        $browser->close($page);
    };
}
$browser->end;
done_testing;
