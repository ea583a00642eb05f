# SPDX-License-Identifier: Apache-2.0
package RdsFailover::DrupalVisitor;

# Somebody who uses a Drupal site by its forms, 7 as well as 9 to 11: a session, and what a browser would send.
#
#   my $visitor = RdsFailover::DrupalVisitor->new($httpd, '/drupal');      # RdsFailover::Httpd, whose database is there; where Drupal is
#   $visitor->log_in('admin', $password);
#   my $request = $visitor->get('/node/1');                                # { path, headers }: to be sent by whom it may concern
#   my $request = $visitor->post('/node/add/article', 'article', title => 'One', body => 'text');    # { method, path, headers, body }
#
# A field is named by the beginning of its name in the page: title is title[0][value] in Drupal 9.

use v5.36;
use HTTP::Tiny ();

sub new ($class, $httpd, $base = '') { return bless { httpd => $httpd, base => $base, cookie => undef }, $class }

sub headers ($self) { return $self->{cookie} ? { Cookie => $self->{cookie} } : {} }

sub get ($self, $path) { return { path => $path, headers => $self->headers } }

sub log_in ($self, $name, $password) {
    my $login  = $self->post("$self->{base}/user/login", 'user_login', name => $name, pass => $password);
    my $answer = $self->{httpd}->get($login->{path}, %$login);
    ($self->{cookie}) = ($answer->{headers}{'set-cookie'} // '') =~ /^(S?SESS[^;]+)/
        or die "nobody was logged in: $answer->{status}\n$answer->{body}\n";
    return $self;
}

# The form on the page $path whose form_id has $id in it.
sub post ($self, $path, $id, %fields) {
    my $page = $self->{httpd}->get($path, headers => $self->headers);
    my ($form) = grep {/name="form_id" value="[^"]*\Q$id\E/} ($page->{body} =~ m{<form\b.*?</form>}gs);
    die "$path has no form $id: $page->{status}\n$page->{body}\n" if !defined $form;
    my ($action) = $form =~ /^<form[^>]*\baction="([^"]*)"/;
    my %send = (inputs($form), op => button($form));
    for my $field (sort keys %fields) {
        # body[und][0][value], and not its format.
        my ($name) = sort { ($b =~ /value\]$/) <=> ($a =~ /value\]$/) } grep {/^\Q$field\E(?:\[|$)/} keys %send;
        $send{ $name // die "$id has no field $field, but: @{[sort keys %send]}\n" } = $fields{$field};
    }
    return {
        method => 'POST', path => text($action) || $path, body => HTTP::Tiny->new->www_form_urlencode(\%send),
        headers => { %{ $self->headers }, 'Content-Type' => 'application/x-www-form-urlencoded' },
    };
}

# What a browser would send of it, but for buttons: name => value.
sub inputs ($form) {
    my %send;
    for my $tag ($form =~ /<input\b[^>]*>/g) {
        my %has = attributes($tag);
        next if !defined $has{name} || $has{type} =~ /^(?:submit|button|image|file)$/;
        next if $has{type} =~ /^(?:checkbox|radio)$/ && $tag !~ /\bchecked\b/;
        $send{ $has{name} } = $has{value} // '';
    }
    while ($form =~ m{(<textarea\b[^>]*>)(.*?)</textarea>}gs) {
        my $text = $2;
        my %has  = attributes($1);
        $send{ $has{name} } = text($text) if defined $has{name};
    }
    while ($form =~ m{(<select\b[^>]*>)(.*?)</select>}gs) {
        my ($tag, $options) = ($1, $2);
        my %has = attributes($tag);
        my ($option) = ($options =~ /(<option\b[^>]*\bselected\b[^>]*>)/, $options =~ /(<option\b[^>]*>)/);
        my %chosen = attributes($option // '<option>');
        $send{ $has{name} } = $chosen{value} // '' if defined $has{name};
    }
    return %send;
}

# The one that sends it: the first, but for those that remove or preview.
sub button ($form) {
    my ($first) = grep { !/^(?:Preview|Remove|Upload|Delete)$/ }
        map { my %has = attributes($_); ($has{name} // '') eq 'op' ? $has{value} : () } $form =~ /<input\b[^>]*\btype="submit"[^>]*>/g;
    return $first // 'Save';
}

sub attributes ($tag) {
    my %has = (type => 'text');
    $has{$1} = text($2) while $tag =~ /\b([\w-]+)="([^"]*)"/g;
    return %has;
}

sub text ($html) {
    my %char = (amp => '&', lt => '<', gt => '>', quot => '"', '#039' => "'");
    return ($html // '') =~ s/&(amp|lt|gt|quot|#039);/$char{$1}/gr;
}

1;
