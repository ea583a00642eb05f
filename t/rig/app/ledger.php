<?php
// SPDX-License-Identifier: Apache-2.0
// POST token=…[&mode=transaction]  writes one row and answers "OK <token>"; mode=read only looks whether the token is there.
// GET [?work=n]                    reads n categories of the item table (index lookup and sums); n defaults to 1.
// Both answer 200 and end with RIG-OK, or answer 500 with the reason: nothing is caught and hidden, nothing tried again.
require __DIR__ . '/../app/database.php';

header('Content-Type: text/plain; charset=utf-8');
header('Cache-Control: no-store');
$tracker = rig_tracker();
try {
    if ($_SERVER['REQUEST_METHOD'] === 'POST') {
        $token = (string) ($_POST['token'] ?? '');
        if (!preg_match('/^[\w.:-]{1,64}$/', $token)) {
            http_response_code(400);
            exit("token: 1 to 64 letters, digits or . : _ -\n");
        }
        $pdo = rig_pdo();
        $mode = $_POST['mode'] ?? '';
        $transaction = $mode === 'transaction';
        if ($transaction) {
            $pdo->beginTransaction();
        }
        $statement = $mode === 'read' ? 'SELECT COUNT(*) FROM ledger WHERE token = ?'
            : 'INSERT INTO ledger (token, server) VALUES (?, @@hostname)';
        $tracker?->before($statement, $transaction);
        $pdo->prepare($statement)->execute([$token]);
        if ($transaction) {
            $tracker?->commitSent();
            $pdo->commit();
        }
        echo "OK $token\nRIG-OK\n";
    } else {
        $work = max(1, min(1000, (int) ($_GET['work'] ?? 1)));
        $pdo = rig_pdo();
        $ask = $pdo->prepare('SELECT COUNT(*), SUM(price), AVG(stock), SUM(LENGTH(description)) FROM item WHERE category = ?');
        for ($sum = 0; $work-- > 0;) {
            $ask->execute([random_int(0, 999)]);
            $sum += $ask->fetchAll(PDO::FETCH_NUM)[0][1];
        }
        echo "sum $sum\nRIG-OK\n";
    }
} catch (PDOException $e) {
    $tracker?->failure($e->errorInfo[1] ?? $e->getCode(), $e->getMessage());
    http_response_code(500);
    echo 'database: ' . preg_replace('/\[[^]]*\]/', '', $e->getMessage()) . "\n";
}
