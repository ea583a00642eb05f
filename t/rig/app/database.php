<?php
// SPDX-License-Identifier: Apache-2.0
// Where the database is: from the server's environment when it says so, else from the site's own fixed configuration,
// as every site has one. Used by WordPress's configuration and by the ledger page.

function rig_database(): array
{
    $own = require __DIR__ . '/site.php';
    $env = static fn (string $name, string $default): string => ($v = getenv($name)) === false || $v === '' ? $default : $v;
    $byAddress = $own['app'] === 'address' && getenv('RDS_HOSTADDR');
    return [
        'host' => $byAddress ? getenv('RDS_HOSTADDR') : $env('RDS_HOSTNAME', $own['host']),
        'port' => (int) $env('RDS_PORT', '3306'),
        'name' => $env('RDS_DB_NAME', $own['name']),
        'user' => $env('RDS_USERNAME', $own['user']),
        'password' => $env('RDS_PASSWORD', $own['password']),
        'ca' => $own['ca'],
        // PHP verifies the name it was told: an address never matches a certificate.
        'verify' => !$byAddress,
        'connect_timeout' => $own['connect_timeout'],
        'outcome' => $own['outcome'],
    ];
}

// What tells the module what was done when the database went away; null if nobody is to tell it.
function rig_tracker(): ?RdsFailoverTracker
{
    if (!rig_database()['outcome']) {
        return null;
    }
    require_once __DIR__ . '/../drupal-settings/Tracker.php';
    return new RdsFailoverTracker();
}

function rig_pdo(): PDO
{
    $db = rig_database();
    $options = [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_EMULATE_PREPARES => true];
    if ($db['connect_timeout']) {
        $options[PDO::ATTR_TIMEOUT] = $db['connect_timeout'];
    }
    if ($db['ca']) {
        $options[PDO::MYSQL_ATTR_SSL_CA] = $db['ca'];
        $options[PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT] = $db['verify'];
    }
    $dsn = "mysql:host={$db['host']};port={$db['port']};dbname={$db['name']};charset=utf8mb4";
    return new PDO($dsn, $db['user'], $db['password'], $options);
}
