<?php
// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What may be said to the web server when the database goes away: RDS-Failover-Outcome.
 *
 * One RdsFailoverTracker watches one connection. It is told each statement before it is sent, each COMMIT before it is sent, and
 * each error. From that it knows whether the database may have kept anything of this request:
 *
 *   not-executed   it kept nothing: no connection, only reads, or a transaction whose COMMIT was never sent
 *   unknown        a write outside a transaction, or a COMMIT, was sent
 *
 * Nothing is said while no connection was lost. Counting is per connection, because applications use a second one to log the
 * failure of the first. PHP 5.3 and later, no dependency but Sql.php beside it: Drupal 7 loads it as well as WordPress.
 */

require_once __DIR__ . '/Sql.php';

/**
 * One connection to a database; statically, the request.
 */
class RdsFailoverTracker
{
    const NOT_EXECUTED = 'not-executed';
    const UNKNOWN = 'unknown';

    /**
     * Tables whose writes a repeated request may repeat, Drupal 7 to 11: caches, locks, the log, and when a user last saw a page,
     * which Drupal 7 writes whenever one who is logged in reads.
     */
    const DRUPAL_BOOKKEEPING = '/^(?:cache(?:_\w+|tags)?|semaphore|watchdog|key_value_expire|history)$/D';

    // Of PHP; tests pretend to be another.
    public static $sapi = PHP_SAPI;
    private static $connections = array();
    private static $sideEffect = false;

    private $settings;
    private $autocommit = 0;
    private $pending = 0;
    private $committed = 0;
    private $lost = false;
    private $refused = false;
    private $deadStatements = 0;
    // What the statement now at the server added, to be taken back if the server refuses it: counter and amount.
    private $last = null;

    /**
     * @param array $settings
     *   bookkeeping: a regular expression of whole table names, prefix removed; null counts every write (the default).
     *   prefix: of this connection's tables.
     *   transactional: false if some tables are not InnoDB; a rollback then proves nothing.
     *   not_executed_for_writes: false if requests other than GET, HEAD and OPTIONS do things outside the database (mail, payment)
     *     that must not be repeated; they are then never reported as not executed.
     */
    public function __construct(array $settings = array())
    {
        $this->settings = $settings + array(
            'bookkeeping' => null,
            'prefix' => '',
            'transactional' => true,
            'not_executed_for_writes' => true,
        );
        if (!self::$connections && !self::isCommandLine() && function_exists('header_register_callback')) {
            // PHP has one such place: an application that takes it for itself still has the header of each failure.
            header_register_callback(array('RdsFailoverTracker', 'finish'));
        }
        // A script that runs for days must not collect its connections.
        if (!self::isCommandLine()) {
            self::$connections[] = $this;
        }
    }

    /**
     * To be called before a statement is sent, with PDO's or the application's idea of whether a transaction is open.
     */
    public function before($sql, $inTransaction)
    {
        $this->last = null;
        if ($this->lost) {
            return;
        }
        if (!$inTransaction) {
            // The transaction ended without our being told.
            $this->commitPending();
        }
        list($kind, $table) = RdsFailoverSql::classify($sql);
        switch ($kind) {
            case RdsFailoverSql::READ:
                return;

            case RdsFailoverSql::COMMIT:
                $this->commitSent();
                return;

            case RdsFailoverSql::ROLLBACK:
                $this->rolledBack();
                return;

            case RdsFailoverSql::BEGIN:
                $this->commitPending();
                return;

            case RdsFailoverSql::DEFINE:
                $this->commitPending();
                break;
        }
        if ($table !== null && $this->isBookkeeping($table)) {
            $this->last = array('bookkeeping', 0);
            return;
        }
        $this->count($kind === RdsFailoverSql::WRITE && $inTransaction && $this->settings['transactional'] ? 'pending' : 'autocommit', 1);
    }

    /**
     * To be called before a COMMIT is sent that before() does not see.
     */
    public function commitSent()
    {
        $this->last = null;
        // On a dead connection it is not sent.
        if (!$this->lost) {
            $sum = $this->pending;
            $this->pending = 0;
            $this->count('committed', $sum);
        }
    }

    /**
     * The transaction is gone: a ROLLBACK was sent, or its connection was closed.
     */
    public function rolledBack()
    {
        $this->last = null;
        $this->pending = 0;
    }

    /**
     * A statement, a COMMIT or the connecting itself failed.
     *
     * @param int $code
     *   MySQL's error number (PDOException::$errorInfo[1], mysqli::$errno).
     *
     * @return bool
     *   Whether that is the database's being away, and not the statement's fault.
     */
    public function failure($code, $message = '')
    {
        if ($this->lost) {
            $this->deadStatements++;
            self::emit();
            return true;
        }
        if (self::isRefusal($code, $message)) {
            $this->refuse();
        } elseif (self::isLoss($code, $message)) {
            $this->lost = true;
        } else {
            return false;
        }
        self::emit();
        return true;
    }

    /**
     * The application connected anew and repeated what had failed: the loss is no longer the request's.
     */
    public function reconnected()
    {
        $this->rolledBack();
        $this->lost = false;
        $this->deadStatements = 0;
        self::emit();
    }

    /**
     * Whether the connection is dead: nothing is sent on it any more.
     */
    public function isLost()
    {
        return $this->lost;
    }

    /**
     * How many statements were tried on the dead connection. Loops that ignore errors are found by it.
     */
    public function deadStatements()
    {
        return $this->deadStatements;
    }

    /**
     * Whether a transaction's or a statement's write may still reach the database, or has.
     */
    public function mayHaveWritten()
    {
        return $this->autocommit + $this->committed > 0 || (!$this->lost && $this->pending > 0);
    }

    /**
     * Something was done outside the database that must not be done twice: this request is never reported as not executed.
     */
    public static function sideEffect()
    {
        self::$sideEffect = true;
        self::emit();
    }

    /**
     * The value of the header, or null if there is nothing to say.
     */
    public static function outcome()
    {
        $reason = false;
        $written = self::$sideEffect;
        $status = function_exists('http_response_code') ? (int) http_response_code() : 0;
        $method = isset($_SERVER['REQUEST_METHOD']) ? strtoupper($_SERVER['REQUEST_METHOD']) : 'GET';
        $safe = in_array($method, array('GET', 'HEAD', 'OPTIONS'), true);
        foreach (self::$connections as $connection) {
            // A page whose cache entry a read-only server refused is a good page, unless the application thinks otherwise.
            $reason = $reason || $connection->lost || $connection->refused === 'write' || ($connection->refused && $status >= 500);
            $written = $written || $connection->mayHaveWritten() || !($safe || $connection->settings['not_executed_for_writes']);
        }
        return $reason ? ($written ? self::UNKNOWN : self::NOT_EXECUTED) : null;
    }

    /**
     * Sets the header to what is true now. Nothing on the command line, and nothing once the headers have left.
     */
    public static function emit()
    {
        if (self::isCommandLine() || headers_sent()) {
            return;
        }
        $outcome = self::outcome();
        if ($outcome === null) {
            header_remove('RDS-Failover-Outcome');
        } else {
            header('RDS-Failover-Outcome: ' . $outcome);
        }
    }

    /**
     * The last word, just before the first byte leaves: header_register_callback() calls it.
     */
    public static function finish()
    {
        self::emit();
        // Without its database an application finds nothing and says so; no cache or crawler should believe it. The whole status line,
        // because frameworks set one, and it would win over http_response_code().
        if (self::anyLost() && in_array(http_response_code(), array(403, 404), true)) {
            $protocol = isset($_SERVER['SERVER_PROTOCOL']) ? $_SERVER['SERVER_PROTOCOL'] : 'HTTP/1.1';
            header($protocol . ' 503 Service Unavailable', true, 503);
        }
    }

    /**
     * Begins a new request, where one PHP process serves several without starting anew.
     */
    public static function reset()
    {
        self::$connections = array();
        self::$sideEffect = false;
    }

    private static function anyLost()
    {
        foreach (self::$connections as $connection) {
            if ($connection->lost) {
                return true;
            }
        }
        return false;
    }

    private static function isCommandLine()
    {
        return self::$sapi === 'cli' || self::$sapi === 'phpdbg';
    }

    /**
     * The numbers that mean: this connection is gone, or there is none.
     */
    private static function isLoss($code, $message)
    {
        // mysqlnd says 2002 for a certificate it does not like, too: a mistake that no waiting repairs.
        if (stripos((string) $message, 'SSL') !== false) {
            return false;
        }
        $losses = array(
            2002, 2003, 2005, 2006, 2013, 2055, 1040, 1203, 1053, 1152, 1158, 1159, 1160, 1161, 1927, 3169, 4031,
        );
        return in_array((int) $code, $losses, true);
    }

    /**
     * The connection lives, the statement was turned away: a demoted writer or one not yet promoted, or a user's quota.
     * 1290 has other reasons too; those do not name an option "read-only".
     */
    private static function isRefusal($code, $message)
    {
        $code = (int) $code;
        return $code === 1836 || $code === 1226 || ($code === 1290 && preg_match('~read[-_ ]?only~i', (string) $message));
    }

    private function isBookkeeping($table)
    {
        $prefix = $this->settings['prefix'];
        if ($prefix !== '' && strpos($table, $prefix) === 0) {
            $table = substr($table, strlen($prefix));
        }
        return $this->settings['bookkeeping'] !== null && preg_match($this->settings['bookkeeping'], $table) === 1;
    }

    private function count($counter, $amount)
    {
        $this->$counter += $amount;
        $this->last = array($counter, $amount);
        if ($amount && self::anyLost()) {
            self::emit();
        }
    }

    private function commitPending()
    {
        $this->committed += $this->pending;
        $this->pending = 0;
    }

    /**
     * The server answered that it will not: what it was asked last has not happened. A refused COMMIT has rolled back.
     */
    private function refuse()
    {
        if ($this->last === array('bookkeeping', 0)) {
            $this->refused = $this->refused ? $this->refused : 'bookkeeping';
            return;
        }
        if ($this->last !== null) {
            list($counter, $amount) = $this->last;
            $this->$counter -= $amount;
            $this->last = null;
        }
        $this->refused = 'write';
    }
}
