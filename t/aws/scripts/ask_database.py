# SPDX-License-Identifier: Apache-2.0
"""What procedures/sql.py gets from the database of the environment, as JSON, or {"error": …}."""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', '..', '..', 'cfn', 'lib'))
from procedures import sql    # noqa: E402

try:
    database = sql.Sql()
    print(json.dumps({'transactions': database.transactions(int(sys.argv[1])), 'numbers': database.numbers(), 'takes_writes': database.takes_writes()}))
except sql.NoSql as why:
    print(json.dumps({'error': str(why)}))
