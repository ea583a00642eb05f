<?php
// SPDX-License-Identifier: Apache-2.0

namespace Drupal\Core\Database;

/**
 * Commits when it goes.
 */
class Transaction
{
    protected $connection;
    protected $name;

    public function __construct(Connection $connection, $name = null)
    {
        $this->connection = $connection;
        $this->name = $connection->inTransaction() ? 'savepoint' : 'drupal_transaction';
        $connection->pushTransaction($this->name);
    }

    public function __destruct()
    {
        $this->connection->popTransaction($this->name);
    }

    public function name()
    {
        return $this->name;
    }

    public function rollBack()
    {
        $this->connection->rollBack($this->name);
    }
}
