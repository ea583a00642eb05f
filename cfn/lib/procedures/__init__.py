# SPDX-License-Identifier: Apache-2.0
"""What upgrade, downgrade, failover, blue-green and status share. Python 3.9 without extra packages, and the AWS CLI.

outcome    how a procedure may end
say        lines, the progress line, questions
aws        one call of the AWS CLI, repeated where that is safe
journal    what has been done, in a file that survives a kill
steps      a procedure as a list of steps: resumed, interrupted, or only shown
instance   RDS's answers as facts
classes    what a class's name says
checks     from facts to verdicts; pure
gather     asks everybody for the facts that the checks want
site       /rds-status of each host, and orders to it
sql        the site's own database, by its DSN from the environment
stack      the class as a parameter of the stack
traffic    rds-drive against the site
follow     waits for RDS, telling its events
page       the report
"""
