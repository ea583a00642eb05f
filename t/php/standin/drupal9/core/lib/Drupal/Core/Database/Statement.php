<?php
// SPDX-License-Identifier: Apache-2.0

namespace Drupal\Core\Database;

/**
 * What query() returns: a wrapper of PDO's statement, which is what the driver may replace.
 */
class Statement
{
    private $statement;

    public function __construct(\PDOStatement $statement)
    {
        $this->statement = $statement;
    }

    public function fetchField($index = 0)
    {
        return $this->statement->fetchColumn($index);
    }
}
