# SPDX-License-Identifier: Apache-2.0
package RdsFailover::Axe;

# axe-core, which looks in a page for what keeps people from using it: contrast, names, roles, order, focus.
#   if (my $lack = RdsFailover::Axe::lack()) { plan skip_all => $lack }
#   is_deeply([RdsFailover::Axe::violations($browser, $page)], []);   RdsFailover::Browser; the page as it looks now

use v5.36;
use RdsFailover::Lint qw(slurp);
use RdsFailover::Npm ();

sub lack () { my $lack = RdsFailover::Npm::lack('t/axe', 'axe-npm'); return $lack ? "axe: $lack" : () }

# Dies when axe-core does not come to an end, or has looked at nothing.
sub violations ($browser, $page) {
    state $axe = slurp(RdsFailover::Npm::folder('axe-npm') . '/node_modules/axe-core/axe.min.js');
    $browser->run($page, "if (!window.axe) { $axe }; 1");
    my $found = $browser->run($page, <<'JS');
axe.run(document, { resultTypes: ['violations'] }).then((r) => ({ passes: r.passes.length,
    violations: r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target.join(' ') + ' ' + n.failureSummary).join('; ')) }))
JS
    $found->{passes} > 10 or die "axe-core looked at nothing\n";
    return @{ $found->{violations} };
}

1;
