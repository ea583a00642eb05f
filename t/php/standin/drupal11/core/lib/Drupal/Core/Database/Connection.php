<?php
// SPDX-License-Identifier: Apache-2.0

namespace Drupal\Core\Database;

use Drupal\Core\Database\Transaction\TransactionManagerInterface;
use Drupal\mysql\Driver\Database\mysql\Insert;
use Drupal\mysql\Driver\Database\mysql\Upsert;

/**
 * Stands in for that of Drupal 10.2 to 11: its signatures, and so much of what it does that a driver can be tested.
 */
abstract class Connection
{
    protected $connection;
    protected $connectionOptions;
    protected TransactionManagerInterface $transactionManager;

    public function __construct(\PDO $connection, array $connection_options)
    {
        $this->connection = $connection;
        $this->connectionOptions = $connection_options;
    }

    public function getClientConnection(): object
    {
        return $this->connection;
    }

    public function query($query, array $args = [], $options = [])
    {
        $statement = $this->connection->prepare(strtr($query, ['{' => '', '}' => '']));
        $statement->execute($args);
        return new Statement($statement);
    }

    public function insert($table, array $options = [])
    {
        return new Insert($this, $table, $options);
    }

    public function upsert($table, array $options = [])
    {
        return new Upsert($this, $table, $options);
    }

    protected function driverTransactionManager(): TransactionManagerInterface
    {
        throw new \LogicException('a driver has one of its own');
    }

    // Core's return type differs between its versions.
    private function manager(): TransactionManagerInterface
    {
        return $this->transactionManager ??= $this->driverTransactionManager();
    }

    public function inTransaction()
    {
        return $this->manager()->inTransaction();
    }

    public function startTransaction($name = '')
    {
        return $this->manager()->push($name);
    }

    abstract public function driver();
}
