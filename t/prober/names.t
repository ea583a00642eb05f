#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The prober before name servers that are right, wrong, slow and silent.
use v5.36;
use Test::More;
use RdsFailover::FakeDns;
use RdsFailover::Prober;

my $NAME = 'shop.rds.test';
my $dns  = RdsFailover::FakeDns->new(say => { names => {
    $NAME               => { cname => 'a.shop.rds.test', ttl => 60 },
    'a.shop.rds.test'   => { cname => 'host-7.rds.test', ttl => 5 },
    'host-7.rds.test'   => { a => ['10.0.1.17'], ttl => 30 },
    'one.rds.test'      => { a => ['10.0.1.18'], ttl => 0 },
    'ten.rds.test'      => { a => [map { "10.0.2.$_" } 1 .. 10], ttl => 5 },
    'many.test'         => { a => [map { "10.0.3.$_" } 1 .. 18], ttl => 5 },
    'double.rds.test'   => { a => ['10.0.1.19'], aaaa => ['2001:db8::19'], ttl => 5 },
    'six.rds.test'      => { aaaa => ['2001:db8::6'], ttl => 5 },
    'loop.rds.test'     => { cname => 'loop.rds.test', ttl => 5 },
} });
my $resolver = '127.0.0.1:' . $dns->port;

sub prober ($name = $NAME, @resolvers) {
    return RdsFailover::Prober->new(dsn => "mysql://app:secret\@$name:3306/shop", resolvers => [@resolvers ? @resolvers : $resolver]);
}
my $prober = prober();
$prober->resolve;
my %got    = map { $_->{kind} => $_ } $prober->sample, $prober->sample;
my $answer = $got{dns};
is($answer->{cause},     'none',                            'an answer');
is($answer->{cnames},    'a.shop.rds.test,host-7.rds.test', 'the chain, in order, without the endpoint itself');
is($answer->{addresses}, '10.0.1.17',                       'the address');
is($answer->{ttl},       5,                                 'the smallest TTL of all');

is($got{'dns-host'}{cause}, 'name', "this host's own resolver is asked too and does not know it");

$dns->set_name('host-7.rds.test', a => ['10.0.2.17']);
is($prober->look_up->{addresses}, '10.0.2.17', 'nothing is cached');

for my $case (
    [ 'one.rds.test', '10.0.1.18', 0 ],
    [ 'ten.rds.test', join(',', map { "10.0.2.$_" } 1 .. 10), 5 ],
    [ 'many.test', join(',', map { "10.0.3.$_" } 1 .. 16), 5 ],
    [ 'six.rds.test', '2001:db8::6', 5 ],
    [ '10.9.8.7', '10.9.8.7', 0 ],
    [ '[2001:DB8:0::1]', '2001:db8::1', 0 ],
) {
    my ($name, $addresses, $ttl) = @$case;
    my $got = prober($name)->look_up;
    is(join(',', sort { $a cmp $b } split /,/, $got->{addresses}), join(',', sort { $a cmp $b } split /,/, $addresses), "$name: addresses");
    is("$got->{cause} $got->{ttl}", "none $ttl", "$name: TTL");
}
is(join(' ', sort split /,/, prober('double.rds.test')->look_up->{addresses}), '10.0.1.19 2001:db8::19', 'both families');

for my $case (
    [ nxdomain => qr/no such name/ ],
    [ empty    => qr/no address/ ],
    [ servfail => qr/no name server gives an answer/ ],
    [ refused  => qr/no name server gives an answer/ ],
    [ garbage  => qr/cannot be read|no name server/ ],
    [ liar     => qr/no name server answers in time|no name server answered|cannot be read/ ],
) {
    my ($behave, $text) = @$case;
    $dns->set(behave => $behave);
    my $got = $prober->look_up(1000);
    is("$got->{cause} $got->{addresses}", 'name ', "$behave: no address");
    like($got->{text}, $text, "$behave: in words");
}

$dns->set(behave => 'silent');
my $got = $prober->look_up(100);
is($got->{cause}, 'name', 'silence: the verdict comes');
like($got->{text}, qr/no name server answered within 100 ms/, 'in words');
my $before = () = $dns->saw('query');
$prober->resolve(400);
my $second = $prober->resolve(400);
is($prober->await(kind => 'dns')->{ticket}, $second, 'a second question takes over the first');

$dns->set(behave => 'ok');
is($prober->look_up->{cause}, 'none', 'and then it answers again');
is(prober('loop.rds.test')->look_up(2000)->{cause}, 'name', 'a CNAME loop ends');

subtest 'two resolvers' => sub {
    my $other = RdsFailover::FakeDns->new(address => '127.0.0.2', say => { behave => 'silent' });
    my $both  = prober($NAME, '127.0.0.2:' . $other->port, $resolver);
    is($both->look_up->{addresses}, '10.0.2.17', 'the second answers when the first is silent');
    $other->set(behave => 'refused');
    is($both->look_up->{addresses}, '10.0.2.17', 'or refuses');
};

my $system = RdsFailover::Prober->new(dsn => 'mysql://app:secret@localhost:3306/shop');
my $local  = $system->look_up;
is($local->{cause}, 'none', 'without a resolver the system is asked, /etc/hosts too');
like($local->{addresses}, qr/\b127\.0\.0\.1\b/, 'localhost');
is($local->{cnames}, '', 'and has no alias');
$system->resolve;
$system->await(kind => 'dns');
is($system->sample(0.3), undef, 'and asked once');
done_testing;
