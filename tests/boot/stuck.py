# SPDX-License-Identifier: GPL-2.0-only
"""What does not end is given up: a guest not before it was asked where it stands, a program with all
that it began."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bounded  # noqa: E402
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


def lives(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return ") Z " not in f.read()
    except FileNotFoundError:
        return False


@prop("a program that does not end: what it wrote, why it has no status, and what it began has ended too")
def _():
    script = 'sleep 4000 & echo $!; trap "" TERM; sleep 4000'
    begin = time.monotonic()
    said, status = bounded.run(["sh", "-c", script], 1, stdout=subprocess.PIPE)
    want_equal(status, "none, stopped after 1 s", "status")
    want(time.monotonic() - begin < 1 + 3 * bounded.GRACE, "it was waited for")
    want(not lives(int(said)), "its child lives on")


main()
