# SPDX-License-Identifier: GPL-2.0-only
"""Real programs: their tasks are grouped into spaces as kcmp(2) says, their threads are their own."""
import itertools
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import inspect, kcmp_pairs, main, prop, tids_of, want, want_equal  # noqa: E402
from real_programs import PROGRAMS, running  # noqa: E402


@prop("{name}: spaces are as kcmp says, threads are those of /proc, memory is counted once",
      name=list(PROGRAMS))
def _(name):
    least, threaded = PROGRAMS[name]
    with running(name) as pids:
        want(len(pids) >= least, f"{name} has the processes {pids} only")
        document = inspect("list")
        home = {m["tid"]: (space["space"], m) for space in document["spaces"] for m in space["members"]}
        spaces = {space["space"]: space for space in document["spaces"]}
        alive = [pid for pid in pids if pid in home and os.path.exists(f"/proc/{pid}")]
        want(len(alive) >= least, f"listed: {alive} of {pids}")
        for (a, b), truth in kcmp_pairs(alive).items():
            if not truth["mm"].startswith("error"):
                want_equal(home[a][0] == home[b][0], truth["mm"] == "shared", f"{a} and {b} together")
        counts = [len(tids_of(pid)) for pid in alive]
        want(not threaded or max(counts) > 3, f"threads: {counts}")
        for pid in alive:
            own = [m for space, m in home.values() if m["tgid"] == pid]
            want_equal({home[m["tid"]][0] for m in own}, {home[pid][0]}, f"spaces of {pid}")
            want({m["kind"] for m in own if m["tid"] != pid} <= {"thread", "worker"}, f"kinds of {pid}: {own}")
        for space in {home[pid][0] for pid in alive}:
            row = spaces[space]
            want_equal(row["claimed"], row["rss"] * row["processes"], f"claimed of {space}")


@prop("python3: threads of one process against processes of one program")
def _():
    with running("threading") as threads, running("multiprocessing") as processes:
        a = inspect("compare", threads[0], max(tids_of(threads[0])))
        b = inspect("compare", processes[1], processes[2])
        want_equal((a["verdict"], b["verdict"]), ("threads", "isolated"), "verdicts")
        want(not list(itertools.chain(r for r in b["resources"] if r["name"] == "mm" and r["state"] != "separate")),
             "the space of two processes")


main()
