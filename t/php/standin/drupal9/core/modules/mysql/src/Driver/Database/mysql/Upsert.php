<?php
// SPDX-License-Identifier: Apache-2.0

namespace Drupal\mysql\Driver\Database\mysql;

class Upsert extends Insert
{
}
