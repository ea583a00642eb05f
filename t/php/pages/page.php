<?php
// SPDX-License-Identifier: Apache-2.0
// An application of several minds, for prepend.t. ?with=pdo|mysqli&sql[]=…&error=…&port=…; error: what it makes of a failure:
//   throw (nobody catches it), 503 (an error page), hide (200, as if nothing were wrong), replica (tries the real port next)
//   flush: a byte leaves before it connects; callback: it takes PHP's header callback for itself

function connect(string $with, int $port): callable
{
    if ($with === 'pdo') {
        $pdo = new PDO("mysql:host=127.0.0.1;port=$port;dbname=shop", $_GET['user'] ?? 'app', 'secret', [PDO::ATTR_TIMEOUT => 5]);
        return static fn (string $sql) => $pdo->query($sql);
    }
    mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
    $mysqli = new mysqli('127.0.0.1', $_GET['user'] ?? 'app', 'secret', 'shop', $port);
    return static fn (string $sql) => $mysqli->query($sql);
}

$error = $_GET['error'] ?? 'throw';
if ($error === 'flush') {
    echo str_repeat('.', 8000);
    ob_flush();
    flush();
}
if ($error === 'callback') {
    header_register_callback(static fn () => header('X-Application: here'));
}
$ask = static function () {
    $query = connect($_GET['with'], (int) $_GET['port']);
    array_map($query, $_GET['sql'] ?? []);
};
if ($error === 'throw') {
    $ask();
} else {
    try {
        $ask();
    } catch (Exception $e) {
        if ($error === '503') {
            http_response_code(503);
        }
        if ($error === 'replica') {
            connect($_GET['with'], (int) $_GET['next'])('SELECT 1');
        }
    }
}
echo 'timeouts ', ini_get('mysqlnd.net_read_timeout'), ' ', ini_get('default_socket_timeout');
