# SPDX-License-Identifier: GPL-2.0-only
"""Who shares what: every pair of tasks of every subject against kcmp(2), and kinds as constructed."""
import functools
import itertools
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    RESOURCES, SOURCES, Subject, every_tid, inspect, kcmp_pairs, main, mmlens, need_source, prop, show_tasks,
    standing, standing_one, status_of, tgid_of, want, want_equal)

SUBJECTS = ["threads", "fork", "fork-owners", "vfork", "peer", "files", "fs", "files-fs", "sighand",
            "peer-all", "io", "sysvsem", "parent", "crowd", "unshare-files", "unshare-fs", "own-creds", "zombie",
            "leader-exited", "dying", "ptraced", "exec-stuck", "namespaces", "nested-pid",
            "other-user", "seccomp", "strict", "io-uring", "vhost", "hostile-comm"]
NAMESPACES = ("uts", "ipc", "mnt", "pid", "net", "time", "user", "cgroup")
# Only a kernel's own view tells these; procfs must then say null, never a wrong word.
BEYOND_PROCFS = {"vfork", "peer", "loan", "worker"}


@functools.lru_cache(maxsize=None)
def all_shown(source):
    """{tid: task} of all subjects as one `show` tells them: ids compare within an answer."""
    return show_tasks([tgid_of(tid) for s in standing(SUBJECTS).values() for tid in s.tids.values()],
                      source)


def shown(name, source):
    """(subject, {role: task}) of a subject that stands."""
    need_source(source)
    subject = standing_one(name, SUBJECTS)
    tasks = all_shown(source)
    missing = {role for role, tid in subject.tids.items() if tid not in tasks}
    want(not missing, f"show has no {missing}")
    return subject, {role: tasks[tid] for role, tid in subject.tids.items()}


def compared(a, b, source):
    """{resource: state} as `compare` tells it."""
    document = inspect("compare", a, b, source=source)
    want_equal((document["a"]["tid"], document["b"]["tid"]), (a, b), "the tasks compared")
    return {r["name"]: r["state"] for r in document["resources"]}, document["verdict"]


# What compare says is made of what show says, which is judged for all pairs below. A question is
# dear where everything is emulated, and where no module answers: there a few subjects do.
COMPARED = [(name, source) for name in SUBJECTS for source in SOURCES
            if source == "module" or SUBJECTS.index(name) % 6 == 0]


@prop("{case[0]}: compare says of its first tasks what kcmp says ({case[1]})", case=COMPARED)
def _(case):
    name, source = case
    need_source(source)
    s = standing_one(name, SUBJECTS)
    tids = list(s.tids.values())[:3 if source == "module" else 2]
    for (a, b), truth in kcmp_pairs(tids).items():
        states, _ = compared(a, b, source)
        seen = {r: states.get(r) for r in RESOURCES}
        wrong = {r: (seen[r], truth[r]) for r in RESOURCES if seen[r] != truth[r]}
        want(not wrong, f"{a} and {b} (said, kcmp): {wrong}")


def lasting(task):
    """What of a task that waits two answers have in common: keyed ids last for one, but not where there are none."""
    counted = os.uname().machine == "x86_64"
    by_word = {r for r in task["resources"] if r.endswith("_ns") or r == "cgroup"} | ({"mm"} if counted else set())
    seen = {r: word if r in by_word else word is None for r, word in task["resources"].items()}
    seen.update({key: task[key] for key in ("tgid", "ppid", "comm", "kind", "start_ns", "state", "uid", "raced")})
    seen["kernel stack"] = [task["kernel_stack"][key] for key in ("size", "sp", "used")]
    seen["mm_users"] = bool(task["mm_users"])
    return seen


# For the two of compare bpf has a program of its own, made for the kernel when it is asked.
@prop("{name}: compare says of two tasks what show says of them (bpf)",
      name=["crowd", "leader-exited", "seccomp", "namespaces", "other-user"])
def _(name):
    s, tasks = shown(name, "bpf")
    roles = list(s.tids)[0], list(s.tids)[-1]
    document = inspect("compare", *(s.tids[role] for role in roles), source="bpf")
    for key, role in zip("ab", roles):
        want_equal(lasting(document[key]), lasting(tasks[role]), f"{role} by compare, and by show")
        # Before 5.15 no program can tell it, and show asks /proc.
        sp = document[key]["user_stack"]["sp"]
        want(sp in (None, tasks[role]["user_stack"]["sp"]), f"the stack pointer of {role}: {sp}")


@prop("two kernel threads: compare says of them what show says (bpf)")
def _():
    need_source("bpf")
    tids = [2, kernel_thread()]
    document = inspect("compare", *tids, source="bpf")
    tasks = show_tasks(tids, "bpf")
    for key, tid in zip("ab", tids):
        for part in ("kind", "start_ns", "tgid", "comm", "mm_users"):
            want_equal(document[key][part], tasks[tid][part], f"{part} of {tid}")


# With a free choice the cheaper witness answers only where it knows as much. Where the module is
# loaded there is nothing to choose.
@prop("{case[0]}: compare leaves nothing unknown that bpf would tell, by the cheapest that tells it",
      case=[] if "module" in SOURCES else [
          ("fork", "pid", "child", "procfs"), ("zombie", "pid", "child", "procfs"),
          ("peer-all", "pid", "child", "procfs"), ("threads", "pid", "tid1", "bpf"),
          ("threads", "tid1", "tid2", "bpf"), ("seccomp", "pid", "child", "bpf")])
def _(case):
    need_source("bpf")
    name, one, other, teller = case
    tids = standing_one(name, SUBJECTS).tids
    said = [mmlens("compare", *source, tids[one], tids[other]).expect(0).out.decode().splitlines()
            for source in (["--source=bpf"], [])]
    want_equal(said[1][:-1], said[0][:-1], "by free choice, and by bpf")
    want_equal(said[1][-1], f"Source: {teller}.", "who told it")


# Of the others nothing is read for the table: where procfs answers it must come to the same.
@prop("{name}: the table of compare says what kcmp says (procfs)",
      name=["threads", "peer", "files", "unshare-files", "zombie", "leader-exited", "dying"])
def _(name):
    a, b = list(standing_one(name, SUBJECTS).tids.values())[:2]
    lines = mmlens("compare", "--raw", "--source=procfs", a, b).expect(0).out.decode().splitlines()
    said = dict(line.split() for line in lines[1:])
    for r, state in kcmp_pairs([a, b])[a, b].items():
        want_equal(said[r], state, f"{r} of {a} and {b}")


@prop("{name}: ids of all pairs are equal exactly where kcmp says shared ({source})",
      name=SUBJECTS, source=SOURCES)
def _(name, source):
    _, tasks = shown(name, source)
    held = {t["tid"]: t["resources"] for t in tasks.values()}
    for (a, b), truth in kcmp_pairs(list(held)).items():
        for r in RESOURCES:
            same = held[a][r] is not None and held[a][r] == held[b][r]
            want(same == (truth[r] == "shared"),
                 f"{r} of {a} and {b}: {held[a][r]} and {held[b][r]}, kcmp says {truth[r]}")


@prop("{name}: kinds are as constructed ({source})", name=SUBJECTS, source=SOURCES)
def _(name, source):
    s, tasks = shown(name, source)
    for role, task in tasks.items():
        seen, built = task["kind"], s.kinds[role]
        if source == "procfs" and built in BEYOND_PROCFS and seen is None:
            continue
        want_equal(seen, built, f"kind of {role} {task['tid']}")


def verdict_of(a, b, truth):
    """What the verdict must be, from tgids and kcmp alone."""
    if truth["mm"] == "shared":
        return "threads" if tgid_of(a) == tgid_of(b) else "peers"
    return None if truth["mm"] == "both-none" else "isolated"


@prop("crowd: each verdict follows from tgid and space ({source})", source=SOURCES)
def _(source):
    need_source(source)
    wanted = {pair: verdict_of(*pair, truth) for pair, truth in
              kcmp_pairs(list(standing_one("crowd", SUBJECTS).tids.values())).items()}
    # One pair for each verdict.
    for verdict, (a, b) in {v: pair for pair, v in wanted.items()}.items():
        want_equal(compared(a, b, source)[1], verdict, f"verdict of {a}, {b}")


@prop("strict: neither of two that the kernel keeps strictly has a filter, so they share none ({source})",
      source=SOURCES)
def _(source):
    need_source(source)
    tids = standing_one("strict", SUBJECTS).tids
    for a, b in ((tids["one"], tids["other"]), (tids["pid"], tids["other"])):
        want_equal(compared(a, b, source)[0]["seccomp"], "both-none", f"seccomp of {a} and {b}")


def same_task(document, tid):
    want_equal(document["verdict"], "same-task", f"verdict of {tid} and itself")
    odd = {r["name"]: r["state"] for r in document["resources"] if r["state"] not in ("shared", "both-none")}
    want(not odd, f"{tid} and itself: {odd}")
    states = {r["name"]: r["state"] for r in document["resources"]}
    for r, state in kcmp_pairs([tid, tid])[tid, tid].items():
        want_equal(states[r], state, f"{r} of {tid} and itself")
    want_equal(states["cred"], "shared", f"cred of {tid} and itself")


# A process of threads, a thread, a task with a filter, one that has given up nearly all, a kernel thread.
@prop("{case[0]}: a task shares with itself all it has, also when it is recorded ({case[2]})",
      case=[(*whom, s) for whom in (("threads", "pid"), ("seccomp", "child"), ("zombie", "child"),
                                    ("own-creds", "tid2"), (None, None)) for s in SOURCES])
def _(case):
    name, role, source = case
    need_source(source)
    tid = standing_one(name, SUBJECTS).tids[role] if name else 2
    same_task(inspect("compare", tid, tid, source=source), tid)
    if name == "threads":
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "state")
            mmlens("record", f"--source={source}", "-o", path).expect(0)
            same_task(inspect("compare", "--from", path, tid, tid), tid)


def unlike(a, b):
    """Whether the credentials of two tasks allow different things, as far as /proc tells."""
    held = [{k: v for k, v in status_of(tid).items() if k in ("Uid", "Gid", "Groups") or k.startswith("Cap")}
            for tid in (a, b)]
    return held[0] != held[1]


@prop("own-creds: whose credentials differ has own ones, whose look alike may have any ({source})", source=SOURCES)
def _(source):
    s = standing_one("own-creds", SUBJECTS)
    need_source(source)
    want(unlike(s.tids["pid"], s.tids["tid2"]) and not unlike(s.tids["pid"], s.tids["tid3"]), "the subject")
    truth = {"tid1": "shared", "tid2": "separate", "tid3": "separate"}
    for role, state in truth.items():
        if source == "procfs" and role != "tid2":
            state = "unknown"
        want_equal(compared(s.tids["pid"], s.tids[role], source)[0]["cred"], state, f"cred of the leader and {role}")
    told = mmlens("show", f"--source={source}", s.tids["pid"]).expect(0).out.decode()
    odd = {role for role in truth if f"{s.tids[role]} has its own cred, unlike" in told}
    want_equal(odd, {"tid2"} if source == "procfs" else {"tid2", "tid3"}, "what departs from the leader")


@prop("an id that is null is named where it cannot be told, and only there ({source})", source=SOURCES)
def _(source):
    tasks = shown("own-creds", source)[1].values()
    kernel = inspect("compare", 2, kernel_thread(), source=source)
    for task in [*tasks, *all_shown(source).values(), kernel["a"], kernel["b"]]:
        ids = {**task["resources"], "loan": task["loan"]}
        odd = {name: ids[name] for name in task["unknown"] if ids[name] is not None}
        want(not odd, f"{task['tid']}: told, and said to be unknown: {odd}")
    beyond = source == "procfs"
    for task in tasks:
        want_equal(("cred" in task["unknown"], "loan" in task["unknown"]), (beyond, False), f"of {task['tid']}")
    for task in (kernel["a"], kernel["b"]):
        want_equal((task["resources"]["mm"], "mm" in task["unknown"]), (None, False), "a kernel thread has no space")
        want_equal("loan" in task["unknown"], beyond, "whether its loan is unknown")


@prop("two kernel threads share no space: neither has one ({source})", source=SOURCES)
def _(source):
    need_source(source)
    states, verdict = compared(2, kernel_thread(), source)
    want_equal((states["mm"], verdict), ("both-none", "kernel"), "mm and verdict")


# What the roles' verdict and space must be: a task and one that has none any more, or never had.
ODD_PAIRS = {"a kernel thread and a process": ("threads", None, "tid1", "kernel", "separate"),
             "a zombie and its parent": ("zombie", "child", "pid", "isolated", "separate"),
             "a leader that exited and its thread": ("leader-exited", "pid", "tid1", "threads", "separate"),
             "a task within exit and its parent": ("dying", "dying", "pid", "isolated", "separate")}


@prop("{pair}: verdict and space are right, whichever is named first ({source})", pair=list(ODD_PAIRS),
      source=SOURCES)
def _(pair, source):
    need_source(source)
    name, one, other, verdict, space = ODD_PAIRS[pair]
    tids = standing_one(name, SUBJECTS).tids
    a, b = tids[one] if one else 2, tids[other]
    # dear where everything is emulated and no module answers
    for first, second in ((a, b), (b, a)) if source == "module" else ((a, b),):
        states, said = compared(first, second, source)
        want_equal((said, states["mm"]), (verdict, space), f"verdict and mm of {first}, {second}")


# It has the loan only while it runs, and others may run in between. In a VM the module tells it.
@prop("lazy: a kernel thread that holds a process's space lazily has that loan, and adopts nothing ({source})",
      source=[s for s in SOURCES if s != "bpf" or "module" not in SOURCES])
def _(source):
    need_source(source)
    with Subject("lazy") as s:
        seen = set()
        for _ in range(1 if source == "procfs" else 60):
            tasks = show_tasks([s.number("ksmd"), s.tids["pid"]], source)
            lender, holder = tasks[s.tids["pid"]], tasks[s.number("ksmd")]
            # with one source ids stay what they are
            seen.add(holder["loan"])
            want_equal((holder["kind"], holder["resources"]["mm"]), ("kthread", None), "what holds it")
            if lender["resources"]["mm"] in seen:
                break
        # who reads /proc cannot know, and does not say "none"
        want_equal(lender["resources"]["mm"] in seen, source != "procfs", f"the lender's space is in {seen}")


def kernel_thread():
    """A kernel thread other than kthreadd."""
    for entry in os.listdir("/proc"):
        if entry.isdigit() and entry != "2" and status_of(entry).get("PPid") == "2":
            return int(entry)
    raise AssertionError("no kernel thread")


@prop("namespaces: each pair is shared or separate as /proc/TID/ns says ({source})", source=SOURCES)
def _(source):
    _, tasks = shown("namespaces", source)
    for one, other in itertools.combinations(tasks.values(), 2):
        for name in NAMESPACES:
            same = (os.readlink(f"/proc/{one['tid']}/ns/{name}") ==
                    os.readlink(f"/proc/{other['tid']}/ns/{name}"))
            ids = [t["resources"][f"{name}_ns"] for t in (one, other)]
            want(None not in ids and (ids[0] == ids[1]) == same,
                 f"{name}_ns of {one['tid']} and {other['tid']}: {ids}, /proc says same is {same}")


@prop("namespaces: compare says of the first and each other what /proc/TID/ns says")
def _():
    first, *others = standing_one("namespaces", SUBJECTS).tids.values()
    for other in others:
        states, _ = compared(first, other, SOURCES[0])
        for name in NAMESPACES:
            same = os.readlink(f"/proc/{first}/ns/{name}") == os.readlink(f"/proc/{other}/ns/{name}")
            want_equal(states[f"{name}_ns"], "shared" if same else "separate",
                       f"{name}_ns of {first} and {other}")


@functools.lru_cache(maxsize=None)
def all_listed(source):
    """{tid: space} of one `list` while all subjects stand."""
    standing(SUBJECTS)
    members = {}
    for space in inspect("list", source=source)["spaces"]:
        for member in space["members"]:
            want(member["tid"] not in members, f"task {member['tid']} is in two spaces")
            members[member["tid"]] = space["space"]
    return members


@prop("{name}: list has each space once, with all its tasks ({source})",
      name=["threads", "crowd", "vfork", "leader-exited", "peer-all"], source=SOURCES)
def _(name, source):
    need_source(source)
    s = standing_one(name, SUBJECTS)
    members = all_listed(source)
    alive = [t for r, t in s.tids.items() if s.kinds[r] != "zombie"]
    for (a, b), truth in kcmp_pairs(alive).items():
        want_equal(members[a] == members[b], truth["mm"] == "shared", f"{a} and {b} together")


def judged(tid):
    """False for a task that a sandbox around us hides even from root."""
    try:
        return bool(os.readlink(f"/proc/{tid}/ns/pid"))
    except OSError:
        return False


def listed(source, *words):
    """The tids in the spaces that `list` shows."""
    return {m["tid"] for space in inspect("list", *words, source=source)["spaces"]
            for m in space["members"]}


def cgroup_of(tid):
    with open(f"/proc/{tid}/cgroup", encoding="utf-8", errors="replace") as f:
        return next((line[3:].rstrip("\n") for line in f if line.startswith("0::")), None)


@prop("each filter of list lets through what it names and nothing else ({source})",
      source=[s for s in SOURCES if s != "bpf"])
def _(source):
    need_source(source)
    nested = standing_one("nested-pid", SUBJECTS).tids
    other = standing_one("other-user", SUBJECTS).tids
    inner = max(nested.values(), key=lambda tid: len(status_of(tid)["NSpid"].split()))
    number = os.readlink(f"/proc/{inner}/ns/pid")[5:-1]
    seen = listed(source, "--container", number)
    want(inner in seen and nested["pid"] not in seen, f"--container of a pid namespace: {seen}")
    owner = {tid: status_of(tid)["Uid"].split()[0] for tid in other.values()}
    for uid in set(owner.values()):
        seen = listed(source, "--user", uid)
        want_equal({t for t in owner if t in seen}, {t for t in owner if owner[t] == uid}, f"--user {uid}")
    seen = listed(source, "--comm", status_of(inner)["Name"])
    want(inner in seen and os.getpid() not in seen, f"--comm: {seen}")
    path = cgroup_of(inner)
    if path:
        want(inner in listed(source, "--cgroup", path), f"--cgroup {path} does not show {inner}")
        want(inner not in listed(source, "--cgroup", path.rstrip("/") + "/none"), "below it")


@prop("list has every task that /proc has ({source})", source=SOURCES)
def _(source):
    need_source(source)
    with Subject("threads", 20) as s:
        before = every_tid()
        document = inspect("list", source=source)
        stayed = before & every_tid()
        seen = {m["tid"] for space in document["spaces"] for m in space["members"]}
        user = {t for t in stayed if "VmSize" in status_of(t) and judged(t)}
        want(set(s.tids.values()) <= seen, "a thread of the subject is missing")
        want(user <= seen, f"missing: {sorted(user - seen)[:20]}")
        want(document["totals"]["tasks"] >= len(user), lambda: "totals: fewer tasks than stayed: "
             f"{document['totals']['tasks']} of {len(user)}")


main()
