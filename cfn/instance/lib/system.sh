# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154
# All that differs between Amazon Linux 2023 and Debian. Sourced by run; software.sh and host.sh know only these names:
#   web_user, httpd, fpm          a user, and names of services
#   httpd_check                   what tests httpd's configuration with -t
#   httpd_conf, fpm_pools         where our configuration goes
#   fpm_run                       directory of PHP-FPM's socket
#   install_packages, install_package FILE, enable_modules

# PHP's extensions that Drupal wants; rpm-build and what follows only where the artifact has no package for this system.
amazon_packages='httpd httpd-tools php8.3-fpm php8.3-cli php8.3-mysqlnd php8.3-gd php8.3-mbstring php8.3-xml php8.3-opcache php8.3-intl'
amazon_build_packages='rpm-build gcc make httpd-devel redhat-rpm-config mariadb-connector-c-devel jansson-devel libcap-ng-devel
    c-ares-devel libcurl-devel openssl-devel'
debian_packages='apache2 apache2-utils php-fpm php-cli php-mysql php-gd php-mbstring php-xml php-intl curl ca-certificates procps'

if [ -e /etc/debian_version ]; then
    system=debian
    web_user=www-data
    httpd=apache2
    httpd_check=apachectl
    httpd_conf=/etc/apache2/sites-enabled/rdsfailover.conf
    fpm_run=/run/php

    install_packages() {
        # shellcheck disable=SC2086
        lacking=$(for p in $debian_packages; do dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null | grep -q '^install ok' || echo "$p"; done)
        [ -z "$lacking" ] || {
            export DEBIAN_FRONTEND=noninteractive
            apt-get -q -y update
            # shellcheck disable=SC2086
            apt-get -q -y --no-install-recommends install $lacking
        }
    }
    install_package() { DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$1"; }
    package_of_artifact() { ls "$tree"/packages/*_"$(dpkg --print-architecture)".deb 2>/dev/null; }
    build_package() { fail 'the artifact has no .deb for this architecture; cfn/bin/build --package makes one on such a machine'; }
    enable_modules() {
        a2dismod -q -f mpm_prefork mpm_worker $(cd /etc/apache2/mods-enabled && ls php*.load 2>/dev/null | sed 's/\.load$//') >/dev/null
        a2enmod -q mpm_event proxy_fcgi rewrite headers remoteip setenvif auth_basic authn_file authz_user alias dir mime deflate expires >/dev/null
        a2dissite -q 000-default >/dev/null 2>&1 || :
    }
    fpm_of_system() {
        php=$(php -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;')
        fpm=php$php-fpm
        fpm_pools=/etc/php/$php/fpm/pool.d
    }
else
    system=amazon
    web_user=apache
    httpd=httpd
    httpd_check=httpd
    httpd_conf=/etc/httpd/conf.d/zz-rdsfailover.conf
    fpm_run=/run/php-fpm

    # shellcheck disable=SC2086
    install_packages() { dnf -y --setopt=install_weak_deps=False install $amazon_packages; }
    install_package() { dnf -y install "$1"; }
    package_of_artifact() { ls "$tree"/packages/mod_rdsfailover-*."$(uname -m)".rpm 2>/dev/null; }
    # On the host itself, and once more for each release: bake an image, or build --package on Amazon Linux, to save the minute.
    build_package() {
        # shellcheck disable=SC2086
        dnf -y install $amazon_build_packages >&2
        rpmbuild -tb --define "_topdir $state/rpmbuild" "$tree"/packages/mod_rdsfailover-*.tar.gz >&2
        ls "$state"/rpmbuild/RPMS/*/mod_rdsfailover-[0-9]*.rpm
    }
    # conf.modules.d loads all we need, and the event MPM is Amazon Linux's default.
    enable_modules() { :; }
    fpm_of_system() {
        php=''
        fpm="php-fpm"
        fpm_pools=/etc/php-fpm.d
    }
fi
