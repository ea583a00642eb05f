<?php
// SPDX-License-Identifier: Apache-2.0
/**
 * usage: php database.php url HOST PORT NAME CA <SECRET
 *          prints the DSN as a URL; SECRET is the site's, as Secrets Manager holds it
 *        php database.php prepare HOST PORT NAME CA [COMMAND [ARGUMENT ...]] <SECRETS
 *          SECRETS is {"master": …, "site": …}. Makes the site's user where it cannot log in, then runs COMMAND, on one host at a time
 *
 * Standard input, because a command line can be read by everybody. It ends with 0, or with the command's own code.
 */

$LIMIT = 600;    // seconds: a new instance of RDS answers a little after its stack is complete; others may be installing

[, $mode, $host, $port, $name, $ca] = $argv + array_fill(0, 6, null);
$in = json_decode(stream_get_contents(STDIN), true);
if ($ca === null || !is_array($in) || !in_array($mode, ['url', 'prepare'], true)) {
    fwrite(STDERR, "database.php: no secret came, or an argument is missing\n");
    exit(2);
}

if ($mode === 'url') {
    printf('mysql://%s:%s@%s:%d/%s?ssl-mode=VERIFY_IDENTITY&ssl-ca=%s', rawurlencode($in['username']), rawurlencode($in['password']),
        $host, $port, rawurlencode($name), $ca);
    exit(0);
}

/** Logged in with a verified name, or an exception. */
function connect(array $user, string $database = ''): PDO
{
    global $host, $port, $ca;
    return new PDO("mysql:host=$host;port=$port;charset=utf8mb4" . ($database === '' ? '' : ";dbname=$database"),
        $user['username'], $user['password'],
        [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_TIMEOUT => 10, PDO::MYSQL_ATTR_SSL_CA => $ca]);
}

function prepare(array $in, string $name): PDO
{
    try {
        return connect($in['site'], $name);
    } catch (PDOException $e) {
        if (!in_array($e->getCode(), [1044, 1045], true)) {
            throw $e;
        }
    }
    // A new database, or a changed secret.
    if (!is_array($in['master'] ?? null)) {
        fwrite(STDERR, "database: the site's user cannot log in, and the master's secret, which would help, cannot be read\n");
        exit(1);
    }
    $master = connect($in['master']);
    $user = $master->quote($in['site']['username']) . "@'%'";
    $password = $master->quote($in['site']['password']);
    $master->exec("CREATE USER IF NOT EXISTS $user IDENTIFIED BY $password");
    $master->exec("ALTER USER $user IDENTIFIED BY $password");
    // A _ or % would stand for other databases as well.
    $master->exec('GRANT ALL PRIVILEGES ON `' . addcslashes(str_replace('`', '``', $name), '_%') . "`.* TO $user");
    echo "database: the site's user may log in\n";
    return connect($in['site'], $name);
}

for ($until = time() + $LIMIT;; sleep(5)) {
    try {
        $site = prepare($in, $name);
        break;
    } catch (PDOException $e) {
        $message = $e->getMessage();
        // Codes of the client: no connection yet. All else is not going to get better by itself.
        if (time() > $until || $e->getCode() < 2000 || $e->getCode() >= 3000) {
            fwrite(STDERR, "database: $message\n");
            exit(1);
        }
        echo "database: $message; waiting\n";
    }
}
if ($argc > 6) {
    // The lock ends with this connection, whatever ends it.
    $site->exec("SET SESSION wait_timeout = 3600");
    if (!$site->query("SELECT GET_LOCK('rdsfailover-install', $LIMIT)")->fetchColumn()) {
        fwrite(STDERR, "database: another host has been installing the site for more than $LIMIT s\n");
        exit(1);
    }
    passthru(implode(' ', array_map('escapeshellarg', array_slice($argv, 6))), $status);
    exit($status);
}
