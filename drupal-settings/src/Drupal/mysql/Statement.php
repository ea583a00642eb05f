<?php
// SPDX-License-Identifier: Apache-2.0

namespace RdsFailover\Drupal\mysql;

/**
 * Every statement of Drupal's passes here, those too whose exception is swallowed.
 */
class Statement extends \PDOStatement
{
    // Core has loops that try a lock again whatever the error: 30 s of processor time on a dead connection.
    const DEAD_STATEMENTS = 20;

    private $tracker;
    private $pdo;

    protected function __construct(\RdsFailoverTracker $tracker, \WeakReference $pdo)
    {
        $this->tracker = $tracker;
        $this->pdo = $pdo;
    }

    #[\ReturnTypeWillChange]
    public function execute($params = null)
    {
        $pdo = $this->pdo->get();
        $this->tracker->before($this->queryString, $pdo && $pdo->inTransaction());
        try {
            return parent::execute($params);
        } catch (\PDOException $e) {
            $this->tracker->failure($e->errorInfo[1] ?? 0, $e->getMessage());
            if ($this->tracker->deadStatements() >= self::DEAD_STATEMENTS) {
                // Not an Exception: those are what such loops catch.
                throw new \Error('The database connection is lost, and was still used: ' . $e->getMessage(), 0, $e);
            }
            throw $e;
        }
    }
}
