# SPDX-License-Identifier: GPL-2.0-only
"""What tests of the module itself share: where it is, how much of a storm a kernel bears."""
import os
import subprocess

from mmlens_test import HELPERS, LIMIT, SLOW, skip, want

MODULE = "/usr/lib/mmlens/mmlens.ko"
TASKS = "/proc/mmlens/tasks"
SECONDS = os.environ.get("MMLENS_STORM_SECONDS", "20" if SLOW else "10")
READERS = "16" if SLOW else "64"
THREADS = "60" if SLOW else "300"
# Threads that are made and end meanwhile.
CHURN = "300" if SLOW else "3000"


def need_module():
    if not os.path.exists("/proc/mmlens/version"):
        skip("the module is not loaded here")


def need_module_file():
    """For what loads the module itself."""
    need_module()
    if not os.path.exists(MODULE):
        skip("the module's file is not here")


def passes(*command):
    """What a test program that must succeed printed."""
    need_module()
    done = subprocess.run([os.path.join(HELPERS, command[0]), *command[1:]], check=False,
                          capture_output=True, text=True, timeout=5 * LIMIT // 2)
    want(done.returncode == 0, f"{command}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout
