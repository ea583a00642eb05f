<?php
// SPDX-License-Identifier: Apache-2.0

namespace RdsFailover\Drupal\mysql;

use Drupal\Core\Database\Transaction\TransactionManagerInterface;
use Drupal\mysql\Driver\Database\mysql\Connection as CoreConnection;

require_once __DIR__ . '/../../../Tracker.php';

/**
 * Core's MySQL driver, Drupal 9.4 to 11, that tells a tracker what it sends.
 *
 * Some methods exist in the parent of some versions only: where the parent has none, nobody calls them.
 */
class Connection extends CoreConnection
{
    private $rdsFailoverTracker;

    public function __construct(\PDO $connection, array $connection_options)
    {
        $this->rdsFailoverTracker = $connection->getAttribute(\PDO::ATTR_STATEMENT_CLASS)[1][0];
        // Core looks for Select, Upsert, Schema and so on in this namespace; they are its own.
        $connection_options['namespace'] = 'Drupal\\mysql\\Driver\\Database\\mysql';
        parent::__construct($connection, $connection_options);
    }

    public static function open(array &$connection_options = [])
    {
        $prefix = $connection_options['prefix'] ?? '';
        $tracker = new \RdsFailoverTracker(($connection_options['rdsfailover'] ?? []) + [
            'bookkeeping' => \RdsFailoverTracker::DRUPAL_BOOKKEEPING,
            'prefix' => is_string($prefix) ? $prefix : ($prefix['default'] ?? ''),
        ]);
        try {
            $pdo = parent::open($connection_options);
        } catch (\Exception $e) {
            // Core wraps what PDO threw, with its number as the code.
            $tracker->failure($e instanceof \PDOException ? ($e->errorInfo[1] ?? $e->getCode()) : $e->getCode(), $e->getMessage());
            throw $e;
        }
        // The statements must not keep the connection open.
        $pdo->setAttribute(\PDO::ATTR_STATEMENT_CLASS, [Statement::class, [$tracker, \WeakReference::create($pdo)]]);
        return $pdo;
    }

    public function rdsFailoverTracker(): \RdsFailoverTracker
    {
        return $this->rdsFailoverTracker;
    }

    // 10.2 and later.
    protected function driverTransactionManager(): TransactionManagerInterface
    {
        return new TransactionManager($this);
    }

    // 9.4 to 10.1: the next three.
    public function pushTransaction($name)
    {
        return $this->rdsFailoverWatch(function () use ($name) {
            return parent::pushTransaction($name);
        });
    }

    protected function doCommit()
    {
        $this->rdsFailoverTracker->commitSent();
        return $this->rdsFailoverWatch(function () {
            return parent::doCommit();
        });
    }

    public function rollBack($savepoint_name = 'drupal_transaction')
    {
        try {
            return $this->rdsFailoverWatch(function () use ($savepoint_name) {
                return parent::rollBack($savepoint_name);
            });
        } finally {
            if (!$this->connection->inTransaction()) {
                $this->rdsFailoverTracker->rolledBack();
            }
        }
    }

    /**
     * Runs what asks PDO itself and not one of its statements.
     */
    public function rdsFailoverWatch(callable $ask)
    {
        try {
            return $ask();
        } catch (\PDOException $e) {
            $this->rdsFailoverTracker->failure($e->errorInfo[1] ?? 0, $e->getMessage());
            throw $e;
        }
    }
}
