<?php
// SPDX-License-Identifier: Apache-2.0
// Installs WordPress without a browser and fills it: posts with comments. Runs once, into the prepared data directory.
define('WP_INSTALLING', true);
$_SERVER += ['HTTP_HOST' => '127.0.0.1:8080', 'SERVER_PROTOCOL' => 'HTTP/1.1', 'REQUEST_METHOD' => 'GET', 'REQUEST_URI' => '/wp/'];
function wp_new_blog_notification() {}  // would send mail
require '/usr/share/wordpress/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';

wp_install('RIG-OK Shop', 'admin', 'admin@rds.test', true, '', bin2hex(random_bytes(12)));
switch_theme('twentytwentythree');
update_option('default_pingback_flag', 0);
update_option('thread_comments', 0);

$words = explode(' ', 'the shop sells lamps chairs tables and clocks made of oak brass glass and wool by hand in small '
    . 'numbers for people who keep things long and repair them when they break with tools that every house has');
mt_srand(20);
$text = static function (int $n) use ($words): string {
    for ($out = []; $n-- > 0;) {
        $out[] = $words[mt_rand(0, count($words) - 1)];
    }
    return ucfirst(implode(' ', $out)) . '.';
};
for ($n = 1; $n <= 60; $n++) {
    $id = wp_insert_post([
        'post_title' => "Article $n: " . $text(5), 'post_status' => 'publish', 'post_author' => 1,
        'post_content' => "<!-- wp:paragraph --><p>RIG-POST-$n " . $text(120) . "</p><!-- /wp:paragraph -->"
            . '<!-- wp:paragraph --><p>' . $text(150) . '</p><!-- /wp:paragraph -->',
        'import_id' => 100 + $n,
    ], true);
    if (is_wp_error($id) || $id !== 100 + $n) {
        fwrite(STDERR, "post $n was not made\n");
        exit(1);
    }
    for ($c = 0; $c < 3; $c++) {
        wp_insert_comment(['comment_post_ID' => $id, 'comment_content' => $text(20), 'comment_author' => "Guest $c", 'comment_approved' => 1]);
    }
}
// What the first visitor would otherwise compute, or fetch from elsewhere.
wp_clear_scheduled_hook('wp_version_check');
do_action('init');
echo 'WordPress ', $GLOBALS['wp_version'], ", 60 articles\n";
