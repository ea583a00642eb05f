# SPDX-License-Identifier: Apache-2.0
# What one rig knows about itself, kept in state.json of its directory: options, who writes, classes.
# Written inside the namespace under a lock; anybody may read it.
package Rig::State;
use v5.36;
use Fcntl qw(:flock);
use JSON::PP ();
use Rig::Process qw(slurp spew);

my $json = JSON::PP->new->canonical->pretty->utf8;

sub load ($class, $dir) {
    my $self = bless { path => "$dir/state.json", dir => $dir, data => {} }, $class;
    $self->read if -e $self->{path};
    return $self;
}

sub read ($self) { $self->{data} = $json->decode(slurp($self->{path})); return $self }

sub get ($self, $key) { return $self->{data}{$key} }

sub option ($self, $key) { return $self->{data}{options}{$key} }

# Changes are made on what the file holds now: the rebuild in the background changes it too.
sub change ($self, $sub) {
    open my $lock, '>', "$self->{dir}/state.lock" or die "cannot lock $self->{dir}: $!\n";
    flock $lock, LOCK_EX or die "cannot lock $self->{dir}: $!\n";
    $self->read if -e $self->{path};
    $sub->($self->{data});
    spew($self->{path}, $json->encode($self->{data}));
    return $self;
}

1;
