<?php
// SPDX-License-Identifier: Apache-2.0
// TAP: Drupal's own database layer with our driver, on a real server whose connections are killed. No site, no container.
// usage: php layer.php DRUPAL_ROOT HOST PORT USER PASSWORD DATABASE
[, $root, $host, $port, $user, $password, $database] = $argv;
error_reporting(E_ALL & ~E_DEPRECATED);
$prefixes = [
    'RdsFailover\\Drupal\\' => __DIR__ . '/../../../drupal-settings/src/Drupal/',
    'Drupal\\mysql\\' => "$root/core/modules/mysql/src/",
    'Drupal\\Core\\' => "$root/core/lib/Drupal/Core/",
    'Drupal\\Component\\' => "$root/core/lib/Drupal/Component/",
];
spl_autoload_register(static function ($class) use ($prefixes) {
    foreach ($prefixes as $prefix => $dir) {
        $file = $dir . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
        if (strpos($class, $prefix) === 0 && is_file($file)) {
            require_once $file;
            return;
        }
    }
});
if (is_file("$root/vendor/autoload.php")) {
    require_once "$root/vendor/autoload.php";
}

$admin = new PDO("mysql:host=$host;port=$port;dbname=$database", $user, $password, [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$admin->exec('DROP TABLE IF EXISTS shop_order');
$admin->exec('CREATE TABLE shop_order (id INT PRIMARY KEY) ENGINE=InnoDB');
$options = ['driver' => 'mysql', 'namespace' => 'RdsFailover\\Drupal\\mysql', 'host' => $host, 'port' => $port, 'username' => $user,
    'password' => $password, 'database' => $database, 'prefix' => ''];
$connect = static function (array $other = []) use ($options) {
    RdsFailoverTracker::reset();
    RdsFailoverTracker::$sapi = 'fpm-fcgi';
    $_SERVER['REQUEST_METHOD'] = 'POST';
    $mine = $other + $options;
    return new RdsFailover\Drupal\mysql\Connection(RdsFailover\Drupal\mysql\Connection::open($mine), $mine);
};
$kill = static function ($c) use ($admin) {
    $admin->exec('KILL ' . $c->query('SELECT CONNECTION_ID()')->fetchField());
};
require_once __DIR__ . '/../../../drupal-settings/Tracker.php';

$tests = 0;
$out = '';
$is = static function ($is, $expected, $what) use (&$tests, &$out) {
    $out .= ($is === $expected ? 'ok ' : 'not ok ') . ++$tests . " - $what" . ($is === $expected ? '' : ': ' . var_export($is, true)) . "\n";
};
$failing = static function (callable $do) {
    try {
        $do();
    } catch (\Throwable $e) {
        return true;
    }
    return false;
};
$said = static function () {
    return RdsFailoverTracker::outcome();
};

$is($failing(static function () use ($connect) { $connect(['port' => 1]); }), true, 'nobody listens');
$is($said(), 'not-executed', '... not executed');
$is($failing(static function () use ($connect) { $connect(['password' => 'wrong']); }), true, 'a wrong password');
$is($said(), null, '... nothing is said');

$c = $connect();
$is($c->driver(), 'mysql', 'the driver is still mysql');
$is(get_class($c->upsert('shop_order')), 'Drupal\\mysql\\Driver\\Database\\mysql\\Upsert', 'core finds its query classes');
$c->insert('shop_order')->fields(['id' => 1])->execute();
$transaction = $c->startTransaction();
$c->insert('shop_order')->fields(['id' => 2])->execute();
unset($transaction);
$is($said(), null, 'all is well: nothing is said');
$is((int) $c->query('SELECT COUNT(*) FROM {shop_order}')->fetchField(), 2, '... and both rows are there');

$c = $connect();
$kill($c);
$is($failing(static function () use ($c) { $c->query('SELECT 1'); }), true, 'lost in a read');
$is($said(), 'not-executed', '... not executed');

$c = $connect();
$c->insert('shop_order')->fields(['id' => 3])->execute();
$kill($c);
$failing(static function () use ($c) { $c->query('SELECT 1'); });
$is($said(), 'unknown', 'lost after a write of its own: unknown');

$c = $connect();
$is($failing(static function () use ($c, $kill) {
    $transaction = $c->startTransaction();
    $c->insert('shop_order')->fields(['id' => 4])->execute();
    $kill($c);
    $c->insert('shop_order')->fields(['id' => 5])->execute();
}), true, 'lost inside a transaction');
$is($said(), 'not-executed', '... not executed');

$c = $connect();
$failing(static function () use ($c, $kill) {
    $transaction = $c->startTransaction();
    $c->insert('shop_order')->fields(['id' => 6])->execute();
    $kill($c);
    method_exists($transaction, 'commitOrRelease') ? $transaction->commitOrRelease() : $c->popTransaction($transaction->name());
});
$is($said(), 'unknown', 'lost in COMMIT: unknown');

$c = $connect();
$kill($c);
$is($failing(static function () use ($c) { $c->startTransaction(); }), true, 'lost in START TRANSACTION');
$is($said(), 'not-executed', '... not executed');

$c = $connect();
$kill($c);
$last = null;
for ($n = 0; $n < 100 && !$last instanceof \Error; $n++) {
    try {
        $c->query('SELECT 1');
    } catch (\Throwable $last) {
        // A loop that ignores errors.
    }
}
$is($last instanceof \Error && $n < 30, true, 'a loop on a dead connection ends');
$is((int) $admin->query('SELECT COUNT(*) FROM shop_order WHERE id BETWEEN 4 AND 6')->fetchColumn(), 0, 'nothing of the lost transactions was kept');
echo $out, "1..$tests\n";
