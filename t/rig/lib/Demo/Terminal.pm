# SPDX-License-Identifier: Apache-2.0
# What a person sees while the demo runs: lines that stay, and one that tells what happens now.
package Demo::Terminal;
use v5.36;
use Time::HiRes qw(time);

sub new ($class) {
    my $tty = -t STDOUT;
    STDOUT->autoflush(1);
    return bless { tty => $tty, width => width($tty), every => $tty ? 0.5 : 5, shown => 0, live => 0 }, $class;
}

sub width ($tty) {
    return 100 unless $tty;
    my ($columns) = (`stty size 2>/dev/null` // '') =~ /^\d+ (\d+)/;
    return $columns || 80;
}

sub line ($self, $text = '') {
    print "\r\e[K" if $self->{live};
    $self->{live} = 0;
    print "$text\n";
}

# $text is a sub: called only when it is time for another one.
sub live ($self, $text) {
    return if time < $self->{shown} + $self->{every};
    $self->{shown} = time;
    my $say = $text->();
    if (!$self->{tty}) { print "$say\n"; return }
    print "\r\e[K", substr($say, 0, $self->{width} - 1);
    $self->{live} = 1;
}

sub bold ($self, $text) { return $self->{tty} ? "\e[1m$text\e[0m" : $text }
sub red ($self, $text)  { return $self->{tty} ? "\e[31m$text\e[0m" : $text }
sub green ($self, $text) { return $self->{tty} ? "\e[32m$text\e[0m" : $text }

1;
