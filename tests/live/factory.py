# SPDX-License-Identifier: GPL-2.0-only
"""The subjects themselves, by the kernel's own word: what the other tests judge by must be true."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    RESOURCES, Subject, kcmp_pairs, main, prop, settle, skip, status_of, switches_of, tgid_of, until,
    want, want_equal)

BORN = ["fork", "fork-owners", "vfork", "peer", "files", "fs", "files-fs", "sighand", "peer-all",
        "io", "sysvsem", "parent"]
PAGE = os.sysconf("SC_PAGESIZE")
KPF = {"thp": 22, "hugetlb": 17, "ksm": 21, "zero": 24}


@prop("{name}: the child shares what clone was told, by kcmp", name=BORN)
def _(name):
    with Subject(name) as s:
        states = kcmp_pairs([s.tids["pid"], s.tids["child"]]).popitem()[1]
        shared = {r for r in RESOURCES if states[r] == "shared"}
        want_equal(shared, set(s["shares"].split(",")) - {"-"}, "shared")


@prop("fork-owners: io_context and semaphore undos exist and are separate")
def _():
    with Subject("fork-owners") as s:
        states = kcmp_pairs([s.tids["pid"], s.tids["child"]]).popitem()[1]
        want_equal((states["io"], states["sysvsem"]), ("separate", "separate"), "states")


@prop("{name}: the odd thread left that resource and only that", name=["unshare-files", "unshare-fs"])
def _(name):
    with Subject(name) as s:
        pid, plain, odd = s.tids["pid"], s.tids["tid1"], s.tids["tid2"]
        pairs = kcmp_pairs([pid, plain, odd])
        want_equal(pairs[(pid, plain)][s["left"]], "shared", "plain thread")
        want_equal({r for r in RESOURCES if pairs[(pid, odd)][r] == "separate"}, {s["left"]}, "left")


@prop("zombies and living threads are what /proc says", )
def _():
    for name, zombies in (("zombie", {"child"}), ("leader-exited", {"pid"}), ("exec-stuck", {"pid"})):
        with Subject(name) as s:
            seen = {role for role, tid in s.tids.items() if status_of(tid)["State"][0] == "Z"}
            want_equal(seen, zombies, f"{name}: zombies")


@prop("dying: the task has no space and is no zombie")
def _():
    with Subject("dying") as s:
        status = status_of(s.tids["dying"])
        want("VmSize" not in status, "it still has a space")
        want(status["State"][0] in "SDI", f"its state is {status['State']}")


@prop("hostile-comm: /proc shows the names byte for byte")
def _():
    with Subject("hostile-comm") as s:
        for n, tid in enumerate(s.tids.values()):
            with open(f"/proc/{tid}/comm", "rb") as f:
                seen = f.read()[:-1].hex() or "-"
            want_equal(seen, s[f"comm{n}"], f"comm of {tid}")


@prop("namespaces: each child lives in another one of its sort, and in no other")
def _():
    with Subject("namespaces") as s:
        def ids(tid):
            return {f"{n}_ns": os.readlink(f"/proc/{tid}/ns/{n}") for n in
                    ("uts", "ipc", "mnt", "pid", "net", "time", "user", "cgroup")
                    if os.path.exists(f"/proc/{tid}/ns/{n}")}
        base = ids(s.tids["pid"])
        for role, tid in s.tids.items():
            if role != "pid":
                left = {n for n, i in ids(tid).items() if i != base[n]}
                want_equal(left, {role}, f"namespaces left by {role}")


@prop("nested-pid: the inner task has as many pids as namespaces", )
def _():
    with Subject("nested-pid", 3) as s:
        levels = len(status_of(s.tids["inner"])["NSpid"].split())
        base = len(status_of(s.tids["pid"])["NSpid"].split())
        want_equal(levels - base, 3, "levels below")


@prop("io-uring: the worker is a thread of ours, or a kernel thread where kernels made one")
def _():
    with Subject("io-uring") as s:
        ours = tgid_of(s.tids["worker"]) == s.tids["pid"]
        want_equal(ours, s["thread_of_ours"] == "1", "worker is ours")


@prop("{name}: tasks come to rest", name=["threads", "crowd", "stacks", "mass"])
def _(name):
    with Subject(name) as s:
        settle(list(s.tids.values()))


@prop("{name}: no task is left when it ends",
      name=["threads", "crowd", "vfork", "dying", "exec-stuck", "exec-race", "namespaces", "storm"])
def _(name):
    with Subject(name) as s:
        tids = [int(v) for k, v in s.said.items() if v.isdigit() and (k in s.tids or "racer" in k)]
        want(tids, "the subject named no task")
    until(lambda: not any(map(status_of, tids)), f"one of {tids} is left", pause=0.05)


# ---- memory ----

def pagemap(pid, start, end):
    """[entry] of the pages of a range."""
    with open(f"/proc/{pid}/pagemap", "rb") as f:
        f.seek(start // PAGE * 8)
        data = f.read((end - start) // PAGE * 8)
    return struct.unpack(f"{len(data) // 8}Q", data)


def frames(pid, start, end):
    """[frame or None]; skips without the right to see frames."""
    entries = pagemap(pid, start, end)
    if os.geteuid():
        skip("frames need CAP_SYS_ADMIN")
    return [e & ((1 << 55) - 1) if e >> 63 else None for e in entries]


def kpageflags(frame):
    with open("/proc/kpageflags", "rb") as f:
        f.seek(frame * 8)
        return struct.unpack("Q", f.read(8))[0]


@prop("cow {percent}: exactly that share of the frames differs", percent=[0, 1, 25, 33, 100])
def _(percent):
    with Subject("cow", percent, 8) as s:
        mine, its = (frames(s.tids[r], *s.range("region")) for r in ("pid", "child"))
        differ = sum(a != b for a, b in zip(mine, its))
        want(None not in mine and None not in its, "a page is absent")
        want_equal(differ, s.number("different"), "different frames")
        want_equal(differ, s.number("pages") * percent // 100, "share")


@prop("mappings: {nature} is what the kernel's page flags say", nature=sorted(KPF))
def _(nature):
    with Subject("mappings", nature) as s:
        if nature in s.absent():
            skip(f"{nature}: {s.absent()[nature]}")
        for frame in frames(s.tids["pid"], *s.range(nature)):
            want(frame is not None and kpageflags(frame) >> KPF[nature] & 1, f"page of {frame}")


@prop("mappings: shared natures share all frames, private ones half")
def _():
    with Subject("mappings") as s:
        for nature in ("shared_anon", "memfd", "posix_shm", "sysv_shm", "file_shared", "private",
                       "file_private"):
            mine, its = (frames(s.tids[r], *s.range(nature)) for r in ("pid", "child"))
            differ = sum(a != b for a, b in zip(mine, its))
            wanted = len(mine) // 2 if "private" in nature else 0
            want_equal((differ, None in mine), (wanted, False), nature)


@prop("stacks: every thread's stack pointer lies on the stack it named")
def _():
    with Subject("stacks") as s:
        for role in s.with_locals():
            start, end = s.range(f"on_{role}")
            want(start <= s.number(f"local_{role}") < end, f"the local of {role}")


# ---- workloads ----

@prop("{name}: every task switched as often as it had turns",
      name=["switch-threads", "switch-processes", "switch-peers", "switch-vfork", "switch-sleeper",
            "switch-alternate", "switch-kernel"])
def _(name):
    rounds = 300
    with Subject(name, rounds) as s:
        before = {role: sum(switches_of(tid)) for role, tid in s.tids.items()}
        s.go()
        for role, tid in s.tids.items():
            if name == "switch-kernel" and role == "child":
                continue  # it spins, and is taken off the CPU by others
            grown = sum(switches_of(tid)) - before[role]
            want(grown >= rounds * 0.9, f"{role} switched {grown} times in {rounds} rounds")


main()
