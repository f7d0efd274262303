# SPDX-License-Identifier: GPL-2.0-only
"""Tasks that appear, vanish and exec while they are read: whole rows, and a count of what raced."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import SOURCES, Subject, inspect, main, mmlens, need_source, prop, tasks_of, want, want_equal  # noqa: E402

ROUNDS = {"module": 12, "bpf": 4, "procfs": 4}
KINDS = {"process", "thread", "vfork", "peer", "worker", "kthread", "loan", "zombie", None}


def judge_rows(document, still):
    """No task twice, none half read, and those that stood still are all there as they are."""
    seen = {}
    for space in document["spaces"]:
        want_equal(len(space["members"]), space["tasks"], f"members of {space['space']}")
        for member in space["members"]:
            want(member["tid"] not in seen, f"task {member['tid']} is there twice")
            want(member["tgid"] > 0 and member["comm"] and member["kind"] in KINDS, f"half a row: {member}")
            seen[member["tid"]] = (space["space"], member["kind"])
    for role, tid in still.tids.items():
        want(tid in seen, f"{role} {tid}, which stood still, is missing")
        want_equal(seen[tid][1], still.kinds[role], f"kind of {role} {tid}")
    want_equal(len({seen[t][0] for t in still.tids.values()}), 1, "spaces of one process")


@prop("{storm}: every row of list is whole, and none is there twice ({source})",
      storm=["exec-race 3", "storm thread fork exec vfork"], source=SOURCES)
def _(storm, source):
    need_source(source)
    with Subject("threads") as still, Subject(*storm.split()):
        for _ in range(ROUNDS[source]):
            document = inspect("list", source=source)
            want(isinstance(document["raced"], int), "no count of what raced")
            judge_rows(document, still)


@prop("exec-race: show of a process that execs without end is whole or says it is gone ({source})",
      source=SOURCES)
def _(source):
    need_source(source)
    with Subject("exec-race", 1) as s:
        for _ in range(ROUNDS[source]):
            run = mmlens("show", "--json", f"--source={source}", s["racer1"])
            want(run.status in (0, 1), f"exit status: {run}")
            if run.status:
                run.error_line()
                continue
            for task in tasks_of(run.json()).values():
                want(task["comm"] and task["start_ns"], f"half a row: {task}")


@prop("fade: none of the threads that stay is missing while those before them end ({source})", source=SOURCES)
def _(source):
    need_source(source)
    for _ in range(4 if source == "procfs" else 1):
        with Subject("fade") as s:
            s.process.stdin.write(b"go\n")
            s.process.stdin.flush()
            document = inspect("list", source=source)
            calm = [m for space in document["spaces"] for m in space["members"]
                    if m["tgid"] == s.tids["pid"] and m["comm"] == "calm"]
            want_equal(len(calm), s.number("calm"), "those that stayed")


@prop("doctor: tasks that change while they are looked at are no disagreement")
def _():
    with Subject("exec-race", 3), Subject("threads"):
        document = mmlens("doctor", "--json").json()
        want_equal(document["disagreements"], [], "disagreements")
        want(document["compared"] > 3, "nothing was compared")


main()
