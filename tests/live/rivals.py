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


OURS = ("stat", "record")


class Watchers:
    """All of them around one run of the subject, which sleeps before and after."""

    def __init__(self, **commands):
        self.processes = {name: subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                          for name, command in commands.items()}

    def wait(self):
        for name, process in self.processes.items():
            (watching if name in OURS else attached)(process)

    def end(self):
        out = {}
        for name, process in self.processes.items():
            process.send_signal(signal.SIGINT)
            try:
                out[name] = process.communicate(timeout=20)[0]
            except subprocess.TimeoutExpired:
                # bpftrace was seen to go on after one
                want(name not in OURS, f"{name} goes on after a SIGINT")
                process.send_signal(signal.SIGINT)
                out[name] = process.communicate(timeout=20)[0]
        return out


def timehist(data, tids):
    """{tid: switches}: a line for each switch, of the task that left."""
    out = subprocess.run(["perf", "sched", "timehist", "-i", data], check=True, capture_output=True,
                         text=True).stdout
    return {tid: len(re.findall(r"\[%d(?:/\d+)?\] +[\d.]+ +[\d.]+ +[\d.]+" % tid, out)) for tid in tids}


def perf_events(data):
    """(switches, wake-ups): (cpu, ms, who left, who came) of each, and (waker, wakee)."""
    out = subprocess.run(["perf", "script", "-i", data, "-F", "tid,cpu,time,event,trace", "--ns"],
                         check=True, capture_output=True, text=True).stdout
    line = r"^ *-?\d+ +\[(\d+)\] +([\d.]+): +sched:sched_switch: .* prev_pid=(\d+) .* next_pid=(\d+) "
    switches = [(int(cpu), float(at) * 1e3, int(left), int(came))
                for cpu, at, left, came in re.findall(line, out, re.M)]
    line = r"^ *(\d+) +\[\d+\] +[\d.]+: +sched:sched_waking: .* pid=(\d+) prio="
    return switches, [(int(waker), int(wakee)) for waker, wakee in re.findall(line, out, re.M)]


def recorded_events(path):
    """The same of a recording."""
    out = subprocess.run([MMLENS, "report", "--json", "--trace", path], check=True,
                         capture_output=True).stdout
    events = [strict_json(line) for line in out.splitlines()]
    return ([(e["cpu"], e["ts"] / 1e6, e["prev"]["tid"], e["next"]["tid"])
             for e in events if "class" in e],
            [(e["waker"]["tid"], e["wakee"]["tid"]) for e in events if e.get("event") == "wake"])


def among(pairs, tids):
    return collections.Counter(pair for pair in pairs if set(pair) <= set(tids))


def runs(switches, tids):
    """{tid: [(ms on the CPU, ms off it before)]}, a pair for each time it left its CPU; None where its
    coming was not seen. The first has waited for what nobody saw begin."""
    told = {tid: [] for tid in tids}
    last, left_at = {}, {}
    for cpu, at, left, came in switches:
        if left in told:
            begin, who = last.get(cpu, (at, None))
            told[left].append((at - begin, begin - left_at.get(left, begin)) if who == left else None)
            left_at[left] = at
        last[cpu] = at, came
    return told


def sums(pairs):
    return [sum(column) for column in zip(*pairs)]


def near(ms, other, what):
    """The clocks are read one behind the other."""
    want(abs(ms - other) <= 0.1 * ms + 2, f"{what}: {ms} ms, {other} ms by stat")


def want_times(task, perf, record):
    """Those of stat are those of both, but for runs that began unseen: a sandbox may hide switches of
    its own tasks, and perf those of the idle task of a CPU, too (on 6.18)."""
    stat = (task["on_cpu_ns"] / 1e6,
            sum(task[k] for k in ("runnable_ns", "sleep_ns", "disk_ns", "other_ns")) / 1e6)
    blind = [k for k, run in enumerate(perf) if not run]
    want(len(blind) <= 0.01 * len(perf), f"perf saw {len(blind)} of {len(perf)} runs end, not begin")
    for who, told in (("record", record), ("perf", [r and (p or r) for p, r in zip(perf, record)])):
        for what, ms, of_stat in zip(("run", "wait"), sums(filter(None, told)), stat):
            near(ms, of_stat, f"{what} time by {who}, {len(blind)} of {len(perf)} not seen by perf")


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
        tasks = {t["tid"]: t for t in strict_json(out["stat"])["tasks"] if t["tid"] in tids}
        with open(f"{d}/stat", encoding="ascii") as f:
            perf_stat = int(re.search(r"^(\d+),,context-switches", f.read(), re.M).group(1))
        seen = {tid: t["switches"] for tid, t in tasks.items()}
        want_equal(set(seen), set(tids), "tasks of stat")
        switches, recorded_wakes = recorded_events(file)
        record = runs(switches, tids)
        want_equal({t: len(of) for t, of in record.items()}, seen, "record against stat")
        found = dict(map(int, m) for m in re.findall(rb"^@\[(\d+)\]: (\d+)$", out["bpftrace"], re.M))
        want_equal({t: found.get(t) for t in tids}, seen, "bpftrace against stat")
        want_equal(timehist(data, tids), seen, "perf sched timehist against stat")
        switches, wakes = perf_events(data)
        perf = runs(switches, tids)
        want_equal({t: len(of) for t, of in perf.items()}, seen, "perf's events against stat")
        want_equal(perf_stat, sum(seen.values()), "perf stat against stat")
        want_equal(among(recorded_wakes, tids), among(wakes, tids), "wake-ups of record against perf's")
        for tid in tids:
            want_times(tasks[tid], perf[tid], record[tid])


main()
