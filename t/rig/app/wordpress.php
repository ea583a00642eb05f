<?php
// SPDX-License-Identifier: Apache-2.0
// WordPress's configuration, in the place where Debian's package looks for it (/etc/wordpress/config-default.php).
require_once '@INSIDE@/app/database.php';
$rig = rig_database();
define('DB_NAME', $rig['name']);
define('DB_USER', $rig['user']);
define('DB_PASSWORD', $rig['password']);
define('DB_HOST', $rig['host']);
if ($rig['ca']) {
    define('MYSQL_CLIENT_FLAGS', MYSQLI_CLIENT_SSL);  // encrypted; wpdb knows no way to name an authority
}
define('WP_CONTENT_DIR', '@CONTENT@');
// Visitors come by the front or to a host itself, and shall stay there.
$rig_host = preg_match('/^[\w.-]+:\d+$/', $_SERVER['HTTP_HOST'] ?? '') ? $_SERVER['HTTP_HOST'] : '127.0.0.1:8080';
define('WP_HOME', "http://$rig_host/wp");
define('WP_SITEURL', "http://$rig_host/wp");
define('WP_ALLOW_MULTISITE', false);
// The rig has no way out, and nobody's visit shall start background work.
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('DISABLE_WP_CRON', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('AUTH_KEY', '@SECRET@1');
define('SECURE_AUTH_KEY', '@SECRET@2');
define('LOGGED_IN_KEY', '@SECRET@3');
define('NONCE_KEY', '@SECRET@4');
define('AUTH_SALT', '@SECRET@5');
define('SECURE_AUTH_SALT', '@SECRET@6');
define('LOGGED_IN_SALT', '@SECRET@7');
define('NONCE_SALT', '@SECRET@8');
unset($rig, $rig_host);
