# SPDX-License-Identifier: GPL-2.0-only
"""A time namespace moves the clocks of who reads, and none of what the kernel counts by."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    MMLENS, Subject, inspect, main, mmlens, need_switches, prop, SOURCES, strict_json, want, want_equal)
from tap import skip  # noqa: E402

MOVED = ["ahead", "behind"]


def moved(which):
    """A command that runs another by clocks that are moved."""
    with open("/proc/uptime", encoding="ascii") as f:
        seconds = 1000000 if which == "ahead" else -int(float(f.read().split()[0]) / 2)
    command = ["unshare", "--time", "--fork", f"--monotonic={seconds}", f"--boottime={seconds}"]
    if subprocess.run([*command, "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode:
        skip("no time namespace can be made here")
    return command


def inside(which, *args):
    """The document of a command that runs in such a namespace."""
    done = subprocess.run([*moved(which), MMLENS, *map(str, args)], stdin=subprocess.DEVNULL,
                          capture_output=True, check=False)
    want_equal(done.returncode, 0, f"exit status ({done.stderr!r})")
    return strict_json(done.stdout)


@prop("{source}: tasks began when they began, by clocks that are {which}", source=SOURCES, which=MOVED)
def _(source, which):
    with Subject("crowd") as s:
        begun = [{t["tid"]: t["start_ns"] for t in document["tasks"]} for document in
                 (inspect("show", s["pid"], source=source),
                  inside(which, "show", "--json", f"--source={source}", s["pid"]))]
    want_equal(begun[1], begun[0], "start_ns")


@prop("doctor: the witnesses agree by clocks that are {which}", which=MOVED)
def _(which):
    with Subject("crowd"):
        document = inside(which, "doctor", "--json")
    wrong = [d for d in document["disagreements"] if d["field"] == "start_ns"]
    want_equal(wrong, [], "disagreements about the start")


def is_withheld(tid):
    """From our programs, too: a sandbox guards it, and its switches."""
    return mmlens("show", "--source=bpf", tid).status == 3


def all_agree(document):
    odd = [d for d in document["agreement"]["disagree"] if not is_withheld(d["tid"])]
    want_equal(odd, [], "tasks that do not agree")
    want(document["agreement"]["agree"], "nobody was judged")


@prop("stat: each task agrees with {source}", source=SOURCES)
def _(source):
    need_switches()
    with Subject("crowd"):
        all_agree(inspect("stat", "-d", "0.3", source=source))


@prop("stat: each task agrees with {source} by clocks that are {which}", source=SOURCES, which=MOVED)
def _(source, which):
    need_switches()
    with Subject("crowd"):
        all_agree(inside(which, "stat", "--json", "-d", "0.3", f"--source={source}"))


@prop("trace: tells in order what happens while it happens, by clocks that are {which}", which=MOVED)
def _(which):
    need_switches("trace")
    cpus = os.sched_getaffinity(0)
    with Subject("switch-sleeper", 1000000, min(cpus)) as one, Subject("switch-sleeper", 1000000, max(cpus)) as two:
        for s in one, two:
            s.begin()
        with subprocess.Popen([*moved(which), MMLENS, "trace", "--json", "-d", "2"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as trace:
            first, begin = trace.stdout.readline(), time.monotonic()
            rest, took = trace.stdout.read(), time.monotonic() - begin
        for s in one, two:
            s.process.kill()
    times = [event["ts"] for event in map(strict_json, (first + rest).splitlines()) if "class" in event]
    want(took > 0.5, f"all came at the end: within {took:.1f} s")
    want(len(times) > 100, f"{len(times)} switches")
    late = [b - a for a, b in zip(times, times[1:]) if b < a]
    want_equal(late, [], "steps back in time, ns")


main()
