<?php
// SPDX-License-Identifier: Apache-2.0

namespace Drupal\Core\Database;

/**
 * Stands in for that of Drupal 9.4 to 10.1: its signatures, and so much of what it does that a driver can be tested.
 */
abstract class Connection
{
    protected $connection;
    protected $connectionOptions;
    protected $transactionLayers = [];

    public function __construct(\PDO $connection, array $connection_options)
    {
        $this->connection = $connection;
        $this->connectionOptions = $connection_options;
    }

    public function query($query, array $args = [], $options = [])
    {
        $statement = $this->connection->prepare(strtr($query, ['{' => '', '}' => '']));
        $statement->execute($args);
        return new Statement($statement);
    }

    public function insert($table, array $options = [])
    {
        return $this->builder('Insert', $table, $options);
    }

    public function upsert($table, array $options = [])
    {
        return $this->builder('Upsert', $table, $options);
    }

    // A driver's own, or core's.
    private function builder($name, $table, array $options)
    {
        $class = $this->connectionOptions['namespace'] . '\\' . $name;
        return new $class($this, $table, $options);
    }

    public function inTransaction()
    {
        return count($this->transactionLayers) > 0;
    }

    public function startTransaction($name = '')
    {
        return new Transaction($this, $name);
    }

    public function pushTransaction($name)
    {
        if ($this->transactionLayers) {
            $this->query("SAVEPOINT $name");
        } else {
            $this->connection->beginTransaction();
        }
        $this->transactionLayers[$name] = $name;
    }

    // What is popped is committed when all that was begun inside it is.
    public function popTransaction($name)
    {
        if (isset($this->transactionLayers[$name])) {
            $this->transactionLayers[$name] = false;
            $this->popCommittableTransactions();
        }
    }

    protected function popCommittableTransactions()
    {
        foreach (array_reverse($this->transactionLayers) as $name => $open) {
            if ($open) {
                break;
            }
            unset($this->transactionLayers[$name]);
            if (!$this->transactionLayers) {
                $this->doCommit();
            }
        }
    }

    protected function doCommit()
    {
        return $this->connection->commit();
    }

    public function rollBack($savepoint_name = 'drupal_transaction')
    {
        $this->transactionLayers = [];
        return $this->connection->rollBack();
    }

    abstract public function driver();
}
