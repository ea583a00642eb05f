# SPDX-License-Identifier: Apache-2.0
# events.jsonl: one line for each thing that happened, {"t": epoch seconds with microseconds, "event": name, …}.
package Rig::Events;
use v5.36;
use Fcntl qw(O_WRONLY O_APPEND O_CREAT);
use JSON::PP ();
use Time::HiRes qw(time);

my $json = JSON::PP->new->canonical->utf8;

# $fact{t} may say when it happened, if that was known better than now. Returns the time.
sub note ($dir, $event, %fact) {
    my $t = delete $fact{t} // time;
    my $rest = $json->encode(\%fact);
    $rest = $rest eq '{}' ? '}' : ',' . substr $rest, 1;
    sysopen my $out, "$dir/events.jsonl", O_WRONLY | O_APPEND | O_CREAT, 0644 or die "cannot write $dir/events.jsonl: $!\n";
    syswrite $out, sprintf qq({"t":%.6f,"event":"%s"%s\n), $t, $event, $rest;
    return $t;
}

sub all ($dir) {
    open my $in, '<', "$dir/events.jsonl" or return;
    return map { $json->decode($_) } grep {/\}$/} <$in>;
}

1;
