#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A real browser submits a form in the middle of an outage, through a front that gives up long before the outage ends. It arrives
# at the answer, the form is done once, and nobody clicked anything again. From a page of the same site and from one of another.
use v5.36;
use Test::More;
use RdsFailover::Browser ();
use RdsFailover::Story ();

if (my $lack = RdsFailover::Browser::missing()) { plan skip_all => "chromium: $lack" }

my ($FRONT, $OUTAGE) = $ENV{RF_FULL} ? (60, 120) : (15, 32);
my $story = RdsFailover::Story->begin(hosts => 2, front => $FRONT, app => 'address', outage => $OUTAGE);
my $rig   = $story->rig;
my $epoch = $story->status->{epoch};
my $site  = $rig->url('');

# The rig's one address of the front has two names: to a browser "localhost" and "127.0.0.1" are two sites.
my $other = $site =~ s{//127\.0\.0\.1}{//localhost}r;
$story->write_page('form.html', <<"HTML");
<!doctype html><title>Order</title>
<form method="post" action="$site/ledger.php">
<input name="token"><input name="mode" value="transaction"><button>Order</button>
</form>
HTML

our $browser;
# The request that waits. (A page that is about to be left answers no question before the next one is there.)
sub wait_of ($page) { return grep { $_->{url} =~ /ledger/ } $browser->requests($page) }

$browser = RdsFailover::Browser->start($rig->dir . '/browser', sub (@command) { $rig->command(@command) });
my %page    = (same => $browser->open("$site/form.html"), cross => $browser->open("$other/form.html"));
my $reader  = $browser->open("$site/form.html");
my $failing = $story->fail_later('crash', outage => $OUTAGE);
$story->wait_state('outage');
for my $name (sort keys %page) {
    $browser->run($page{$name}, qq{document.querySelector("[name=token]").value = "browser-$name"});
    $browser->run($page{$name}, 'document.querySelector("button").click()');
}
$browser->run($reader, qq{location.href = "$site/ledger.php?work=2&from=browser"});
$story->wait_held(3);
$story->wait_for('each was sent round', sub {
    $browser->listen(0.1);
    return 3 == grep { @{ (wait_of($_))[0]{redirects} } } values %page, $reader;
}, 2 * $FRONT);
is(scalar(grep { defined +(wait_of($_))[0]{status} } values %page, $reader), 0, 'round, and none has an answer yet');
$story->await($failing);
$rig->prime;
$story->wait_state('available', epoch => $epoch + 1);

for my $name (sort keys %page) {
    $browser->await($page{$name}, 'document.body.innerText.includes("RIG-OK")', 60);
    like($browser->run($page{$name}, 'document.body.innerText'), qr/^OK browser-$name\b/, "$name site: the answer is shown");
    is($browser->run($page{$name}, 'location.href'), "$site/ledger.php", 'at the address of the form');
    my ($order) = wait_of($page{$name});
    is("$order->{method} $order->{status}", 'POST 200', 'by the same POST');
    my @statuses = map { $_->{status} } @{ $order->{redirects} };
    cmp_ok(scalar @statuses, '>=', 2, 'sent round ' . @statuses . ' times');
    is(join(' ', grep { $_ != 307 } @statuses), '', 'by 307');
    my ($first, @later) = @{ $order->{cookies} };
    is($first, '', 'at first without a place');
    is(join(' ', grep { !/^(?:rds-place-\w+=[^;\s]+(?:; |$))+$/ } @later), '', 'and each time round with it');
    is(scalar @later, scalar @statuses, 'each time');
    is($rig->ledger->{"browser-$name"}, 1, 'the order is there, once');
}
$browser->await($reader, 'document.body.innerText.includes("RIG-OK")', 60);
is($browser->run($reader, 'location.href'), "$site/ledger.php?work=2&from=browser", 'a page that is read comes too');
is(scalar(grep { $_->{hold}{now} } $story->statuses), 0, 'nobody waits any more');
is($browser->run($page{same}, 'document.cookie'), '', 'the place is no business of scripts');
$browser->end;
done_testing;
