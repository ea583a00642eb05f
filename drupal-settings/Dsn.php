<?php
// SPDX-License-Identifier: Apache-2.0
/**
 * The database as the environment names it, with or without the module: DATABASE_URL, else RDS_HOSTNAME and its kin, else their
 * NAME_FILE. PHP 5.3 and later.
 */
class RdsFailoverDsn
{
    /**
     * @param array $settings
     *   connect_timeout, read_timeout: seconds; for requests only, scripts may wait.
     * @param array $pdo
     *   The site's own options of PDO; an authority there forbids the address as much as one in the environment.
     *
     * @return array|null
     *   A $databases['default']['default'] of Drupal's, or null if the environment names no database.
     */
    public static function drupal(array $settings = array(), array $pdo = array())
    {
        $settings += array('connect_timeout' => 3, 'read_timeout' => 20);
        $query = array();
        $url = self::value('DATABASE_URL');
        if ($url !== null) {
            $part = parse_url($url);
            if (!$part || empty($part['host'])) {
                return null;
            }
            parse_str(isset($part['query']) ? $part['query'] : '', $query);
            $found = array(
                'database' => rawurldecode(ltrim(isset($part['path']) ? $part['path'] : '', '/')),
                'username' => rawurldecode(isset($part['user']) ? $part['user'] : ''),
                'password' => rawurldecode(isset($part['pass']) ? $part['pass'] : ''),
                'host' => trim($part['host'], '[]'),
                'port' => isset($part['port']) ? $part['port'] : 3306,
            );
        } elseif (self::value('RDS_HOSTNAME') !== null) {
            $found = array(
                'database' => (string) self::value('RDS_DB_NAME'),
                'username' => (string) self::value('RDS_USERNAME'),
                'password' => (string) self::value('RDS_PASSWORD'),
                'host' => self::value('RDS_HOSTNAME'),
                'port' => self::value('RDS_PORT') ? (int) self::value('RDS_PORT') : 3306,
            );
        } else {
            return null;
        }
        $mode = strtoupper(strtr(self::first($query, array('ssl-mode', 'ssl_mode', 'sslmode', 'sslMode')), '-', '_'));
        $ca = self::first($query, array('ssl-ca', 'ssl_ca', 'sslca'));
        if ($ca !== '' && $mode !== 'DISABLED') {
            // PHP then verifies the authority and the name; it cannot do the one without the other.
            $pdo[PDO::MYSQL_ATTR_SSL_CA] = $ca;
        }
        if (empty($pdo[PDO::MYSQL_ATTR_SSL_CA]) && self::value('RDS_HOSTADDR') !== null) {
            // Without a name to verify the address saves the way through DNS.
            $found['host'] = self::value('RDS_HOSTADDR');
        }
        if (PHP_SAPI !== 'cli' && PHP_SAPI !== 'phpdbg') {
            // The first bounds the connecting, the second everything after it; neither does the other's work.
            $pdo[PDO::ATTR_TIMEOUT] = $settings['connect_timeout'];
            ini_set('mysqlnd.net_read_timeout', (string) $settings['read_timeout']);
        }
        return $found + array('driver' => 'mysql', 'prefix' => '', 'pdo' => $pdo);
    }

    private static function first(array $query, array $names)
    {
        foreach ($names as $name) {
            if (isset($query[$name]) && is_string($query[$name])) {
                return $query[$name];
            }
        }
        return '';
    }

    /**
     * FPM and mod_php have it in $_SERVER, scripts in the environment; a client cannot set either, its headers begin with HTTP_.
     */
    private static function value($name)
    {
        foreach (array($name, $name . '_FILE') as $variable) {
            $value = isset($_SERVER[$variable]) ? $_SERVER[$variable] : getenv($variable);
            if (is_string($value) && $value !== '') {
                if ($variable === $name) {
                    return $value;
                }
                $text = file_get_contents($value);
                return $text === false ? null : preg_replace('/\r?\n\z/', '', $text);
            }
        }
        return null;
    }
}
