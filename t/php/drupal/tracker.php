<?php
// SPDX-License-Identifier: Apache-2.0
// TAP: what a tracker says after each series of events. "tx" opens a transaction, "!n text" is an error, "=n" a case's outcome.
require __DIR__ . '/../../../drupal-settings/Tracker.php';

$loss = '!2006 MySQL server has gone away';
$cases = [
    // Expected, method, settings, events.
    ['none', 'GET', [], ['SELECT 1', 'INSERT INTO node VALUES (1)']],
    ['not-executed', 'POST', [], ['!2002 Connection refused']],
    ['not-executed', 'POST', [], ['!1040 Too many connections']],
    ['none', 'GET', [], ['!2002 Cannot connect to MySQL using SSL']],
    ['none', 'GET', [], ['!1045 Access denied']],
    ['none', 'GET', [], ['!1049 Unknown database']],
    ['none', 'GET', [], ['!1044 Access denied']],
    ['not-executed', 'POST', [], ['SELECT 1', $loss]],
    ['not-executed', 'POST', [], ['INSERT INTO "p_cache_page" ("cid") VALUES (1)', $loss]],
    ['not-executed', 'POST', [], ['TRUNCATE "cache_page"', $loss]],
    ['not-executed', 'GET', [], ['INSERT INTO `history` (uid, nid, timestamp) VALUES (1, 1, 1)', 'SELECT 1', $loss]],
    ['unknown', 'GET', [], ['UPDATE `node_counter` SET totalcount = totalcount + 1', 'SELECT 1', $loss]],
    ['unknown', 'POST', [], ['UPDATE cache_page, users SET a = 1', $loss]],
    ['unknown', 'POST', [], ['INSERT INTO cache_of_mine_not (a) VALUES (1); DELETE FROM node', $loss]],
    ['unknown', 'GET', [], ['INSERT INTO node VALUES (1)', $loss]],
    ['unknown', 'GET', [], ['INSERT INTO node VALUES (1)', 'SELECT 1', $loss]],
    ['not-executed', 'POST', [], ['tx', 'INSERT INTO node VALUES (1)', $loss]],
    ['unknown', 'POST', ['transactional' => false], ['tx', 'INSERT INTO node VALUES (1)', $loss]],
    ['unknown', 'POST', ['not_executed_for_writes' => false], ['!2002 Connection refused']],
    ['not-executed', 'GET', ['not_executed_for_writes' => false], ['!2002 Connection refused']],
    ['unknown', 'POST', [], ['tx', 'INSERT INTO node VALUES (1)', 'commit', $loss]],
    ['unknown', 'POST', [], ['START TRANSACTION', 'tx', 'INSERT INTO node VALUES (1)', 'COMMIT', $loss]],
    ['not-executed', 'POST', [], ['tx', 'INSERT INTO node VALUES (1)', 'rollback', $loss]],
    ['not-executed', 'POST', [], ['tx', 'INSERT INTO node VALUES (1)', $loss, 'commit', $loss]],
    ['unknown', 'POST', [], ['tx', 'INSERT INTO node VALUES (1)', 'CREATE TABLE x (a INT)', $loss]],
    ['unknown', 'POST', [], ['tx', 'INSERT INTO node VALUES (1)', 'no tx', 'SELECT 1', $loss]],
    ['unknown', 'GET', [], ['CALL counted()', $loss]],
    ['unknown', 'GET', [], ["SELECT GET_LOCK('a', 1)", $loss]],
    ['not-executed', 'GET', [], ["SELECT 'GET_LOCK(; x'", $loss]],
    ['unknown', 'GET', [], ['/*! DELETE FROM node */', $loss]],
    ['not-executed', 'POST', [], ['INSERT INTO node VALUES (1)', '!1290 running with the --read-only option']],
    ['none', 'POST', [], ['INSERT INTO node VALUES (1)', '!1290 running with the --skip-grant-tables option']],
    ['not-executed', 'POST', [], ['tx', 'INSERT INTO node VALUES (1)', 'commit', '!1290 running with the --read-only option']],
    ['unknown', 'POST', [], ['INSERT INTO a VALUES (1)', 'INSERT INTO b VALUES (1)', '!1836 Running in read-only mode']],
    ['none', 'GET', [], ['INSERT INTO cache_page VALUES (1)', '!1290 running with the --read-only option']],
    ['none', 'GET', [], ['INSERT INTO node VALUES (1)', '!1062 Duplicate entry']],
    ['not-executed', 'POST', [], ['SELECT 1', $loss, 'other', 'INSERT INTO watchdog VALUES (1)']],
    ['unknown', 'POST', [], ['SELECT 1', $loss, 'other', 'INSERT INTO node VALUES (1)']],
    ['unknown', 'POST', [], ['SELECT 1', $loss, 'other', 'tx', 'INSERT INTO node VALUES (1)']],
    ['none', 'GET', [], ['SELECT 1', $loss, 'reconnected']],
    ['unknown', 'GET', [], ['side effect', $loss]],
];

$out = '';
foreach ($cases as $n => [$expected, $method, $settings, $events]) {
    $_SERVER['REQUEST_METHOD'] = $method;
    RdsFailoverTracker::reset();
    RdsFailoverTracker::$sapi = 'fpm-fcgi';
    $settings += ['bookkeeping' => RdsFailoverTracker::DRUPAL_BOOKKEEPING, 'prefix' => 'p_'];
    $tracker = new RdsFailoverTracker($settings);
    $transaction = false;
    foreach ($events as $event) {
        if ($event === 'tx' || $event === 'no tx') {
            $transaction = $event === 'tx';
        } elseif ($event === 'commit') {
            $tracker->commitSent();
        } elseif ($event === 'rollback') {
            $tracker->rolledBack();
        } elseif ($event === 'reconnected') {
            $tracker->reconnected();
        } elseif ($event === 'side effect') {
            RdsFailoverTracker::sideEffect();
        } elseif ($event === 'other') {
            $tracker = new RdsFailoverTracker($settings);
        } elseif (preg_match('/^!(\d+) (.*)/', $event, $error)) {
            $tracker->failure((int) $error[1], $error[2]);
        } else {
            $tracker->before($event, $transaction);
        }
    }
    $is = RdsFailoverTracker::outcome() ?? 'none';
    $out .= ($is === $expected ? 'ok ' : 'not ok ') . ($n + 1) . " - $method " . str_replace('#', '', implode(', ', $events)) . ": $expected"
        . ($is === $expected ? '' : ", not $is") . "\n";
}
echo $out, '1..', count($cases), "\n";
