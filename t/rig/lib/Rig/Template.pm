# SPDX-License-Identifier: Apache-2.0
# Configuration files from t/rig/templates: @NAME@ is replaced by a value, and a line "#if NAME" … "#end"
# (or "#if !NAME") stays only when NAME is true.
package Rig::Template;
use v5.36;
use Rig::Process qw(slurp spew);

sub home { return $ENV{RIG_HOME} // die "RIG_HOME is not set\n" }

sub fill ($name, %value) {
    my (@out, @keep);
    for my $line (split /^/, slurp(home() . "/templates/$name")) {
        if ($line =~ /^#if (!?)(\w+)$/) {
            die "$name: nothing known about $2\n" unless exists $value{$2};
            push @keep, $1 ? !$value{$2} : !!$value{$2};
            next;
        }
        if ($line =~ /^#end$/) { pop @keep; next }
        next if grep { !$_ } @keep;
        $line =~ s{\@([A-Z_]+)\@}{$value{$1} // die "$name: nothing known about $1\n"}ge;
        push @out, $line;
    }
    die "$name: #if without #end\n" if @keep;
    return join '', @out;
}

sub write ($name, $path, %value) { spew($path, fill($name, %value), 0644) }

1;
