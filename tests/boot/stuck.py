# SPDX-License-Identifier: GPL-2.0-only
"""A guest that does not end is given up, and not before it was asked where it stands."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from kernels import ROOT, rows  # noqa: E402
from tap import allow, main, prop, want, want_equal  # noqa: E402

LABEL = rows()[0]["label"]
SECONDS = "40"


@prop("a guest that does not end: status 124, where its processors and its programs are, and nothing stays")
def _():
    allow(200)
    done = subprocess.run([os.path.join(ROOT, "scripts", "vm"), "-k", LABEL, "-t", SECONDS, "--no-module", "--",
                           "sh", "-c", "echo began; sleep 4000"], check=False, capture_output=True, text=True)
    want_equal(done.returncode, 124, f"status of the VM, which said {done.stdout}{done.stderr}")
    want_equal(done.stdout, "began\n", "what the guest said before")
    for part in ("qemu-system", "CPU#0", "CPU#1", "RIP=", "backtrace of all active CPUs", "task:sleep",
                 "do_nanosleep", f"vm: {LABEL}: no end after {SECONDS} s\n"):
        want(part in done.stderr, f"no {part!r} in {done.stderr}")
    want("task:kthreadd" not in done.stderr, "threads of the kernel that wait their turn are told too")


main()
