# SPDX-License-Identifier: GPL-2.0-only
"""A user without rights is told the truth about own tasks, and how much is withheld and why."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    HELPERS, LIMIT, MMLENS, PATIENCE, Subject, inspect, kcmp_pairs, main, mmlens, prop, skip, strict_json,
    tasks_of, want, want_equal)

NOBODY = 65534
AS_NOBODY = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
HIDING = ["hidepid=1", "hidepid=2", "hidepid=4"]


def need_root():
    if os.geteuid():
        skip("only root can become another user")


class Own:
    """A subject that belongs to nobody, as its tasks by kcmp do."""

    def __init__(self, name):
        self.process = subprocess.Popen([os.path.join(HELPERS, "subject"), name], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, **AS_NOBODY)
        said = dict(item.split("=", 1) for item in self.process.stdout.readline().decode().split()[1:])
        self.kinds = dict(item.split(":") for item in said["kinds"].split(","))
        self.tids = {role: int(said[role]) for role in self.kinds}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


@prop("own {name}: ids and kinds are as kcmp says and as constructed",
      name=["threads", "crowd", "unshare-files"])
def _(name):
    need_root()
    with Own(name) as s:
        document = inspect("show", *s.tids.values(), source="procfs", **AS_NOBODY)
        tasks = tasks_of(document)
        for role, tid in s.tids.items():
            want_equal(tasks[tid]["kind"], s.kinds[role], f"kind of {role}")
        for (a, b), truth in kcmp_pairs(list(s.tids.values())).items():
            for r, state in truth.items():
                ids = tasks[a]["resources"][r], tasks[b]["resources"][r]
                want_equal(ids[0] is not None and ids[0] == ids[1], state == "shared", f"{r} of {a}, {b}")
        want(document["withheld"] > 0, "root's tasks are not counted as withheld")
        want("CAP_SYS_PTRACE" in document["withheld_why"], f"why: {document['withheld_why']}")


@prop("compare with another user's task names the right that would show what is unknown")
def _():
    need_root()
    with Own("fork") as s:
        for own in s.tids.values():
            out = mmlens("compare", own, 1, **AS_NOBODY).expect(0).out
            want(b"CAP_SYS_PTRACE" in out, f"the right is not named: {out}")


@prop("own memory is in the list, others' are counted below it, with the right that shows them")
def _():
    need_root()
    with Own("threads") as s:
        run = mmlens("list", **AS_NOBODY).expect(0)
        want(str(s.tids["pid"]).encode() in run.out, f"own process is missing: {run}")
        want(b"withheld" in run.out and b"CAP_SYS_PTRACE" in run.out, f"not said: {run}")


@prop("nothing of root's task is made up: unknown is null, and the line says which right is missing")
def _():
    need_root()
    with Subject("threads") as s:
        document = inspect("show", s.tids["pid"], source="procfs", **AS_NOBODY)
        task = tasks_of(document)[s.tids["pid"]]
        known = {r: v for r, v in task["resources"].items() if v is not None}
        want(set(known) <= {"signal", "cgroup", "cred"}, f"told of root's task: {known}")
        want_equal(task["kind"], None, "kind")
        text = mmlens("show", s.tids["pid"], **AS_NOBODY).expect(0).out.decode()
        want("withheld" in text and "CAP_SYS_PTRACE" in text, f"not said: {text}")
        line = mmlens("list", s.tids["pid"], **AS_NOBODY).expect(3).error_line()
        want("withheld" in line and "CAP_SYS_PTRACE" in line, f"not said of its space: {line}")


@prop("own-creds: of another user's threads it is told whose credentials differ, and nothing that is hidden")
def _():
    need_root()
    with Subject("own-creds") as s:
        wanted = {"pid": "shared", "tid1": "unknown", "tid2": "separate", "tid3": "unknown"}
        for role, cred in wanted.items():
            document = inspect("compare", s.tids["pid"], s.tids[role], source="procfs", **AS_NOBODY)
            states = {r["name"]: r["state"] for r in document["resources"]}
            want_equal((states["cred"], states["mm"], states["files"]), (cred, "unknown", "unknown"), role)


@prop("doctor needs no right: it names the witnesses it has, what is withheld, and each right that lacks")
def _():
    need_root()
    with Own("threads"):
        document = inspect("doctor", **AS_NOBODY)
    features = {f["name"]: f for f in document["features"]}
    want_equal([w["source"] for w in document["witnesses"]], ["procfs"], "witnesses")
    want_equal((features["procfs"]["state"], features["module"]["state"], features["bpf"]["state"]),
               ("yes", "no", "no"), "who serves")
    want("CAP_BPF" in features["bpf"]["why"] or "BTF" in features["bpf"]["why"], f"bpf: {features['bpf']}")
    want("CAP_SYS_PTRACE" in features["ptrace"]["why"], f"ptrace: {features['ptrace']}")
    want(document["witnesses"][0]["withheld"] > 0, "root's tasks are not counted as withheld")
    want_equal(document["disagreements"], [], "disagreements of one witness")


def under(option, *args):
    """The inspector as nobody in a mount namespace whose /proc hides pids."""
    # A mount of its own: a remount would change the options of everybody's /proc.
    script = f"mount -t proc -o {option} proc /proc || exit 99; " \
             'exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"'
    done = subprocess.run(["unshare", "-m", "--propagation=private", "sh", "-c", script, "sh", MMLENS,
                           *map(str, args)], capture_output=True, timeout=LIMIT // 2, check=False)
    if done.returncode == 99:
        skip(f"/proc cannot be mounted with {option}")
    return done


@prop("{option}: what /proc does not list is counted all the same", option=HIDING)
def _(option):
    need_root()
    with Own("threads") as s:
        done = under(option, "list", "--json")
        want_equal(done.returncode, 0, f"exit status ({done.stderr!r})")
        document = strict_json(done.stdout)
        seen = {m["tid"] for space in document["spaces"] for m in space["members"]}
        want(set(s.tids.values()) <= seen, f"own tasks are missing: {seen}")
        want(document["withheld"] is None or document["withheld"] > 3, f"withheld {document['withheld']}")
        want("hidepid" in document["withheld_why"], f"why: {document['withheld_why']}")


@prop("{option}: a task that is hidden is not said to be none", option=HIDING)
def _(option):
    need_root()
    with Subject("fork") as s:
        done = under(option, "show", s.tids["pid"])
        want(done.returncode in (1, 3), f"exit status {done.returncode}: {done.stderr!r}")
        want(b"hid" in done.stderr or b"CAP_SYS_PTRACE" in done.stderr, f"said: {done.stderr!r}")


main()
