<?php
// SPDX-License-Identifier: Apache-2.0

namespace Drupal\Core\Database;

use Drupal\Core\Database\Transaction\TransactionManagerInterface;

/**
 * Commits when it goes, or when it is told.
 */
class Transaction
{
    private TransactionManagerInterface $manager;
    private string $name;
    private string $id;

    public function __construct(TransactionManagerInterface $manager, string $name, string $id)
    {
        $this->manager = $manager;
        $this->name = $name;
        $this->id = $id;
    }

    public function __destruct()
    {
        $this->manager->unpile($this->name, $this->id);
    }

    public function name()
    {
        return $this->name;
    }

    public function rollBack()
    {
        $this->manager->rollback($this->name, $this->id);
    }

    public function commitOrRelease(): void
    {
        $this->manager->unpile($this->name, $this->id);
    }
}
