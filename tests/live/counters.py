# SPDX-License-Identifier: GPL-2.0-only
"""Numbers of a task against /proc: switch counters, start time, parent, state, name, stacks."""
import functools
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    PREEMPTS, SOURCES, Subject, inspect, main, mmlens, need_source, need_switches, prop, settle,
    show_tasks, skip, standing, standing_one, status_of, switches_of, tasks_of, want, want_equal)

SUBJECTS = ["threads", "crowd", "vfork", "leader-exited", "stacks", "ptraced", "nested-pid"]
TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def stat_of(tid):
    """The fields of /proc/TID/stat from the state (field 3) on."""
    with open(f"/proc/{tid}/stat", encoding="utf-8", errors="replace") as f:
        return f.read().rpartition(")")[2].split()


@functools.lru_cache(maxsize=None)
def all_at_rest(source):
    """{tid: task} of all subjects by one `show`, asked once they sleep."""
    tids = [tid for s in standing(SUBJECTS).values() for tid in s.tids.values()]
    settle(tids)
    return show_tasks([int(status_of(t)["Tgid"]) for t in tids], source)


def at_rest(name, source):
    """(subject, {tid: task}) of a subject that sleeps."""
    need_source(source)
    return standing_one(name, SUBJECTS), all_at_rest(source)


@prop("{name}: nvcsw and nivcsw of sleeping tasks are those of /proc ({source})",
      name=SUBJECTS, source=SOURCES)
def _(name, source):
    s, tasks = at_rest(name, source)
    for role, tid in s.tids.items():
        want_equal((tasks[tid]["nvcsw"], tasks[tid]["nivcsw"]), switches_of(tid),
                   f"nvcsw, nivcsw of {role} {tid}")


@prop("{name}: tgid, parent, state and start are those of /proc ({source})",
      name=SUBJECTS, source=SOURCES)
def _(name, source):
    s, tasks = at_rest(name, source)
    for role, tid in s.tids.items():
        task, status, stat = tasks[tid], status_of(tid), stat_of(tid)
        want_equal((task["tgid"], task["ppid"]), (int(status["Tgid"]), int(status["PPid"])),
                   f"tgid and ppid of {role}")
        want_equal(task["state"], status["State"][0], f"state of {role}")
        # /proc counts ticks of the boot clock, seen from the reader's time namespace.
        want(abs(task["start_ns"] // TICK_NS - int(stat[19])) <= 1,
             f"start of {role}: {task['start_ns']} ns, /proc says {stat[19]} ticks")


def guarded(stack):
    return stack is not None and stack["sp"] is not None


@prop("stacks: the pointer of every thread lies where its own word says ({source})",
      source=[s for s in SOURCES if s != "procfs"])
def _(source):
    s, tasks = at_rest("stacks", source)
    blind = [r for r, t in s.tids.items() if not guarded(tasks[t]["user_stack"])]
    if len(blind) == len(s.tids):
        skip(f"source {source} knows no stack pointer on this kernel")
    want(not blind, f"no stack pointer of {blind}")
    for role in s.with_locals():
        sp, local = tasks[s.tids[role]]["user_stack"]["sp"], s.number(f"local_{role}")
        start, end = s.range(f"on_{role}")
        want(start <= sp < end, f"{role}: pointer {sp:#x} outside {start:#x}-{end:#x}")
        want(0 <= local - sp < 4096, f"{role}: pointer {sp:#x}, a local at {local:#x}")


@prop("stacks: a pthread's stack is found within its bounds ({source})",
      source=[s for s in SOURCES if s != "procfs"])
def _(source):
    s, tasks = at_rest("stacks", source)
    for role in ("plain", "deep", "small", "bigguard"):
        stack = tasks[s.tids[role]]["user_stack"]
        start, end = s.range(f"stack_{role}")
        want(stack["start"] is not None, f"{role}: no bounds")
        want(stack["start"] >= start and stack["end"] <= end or
             stack["start"] <= start and stack["end"] >= end,
             f"{role}: {stack['start']:#x}-{stack['end']:#x}, the thread says "
             f"{start:#x}-{end:#x}")


@prop("every kernel stack's pointer lies inside it ({source})",
      source=[s for s in SOURCES if s != "procfs"])
def _(source):
    s, tasks = at_rest("crowd", source)
    for role, tid in s.tids.items():
        stack = tasks[tid]["kernel_stack"]
        want(stack["size"] in (8192, 16384, 32768), f"{role}: size {stack['size']}")
        want(stack["used"] is None or 0 < stack["used"] < stack["size"],
             f"{role}: used {stack['used']} of {stack['size']}")


# ---- names ----

@prop("hostile-comm: JSON stays JSON and holds every ASCII byte of the names ({source})",
      source=SOURCES)
def _(source):
    need_source(source)
    with Subject("hostile-comm") as s:
        tasks = tasks_of(inspect("show", s.tids["pid"], source=source))
        for n, tid in enumerate(s.tids.values()):
            comm = tasks[tid]["comm"]
            raw = b"" if s[f"comm{n}"] == "-" else bytes.fromhex(s[f"comm{n}"])
            kept = iter(comm)
            want(all(c in kept for c in raw.decode("ascii", "ignore")), f"{raw!r} became {comm!r}")


def controls(text):
    """Control characters a terminal would obey, and letters that turn the line around."""
    return [c for c in text if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 or
            c in "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"]


@prop("hostile-comm: no name breaks the table or commands the terminal: {command} ({source})",
      command=["show", "list"], source=SOURCES)
def _(command, source):
    need_source(source)
    with Subject("hostile-comm") as s:
        run = mmlens(command, f"--source={source}", s.tids["pid"]).expect(0)
        text = run.out.decode("utf-8", "strict")
        want(not controls(text), lambda: f"{controls(text)!r} in {text!r}")
        want("\nready x=1" not in text, "a name began a line of its own")


@prop("stat: a kernel that preempts anywhere is not probed at finish_task_switch, which it may not survive")
def _():
    need_switches()
    end = mmlens("stat", "--json", "-d", "0.2").expect(0).json()["cost_end"]
    if PREEMPTS:
        want(end in (None, "sched_exit_tp"), f"the cost was measured to {end}")
    elif os.uname().machine == "x86_64":
        want(end, "no end of a switch was found")


main()
