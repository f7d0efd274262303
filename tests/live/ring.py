# SPDX-License-Identifier: GPL-2.0-only
"""A ring buffer whose lock sleeps stops a PREEMPT_RT kernel at a switch: where it does, none is used."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import LABEL, MMLENS, Subject, main, mmlens, prop, strict_json, want, want_equal  # noqa: E402

SLEEPS = LABEL == "5.10-rt"


def both_cpus():
    """Two pairs that do nothing but switch, on as many CPUs as there are of the first two."""
    subjects = [Subject("switch-processes", 100000000, cpu) for cpu in sorted(os.sched_getaffinity(0))[:2]]
    for s in subjects:
        s.begin()
    return subjects


def killed(subjects):
    for s in subjects:
        s.process.kill()
        s.close()


@prop("{command}: with events where the ring is safe, else refused in one line", command=["trace", "record"])
def _(command):
    more = ["-o", "/dev/null"] if command == "record" else []
    run = mmlens(command, "-d", "0.1", *more)
    if SLEEPS:
        run.expect(3)
        want("PREEMPT_RT" in run.error_line(), f"the kernel is not named: {run}")
        want_equal(run.out, b"", "standard output")
    else:
        run.expect(0)


@prop("record: without a window needs no ring")
def _():
    mmlens("record", "-o", "/dev/null").expect(0)


@prop("{command}: two CPUs that switch all the time go on", command=["stat", "trace"])
def _(command):
    subjects = both_cpus()
    try:
        out = subprocess.PIPE if command == "stat" else subprocess.DEVNULL
        done = subprocess.run([MMLENS, command, "--json", "-d", "3"], stdin=subprocess.DEVNULL, stdout=out,
                              stderr=subprocess.PIPE, check=False)
    finally:
        killed(subjects)
    want_equal(done.returncode, 3 if SLEEPS and command == "trace" else 0, f"exit status ({done.stderr!r})")
    if command == "stat":
        want(strict_json(done.stdout)["switches"] > 1000, "nothing was counted")


main()
