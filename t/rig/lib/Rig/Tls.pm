# SPDX-License-Identifier: Apache-2.0
# A certificate authority of the rig's own, and one certificate for the endpoint's name which both servers show, as RDS does.
package Rig::Tls;
use v5.36;
use Rig::Process qw(run spew);

sub create ($dir, $name) {
    mkdir $dir;
    my @key = qw(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -sha256);
    spew("$dir/server.ext", "subjectAltName=DNS:$name\nbasicConstraints=CA:FALSE\n");
    run(qw(openssl req -x509), @key, '-subj', '/CN=Rig authority', '-keyout', "$dir/ca.key", '-out', "$dir/ca.pem");
    run(qw(openssl req), @key[0 .. 4], '-subj', "/CN=$name", '-keyout', "$dir/server.key", '-out', "$dir/server.csr");
    run(qw(openssl x509 -req -days 30 -sha256 -CAcreateserial), '-in', "$dir/server.csr", '-CA', "$dir/ca.pem",
        '-CAkey', "$dir/ca.key", '-extfile', "$dir/server.ext", '-out', "$dir/server.pem");
    return if $>;
    chown((getpwnam 'mysql')[2, 3], "$dir/server.key");
    chmod 0600, "$dir/server.key";
}

1;
