<?php
// SPDX-License-Identifier: Apache-2.0
// TAP: what the settings includes make of the environment, for Drupal 7 (argument 7) and 9 to 11 (argument 11).
// A stand-in for Composer's class loader; DRUPAL_ROOT of Drupal 7 is a directory without the driver's link.
class StandinLoader
{
    public $prefixes = [];

    public function addPsr4($prefix, $paths)
    {
        $this->prefixes[$prefix] = $paths;
    }
}

define('DRUPAL_ROOT', __DIR__);

function load($version, array $environment, array $databases, array $ours = [])
{
    $_SERVER = array_filter($_SERVER, static function ($name) {
        return strpos($name, 'RDS') !== 0 && strpos($name, 'DATABASE_URL') !== 0;
    }, ARRAY_FILTER_USE_KEY) + $environment;
    $settings = $conf = ['rdsfailover' => $ours];
    $class_loader = new StandinLoader;
    $app_root = '/nowhere';
    include __DIR__ . '/../../../drupal-settings/' . ($version === '7' ? 'settings7' : 'settings') . '.rdsfailover.php';
    return $databases;
}

$version = $argv[1];
$own = ['default' => ['default' => ['driver' => 'mysql', 'host' => 'own', 'prefix' => 'p_', 'database' => 'd', 'username' => 'u', 'password' => 'x']]];
$out = '';
$tests = 0;
$is = static function ($is, $expected, $what) use (&$out, &$tests) {
    $out .= ($is === $expected ? 'ok ' : 'not ok ') . ++$tests . " - $what" . ($is === $expected ? '' : ': ' . var_export($is, true)) . "\n";
};

$d = load($version, [], $own)['default']['default'];
$is($d['host'], 'own', 'nothing in the environment: the site\'s own database stays');
$is($d['namespace'] ?? null, $version === '7' ? null : 'RdsFailover\\Drupal\\mysql', 'the driver is ours, in 7 only where it is linked');
$is($d['driver'], 'mysql', 'and its name core\'s');

$d = load($version, ['DATABASE_URL' => 'mysql://a%40b:p%2F%25w@db.test:3307/sh%20op?ssl-mode=VERIFY_IDENTITY&ssl-ca=/ca.pem', 'RDS_HOSTADDR' => '192.0.2.1'],
    $own)['default']['default'];
$is([$d['host'], $d['port'], $d['username'], $d['password'], $d['database']], ['db.test', 3307, 'a@b', 'p/%w', 'sh op'], 'DATABASE_URL, decoded');
$is($d['pdo'][PDO::MYSQL_ATTR_SSL_CA], '/ca.pem', 'its authority; and the name is kept, not the address');
$is($d['prefix'], 'p_', 'the prefix stays the site\'s');
$is(isset($d['pdo'][PDO::ATTR_TIMEOUT]), false, 'a script waits as long as it likes');

$d = load($version, ['RDS_HOSTNAME' => 'db.test', 'RDS_DB_NAME' => 'shop', 'RDS_USERNAME' => 'u', 'RDS_PASSWORD' => 'p%2F+', 'RDS_HOSTADDR' => '192.0.2.1'],
    [])['default']['default'];
$is([$d['host'], $d['port'], $d['username'], $d['password'], $d['database']], ['192.0.2.1', 3306, 'u', 'p%2F+', 'shop'],
    'RDS_*, as they are, by the address where nothing verifies the name');

$own['default']['default']['pdo'] = [PDO::MYSQL_ATTR_SSL_CA => '/own.pem'];
$d = load($version, ['RDS_HOSTNAME' => 'db.test', 'RDS_HOSTADDR' => '192.0.2.1'], $own)['default']['default'];
$is([$d['host'], $d['pdo'][PDO::MYSQL_ATTR_SSL_CA]], ['db.test', '/own.pem'], 'by name where the site itself verifies it');

$file = tempnam(sys_get_temp_dir(), 'rds');
file_put_contents($file, "secret\n");
$d = load($version, ['RDS_HOSTNAME' => 'db.test', 'RDS_PASSWORD_FILE' => $file], [])['default']['default'];
unlink($file);
$is($d['password'], 'secret', 'a password from its file');
if ($version !== '7') {
    $d = load($version, [], $own, ['transactional' => false, 'read_timeout' => 9])['default']['default'];
    $is($d['rdsfailover'], ['transactional' => false], 'the driver gets its settings');
}
echo $out, "1..$tests\n";
