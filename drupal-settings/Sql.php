<?php
// SPDX-License-Identifier: Apache-2.0
/**
 * What a statement does to the database, told by its text. Whatever is not understood is a write that ends a transaction.
 * PHP 5.3 and later.
 */
class RdsFailoverSql
{
    const READ = 'read';          // Changes nothing that outlives the connection.
    const WRITE = 'write';        // Rolled back with its transaction, if there is one.
    const DEFINE = 'define';      // Commits the open transaction, and changes something by itself.
    const BEGIN = 'begin';        // Commits the open transaction, and changes nothing by itself.
    const COMMIT = 'commit';
    const ROLLBACK = 'rollback';

    /**
     * @return array
     *   One of the constants, and the name of the one table that is changed, or null if that is not certain.
     */
    public static function classify($sql)
    {
        // Comments before a statement are skipped, but not those that the server executes: /*! and /*M!.
        if (!preg_match('~^(?:[\s(]++|/\*(?!M?!).*?\*/|(?:--\s|\#)[^\n]*+(?:\n|$))*+([a-z]+)\b\s*+(.*)$~is', $sql, $part)) {
            return array(self::DEFINE, null);
        }
        $verb = strtoupper($part[1]);
        $rest = $part[2];
        switch ($verb) {
            case 'SELECT':
            case 'WITH':
            case 'EXPLAIN':
            case 'VALUES':
            case 'TABLE':
                return array(self::readsOnly($verb, $rest) ? self::READ : self::DEFINE, null);

            case 'SHOW':
            case 'DESC':
            case 'DESCRIBE':
            case 'USE':
            case 'HELP':
            case 'SAVEPOINT':
                return array(self::single($rest) ? self::READ : self::DEFINE, null);

            case 'RELEASE':
                return array(preg_match('~^SAVEPOINT\s~i', $rest) && self::single($rest) ? self::READ : self::DEFINE, null);

            case 'SET':
                return array(self::setsSession($rest) ? self::READ : self::DEFINE, null);

            case 'BEGIN':
            case 'START':
                return array(self::single($rest) && preg_match('~^(?:$|;|WORK\b|TRANSACTION\b)~i', $rest) ? self::BEGIN : self::DEFINE, null);

            case 'COMMIT':
                return array(self::single($rest) ? self::COMMIT : self::DEFINE, null);

            case 'ROLLBACK':
                if (!self::single($rest)) {
                    return array(self::DEFINE, null);
                }
                return array(preg_match('~^(?:WORK\s+)?TO\s~i', $rest) ? self::READ : self::ROLLBACK, null);

            case 'INSERT':
            case 'REPLACE':
            case 'UPDATE':
            case 'DELETE':
                return self::single($rest) ? array(self::WRITE, self::table($verb, $rest)) : array(self::DEFINE, null);

            case 'TRUNCATE':
            case 'CREATE':
                return array(self::DEFINE, self::single($rest) ? self::table($verb, $rest) : null);
        }
        return array(self::DEFINE, null);
    }

    private static function readsOnly($verb, $rest)
    {
        if ($verb === 'WITH' && preg_match('~\b(?:INSERT|REPLACE|UPDATE|DELETE)\b~i', self::withoutStrings($rest))) {
            return false;
        }
        // MySQL executes what it is asked to ANALYZE.
        if ($verb === 'EXPLAIN' && preg_match('~^ANALYZE\b(?!\s+(?:FORMAT\s*=\s*\w+\s+)?[(\s]*SELECT\b)~i', $rest)) {
            return false;
        }
        // Locks by name outlive a transaction; sequences never go back.
        $suspect = '~\bINTO\s+(?:OUT|DUMP)FILE\b|\bGET_LOCK\s*\(|\bRELEASE_(?:ALL_)?LOCKS?\s*\(|\bNEXT\s+VALUE\b|\b(?:NEXT|SET)VAL\s*\(|/\*M?!~i';
        if (preg_match($suspect, $rest) && preg_match($suspect, self::withoutStrings($rest))) {
            return false;
        }
        return self::single($rest);
    }

    private static function setsSession($rest)
    {
        $text = self::withoutStrings($rest);
        return !preg_match('~\b(?:GLOBAL|PERSIST|PERSIST_ONLY|PASSWORD|ROLE|AUTOCOMMIT|STATEMENT)\b~i', $text) && self::single($rest);
    }

    /**
     * Whether no second statement follows.
     */
    private static function single($rest)
    {
        return strpos($rest, ';') === false || !preg_match('~;\s*\S~', self::withoutStrings($rest));
    }

    /**
     * The text with its quoted parts emptied; text that cannot be read so is made to look like several statements.
     */
    private static function withoutStrings($text)
    {
        $empty = preg_replace('~\'(?:[^\'\\\\]++|\\\\.|\'\')*+\'|"(?:[^"\\\\]++|\\\\.|"")*+"~s', "''", $text);
        return is_string($empty) ? $empty : ';x GLOBAL UPDATE GET_LOCK(';
    }

    private static function table($verb, $rest)
    {
        $name = '(?:[`"]?[\w$-]+[`"]?\s*\.\s*)?[`"]?([\w$-]+)[`"]?';
        $pattern = array(
            'INSERT' => "(?:(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY)\s+)?(?:IGNORE\s+)?(?:INTO\s+)?$name(?=[\s(])",
            'REPLACE' => "(?:(?:LOW_PRIORITY|DELAYED)\s+)?(?:INTO\s+)?$name(?=[\s(])",
            'UPDATE' => "(?:LOW_PRIORITY\s+)?(?:IGNORE\s+)?$name\s+SET\s",
            'DELETE' => "(?:LOW_PRIORITY\s+)?(?:QUICK\s+)?(?:IGNORE\s+)?FROM\s+$name\s*(?:$|;|WHERE\b|ORDER\b|LIMIT\b)",
            'TRUNCATE' => "(?:TABLE\s+)?$name\s*(?:$|;)",
            'CREATE' => "TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?$name\s*\(",
        );
        return preg_match('~^' . $pattern[$verb] . '~i', $rest, $part) ? $part[1] : null;
    }
}
