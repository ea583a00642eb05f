<?php
// SPDX-License-Identifier: Apache-2.0
// No database: what a PHP page costs by itself.
header('Content-Type: text/plain');
echo "RIG-OK\n";
