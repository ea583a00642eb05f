<?php
// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * usage, in the document root: php ../install.php
 * What Drupal's installer offers to scripts. Not `drush site:install`, which empties the database with MySQL's command line first.
 */

error_reporting(E_ALL & ~E_DEPRECATED & ~E_USER_DEPRECATED);
$_SERVER['SERVER_SOFTWARE'] = 'none';
$class_loader = require getcwd() . '/autoload.php';
require_once getcwd() . '/core/includes/install.core.inc';
// The administrator's password is nobody's: `drush user:login` gives a link.
$password = bin2hex(random_bytes(24));
$mail = getenv('SITE_MAIL') ?: 'nobody@example.invalid';
install_drupal($class_loader, [
    'site_path' => 'sites/default',
    'parameters' => ['profile' => 'standard', 'langcode' => 'en'],
    'forms' => [
        'install_configure_form' => [
            'site_name' => getenv('SITE_NAME') ?: 'Demonstration',
            'site_mail' => $mail,
            'account' => ['name' => 'admin', 'mail' => $mail, 'pass' => ['pass1' => $password, 'pass2' => $password]],
            'enable_update_status_module' => NULL,
            'enable_update_status_emails' => NULL,
        ],
    ],
]);
echo 'Drupal ', Drupal::VERSION, " is installed\n";
