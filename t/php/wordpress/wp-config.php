<?php
// SPDX-License-Identifier: Apache-2.0
// WordPress's configuration in tests; RdsFailover::Wordpress says the rest in the environment.
define('DB_NAME', 'shop');
define('DB_USER', 'app');
define('DB_PASSWORD', getenv('RF_DB_PASSWORD'));
define('DB_HOST', '127.0.0.1:' . getenv('RF_DB_PORT'));
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
define('WP_CONTENT_DIR', getenv('RF_CONTENT'));
define('WP_HOME', 'http://' . ($_SERVER['HTTP_HOST'] ?? '127.0.0.1'));
define('WP_SITEURL', WP_HOME);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('DISABLE_WP_CRON', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {
    define("{$name}_KEY", "a test's $name");
    define("{$name}_SALT", "a test's other $name");
}
$table_prefix = 'wp_';
require_once ABSPATH . 'wp-settings.php';
