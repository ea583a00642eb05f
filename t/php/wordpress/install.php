<?php
// SPDX-License-Identifier: Apache-2.0
// Installs WordPress for tests, with one article that has comments.
define('WP_INSTALLING', true);
$_SERVER += ['HTTP_HOST' => '127.0.0.1', 'SERVER_PROTOCOL' => 'HTTP/1.1', 'REQUEST_METHOD' => 'GET', 'REQUEST_URI' => '/'];
function wp_new_blog_notification()
{
    // It would send mail.
}
require ABSPATH . 'wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';

wp_install('Shop', 'admin', 'admin@rds.test', true, '', bin2hex(random_bytes(12)));
switch_theme('twentytwentythree');
update_option('permalink_structure', '');
update_option('comment_moderation', 0);
update_option('comment_previously_approved', 0);
$id = wp_insert_post([
    'post_title' => 'Article', 'post_status' => 'publish', 'post_author' => 1, 'import_id' => 101, 'comment_status' => 'open',
    'post_content' => '<!-- wp:paragraph --><p>RF-POST</p><!-- /wp:paragraph -->',
], true);
wp_insert_comment(['comment_post_ID' => 101, 'comment_content' => 'first', 'comment_author' => 'Guest', 'comment_approved' => 1]);
do_action('init');
echo $id === 101 ? "installed\n" : "not installed\n";
