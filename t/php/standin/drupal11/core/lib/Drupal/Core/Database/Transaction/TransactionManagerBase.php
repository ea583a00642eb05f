<?php
// SPDX-License-Identifier: Apache-2.0

namespace Drupal\Core\Database\Transaction;

use Drupal\Core\Database\Connection;
use Drupal\Core\Database\Transaction;

/**
 * A stack of transactions; the lowest is the database's, the others are savepoints.
 */
abstract class TransactionManagerBase implements TransactionManagerInterface
{
    protected readonly Connection $connection;
    private array $stack = [];

    public function __construct(Connection $connection)
    {
        $this->connection = $connection;
    }

    abstract protected function beginClientTransaction(): bool;

    abstract protected function commitClientTransaction(): bool;

    abstract protected function rollbackClientTransaction(): bool;

    public function inTransaction(): bool
    {
        return $this->stack !== [];
    }

    public function push(string $name = ''): Transaction
    {
        if ($this->stack === []) {
            $name = 'drupal_transaction';
            $this->beginClientTransaction();
        } else {
            $name = 'savepoint_' . count($this->stack);
            $this->connection->query("SAVEPOINT $name");
        }
        $id = uniqid($name);
        $this->stack[$id] = $name;
        return new Transaction($this, $name, $id);
    }

    public function unpile(string $name, string $id): void
    {
        if (!isset($this->stack[$id])) {
            return;
        }
        unset($this->stack[$id]);
        if ($this->stack === []) {
            $this->processRootCommit();
        }
    }

    public function rollback(string $name, string $id): void
    {
        $this->stack = [];
        $this->rollbackClientTransaction();
    }

    protected function processRootCommit(): void
    {
        $this->commitClientTransaction();
    }
}
