# SPDX-License-Identifier: GPL-2.0-only
"""Reading every task: each witness against a walk of /proc in C and against ps."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from bench import (  # noqa: E402
    HELPERS, MMLENS, Subject, bench, bound, cpu_seconds, human, main, note, place, race, reading,
    room_for)

THREADS = 4000
PS = ["ps", "-eLf"]
PS_MEMORY = ["ps", "-eLo", "pid,tid,comm,rss"]


@bench(f"the module, {THREADS} threads", on="vm")
def _():
    with Subject("mass", THREADS):
        r = race({"module": reading("module"), "bpf": reading("bpf"), "walk": reading("walk"),
                  "ps -eLf": PS}, rounds=5)
    r.faster("module", "walk", 25)
    r.faster("module", "ps -eLf", 80)
    r.within("module", "bpf", 1.5)


# A pass gets faster by half over the first few of a process, as the caches come to hold what it reads.
@bench(f"the bpf iterator, {THREADS} threads", on="host")
def _():
    with Subject("mass", THREADS):
        r = race({"bpf": reading("bpf"), "walk": reading("walk"), "ps -eLf": PS,
                  "floor": reading("floor"), "bpf, warm": reading("bpf", warm=6),
                  "walk, warm": reading("walk", warm=6)}, rounds=9)
    r.faster("bpf", "walk", 40)
    note(f"the seventh pass of each: {r.median('walk, warm') / r.median('bpf, warm'):.1f} times")
    note(f"the kernel alone, its iterator with an empty program: "
         f"{100 * r.median('floor') / r.median('bpf'):.0f} % of the bpf pass")


@bench(f"the whole host listed with its memory, {THREADS} threads")
def _():
    witnesses = ["bpf", "procfs"] if place() == "host" else ["module", "bpf"]
    with Subject("mass", THREADS):
        r = race({**{w: [MMLENS, "list", f"--source={w}"] for w in witnesses}, "ps": PS_MEMORY}, rounds=7)
    for witness in witnesses:
        r.faster(witness, "ps", 5)


def own_seconds(*words):
    """CPU time of the inspector beyond that of its start."""
    return lambda: cpu_seconds([MMLENS, *words]) - cpu_seconds([MMLENS, "--version"])


@bench("two tasks compared, the inspector's own time", on="host")
def _():
    with Subject("threads", 3) as s:
        pid, tid, other = (str(n) for n in (s.tids["pid"], s.tids["tid1"], os.getpid()))
        asked = {"two processes": [pid, other], "two threads": [pid, tid],
                 "two processes, bpf": ["--source=bpf", pid, other],
                 "two processes, -v": ["-v", pid, other], "two threads, -v": ["-v", pid, tid],
                 "two processes, --json": ["--json", pid, other],
                 "two threads, --json": ["--json", pid, tid]}
        r = race({name: own_seconds("compare", *words) for name, words in asked.items()}, rounds=15)
    for name, words in asked.items():
        if "--source=bpf" not in words:
            r.below(name, 5e-3)


def one_pass(witness):
    out = subprocess.run([os.path.join(HELPERS, "bench_read"), witness, "1"], check=True,
                         capture_output=True, text=True).stdout
    return {k: int(v) for k, v in (w.split("=") for w in out.split())}


def linear(witness, few, many, floor=None):
    """Time per task must not grow with their number, nor memory beyond the bound; `floor` is noted."""
    each = {}
    for count in (few, many):
        with Subject("mass", count):
            passes = [one_pass(witness) for _ in range(5)]
            alone = min(one_pass(floor)["ns"] for _ in range(5)) if floor else 0
        least = min(passes, key=lambda p: p["ns"])
        each[count] = least["ns"] / least["tasks"]
        note(f"{least['tasks']} tasks: {human(least['ns'] / 1e9)}, "
             f"{each[count]:.0f} ns each, {least['maxrss_kib'] / 1024:.1f} MiB")
        if floor:
            note(f"the kernel alone, its iterator with an empty program: {alone / least['tasks']:.0f} ns each")
        bound(f"{witness}: one pass sees all of {count} threads", least["tasks"] > count,
              f"{least['tasks']} tasks")
    bound(f"{witness}: a task of {many} costs at most 1.5 times one of {few}",
          each[many] <= 1.5 * each[few], f"{each[many] / each[few]:.2f} times")
    bound(f"{witness}: the inspector stays below 64 MiB with {many} threads",
          least["maxrss_kib"] < 64 * 1024, f"{least['maxrss_kib'] / 1024:.1f} MiB")


# Emulated, 100,000 threads take minutes to be born and to end, and a guest of 5 GiB. By hand: 12.3 us
# each, where 10,000 took 9.5, all in one pass, the inspector within 38 MiB.
@bench("the module, to 20,000 threads", on="vm")
def _():
    linear("module", 5000, room_for(20000))


@bench("the bpf iterator, to 100,000 threads", on="host")
def _():
    linear("bpf", 10000, room_for(100000), floor="floor")


main()
