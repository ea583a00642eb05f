# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# What is the same on every host of a release. Sourced by run; no secret, no address, no size is known here.

install_module() {
    file=$(package_of_artifact | head -n 1)
    [ -n "$file" ] || file=$(build_package | head -n 1)
    [ -n "$file" ] || fail 'no package of the module came out'
    install_package "$file"
}

# substituted FILE: with what only the system knows.
substituted() {
    sed -e "s|@WEB_USER@|$web_user|g" -e "s|@FPM_SOCKET@|$fpm_run/site.sock|g" -e "s|@TREE@|$tree|g" "$1"
}

# drop_in SERVICE FILE: what a unit of the distribution gets besides.
drop_in() { put 0644 root:root "/etc/systemd/system/$1.service.d/rdsfailover.conf" <"$tree/instance/etc/$2"; }

install_configuration() {
    fpm_of_system
    enable_modules
    substituted "$tree/instance/etc/httpd.conf" | put 0644 root:root "$httpd_conf"
    # One pool in three parts: ours, the project's limits for FPM, and its PHP settings as lines of the pool, because they are not
    # meant for the command line. php_value and not php_admin_value: the site may change them (drupal-settings does).
    {
        substituted "$tree/instance/etc/php-fpm.conf"
        echo
        sed '/^\[www\]$/d' "$tree/conf/php-fpm-rdsfailover.conf"
        sed -n 's/^\([a-z][a-z_.]*\) = \(.*\)/php_value[\1] = \2/p' "$tree/conf/php-rdsfailover.ini"
    } | put 0644 root:root "$fpm_pools/site.conf"
    # The distribution's pool would keep processes for nobody.
    rm -f "$fpm_pools/www.conf"
    drop_in "$httpd" httpd.service.conf
    drop_in "$fpm" php-fpm.service.conf
    put 0644 root:root /etc/sysctl.d/60-rdsfailover.conf <"$tree/conf/sysctl-rdsfailover.conf"
    put 0644 root:root "$etc/rds-ca.pem" <"$tree/rds-ca.pem"
    # What belongs to no release: uploads, static data, and a home for the site's own programs, which httpd does not show.
    mkdir -p "$state/files" "$state/static" "$state/home"
    chown "$web_user:" "$state/files" "$state/home"
}

# Before anything is started, and in an image: do httpd and PHP-FPM accept their configuration? With this host's environment, or where
# it has none yet with an example.
check_configuration() {
    fpm_of_system
    (
        set -a
        # shellcheck disable=SC2034
        FPM_CHILDREN=4 HTTPD_HOLD=1000 HTTPD_FACTOR=125 KEEP_ALIVE=65 FRONT_TIMEOUT=60
        # shellcheck disable=SC1090
        for file in tuning database site; do [ ! -e "$etc/$file.env" ] || . "$etc/$file.env"; done
        set +a
        mkdir -p "$fpm_run"
        "$httpd_check" -t && "$(command -v "php-fpm$php" || echo php-fpm)" -t
    ) || fail 'httpd or PHP-FPM does not accept its configuration'
}
