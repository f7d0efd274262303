# SPDX-License-Identifier: GPL-2.0-only
"""Every thread's stack, by the thread's own word (pthread_getattr_np)."""
import functools
import os
import resource
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    SOURCES, Subject, inspect, main, mmlens, need_source, on_terminal, prop, skip, standing_one, want, want_equal)
import pagemap  # noqa: E402

PAGE = pagemap.PAGE

OWN = ["plain", "deep", "noguard", "small", "bigguard"]
MARKED = ["marked1", "marked2"]


def need_root():
    if os.geteuid():
        skip("the memory of others needs root")


def stacks():
    """All the stacks; they rest, so that one subject and one atlas serve every property."""
    need_root()
    return standing_one("stacks", ("stacks",))


@functools.lru_cache(maxsize=None)
def atlas(subject):
    return {s["tid"]: s for s in inspect("stacks", subject.tids["main"])["stacks"]}


def outside_tids(subject):
    """By the tids that a subject in a pid namespace below ours says, those that it has here."""
    out, under = {}, subject.process.pid
    with open(f"/proc/{under}/task/{under}/children", encoding="ascii") as f:
        children = f.read().split()
    for unshared in children:
        for tid in os.listdir(f"/proc/{unshared}/task"):
            with open(f"/proc/{unshared}/task/{tid}/status", encoding="ascii",
                      errors="replace") as f:
                own = next(line.split()[-1] for line in f if line.startswith("NSpid:"))
            out[int(own)] = int(tid)
    return out


def forbidden_below(pid, start):
    """Bytes of the mapping without any right that ends there. The library tells the size that was
    asked for, and on arm64 makes no guard below 64 KiB."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as f:
        for line in f:
            low, high = (int(n, 16) for n in line.split()[0].split("-"))
            if high == start and line.split()[1].startswith("---"):
                return high - low
    return 0


@prop("{role}: bounds, guard and pointer are the thread's own", role=OWN)
def _(role):
    s = stacks()
    seen = atlas(s)[s.tids[role]]
    start, end = s.range(f"stack_{role}")
    want_equal((seen["kind"], seen["start"], seen["end"]), ("pthread", start, end), role)
    # below a stack that asked for none may chance to lie what malloc has reserved
    asked, made = s.number(f"guard_{role}"), forbidden_below(s.tids["main"], start)
    want_equal(asked == 0, role == "noguard", "asked for no guard")
    want_equal((seen["guard"], seen["guard_kind"]), (made, "vma" if made else "none"), "guard")
    want(seen["guard"] >= asked, f"guard {seen['guard']}, asked for {asked}")
    want(0 <= s.number(f"local_{role}") - seen["sp"] < 4096, f"sp {seen['sp']:#x}")
    want_equal(seen["overlaps"], False, "overlaps")


@prop("altstack: a handler is on its sigaltstack, with the bounds that were set")
def _():
    s = stacks()
    seen = atlas(s)[s.tids["altstack"]]
    want_equal((seen["kind"], seen["start"], seen["end"]), ("sigaltstack", *s.range("on_altstack")),
               "altstack")
    want(0 <= s.number("local_altstack") - seen["sp"] < 4096, f"sp {seen['sp']:#x}")
    want_equal(seen["used"], seen["end"] - seen["sp"], "depth")


@prop("zoned: pages that the program itself protects are the guard, though the library has none")
def _():
    s = stacks()
    seen = atlas(s)[s.tids["zoned"]]
    start, _ = s.range("stack_zoned")
    want_equal((seen["kind"], seen["start"], seen["end"]), ("pthread", *s.range("on_zoned")), "zoned")
    want_equal((seen["guard_kind"], seen["guard"]), ("vma", seen["start"] - start), "guard")
    want_equal(seen["headroom"], seen["sp"] - seen["start"], "headroom")


@prop("growing: of MAP_GROWSDOWN the kernel's gap is the guard, as below the main stack")
def _():
    s = stacks()
    seen = atlas(s)
    own, main_stack = seen[s.tids["growing"]], seen[s.tids["main"]]
    want_equal((own["kind"], own["guard_kind"], own["guard"], own["note"]),
               ("pthread", "gap", main_stack["guard"], None), "growing")


@prop("heap: a stack amid the heap has the bounds that it was given, and no guard")
def _():
    s = stacks()
    seen = atlas(s)[s.tids["heap"]]
    want_equal((seen["kind"], seen["start"], seen["end"]), ("pthread", *s.range("stack_heap")), "heap")
    want_equal((seen["guard_kind"], seen["used"]), ("none", seen["end"] - seen["sp"]), "guard, depth")


@prop("the threads that a leader left behind are told by its pid")
def _():
    with Subject("leader-exited") as s:
        want_equal({t["tid"] for t in inspect("stacks", s.tids["pid"])["stacks"]},
                   {s.tids["tid1"], s.tids["tid2"]}, "threads")


@prop("in a pid namespace of its own: threads are told by the tids that they know")
def _():
    need_root()
    with Subject("stacks", under=["unshare", "--pid", "--fork", "--mount-proc"]) as s:
        outer = outside_tids(s)
        seen = {t["tid"]: t for t in inspect("stacks", outer[s.tids["main"]])["stacks"]}
        for role in OWN:
            found = seen[outer[s.tids[role]]]
            want_equal((found["kind"], found["start"], found["end"]),
                       ("pthread", *s.range(f"stack_{role}")), role)


@prop("{role}: a marker of MADV_GUARD is its guard, though the mapping holds two stacks", role=MARKED)
def _(role):
    s = stacks()
    if role not in s.tids:
        skip("no MADV_GUARD_INSTALL")
    seen = atlas(s)[s.tids[role]]
    start, end = s.range(f"stack_{role}")
    if seen["guard_kind"] == "none":
        skip("the kernel does not tell of guard markers")
    want_equal((seen["kind"], seen["guard_kind"], seen["guard"]), ("pthread", "madvise", PAGE), role)
    # The marker lies at the foot of what the library takes for the stack.
    want_equal((seen["start"], seen["end"]), (start + PAGE, end), "bounds")
    want_equal((seen["touched"], seen["overlaps"]), (touched(s, start, end), False), "touched")


def touched(subject, start, end):
    return sum(PAGE for e in pagemap.entries(subject.tids["main"], start, end) if e & pagemap.PRESENT)


@prop("{role}: touched is what pagemap has of it", role=OWN)
def _(role):
    s = stacks()
    seen = atlas(s)[s.tids[role]]
    want_equal(seen["touched"], touched(s, *s.range(f"stack_{role}")), "touched")


@prop("two threads on one piece of memory are flagged, and no others")
def _():
    s = stacks()
    flagged = {t for t, seen in atlas(s).items() if seen["overlaps"]}
    want_equal(flagged, {s.tids["common1"], s.tids["common2"]}, "flagged")


@prop("outside: a pointer to where nothing is mapped is flagged")
def _():
    s = stacks()
    seen = atlas(s)[s.tids["outside"]]
    if seen["sp"] is None:
        skip("the pointer is not known here")
    want_equal((seen["kind"], seen["note"], seen["sp"]), ("outside any mapping", "OUTSIDE", 65536),
               "outside")


@prop("the largest users come first")
def _():
    s = stacks()
    seen = inspect("stacks", s.tids["main"])["stacks"]
    known = [t["touched"] for t in seen if t["touched"] is not None]
    want_equal(known, sorted(known, reverse=True), "touched")
    want_equal({t["tid"] for t in seen}, {int(t) for t in os.listdir(
        f"/proc/{s.tids['main']}/task")}, "threads")


@prop("on a terminal of {columns} columns no row is broken, and what matters is there", columns=[80, 140])
def _(columns):
    s = stacks()
    rows = on_terminal(columns, "stacks", s.tids["main"])
    want_equal([row for row in rows if len(row) > columns], [], "rows that are too long")
    head = set(rows[0].split())
    want(head >= {"TID", "DEPTH", "TOUCHED", "HEADROOM", "GUARD-KIND", "STACK", "NOTE", "COMM"}, f"{head}")
    want_equal({"START", "SP", "KUSED"} <= head, columns == 140, "addresses")
    named = on_terminal(columns, "stacks", s.tids["main"], "-o", "START,END,SP,GUARD,KBASE,TID,STACK,NOTE")
    want_equal(named[0].split(), ["START", "END", "SP", "GUARD", "KBASE", "TID", "STACK", "NOTE"],
               "columns that were named")


@prop("ucontext: it is not on a known stack, and that is said")
def _():
    s = stacks()
    seen = atlas(s)[s.tids["ucontext"]]
    want_equal(seen["kind"], "not on a known stack", "ucontext")
    want_equal((seen["used"], seen["guard_kind"]), (None, None), "of a mapping that is no stack")


@prop("main: its pointer lies on [stack], above the gap, and it may grow to its limit")
def _():
    s = stacks()
    pid = s.tids["main"]
    seen = atlas(s)[pid]
    want_equal((seen["kind"], seen["guard_kind"]), ("main", "gap"), "main")
    want(0 <= s.number("local_main") - seen["sp"] < 4096, f"sp {seen['sp']:#x}")
    limit = resource.prlimit(pid, resource.RLIMIT_STACK)[0]
    if limit != resource.RLIM_INFINITY:
        want_equal(seen["headroom"], seen["sp"] - (seen["end"] - limit), "headroom")


@prop("show: each thread's user_stack is that of stacks, by the contract's keys")
def _():
    s = stacks()
    shown = {t["tid"]: t for t in inspect("show", s.tids["main"])["tasks"]}
    for role in OWN:
        seen = atlas(s)[s.tids[role]]
        user = shown[s.tids[role]]["user_stack"]
        for key in ("start", "end", "sp", "used", "touched", "guard"):
            want_equal(user[key], seen[key], f"{role} {key}")
        want(set(shown[s.tids[role]]["kernel_stack"]) >= {"base", "size", "sp", "used"}, "keys")


def mapping_of(pid, address):
    with open(f"/proc/{pid}/maps", encoding="ascii") as f:
        for line in f:
            low, high = (int(n, 16) for n in line.split()[0].split("-"))
            if low <= address < high:
                return low, high
    return None, None


def tells_mappings(source):
    """No program can look one up before 5.17, nor where a stack pointer stands before 5.15; procfs
    does not say where it stands."""
    with open("/proc/kallsyms", encoding="ascii") as f:
        return source == "module" or source == "bpf" and any(" bpf_find_vma\n" in line for line in f)


@prop("a state in a file has of each thread the mapping that its pointer is in ({source})", source=SOURCES)
def _(source):
    need_source(source)
    s = stacks()
    with tempfile.TemporaryDirectory() as where:
        path = os.path.join(where, "state")
        mmlens("record", "--source", source, "-o", path).expect(0)
        stored = {t["tid"]: t["user_stack"] for t in inspect("show", "--from", path, s.tids["main"])["tasks"]}
    for role in [*OWN, "main"]:
        seen = stored[s.tids[role]]
        if not tells_mappings(source):
            want_equal((seen["start"], seen["end"]), (None, None), f"{role} by {source}")
            continue
        want_equal(seen["sp"], atlas(s)[s.tids[role]]["sp"], f"pointer of {role}")
        want_equal((seen["start"], seen["end"]), mapping_of(s.tids["main"], seen["sp"]), f"mapping of {role}")
        want_equal(seen["guard"], forbidden_below(s.tids["main"], seen["start"]) or None, f"guard of {role}")


main()
