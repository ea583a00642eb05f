<?php
// SPDX-License-Identifier: Apache-2.0

namespace Drupal\Core\Database\Transaction;

use Drupal\Core\Database\Transaction;

interface TransactionManagerInterface
{
    public function inTransaction(): bool;

    public function push(string $name = ''): Transaction;

    public function unpile(string $name, string $id): void;

    public function rollback(string $name, string $id): void;
}
