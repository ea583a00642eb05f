<?php
// SPDX-License-Identifier: Apache-2.0
// A site as small as one can be: a number from the database, and a word of the release's configuration.
$url = parse_url($_SERVER['DATABASE_URL']);
parse_str($url['query'], $query);
$pdo = new PDO("mysql:host={$url['host']};port={$url['port']};dbname=" . ltrim($url['path'], '/'), $url['user'], $url['pass'],
    [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::MYSQL_ATTR_SSL_CA => $query['ssl-ca']]);
[$cipher] = array_slice($pdo->query("SHOW STATUS LIKE 'Ssl_cipher'")->fetch(PDO::FETCH_NUM), 1);
echo getenv('SITE_NAME'), ': ', $pdo->query('SELECT COUNT(*) FROM article')->fetchColumn(), ' articles', $cipher ? ', by TLS' : '', "\n";
