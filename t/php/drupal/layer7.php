<?php
// SPDX-License-Identifier: Apache-2.0
// TAP: Drupal 7's own database layer with our driver, on a real server whose connections are killed. No site.
// usage: php layer7.php DRUPAL_ROOT HOST PORT USER PASSWORD DATABASE
define('DRUPAL_ROOT', $argv[1]);
error_reporting(E_ALL & ~E_DEPRECATED);
chdir(DRUPAL_ROOT);
foreach (array('bootstrap.inc', 'database/database.inc', 'cache.inc', 'database/query.inc', 'database/mysql/query.inc') as $file) {
    // A stand-in has only one of them.
    if (is_file(DRUPAL_ROOT . "/includes/$file")) {
        require_once DRUPAL_ROOT . "/includes/$file";
    }
}
require_once __DIR__ . '/../../../drupal-settings/drupal7/rdsmysql/database.inc';

$options = array('driver' => 'rdsmysql', 'host' => $argv[2], 'port' => $argv[3], 'username' => $argv[4], 'password' => $argv[5],
    'database' => $argv[6], 'prefix' => '');
$admin = new PDO("mysql:host=$argv[2];port=$argv[3];dbname=$argv[6]", $argv[4], $argv[5], array(PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION));
$admin->exec('DROP TABLE IF EXISTS shop_order');
$admin->exec('CREATE TABLE shop_order (id INT PRIMARY KEY) ENGINE=InnoDB');

// What is said after the connection is killed between $before and $after.
function said($options, $admin, $before, $after)
{
    RdsFailoverTracker::reset();
    RdsFailoverTracker::$sapi = 'fpm-fcgi';
    $_SERVER['REQUEST_METHOD'] = 'POST';
    $failed = false;
    try {
        $c = new DatabaseConnection_rdsmysql($options);
        $transaction = $before($c);
        if ($after) {
            $admin->exec('KILL ' . $c->query('SELECT CONNECTION_ID()')->fetchField());
            $after($c);
        }
        unset($transaction);
    } catch (Throwable $e) {
        $failed = $e;
        try {
            // It commits when it goes, even now.
            unset($transaction);
        } catch (Exception $e) {
            // The same loss.
        }
    }
    $outcome = RdsFailoverTracker::outcome();
    return ($failed ? ($failed instanceof Error ? 'error' : 'exception') : 'done') . ' ' . ($outcome === null ? 'none' : $outcome);
}

$nothing = function () {
};
$read = function ($c) {
    $c->query('SELECT 1');
};
$write = function ($c) {
    $c->query('INSERT INTO {shop_order} (id) VALUES (1)');
};
$inTransaction = function ($c) {
    $transaction = $c->startTransaction();
    $c->query('INSERT INTO {shop_order} (id) VALUES (2)');
    return $transaction;
};
$spin = function ($c) {
    for ($n = 0; $n < 100; $n++) {
        try {
            $c->query('SELECT 1');
        } catch (Exception $e) {
            // A loop that ignores errors.
        }
    }
};
$cases = array(
    array('exception not-executed', 'nobody listens', array('port' => 1), $nothing, null),
    array('exception none', 'a wrong password', array('password' => 'wrong'), $nothing, null),
    array('done none', 'all is well', array(), $read, null),
    array('exception not-executed', 'lost in a read', array(), $nothing, $read),
    array('exception unknown', 'lost after a write of its own', array(), $write, $read),
    array('exception not-executed', 'lost inside a transaction', array(), $inTransaction, $read),
    array('exception unknown', 'lost in COMMIT', array(), $inTransaction, function ($c) {
        $c->popTransaction('drupal_transaction');
    }),
    array('exception not-executed', 'lost in START TRANSACTION', array(), $nothing, $inTransaction),
    array('error not-executed', 'a loop on a dead connection ends', array(), $nothing, $spin),
);
$out = '';
foreach ($cases as $n => $case) {
    list($expected, $what, $other, $before, $after) = $case;
    $is = said($other + $options, $admin, $before, $after);
    $out .= ($is === $expected ? 'ok ' : 'not ok ') . ($n + 1) . " - $what: $expected" . ($is === $expected ? '' : ", not $is") . "\n";
}
echo $out, '1..', count($cases), "\n";
