# SPDX-License-Identifier: Apache-2.0
"""What upgrade, downgrade, failover, blue-green and status share. Python 3.9 without extra packages, and the AWS CLI.

cli        options, exit codes, the way through a procedure
change     upgrade and downgrade
failover   reboot with failover
bluegreen  another engine version
status     what there is
context    what every procedure has at hand, and the steps that all share
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
snapshot   a recent one, or a new one
follow     waits for RDS, telling its events
verify     what is looked at afterwards
page       the report
"""
