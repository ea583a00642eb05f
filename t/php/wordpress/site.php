<?php
// SPDX-License-Identifier: Apache-2.0
// The test site's plugin. ?rf=… asks for something a plugin may do.

// A test comments often.
add_filter('wp_is_comment_flood', '__return_false', 99);

add_action('template_redirect', static function () {
    global $wpdb;
    $ask = isset($_GET['rf']) ? $_GET['rf'] : '';
    $insert = static function ($name) use ($wpdb) {
        return $wpdb->insert($wpdb->postmeta, ['post_id' => 101, 'meta_key' => 'rf', 'meta_value' => $name]);
    };
    if ($ask === 'transaction') {
        $wpdb->query('START TRANSACTION');
        $insert('one');
        $wpdb->get_var('SELECT 1 AS in_transaction');
        $insert('two');
        $wpdb->query('COMMIT');
        $wpdb->get_var('SELECT 1 AS after_commit');
    } elseif ($ask === 'idle') {
        // The server closes the connection meanwhile.
        $wpdb->query('SET SESSION wait_timeout = 2');
        sleep(6);
        // Not insert(): that reads the table's definition first.
        $wpdb->query("INSERT INTO $wpdb->postmeta (post_id, meta_key, meta_value) VALUES (101, 'rf', 'idle')");
    } elseif ($ask === 'write-then-read') {
        $insert('written');
        $wpdb->get_var('SELECT 1 AS after_write');
    } elseif ($ask === 'transient') {
        delete_option('_transient_rf');
        add_option('_transient_rf', 'one', '', 'no');
        update_option('_transient_rf', 'two');
        $wpdb->get_var('SELECT 1 AS after_option');
    } elseif ($ask === 'option') {
        // A value that looks like the end of another statement.
        update_option('blogdescription', uniqid() . " WHERE `option_name` = '_transient_rf'");
        $wpdb->get_var('SELECT 1 AS after_option');
    } elseif ($ask === 'mistake') {
        $wpdb->suppress_errors();
        $wpdb->query('SELECT nothing FROM nowhere');
    } elseif ($ask === 'check') {
        $wpdb->get_var('SELECT 1 AS before_check');
        echo $wpdb->check_connection(false) ? 'checked' : 'gone';
    } elseif ($ask === 'half') {
        // The error page asks the database, too.
        add_filter('language_attributes', static function ($attributes) use ($wpdb) {
            $wpdb->get_var('SELECT 1 AS in_error_page');
            return $attributes;
        });
        ob_start();
        echo 'half a page';
        $wpdb->get_var('SELECT 1 AS other_half');
    } elseif ($ask === 'shutdown') {
        add_action('shutdown', static function () use ($wpdb) {
            $wpdb->get_var('SELECT 1 AS at_shutdown');
        }, 0);
    } elseif ($ask === 'finished') {
        echo 'done';
        fastcgi_finish_request();
        $wpdb->get_var('SELECT 1 AS after_answer_' . preg_replace('/\W/', '', $_GET['who']));
        exit;
    } elseif ($ask === 'flush') {
        echo str_repeat('.', 8000);
        ob_flush();
        flush();
        return;
    } else {
        return;
    }
    exit("done\n");
});
