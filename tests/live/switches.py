# SPDX-License-Identifier: GPL-2.0-only
"""Switch classes of workloads that have one class by construction, and sums against the kernel's
own counters."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    LABEL, LIMIT, MMLENS, REALTIME, Subject, inspect, main, mmlens, need_switches, prop, status_of,
    strict_json, switches_of, total_switches, until, want, want_equal, watching)

CLASSES = {"thread", "peer", "process", "to-kernel", "to-idle", "kernel", "back-same", "back-other"}
ROUNDS = 2000
# Everything that is not the workload's own: its wake-up, its end, and who else needs that CPU.
NOISE = 0.25


class Window:
    """A `stat` that runs while something happens, and ends by SIGINT."""

    def __init__(self, *args):
        self.process = subprocess.Popen([MMLENS, "stat", "--json", *map(str, args)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        watching(self.process)

    def end(self):
        time.sleep(0.3)
        self.process.send_signal(2)
        out, err = self.process.communicate(timeout=LIMIT // 2)
        want_equal(self.process.returncode, 0, f"status of stat ({err!r})")
        document = strict_json(out)
        want_equal(document["lost"], 0, "lost")
        return document


def counts(document):
    return {c["class"]: c["count"] for c in document["classes"]}


def measured(subject):
    """What stat says of all tasks of a workload, counted by pid, and how they grew by /proc."""
    before = {t: sum(switches_of(t)) for t in subject.tids.values()}
    pids = [word for t in subject.tids.values() for word in ("-p", t)]
    window = Window(*pids)
    subject.go()
    grown = {t: sum(switches_of(t)) - n for t, n in before.items()}
    return window.end(), grown


TAKEN_OVER = """
import os, threading, time
input()
threading.Thread(target=os.execv, args=("/bin/sleep", ["sleep", "1000"])).start()
time.sleep(1000)
"""


@prop("a thread that calls exec goes on as its leader: one row, and no word on whether it agrees")
def _():
    need_switches()
    with subprocess.Popen([sys.executable, "-c", TAKEN_OVER], stdin=subprocess.PIPE) as process:
        try:
            time.sleep(0.5)
            window = Window()
            process.stdin.write(b"\n")
            process.stdin.flush()
            until(lambda: status_of(process.pid)["Name"] == "sleep", "it does not become sleep")
            document = window.end()
        finally:
            process.kill()
    rows = [t for t in document["tasks"] if t["tid"] == process.pid]
    want_equal(len(rows), 1, f"rows of it: {rows}")
    # in its last switch the first leader has the thread's number, where that one went on before it
    leader = [t for t in document["tasks"] if t["start_ns"] == rows[0]["start_ns"]]
    want_equal(sum(t["exit"] for t in leader), 1, f"ends of the first leader: {leader}")
    want(process.pid not in {d["tid"] for d in document["agreement"]["disagree"]},
         f"{document['agreement']}")


def enough(document, name, wanted):
    seen = counts(document).get(name, 0)
    want(seen >= wanted, f"{name}: {seen}, wanted at least {wanted}: {counts(document)}")


def idle_or_busy(document, name, otherwise, wanted):
    """In a VM of our own nobody else wants the CPU; here others may run where it would be idle, on
    a PREEMPT_RT kernel the threads that fire its timers, and on an emulated arm64, where a millisecond is
    short, whoever reads the counts."""
    seen = counts(document)
    crowded = LABEL == "host" or LABEL.startswith("arm64") or REALTIME
    total = seen[name] + (sum(seen[o] for o in otherwise) if crowded else 0)
    want(total >= wanted and (seen[name] or LABEL == "host"), f"{name}: {total}, wanted at least {wanted}: {seen}")


def rare(document, name, limit):
    seen = counts(document).get(name, 0)
    want(seen <= limit, f"{name}: {seen}, wanted at most {limit}: {counts(document)}")


@prop("{subject}: its switches are of class {name}",
      subject=["switch-threads:thread:peer,process", "switch-processes:process:thread,peer",
               "switch-peers:peer:thread,process", "switch-vfork:peer:thread,process"], name=["own"])
def _(subject, name):
    need_switches()
    workload, name, others = subject.split(":")
    with Subject(workload, ROUNDS) as s:
        document, _ = measured(s)
    enough(document, name, 2 * ROUNDS * (1 - NOISE))
    for other in others.split(","):
        rare(document, other, 2 * ROUNDS * NOISE)


@prop("switch-sleeper: a task alone goes to idle and comes back to its own space")
def _():
    need_switches()
    with Subject("switch-sleeper", 500) as s:
        document, _ = measured(s)
    idle_or_busy(document, "to-idle", ["process", "to-kernel"], 500 * (1 - NOISE))
    idle_or_busy(document, "back-same", ["process", "back-other"], 500 * (1 - NOISE))


@prop("switch-alternate: after idle another space is loaded")
def _():
    need_switches()
    with Subject("switch-alternate", 500) as s:
        document, _ = measured(s)
    idle_or_busy(document, "back-other", ["process"], 2 * 500 * (1 - NOISE))
    rare(document, "back-same", 2 * 500 * NOISE)


@prop("switch-kernel: through a kernel thread another space is loaded")
def _():
    need_switches()
    with Subject("switch-kernel", 300) as s:
        document, _ = measured(s)
    enough(document, "to-kernel", 300 * (1 - NOISE))
    idle_or_busy(document, "back-other", ["process"], 300 * (1 - NOISE))


@prop("{name}: switches counted for a task are those the kernel counted",
      name=["switch-threads", "switch-processes", "switch-peers", "switch-sleeper"])
def _(name):
    need_switches()
    with Subject(name, ROUNDS if name != "switch-sleeper" else 500) as s:
        document, grown = measured(s)
        tasks = {t["tid"]: t for t in document["tasks"]}
        for role, tid in s.tids.items():
            want(tid in tasks, f"{role} {tid} is missing")
            seen = sum(tasks[tid].get(c, 0) for c in CLASSES) or task_total(tasks[tid])
            # The window opens before and closes after the growth is read.
            want(0 <= seen - grown[tid] <= 4, f"{role}: stat {seen}, the kernel {grown[tid]}")


def task_total(task):
    """Counts by class may be an object of their own."""
    for value in task.values():
        if isinstance(value, dict):
            return sum(v for k, v in value.items() if k in CLASSES)
    return 0


@prop("the sum of all classes is /proc/stat's ctxt within the edges of the window")
def _():
    need_switches()
    outer = total_switches()
    document = inspect("stat", "-d", "2")
    outer = total_switches() - outer
    seen = sum(counts(document).values())
    want_equal(seen, document["switches"], "sum of classes against switches")
    want(set(counts(document)) == CLASSES, f"classes: {sorted(counts(document))}")
    want(seen <= outer, f"stat counted {seen}, the kernel only {outer}")


@prop("the window's own switch count agrees with /proc/stat while a workload dominates")
def _():
    need_switches()
    with Subject("switch-processes", 10 * ROUNDS) as s:
        outer = total_switches()
        window = Window()
        inner = total_switches()
        s.go()
        inner = total_switches() - inner
        seen = window.end()["switches"]
        outer = total_switches() - outer
    want(inner <= seen <= outer, f"stat counted {seen}, the kernel {inner} within and {outer} around")


@prop("each class is its voluntary, preempted and exit switches; loads are the two that load")
def _():
    need_switches()
    document = inspect("stat", "-d", "1")
    for c in document["classes"]:
        want_equal(c["voluntary"] + c["preempted"] + c["exit"], c["count"], f"parts of {c['class']}")
    by_class = counts(document)
    want_equal(document["loads"], by_class["process"] + by_class["back-other"], "loads")


@prop("stat: exits are counted as exits")
def _():
    need_switches()
    run = mmlens("stat", "--json", "--", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done")
    document = strict_json(run.expect(0).out)
    exits = sum(c["exit"] for c in document["classes"])
    want(exits >= 10, f"{exits} exits of at least 10: {json.dumps(counts(document))}")


main()
