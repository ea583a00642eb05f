<?php
// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * WordPress's database class, made truthful: wp-content/db.php is a link to this file, or one line that requires it.
 *
 * WordPress repeats each failed statement by itself after connecting anew. If the server had executed it, it is executed twice: a
 * comment whose answer was lost stands there two times. Here a statement is repeated only if it read, outside a transaction; anything
 * else ends the request with an error page and the header RDS-Failover-Outcome, from which the web server knows whether it may ask
 * again. Nor does a page wait: WordPress tries five times, a second apart, for each statement that is left on the page.
 *
 * The command line keeps WordPress's own class. WordPress 4.9 to 6.x with mysqli; PHP 5.6 and later.
 */

if (PHP_SAPI === 'cli' || PHP_SAPI === 'phpdbg' || !class_exists('wpdb') || !function_exists('mysqli_connect')) {
    return;
}

require_once dirname(__DIR__) . '/Tracker.php';

class RdsFailoverWpdb extends wpdb
{
    /** Seconds without a statement after which the server may have closed the connection (wait_timeout). */
    const IDLE = 5;

    /** Rows of the options table that a repeated request may write again: what WordPress has computed, and could lose at any time. */
    const CACHE_ROWS = '(?:_site_transient_|_transient_)[^\'\\\\]*|cron|rewrite_rules';

    private $tracker;
    private $inTransaction = false;
    // Whether wpdb::query() is at work: then check_connection() is called because its statement failed.
    private $querying = false;
    // The value of num_queries when the tracker was last told of a statement.
    private $told = 0;
    private $lastAt;
    private $endedPage = false;

    public function __construct($dbuser, $dbpassword, $dbname, $dbhost)
    {
        $this->tracker = new RdsFailoverTracker(array(
            // The tracker knows caches by their table; tell() gives it this one.
            'bookkeeping' => '/^transient$/',
            'not_executed_for_writes' => getenv('RDSFAILOVER_NOT_EXECUTED_FOR_WRITES') !== '0',
        ));
        parent::__construct($dbuser, $dbpassword, $dbname, $dbhost);
    }

    public function db_connect($allow_bail = true)
    {
        if (parent::db_connect(false)) {
            $this->lastAt = time();
            // wpdb does not look whether its SET NAMES and its sql_mode arrived.
            return !$this->reportError();
        }
        if ($this->tracker->failure(mysqli_connect_errno(), (string) mysqli_connect_error())) {
            return $allow_bail ? $this->endPage() : false;
        }
        // A mistake in the configuration: WordPress's page has the hints. The server answers, so asking it again costs nothing.
        return $allow_bail ? parent::db_connect(true) : false;
    }

    public function query($query)
    {
        $outer = $this->querying;
        // A write must not be what finds out that the connection was closed meanwhile.
        if ($this->ready && !$outer && !$this->inTransaction && time() - $this->lastAt > self::IDLE && !self::reads($query)) {
            $this->check_connection();
        }
        $this->querying = true;
        try {
            $result = parent::query($query);
        } finally {
            $this->querying = $outer;
            $this->tell();
            $this->reportError();
            $this->lastAt = time();
        }
        if ($this->tracker->isLost() && !$this->endedPage) {
            $this->endPage();
        }
        return $result;
    }

    /**
     * True lets wpdb::query() send its statement again.
     */
    public function check_connection($allow_bail = true)
    {
        $repeatable = !$this->tracker->isLost() && !$this->inTransaction;
        if ($this->querying) {
            $repeatable = $repeatable && self::reads($this->last_query);
            $this->tell();
        } elseif ($this->dbh instanceof mysqli && mysqli_query($this->dbh, 'DO 1') !== false) {
            return true;
        }
        $this->tracker->failure(2006);
        // Once and at once: where this writer was there may be none for a minute, and the web server knows better when there is.
        if ($repeatable && $this->db_connect(false)) {
            $this->tracker->reconnected();
            return true;
        }
        return $allow_bail ? $this->endPage() : false;
    }

    public function bail($message, $error_code = '500')
    {
        // It may not return.
        $this->reportError();
        return parent::bail($message, $error_code);
    }

    /**
     * Ends the request with WordPress's error page, though half of another is in the buffer: a page with holes in it is cached and
     * believed. Returns false where it is too late for that.
     */
    private function endPage()
    {
        // The page itself asks for options; and what runs at shutdown has its answer already.
        if ($this->endedPage || headers_sent() || did_action('shutdown')) {
            return false;
        }
        $this->endedPage = true;
        while (ob_get_level() > 0 && @ob_end_clean()) {
            continue;
        }
        if (file_exists(WP_CONTENT_DIR . '/db-error.php')) {
            require_once WP_CONTENT_DIR . '/db-error.php';
            die();
        }
        wp_load_translations_early();
        wp_die('<h1>' . __('Error establishing a database connection') . '</h1>', __('Database Error'), array('response' => 500));
    }

    /**
     * wpdb keeps the text it has sent, after all filters, in last_query; statements that it needs to prepare one come before.
     */
    private function tell()
    {
        if ($this->num_queries === $this->told) {
            return;
        }
        $this->told = $this->num_queries;
        $sql = $this->last_query;
        $this->tracker->before($this->writesCache($sql) ? 'DELETE FROM transient' : $sql, $this->inTransaction);
        list($kind) = RdsFailoverSql::classify($sql);
        if ($kind !== RdsFailoverSql::READ && $kind !== RdsFailoverSql::WRITE) {
            $this->inTransaction = $kind === RdsFailoverSql::BEGIN;
        }
    }

    /**
     * Returns whether the last statement failed because of the database.
     */
    private function reportError()
    {
        return $this->dbh instanceof mysqli && mysqli_errno($this->dbh)
            && $this->tracker->failure(mysqli_errno($this->dbh), mysqli_error($this->dbh));
    }

    /**
     * Whether the statement is one of those by which add_option(), update_option() and delete_option() change CACHE_ROWS.
     */
    private function writesCache($sql)
    {
        $table = '`' . preg_quote($this->options, '/') . '`';
        $insert = "INSERT INTO $table \(`option_name`, `option_value`, `autoload`\) VALUES \('(?:" . self::CACHE_ROWS . ")', ";
        // What follows the name is the end: a value that looks like this cannot be it.
        $change = "(?:UPDATE $table SET |DELETE FROM $table ).*WHERE `option_name` = '(?:" . self::CACHE_ROWS . ")'$";
        return preg_match("/^(?:$insert|$change)/Ds", $sql) === 1;
    }

    private static function reads($sql)
    {
        list($kind) = RdsFailoverSql::classify((string) $sql);
        return $kind === RdsFailoverSql::READ;
    }
}

$wpdb = new RdsFailoverWpdb(
    defined('DB_USER') ? DB_USER : '',
    defined('DB_PASSWORD') ? DB_PASSWORD : '',
    defined('DB_NAME') ? DB_NAME : '',
    defined('DB_HOST') ? DB_HOST : ''
);
