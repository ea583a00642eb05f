<?php
// SPDX-License-Identifier: Apache-2.0
// Installs Drupal 9 to 11 for tests, with what its own installer offers to scripts: standard profile.
// usage, in the site's directory: php install.php PASSWORD
error_reporting(E_ALL & ~E_DEPRECATED & ~E_USER_DEPRECATED);
$_SERVER['SERVER_SOFTWARE'] = 'none';
$classes = require getcwd() . '/autoload.php';
require_once getcwd() . '/core/includes/install.core.inc';
install_drupal($classes, [
    'site_path' => 'sites/default',
    'parameters' => ['profile' => 'standard', 'langcode' => 'en'],
    'forms' => [
        'install_configure_form' => [
            'site_name' => 'Shop', 'site_mail' => 'shop@rds.test', 'enable_update_status_module' => null,
            'enable_update_status_emails' => null,
            'account' => ['name' => 'admin', 'mail' => 'admin@rds.test', 'pass' => ['pass1' => $argv[1], 'pass2' => $argv[1]]],
        ],
    ],
]);
echo 'installed ', Drupal::VERSION, "\n";
