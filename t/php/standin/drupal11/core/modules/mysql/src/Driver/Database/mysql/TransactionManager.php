<?php
// SPDX-License-Identifier: Apache-2.0

namespace Drupal\mysql\Driver\Database\mysql;

use Drupal\Core\Database\Transaction\TransactionManagerBase;

class TransactionManager extends TransactionManagerBase
{
    protected function beginClientTransaction(): bool
    {
        return $this->connection->getClientConnection()->beginTransaction();
    }

    protected function commitClientTransaction(): bool
    {
        return $this->connection->getClientConnection()->commit();
    }

    protected function rollbackClientTransaction(): bool
    {
        return $this->connection->getClientConnection()->rollBack();
    }
}
