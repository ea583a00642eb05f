<?php
// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Drupal 9.4 to 11. At the end of settings.php:
 *
 *   include '<where this directory is>/settings.rdsfailover.php';
 *
 * Sets the default database from the environment, if that names one, and has core's MySQL driver report to the web server what
 * became of a request whose database went away. $settings['rdsfailover'], set before, changes it; README.md has the table.
 */

require_once __DIR__ . '/Dsn.php';

(function () use (&$databases, $settings, $class_loader, $app_root) {
    $ours = $settings['rdsfailover'] ?? [];
    $before = $databases['default']['default'] ?? [];
    $found = RdsFailoverDsn::drupal($ours, $before['pdo'] ?? []);
    if ($found) {
        // What the environment does not name stays: prefix, collation, isolation level.
        unset($found['prefix']);
        $databases['default']['default'] = $found + $before + ['prefix' => ''];
    }
    // Core's own driver is needed before modules are registered. Ours lies wherever this file does.
    $class_loader->addPsr4('Drupal\\mysql\\', $app_root . '/core/modules/mysql/src/');
    $class_loader->addPsr4('RdsFailover\\Drupal\\', __DIR__ . '/src/Drupal/');
    foreach ($databases as &$targets) {
        foreach ($targets as &$target) {
            // A list of replicas is left to core.
            if (($target['driver'] ?? '') === 'mysql') {
                $target['namespace'] = 'RdsFailover\\Drupal\\mysql';
                $target['rdsfailover'] = array_intersect_key($ours, array_flip(['bookkeeping', 'not_executed_for_writes', 'transactional']));
                unset($target['autoload']);
            }
        }
    }
})();
