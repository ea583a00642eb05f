<?php
// SPDX-License-Identifier: Apache-2.0

namespace Drupal\mysql\Driver\Database\mysql;

use Drupal\Core\Database\Connection as Database;

/**
 * One row.
 */
class Insert
{
    protected $connection;
    protected $table;
    protected $fields = [];

    public function __construct(Database $connection, string $table, array $options = [])
    {
        $this->connection = $connection;
        $this->table = $table;
    }

    public function fields(array $fields)
    {
        $this->fields = $fields;
        return $this;
    }

    public function execute()
    {
        $names = array_keys($this->fields);
        return $this->connection->query('INSERT INTO {' . $this->table . '} (' . implode(', ', $names) . ') VALUES (:'
            . implode(', :', $names) . ')', $this->fields);
    }
}
