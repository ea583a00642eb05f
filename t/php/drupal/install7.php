<?php
// SPDX-License-Identifier: Apache-2.0
// Installs Drupal 7 for tests, with what its own installer offers to scripts: standard profile, one article that visitors may comment on.
// usage, in the site's directory: php install7.php PASSWORD
$_SERVER += ['HTTP_HOST' => 'localhost', 'REMOTE_ADDR' => '127.0.0.1', 'REQUEST_METHOD' => 'GET', 'SERVER_SOFTWARE' => 'none'];
$_SERVER['SCRIPT_NAME'] = '/install.php';
error_reporting(E_ALL & ~E_DEPRECATED);
define('DRUPAL_ROOT', getcwd());
define('MAINTENANCE_MODE', 'install');
require_once DRUPAL_ROOT . '/includes/install.core.inc';
install_drupal([
    'parameters' => ['profile' => 'standard', 'locale' => 'en'],
    'forms' => [
        'install_configure_form' => [
            'site_name' => 'Shop', 'site_mail' => 'shop@rds.test', 'clean_url' => true,
            'account' => ['name' => 'admin', 'mail' => 'admin@rds.test', 'pass' => ['pass1' => $argv[1], 'pass2' => $argv[1]]],
            'update_status_module' => [],
        ],
    ],
]);
user_role_grant_permissions(DRUPAL_ANONYMOUS_RID, ['access comments', 'post comments', 'skip comment approval']);
// Cron is the system's business, and a test logs in often.
variable_set('cron_safe_threshold', 0);
variable_set('user_failed_login_ip_limit', 100000);
variable_set('user_failed_login_user_limit', 100000);
// A form that comes back from a page of the cache has no identity of its own.
variable_set('cache', 0);
$node = (object) ['type' => 'article', 'title' => 'Article', 'language' => LANGUAGE_NONE, 'uid' => 1];
node_object_prepare($node);
$node->body[LANGUAGE_NONE][0] = ['value' => 'RF-POST', 'format' => 'plain_text'];
$node->comment = COMMENT_NODE_OPEN;
node_save($node);
echo 'installed ', VERSION, ' node ', $node->nid, "\n";
