<?php
// SPDX-License-Identifier: Apache-2.0
// Do the stand-ins have the signatures of a real Drupal's database layer? A line for each method that our drivers inherit, override
// or call: compared with itself, a stand-in shows which; compared with a Drupal, whether they agree.
// usage: php signatures.php STANDIN            the methods, as JSON
//        php signatures.php STANDIN DRUPAL     TAP

$standin = $argv[1];
$classes = is_dir("$standin/core")
    ? array('Drupal\\mysql\\Driver\\Database\\mysql\\Connection', 'Drupal\\mysql\\Driver\\Database\\mysql\\TransactionManager')
    : array('DatabaseConnection_mysql', 'DatabaseStatementBase');

function load($root)
{
    error_reporting(E_ALL & ~E_DEPRECATED);
    if (!is_dir("$root/core")) {
        foreach (array('database.inc', 'query.inc', 'mysql/database.inc') as $file) {
            is_file("$root/includes/database/$file") && require_once "$root/includes/database/$file";
        }
        return;
    }
    $prefixes = array('Drupal\\mysql\\' => 'core/modules/mysql/src', 'Drupal\\Core\\' => 'core/lib/Drupal/Core',
        'Drupal\\Component\\' => 'core/lib/Drupal/Component');
    spl_autoload_register(function ($class) use ($root, $prefixes) {
        foreach ($prefixes as $prefix => $dir) {
            $file = "$root/$dir/" . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
            if (strpos($class, $prefix) === 0 && is_file($file)) {
                require_once $file;
                return;
            }
        }
    });
}

// What a method that overrides this one must have, and what a call of it gives.
function signature(ReflectionMethod $method)
{
    $parameters = array();
    foreach ($method->getParameters() as $p) {
        $parameters[] = ltrim($p->getType() . ' ') . ($p->isPassedByReference() ? '&' : '') . ($p->isVariadic() ? '...' : '') . '$'
            . $p->getName() . ($p->isOptional() && !$p->isVariadic() ? ' = ' . json_encode($p->getDefaultValue()) : '');
    }
    return implode(' ', Reflection::getModifierNames($method->getModifiers())) . ' (' . implode(', ', $parameters) . ')'
        . ($method->hasReturnType() ? ': ' . $method->getReturnType() : '');
}

function signatures($root, array $classes)
{
    load($root);
    $found = array();
    foreach ($classes as $class) {
        foreach (class_exists($class) ? (new ReflectionClass($class))->getMethods() : array() as $method) {
            if ($method->isUserDefined() && !$method->isPrivate()) {
                $found["$class::" . $method->getName()] = signature($method);
            }
        }
    }
    return $found;
}

if (!isset($argv[2])) {
    exit(json_encode(signatures($standin, $classes)));
}
// Their classes have the same names: the stand-in's are read by another process.
$expected = json_decode(shell_exec(escapeshellarg(PHP_BINARY) . ' ' . escapeshellarg(__FILE__) . ' ' . escapeshellarg($standin)), true);
$real = signatures($argv[2], $classes);
$tests = 0;
foreach ($expected as $method => $signature) {
    $is = isset($real[$method]) ? $real[$method] : 'not there';
    echo $is === $signature ? 'ok ' : 'not ok ', ++$tests, " - $method $signature", $is === $signature ? '' : ", real: $is", "\n";
}
echo "1..$tests\n";
