# SPDX-License-Identifier: Apache-2.0
# Reads a file of JSON lines that another process is still writing: each call gives the lines that are new and whole.
package Demo::Follow;
use v5.36;
use JSON::PP ();

my $json = JSON::PP->new->utf8;

sub new ($class, $path) { return bless { path => $path, rest => '', all => [] }, $class }

sub more ($self) {
    if (!$self->{in}) {
        open my $in, '<', $self->{path} or return ();
        $self->{in} = $in;
    }
    seek $self->{in}, 0, 1;    # forgets that the end was seen
    local $/;
    my $text = readline $self->{in};
    $self->{rest} .= $text // '';
    my @new;
    while ($self->{rest} =~ s/^([^\n]*)\n//) { push @new, $json->decode($1) if length $1 }
    push @{ $self->{all} }, @new;
    return @new;
}

sub all ($self) { $self->more; return @{ $self->{all} } }

1;
