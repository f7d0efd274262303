# SPDX-License-Identifier: GPL-2.0-only
"""What perf and bpftrace count in the same window, task by task: where it is the same event, the
same number."""
import collections
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    MMLENS, Subject, attached, main, need_switches, prop, skip, strict_json, want, want_equal,
    watching)

ROUNDS = 3000


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            skip(f"{tool} is not installed")


class Watchers:
    """All of them around one run of the subject, which sleeps before and after."""

    def __init__(self, **commands):
        self.processes = {name: subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                          for name, command in commands.items()}

    def wait(self):
        for name, process in self.processes.items():
            (watching if name in ("stat", "record") else attached)(process)

    def end(self):
        out = {}
        for name, process in self.processes.items():
            process.send_signal(signal.SIGINT)
            out[name] = process.communicate(timeout=60)[0]
        return out


def timehist(data, tids):
    """{tid: (switches, ms off the CPU, ms on it)}: a line for each switch, of the task that left."""
    out = subprocess.run(["perf", "sched", "timehist", "-i", data], check=True, capture_output=True,
                         text=True).stdout
    line = r"\[%d(?:/\d+)?\] +([\d.]+) +[\d.]+ +([\d.]+)"
    told = {tid: re.findall(line % tid, out) for tid in tids}
    return {tid: (len(t), sum(float(off) for off, _ in t), sum(float(on) for _, on in t))
            for tid, t in told.items()}


def near(ms, ns, what):
    """perf rounds each to a microsecond, and the two clocks are read one behind the other."""
    want(abs(ms - ns / 1e6) <= 0.1 * ms + 2, f"{what}: {ms} ms by perf, {ns / 1e6} ms by stat")


def recorded(path, tids):
    """How often each left its CPU by the events of a recording."""
    out = subprocess.run([MMLENS, "report", "--json", "--trace", path], check=True,
                         capture_output=True).stdout
    events = [strict_json(line) for line in out.splitlines()]
    return collections.Counter(e["prev"]["tid"] for e in events
                               if "class" in e and e["prev"]["tid"] in tids)


@prop("perf stat, perf sched timehist, bpftrace, stat and record count the same switches of {name}",
      name=["switch-threads", "switch-processes"])
def _(name):
    need_switches()
    need("perf", "bpftrace")
    with tempfile.TemporaryDirectory() as d, Subject(name, ROUNDS) as s:
        tids = sorted(s.tids.values())
        data, file = os.path.join(d, "perf.data"), os.path.join(d, "x.mml")
        probe = "tracepoint:sched:sched_switch { @[args->prev_pid] = count(); }"
        watchers = Watchers(
            stat=[MMLENS, "stat", "--json", "--delays"],
            record=[MMLENS, "record", "-o", file, "-d", "1000"],
            perf_stat=["perf", "stat", "-x,", "-e", "context-switches", "-o", f"{d}/stat",
                       "-t", ",".join(map(str, tids))],
            timehist=["perf", "sched", "record", "-a", "-m", "16M", "-o", data],
            bpftrace=["bpftrace", "-e", probe])
        watchers.wait()
        s.go()
        time.sleep(0.3)
        out = watchers.end()
        document = strict_json(out["stat"])
        with open(f"{d}/stat", encoding="ascii") as f:
            perf_stat = int(re.search(r"^(\d+),,context-switches", f.read(), re.M).group(1))
        seen = {t["tid"]: t["switches"] for t in document["tasks"] if t["tid"] in tids}
        want_equal(set(seen), set(tids), "tasks of stat")
        want_equal(dict(recorded(file, tids)), seen, "record against stat")
        found = dict(map(int, m) for m in re.findall(rb"^@\[(\d+)\]: (\d+)$", out["bpftrace"], re.M))
        want_equal({t: found.get(t) for t in tids}, seen, "bpftrace against stat")
        hist = timehist(data, tids)
        want_equal({t: n for t, (n, _, _) in hist.items()}, seen, "perf sched timehist against stat")
        for t in (t for t in document["tasks"] if t["tid"] in tids):
            _, off, on = hist[t["tid"]]
            near(on, t["on_cpu_ns"], "run time")
            near(off, t["runnable_ns"] + t["sleep_ns"] + t["disk_ns"] + t["other_ns"], "wait time")
        want_equal(perf_stat, sum(seen.values()), "perf stat against stat")


main()
