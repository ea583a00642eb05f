# SPDX-License-Identifier: Apache-2.0
"""What RDS does after it has been asked, and when. Pure tables: seconds from the call, as published.

The class change is that of a Multi-AZ instance whose log of events was published: applied 18:02:09, shut down 18:09:04, failover
started 18:09:41, restarted 18:10:01, completed 18:10:21, finished 18:22:08. Most of that time the database is fine while its
status is "modifying", and the event of the failover comes 38 s after the database has gone.
"""
from typing import NamedTuple, Optional

CHANGE, AVAILABILITY, FAILOVER = 'configuration change', 'availability', 'failover'


class Step(NamedTuple):
    at: float                       # seconds from the call
    do: str                         # what play.py does; '' for nothing
    text: Optional[str] = None      # of the event, as DescribeEvents has it
    category: Optional[str] = None


CLASS_CHANGE = (
    # Asked at once, DescribeDBInstances still says "available": whoever waits for that word is done too early.
    Step(5, 'modifying'),
    Step(10, 'standby', 'Applying modification to database instance class', CHANGE),
    Step(425, 'strike', 'DB instance shutdown', AVAILABILITY),
    Step(463, '', 'Multi-AZ instance failover started.', FAILOVER),
    Step(482.5, 'back', 'DB instance restarted', AVAILABILITY),
    Step(502.5, '', 'The RDS instance was modified by customer.', FAILOVER),
    Step(503, 'swapped', 'Multi-AZ instance failover completed', FAILOVER),
    Step(540, 'rebuild'),
    Step(1209, 'finished', 'Finished applying modification to DB instance class', CHANGE),
    Step(1215, 'available'),
)

# Reboot with failover, as published: started 14:13:18, completed and restarted 14:15:18.
REBOOT_FAILOVER = (
    Step(0, 'rebooting'),
    Step(5, 'strike', 'Multi-AZ instance failover started.', FAILOVER),
    Step(125, 'back', 'DB instance restarted', AVAILABILITY),
    Step(126, '', 'The user requested a failover of the DB instance.', FAILOVER),
    Step(126.5, 'swapped', 'Multi-AZ instance failover completed', FAILOVER),
    Step(150, 'rebuild'),
    Step(160, 'available'),
)

# Without failover nothing is driven: what stands in for the database has no such thing.
REBOOT = (
    Step(0, 'rebooting'),
    Step(5, '', 'DB instance shutdown', AVAILABILITY),
    Step(35, '', 'DB instance restarted', AVAILABILITY),
    Step(45, 'available'),
)

SNAPSHOT = (
    Step(0, '', 'Creating manual snapshot', 'creation'),
    Step(120, 'created', 'Manual snapshot created', 'creation'),
)

DEPLOYMENT = (
    Step(60, 'copied'),
    Step(600, 'ready', 'Blue/green deployment tasks completed. You can make more modifications to the green environment databases '
         'or switch over the deployment.', 'creation'),
)

SWITCHOVER = (
    Step(0, 'started', 'Switchover from {blue} to {green} started.', 'notification'),
    Step(5, 'strike'),
    Step(35, 'back'),
    Step(40, 'rebuild'),
    Step(60, 'switched', 'Switchover completed on blue/green deployment.', 'notification'),
)

DELETION = (
    Step(30, 'gone', 'Blue/green deployment deleted.', 'deletion'),
)


def schedule(steps, scale, outage=None):
    """[(seconds from the call, step)]: time divided by scale, but "strike" to "back" takes outage seconds if that is given.

    What follows "strike" within the failover is stretched alike, so that the order of things stays.
    """
    at = {step.do: step.at for step in steps}
    if outage is None or 'strike' not in at:
        return [(step.at / scale, step) for step in steps]
    strike, back = at['strike'], at['back']
    stretch = outage / (back - strike)
    plan = []
    for step in steps:
        during = min(max(step.at - strike, 0), back - strike)
        plan.append(((step.at - during) / scale + during * stretch, step))
    return plan
