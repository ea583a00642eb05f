# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# What is one host's: its sizes, its environment, its secrets, and whether it answers. Sourced by run, each time.

# Sizes from memory and processors. docs/instance.md has the reasons and tables; each number may be given in the release's
# configuration instead.
write_tuning() {
    memory=${HOST_MEMORY_MB:-$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)}
    processors=${HOST_PROCESSORS:-$(nproc)}
    child=${FPM_CHILD_MB:-70}
    # A quarter of memory for requests that wait: 128 KB each, 64 while it waits and as much for what runs of it.
    hold=${HTTPD_HOLD:-$((memory / 4 * 1024 / 128))}
    [ "$hold" -le 10000 ] || hold=10000
    # The rest but 350 MB (kernel, systemd, agents) and 128 MB (opcache) is PHP's; more than ten for a processor only compete for it.
    children=${FPM_CHILDREN:-$(((memory - 350 - 128 - hold * 128 / 1024) / child))}
    [ "$children" -le $((processors * 10)) ] || children=$((processors * 10))
    [ "$children" -ge 2 ] || fail "$memory MB are too few: not two processes of PHP with $child MB each fit beside 350 MB of system, 128 MB of
opcache and $hold held requests of 128 KB. Take a larger instance, or set HTTPD_HOLD"
    put 0644 root:root "$etc/tuning.env" <<END
# $memory MB, $processors processors: 350 MB system + 128 MB opcache + $hold x 128 KB held + $children x $child MB of PHP = $((350 + 128 + hold * 128 / 1024 + children * child)) MB
FPM_CHILDREN=$children
HTTPD_HOLD=$hold
# Two processes of 25 threads, 20 of which may run released requests: held / 2 / (25 - 20 - 1)
HTTPD_FACTOR=$(((hold + 7) / 8))
END
    say "$(sed -n '1s/^# //p' "$etc/tuning.env")"
}

# secret ARN: what Secrets Manager holds, on standard output alone.
secret() {
    aws secretsmanager get-secret-value --region "$REGION" --secret-id "$1" --query SecretString --output text
}

# Passwords are in two files that root and the web server may read, and in no environment, command line or log.
write_environment() {
    site_secret=$(secret "$SITE_SECRET") && operator_secret=$(secret "$OPERATOR_SECRET") ||
        fail 'a secret cannot be read: does the role of this host allow secretsmanager:GetSecretValue for it?'
    # Only a new database or a changed password takes it, and around a blue/green deployment there is none (docs/upgrade.md).
    master_secret=$(secret "$MASTER_SECRET") || master_secret=null
    printf '%s' "$site_secret" | php "$lib/database.php" url "$RDS_HOSTNAME" "$RDS_PORT" "$RDS_DB_NAME" "$etc/rds-ca.pem" |
        put 0640 "root:$web_user" "$etc/database-url"
    # A secret that is no such document would let in whoever gives no password.
    operator_password=$(printf '%s' "$operator_secret" | php -r 'echo json_decode(stream_get_contents(STDIN), true)["password"] ?? "";') &&
        [ -n "$operator_password" ] || fail "the secret $OPERATOR_SECRET has no password"
    printf '%s\n' "$operator_password" | htpasswd -n -i -B operator | put 0640 "root:$web_user" "$etc/operators"
    put 0640 root:root "$etc/database.env" <<END
DATABASE_URL_FILE=$etc/database-url
FRONT_TIMEOUT=$FRONT_TIMEOUT
KEEP_ALIVE=$((FRONT_TIMEOUT + 5))
END
    put 0640 "root:$web_user" "$etc/site.env" <"$here/site.env"
}

# The first host makes the site's user and installs the site; others wait for it inside the database. The install script is the
# site's own and is called each time: it finds out what is left to do.
prepare_database() {
    # The tree is nobody's but root's; what a site writes lies outside of it.
    site=$tree/site
    rm -rf "$site/${SITE_FILES:-web/sites/default/files}"
    mkdir -p "$(dirname "$site/${SITE_FILES:-web/sites/default/files}")"
    ln -s "$state/files" "$site/${SITE_FILES:-web/sites/default/files}"
    set --
    # runuser keeps the environment: the release's configuration, and where the database's name is.
    [ ! -x "$site/install" ] || set -- runuser -u "$web_user" -- env DATABASE_URL_FILE="$etc/database-url" HOME="$state/home" "$site/install"
    printf '{"master": %s, "site": %s}' "$master_secret" "$site_secret" | (
        set -a
        . "$here/site.env"
        set +a
        php "$lib/database.php" prepare "$RDS_HOSTNAME" "$RDS_PORT" "$RDS_DB_NAME" "$etc/rds-ca.pem" "$@"
    ) || fail 'the database is not prepared; the lines above say why'
}

# put_static WHERE: a version in the bucket, or a directory of this host. Visitors see the old data or the new, whole.
put_static() {
    case $1 in
    /*)
        [ -d "$1" ] || fail "$1 is no directory"
        to=$state/static/local-$(date +%Y%m%d%H%M%S)
        mkdir -p "$to"
        cp -R "$1/." "$to/" ;;
    *)
        to=$state/static/$1
        mkdir -p "$to"
        aws s3 sync --region "$REGION" --only-show-errors --delete "s3://$BUCKET/static/$1/" "$to/"
        [ -n "$(ls -A "$to")" ] || fail "the bucket has no static data $1; cfn/bin/release --static uploads it" ;;
    esac
    chmod -R u+rwX,go+rX "$to"
    ln -sfn "$to" "$state/static/current.new"
    mv -fT "$state/static/current.new" "$state/static/current"
    say "static data: $to"
}

start_services() {
    fpm_of_system
    sysctl -q --system || say 'the kernel refused a setting of /etc/sysctl.d'
    ln -sfn "$tree" /opt/rdsfailover/current
    systemctl daemon-reload
    systemctl enable "$httpd" "$fpm"
    # Restart and not reload: only a new process reads its environment anew.
    systemctl restart "$fpm"
    systemctl restart "$httpd"
}

# The database through the module, then a page through everything.
wait_for_site() {
    within "${ANSWER_LIMIT:-300}" curl --fail --silent --show-error --max-time 10 --output /dev/null 'http://127.0.0.1/rds-status?health=db' ||
        fail 'the module sees no writer; /rds-status and the error log of httpd say why'
    within "${ANSWER_LIMIT:-300}" page_answers ||
        fail "http://127.0.0.1${SITE_PAGE:-/} does not answer with 200${SITE_EXPECT:+ and '$SITE_EXPECT'}; see the error logs of httpd and PHP-FPM"
}

page_answers() {
    curl --fail --silent --show-error --max-time 30 --header "Host: ${SITE_HOST:-localhost}" "http://127.0.0.1${SITE_PAGE:-/}" >"$state/page" &&
        grep -q -e "${SITE_EXPECT:-}" "$state/page"
}

signal_success() {
    [ -n "${SIGNAL:-}" ] || { say 'no stack waits for this host'; return; }
    signal=$(command -v cfn-signal || echo /opt/aws/bin/cfn-signal)
    # A host that the fleet started by itself finds no stack that waits, and CloudFormation refuses. One that does wait, and does not
    # hear it, gives up by itself.
    "$signal" --exit-code 0 --stack "$STACK" --resource "$SIGNAL" --region "$REGION" ||
        say 'CloudFormation took no signal; so it is if no stack is being made or changed'
}
