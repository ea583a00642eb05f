<?php
// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * auto_prepend_file for any PHP application: says "not-executed" when it never got as far as a database, and bounds how long it
 * waits.
 *
 * Whether the application shows the error, catches it, or answers 200 all the same, mysqlnd has counted: a request during which
 * connecting failed and not one byte was sent to any database has executed nothing. A refused login and a certificate that does not
 * fit have sent bytes; they are mistakes that no waiting repairs, and are not reported. Of a statement without an answer mysqlnd does
 * not tell whether it was a write, so nothing is said of it.
 *
 * A site whose forms mail or pay before they ask the database sets RDSFAILOVER_NOT_EXECUTED_FOR_WRITES=0 in the request's environment:
 * then only GET, HEAD and OPTIONS are reported as not executed.
 *
 * Silent without ext/mysqli (it has the counters, PDO's too) and under thread-safe PHP, where all requests of a process share them.
 * PHP 5.4 and later.
 */

if (PHP_SAPI !== 'cli' && PHP_SAPI !== 'phpdbg') {
    // PHP's defaults are a day, and a minute. A site that has set its own keeps them; a page that asks for more calls ini_set().
    foreach (array('mysqlnd.net_read_timeout' => '86400', 'default_socket_timeout' => '60') as $name => $default) {
        if (ini_get($name) === $default) {
            ini_set($name, '10');
        }
    }
    unset($name, $default);

    if (!PHP_ZTS && function_exists('mysqli_get_client_stats') && function_exists('header_register_callback')) {
        call_user_func(function () {
            $before = mysqli_get_client_stats();
            $report = function () use ($before) {
                // RdsFailoverTracker is told each statement, and knows better.
                if (headers_sent() || class_exists('RdsFailoverTracker', false)) {
                    return;
                }
                $now = mysqli_get_client_stats();
                if ($now['connect_failure'] > $before['connect_failure'] && $now['bytes_sent'] === $before['bytes_sent']) {
                    $method = isset($_SERVER['REQUEST_METHOD']) ? $_SERVER['REQUEST_METHOD'] : 'GET';
                    $sure = in_array($method, array('GET', 'HEAD', 'OPTIONS'), true)
                        || getenv('RDSFAILOVER_NOT_EXECUTED_FOR_WRITES') !== '0';
                    header('RDS-Failover-Outcome: ' . ($sure ? 'not-executed' : 'unknown'));
                }
            };
            header_register_callback($report);
            // An application may take PHP's only place for such a callback. Then this is in time for a page still in the buffer.
            register_shutdown_function($report);
        });
    }
}
