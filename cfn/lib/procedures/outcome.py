# SPDX-License-Identifier: Apache-2.0
"""How a procedure may end. The exit codes are for other programs; docs/upgrade.md lists them."""

DONE, FAILED, USAGE, REFUSED, NOT_AS_HOPED, DECLINED = range(6)


class Stop(Exception):
    """Ends the procedure with a sentence for a person and an exit code."""

    code = FAILED


class Failed(Stop):
    """Something went wrong in the middle. Running the script again goes on from there."""


class Usage(Stop):
    code = USAGE


class Refused(Stop):
    """A check said no. Nothing was changed."""

    code = REFUSED


class NotAsHoped(Stop):
    """All has been done, but what was verified afterwards is not as it should be."""

    code = NOT_AS_HOPED


class Pause(Stop):
    """As far as it should go for now. The same command goes on."""

    code = DONE


class Declined(Stop):
    code = DECLINED


class Interrupted(Stop):
    """A signal. What is under way at AWS goes on."""

    def __init__(self, number):
        super().__init__('')
        self.code = 128 + number
