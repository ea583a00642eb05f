<?php
// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Drupal's settings, the same on every host and in every stack: what differs comes from the environment.
 */

use Drupal\Core\Installer\InstallerKernel;

require_once $app_root . '/../../drupal-settings/Dsn.php';

// Every host must have the same, and no file of a release may hold it. A changed database password ends one-time links, nothing else.
$settings['hash_salt'] = hash_hmac('sha256', 'hash_salt', RdsFailoverDsn::drupal()['password'] ?? '');

$settings['file_public_path'] = 'sites/default/files';
$settings['update_free_access'] = FALSE;
// Code comes with a release; nothing on a host changes it.
$settings['allow_authorize_operations'] = FALSE;
$settings['skip_permissions_hardening'] = TRUE;
// The load balancer passes on whatever Host a visitor sends.
if (getenv('SITE_HOST')) {
    $settings['trusted_host_patterns'] = ['^' . preg_quote(getenv('SITE_HOST')) . '$', '^localhost$'];
}

// Configuration comes with a release, too, where a site keeps it in files.
$settings['config_sync_directory'] = '../config/sync';
if (InstallerKernel::installationAttempted()) {
    // The installer wants to write there, and a release is not to be written to.
    $settings['config_sync_directory'] = getenv('HOME') . '/config';
    // It knows Drupal's own drivers only, and no visitor's request is lost in it.
    $databases['default']['default'] = RdsFailoverDsn::drupal() + [
        'namespace' => 'Drupal\\mysql\\Driver\\Database\\mysql',
        'autoload' => 'core/modules/mysql/src/Driver/Database/mysql/',
    ];
} else {
    include $app_root . '/../../drupal-settings/settings.rdsfailover.php';
}
