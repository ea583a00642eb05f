# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the parts of AWS's API that cfn/bin talks to. README.md beside the rig says what it does and does not."""
