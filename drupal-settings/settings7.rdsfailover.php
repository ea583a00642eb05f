<?php
// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Drupal 7. At the end of settings.php: include '<where this directory is>/settings7.rdsfailover.php';
 *
 * Takes the default database from the environment, if that names one. Reporting needs the driver as well, a link in Drupal:
 *
 *   ln -s <where this directory is>/drupal7/rdsmysql includes/database/rdsmysql
 */

require_once dirname(__FILE__) . '/Dsn.php';

$rdsfailover_settings = isset($conf['rdsfailover']) ? $conf['rdsfailover'] : array();
$rdsfailover_before = isset($databases['default']['default']) ? $databases['default']['default'] : array();
$rdsfailover_found = RdsFailoverDsn::drupal($rdsfailover_settings,
    isset($rdsfailover_before['pdo']) ? $rdsfailover_before['pdo'] : array());
if ($rdsfailover_found) {
    unset($rdsfailover_found['prefix']);
    $databases['default']['default'] = $rdsfailover_found + $rdsfailover_before + array('prefix' => '');
}
if (is_file(DRUPAL_ROOT . '/includes/database/rdsmysql/database.inc')) {
    foreach ($databases as $rdsfailover_key => $rdsfailover_targets) {
        foreach ($rdsfailover_targets as $rdsfailover_target => $rdsfailover_info) {
            if (isset($rdsfailover_info['driver']) && $rdsfailover_info['driver'] === 'mysql') {
                $databases[$rdsfailover_key][$rdsfailover_target]['driver'] = 'rdsmysql';
                $databases[$rdsfailover_key][$rdsfailover_target]['rdsfailover'] = array_intersect_key($rdsfailover_settings,
                    array_flip(array('bookkeeping', 'not_executed_for_writes', 'transactional')));
            }
        }
    }
}
unset($rdsfailover_settings, $rdsfailover_found, $rdsfailover_before, $rdsfailover_key, $rdsfailover_targets,
    $rdsfailover_target, $rdsfailover_info);
