# SPDX-License-Identifier: GPL-2.0-only
"""What watching a switch adds to it, on one CPU: mmlens against perf and bpftrace."""
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from bench import bench, bound, main, note, race, room_for  # noqa: E402
from mmlens_test import MMLENS, Subject, strict_json, watching  # noqa: E402
from tap import skip  # noqa: E402

LOOPS = 200000  # of two switches each: longer than the span after which the ends are let be
SETTLE = 2.5  # until a watcher watches
PAIRS = "rawtracepoint:sched_switch { @[((struct task_struct *)arg1)->pid] = count(); }"


def pipe():
    """Seconds of the whole run; real-time, so that what else runs here does not want that CPU."""
    out = subprocess.run(["chrt", "-f", "10", "taskset", "-c", str(max(os.sched_getaffinity(0))),
                          "perf", "bench", "sched", "pipe", "-l", str(LOOPS)],
                         check=True, capture_output=True, text=True).stdout
    return float(re.search(r"Total time: ([\d.]+)", out).group(1))


def under(*command):
    def run():
        watcher = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(SETTLE)
        seconds = pipe()
        watcher.send_signal(signal.SIGINT)
        watcher.wait()
        return seconds
    return run


@bench("what a watcher adds to a switch", on="host")
def _():
    for tool in ("perf", "bpftrace"):
        if not shutil.which(tool):
            skip(f"no {tool} here")
    with tempfile.TemporaryDirectory() as d:
        r = race({"nothing": pipe, "stat": under(MMLENS, "stat"), "record": under(MMLENS, "record", "-o", f"{d}/record", "-d", "1000"),
                  "bpftrace": under("bpftrace", "-e", PAIRS),
                  "perf sched record": under("perf", "sched", "record", "-a", "-o", f"{d}/perf")},
                 rounds=5)
    # of each the run that was disturbed least
    added = {name: (min(r.times[name]) - min(r.times["nothing"])) / LOOPS / 2 * 1e6
             for name in ("stat", "record", "bpftrace", "perf sched record")}
    for name, us in added.items():
        note(f"{name}: {us:+.3f} us a switch")
    bound("stat adds at most 0.15 us", added["stat"] <= 0.15, f"{added['stat']:.3f}")
    bound("record adds at most 0.20 us", added["record"] <= 0.20, f"{added['record']:.3f}")
    bound("stat adds less than half of what bpftrace adds for a count",
          added["stat"] <= added["bpftrace"] / 2, f"{added['stat']:.3f} of {added['bpftrace']:.3f}")
    bound("stat adds at most an eighth of perf sched record",
          added["stat"] <= added["perf sched record"] / 8,
          f"{added['stat']:.3f} of {added['perf sched record']:.3f}")


@bench("the reader of stat", on="host")
def _():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([MMLENS, "stat", "-d", "1"], check=True, stdout=subprocess.DEVNULL)
    short = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([MMLENS, "stat", "-d", "6"], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    def spent(a, b):
        return b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime
    share = (spent(short, after) - spent(before, short)) / 5
    bound("the reader needs less than 1 % of a core", share < 0.01, f"{100 * share:.2f} %")


@bench("100,000 tasks in the table", on="host")
def _():
    subject = Subject("mass", room_for(100000))
    watcher = subprocess.Popen([MMLENS, "stat", "--json"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE)
    try:
        watching(watcher)
    finally:
        subject.close()  # each ends, which is a switch
    begin = time.perf_counter()
    watcher.send_signal(signal.SIGINT)
    out = watcher.communicate()[0]
    seconds = time.perf_counter() - begin
    document = strict_json(out)
    bound("no task is lost", document["lost"] == 0 and len(document["tasks"]) > 100000,
          f"{len(document['tasks'])} tasks, {document['lost']} switches lost")
    bound("the output takes less than a second", seconds < 1, f"{seconds:.2f} s")


main()
