<?php
// SPDX-License-Identifier: Apache-2.0

namespace RdsFailover\Drupal\mysql;

use Drupal\mysql\Driver\Database\mysql\TransactionManager as CoreTransactionManager;

/**
 * Drupal 10.2 and later: where BEGIN, COMMIT and ROLLBACK are sent.
 */
class TransactionManager extends CoreTransactionManager
{
    protected function beginClientTransaction(): bool
    {
        return $this->connection->rdsFailoverWatch(function () {
            return parent::beginClientTransaction();
        });
    }

    protected function commitClientTransaction(): bool
    {
        $this->connection->rdsFailoverTracker()->commitSent();
        return $this->connection->rdsFailoverWatch(function () {
            return parent::commitClientTransaction();
        });
    }

    protected function rollbackClientTransaction(): bool
    {
        $this->connection->rdsFailoverTracker()->rolledBack();
        return $this->connection->rdsFailoverWatch(function () {
            return parent::rollbackClientTransaction();
        });
    }
}
