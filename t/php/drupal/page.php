<?php
// SPDX-License-Identifier: Apache-2.0
// A page whose database goes away, for PHP's own web server: ?code=2006&status=404&flush=1&write=1
require __DIR__ . '/../../../drupal-settings/Tracker.php';

$tracker = new RdsFailoverTracker();
if (isset($_GET['flush'])) {
    echo 'begun';
    flush();
}
$tracker->before(isset($_GET['write']) ? 'INSERT INTO node VALUES (1)' : 'SELECT 1', false);
if (isset($_GET['code'])) {
    $tracker->failure((int) $_GET['code'], 'MySQL server has gone away');
}
if (isset($_GET['status'])) {
    header("HTTP/1.1 {$_GET['status']} As The Framework Says", true, (int) $_GET['status']);
}
echo 'page';
