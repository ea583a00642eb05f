# SPDX-License-Identifier: Apache-2.0
"""The site's own database, by the DSN that the module reads (docs/environment.md) and the mysql client, if both are there.

The password goes to the client through a pipe: neither its command line nor its environment shows it."""
import os
import shutil
import subprocess
import urllib.parse

# The oldest transactions first. Needs PROCESS.
TRANSACTIONS = '''SELECT trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, trx_started, NOW()), LEFT(REPLACE(COALESCE(trx_query, ''), '\\n', ' '), 60)
FROM information_schema.INNODB_TRX WHERE TIMESTAMPDIFF(SECOND, trx_started, NOW()) >= {} ORDER BY trx_started'''
# In use, as the server counts: pages that hold data, whoever read them last.
NUMBERS = "SELECT @@innodb_buffer_pool_size, @@max_connections; SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_bytes_data'"
WRITABLE = 'SELECT @@global.read_only OR @@innodb_read_only'


class NoSql(Exception):
    """Why nothing could be asked, as the end of a sentence."""


def value(name):
    if os.environ.get(name):
        return os.environ[name]
    path = os.environ.get(name + '_FILE')
    if not path:
        return None
    try:
        with open(path, encoding='utf-8') as text:
            return text.read().removesuffix('\n')
    except OSError as error:
        raise NoSql(f'{name}_FILE: {error}') from None


def dsn():
    """{host, port, user, password, ssl-mode, ssl-ca} from the environment, or NoSql."""
    url = value('DATABASE_URL')
    if url:
        try:
            parts = urllib.parse.urlsplit(url)
            query = {key.lower().replace('_', '-'): val for key, val in urllib.parse.parse_qsl(parts.query)}
            found = {'host': parts.hostname, 'port': parts.port or 3306, 'user': parts.username, 'password': parts.password,
                     'ssl-mode': query.get('ssl-mode') or query.get('sslmode'), 'ssl-ca': query.get('ssl-ca') or query.get('sslca')}
        except ValueError as error:
            raise NoSql(f'DATABASE_URL is no URL: {error}') from None
        for key in ('user', 'password'):
            found[key] = urllib.parse.unquote(found[key]) if found[key] else ''
    else:
        found = {'host': value('RDS_HOSTNAME'), 'port': value('RDS_PORT') or 3306, 'user': value('RDS_USERNAME') or '',
                 'password': value('RDS_PASSWORD') or '', 'ssl-mode': None, 'ssl-ca': None}
    if not found['host']:
        raise NoSql('neither DATABASE_URL nor RDS_HOSTNAME is set here')
    return found


def options(found, is_mariadb):
    """An option file for the client."""
    quote = lambda text: '"' + str(text).replace('\\', '\\\\').replace('"', '\\"') + '"'
    lines = ['[client]', f'port={found["port"]}'] + [f'{key}={quote(found[key])}' for key in ('host', 'user', 'password')]
    mode = (found['ssl-mode'] or '').upper()
    if found['ssl-ca']:
        lines.append('ssl-ca=' + quote(found['ssl-ca']))
    if mode and not is_mariadb:
        lines.append('ssl-mode=' + mode)
    elif is_mariadb and mode in ('REQUIRED', 'VERIFY_CA', 'VERIFY_IDENTITY'):
        lines.append('ssl')
        if mode == 'VERIFY_IDENTITY':
            lines.append('ssl-verify-server-cert')
    return '\n'.join(lines) + '\n'


class Sql:
    def __init__(self):
        """Raises NoSql if nobody can be asked here."""
        self.dsn = dsn()
        self.client = shutil.which('mysql') or shutil.which('mariadb')
        if not self.client:
            raise NoSql('there is no mysql client here')
        version = subprocess.run([self.client, '--version'], stdout=subprocess.PIPE, text=True, check=False).stdout
        self.is_mariadb = 'MariaDB' in version

    def rows(self, statement):
        """Lists of texts; raises NoSql with the server's words."""
        reader, writer = os.pipe()
        os.write(writer, options(self.dsn, self.is_mariadb).encode())
        os.close(writer)
        try:
            done = subprocess.run([self.client, f'--defaults-file=/dev/fd/{reader}', '--connect-timeout=5', '--batch', '--skip-column-names',
                                   f'--execute={statement}'], pass_fds=[reader], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, timeout=30, start_new_session=True, check=False)
        except subprocess.TimeoutExpired:
            raise NoSql(f'{self.dsn["host"]} did not answer within 30 s') from None
        finally:
            os.close(reader)
        if done.returncode:
            # The client repeats the statement first.
            error = [line for line in done.stderr.splitlines() if line.startswith('ERROR')] or [' '.join(done.stderr.split())]
            hint = '; GRANT PROCESS ON *.* to this user lets it look' if '1227' in error[0] else ''
            raise NoSql(f'{self.dsn["host"]}: {error[0][:200]}{hint}')
        return [line.split('\t') for line in done.stdout.splitlines()]

    def transactions(self, longest):
        return [(int(row[0]), int(row[1]), row[2] if len(row) > 2 else '') for row in self.rows(TRANSACTIONS.format(int(longest)))]

    def numbers(self):
        rows = self.rows(NUMBERS)
        return {'pool': int(rows[0][0]), 'max_connections': int(rows[0][1]), 'data': int(rows[1][1])}

    def takes_writes(self):
        return self.rows(WRITABLE)[0][0] == '0'
