<?php
// SPDX-License-Identifier: Apache-2.0

namespace Drupal\mysql\Driver\Database\mysql;

use Drupal\Core\Database\Connection as Database;

class Connection extends Database
{
    public function __construct(\PDO $connection, array $connection_options)
    {
        parent::__construct($connection, $connection_options);
    }

    public static function open(array &$connection_options = [])
    {
        ['host' => $host, 'port' => $port, 'database' => $database] = $connection_options;
        $pdo = new \PDO("mysql:host=$host;port=$port;dbname=$database", $connection_options['username'], $connection_options['password'],
            ($connection_options['pdo'] ?? []) + [\PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION, \PDO::ATTR_EMULATE_PREPARES => true]);
        $pdo->exec('SET NAMES utf8mb4');
        return $pdo;
    }

    public function driver()
    {
        return 'mysql';
    }
}
