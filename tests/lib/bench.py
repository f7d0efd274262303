# SPDX-License-Identifier: GPL-2.0-only
"""Benchmarks: contestants run in turn, medians, and bounds on ratios within that one run.

	@bench("the module's table against a walk of /proc", on="vm")
	def _():
		with Subject("mass", 4000):
			r = race({"module": reader("module"), "walk": reader("walk")}, rounds=9)
		r.faster("module", "walk", 25)

A contestant is a command (a list: its wall time, from fork to exit) or a function that returns
seconds. A bound is named, its measured value printed, and met or not: one line of TAP each, so
that tests/run judges it like a test. What was measured without a bound is told by note().

`on` says where it can be measured: "host", "vm" (needs the module) or "any".
"""
import os
import resource
import statistics
import subprocess
import sys
import time
import traceback

from mmlens_test import HELPERS, LABEL, MMLENS, Subject, want  # noqa: F401
from tap import Skip, skip

_benches = []
_bounds = []
PLACES = {"host": {"host"}, "vm": {"vm"}, "any": {"host", "vm"}}


def bench(title, on="any"):
    def declare(function):
        _benches.append((title, PLACES[on], function))
        return function
    return declare


def place():
    return "host" if LABEL == "host" else "vm"


# ---- measuring ----

def command_seconds(command):
    """Wall time of a command that must succeed."""
    begin = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, check=False)
    seconds = time.perf_counter() - begin
    want(done.returncode == 0, lambda: f"{command}: exit {done.returncode}: {done.stderr[-500:]!r}")
    return seconds


def cpu_seconds(command):
    """User and system time of a command that must succeed, its children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command_seconds(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def reading(witness, warm=1):
    """A contestant: one pass over all tasks by `bench_read`, without the start of the program."""
    def run():
        out = subprocess.run([os.path.join(HELPERS, "bench_read"), witness, str(warm)], check=True,
                             capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
        return int(dict(w.split("=") for w in out.split())["ns"]) / 1e9
    return run


def seconds_of(contestant):
    return contestant() if callable(contestant) else command_seconds(contestant)


class Race:
    """Times of each contestant; a bound compares medians."""

    def __init__(self, times):
        self.times = times
        width = max(map(len, times))
        for name, all_of in times.items():
            note(f"{name:<{width}}  median {human(self.median(name))}, "
                 f"{human(min(all_of))} to {human(max(all_of))} in {len(all_of)} runs")

    def median(self, name):
        return statistics.median(self.times[name])

    def faster(self, winner, loser, times):
        ratio = self.median(loser) / self.median(winner)
        bound(f"{winner}: at least {times:g} times faster than {loser}", ratio >= times,
              f"{ratio:.1f} times")

    def within(self, name, other, times):
        ratio = self.median(name) / self.median(other)
        bound(f"{name}: within {times:g} times of {other}", ratio <= times, f"{ratio:.2f} times")

    def below(self, name, seconds):
        bound(f"{name}: at most {human(seconds)}", self.median(name) <= seconds,
              human(self.median(name)))


def race(contestants, rounds=7, warm=True):
    """All in turn, `rounds` times over, so that what the machine does besides meets each alike."""
    times = {name: [] for name in contestants}
    for n in range(-1 if warm else 0, rounds):
        for name, contestant in contestants.items():
            seconds = seconds_of(contestant)
            if n >= 0:
                times[name].append(seconds)
    return Race(times)


def human(seconds):
    for unit, size in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def room_for(threads):
    """Threads that many, where this machine's limits can be raised to it; else there is no measuring."""
    for name in ("threads-max", "pid_max"):
        path = f"/proc/sys/kernel/{name}"
        with open(path, encoding="ascii") as f:
            if int(f.read()) > 2 * threads:
                continue
        try:
            with open(path, "w", encoding="ascii") as f:
                f.write(str(2 * threads))
        except OSError as why:
            skip(f"kernel.{name} allows no {threads} threads: {why.strerror}")
    return threads


# ---- telling ----

def note(text):
    print(f"#   {text}", flush=True)


def bound(title, met, seen):
    _bounds.append(met)
    print(f"{'ok' if met else 'not ok'} {len(_bounds)} - {title}: {seen}", flush=True)


def _run(title, function):
    print(f"# {title}", flush=True)
    try:
        function()
    except Skip as why:
        _bounds.append(True)
        print(f"ok {len(_bounds)} - {title} # SKIP {why}", flush=True)
    except Exception:  # pylint: disable=broad-except
        bound(title, False, "it could not be measured")
        for line in traceback.format_exc().splitlines():
            print(f"# {line}")


def main():
    """Runs what can be measured here; --places says where there is something to measure."""
    if "--places" in sys.argv:
        print(*sorted(set().union(*(places for _, places, _ in _benches))))
        return
    for title, places, function in _benches:
        if place() in places:
            _run(title, function)
    print(f"1..{len(_bounds)}", flush=True)
    sys.exit(0 if all(_bounds) else 1)
