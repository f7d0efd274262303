# SPDX-License-Identifier: GPL-2.0-only
"""Pages in the same and in other frames, as constructed, and as pagemap and kpageflags say."""
import json
import os
import select
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    LIMIT, MMLENS, SLOW, Subject, children_of, have, inspect, main, mmlens, peak, prop, skip, want, want_equal)
import pagemap  # noqa: E402

PAGE = pagemap.PAGE
SHARED = ["shared_anon", "memfd", "posix_shm", "sysv_shm", "file_shared"]
HALF = ["private", "file_private", "dev_zero"]
COUNTS = ("same_frame", "different_frame", "absent")
NATURES = {"private": "anon", "shared_anon": "shared-anon", "memfd": "memfd", "posix_shm": "shm",
           "sysv_shm": "sysv", "file_shared": "file", "file_private": "file", "zero": "anon",
           "thp": "anon", "hugetlb": "hugetlb", "memfd_huge": "memfd", "sysv_huge": "sysv",
           "memfd_secret": "memfd", "dev_zero": "anon", "ksm": "anon"}
# What every page of a nature is; the rest of these counts is nothing.
LABELS = {"zero": "zero", "thp": "huge", "hugetlb": "huge", "memfd_huge": "huge",
          "sysv_huge": "huge", "ksm": "ksm"}
NOBODY = 65534
# No machine reads a terabyte page by page in this.
AT_ONCE = LIMIT // 6


def need_frames():
    have("pages")
    if os.geteuid():
        skip("frames need CAP_SYS_ADMIN")


def pages_between(subject, *options):
    return inspect("pages", subject.tids["pid"], subject.tids["child"], *options)


def region_of(document, start, end):
    """The counts of a range that no neighbour can have been merged with."""
    found = [r for r in document["regions"] if r["start"] < end and r["end"] > start]
    want_equal([(r["start"], r["end"]) for r in found], [(start, end)], "regions there")
    return found[0]


def summed(document, start, end):
    """Counts of the regions that make up a range, for mappings that may merge."""
    inside = [r for r in document["regions"] if r["start"] < end and r["end"] > start]
    want(inside, f"no region at {start:#x}")
    return {k: sum(r[k] for r in inside) for k in (*COUNTS, "ksm", "huge", "zero")}


# ---- what fork shared ----

@prop("cow {percent}: exactly that share is in different frames", percent=[0, 1, 7, 25, 50, 99, 100])
def _(percent):
    need_frames()
    with Subject("cow", percent, 64) as s:
        total, different = s.number("pages"), s.number("different")
        want_equal(different, total * percent // 100, "pages rewritten")
        seen = region_of(pages_between(s), *s.range("region"))
        want_equal([seen[k] for k in COUNTS], [total - different, different, 0], "pages")
        want_equal(seen["shared_by_fork"], total - different, "still shared since fork")
        one = region_of(inspect("pages", s.tids["child"]), *s.range("region"))
        want_equal([one[k] for k in ("present", "private", "shared", "shared_by_fork")],
                   [total, different, total - different, total - different], "of the child alone")


@prop("cow {percent}: --watch says the same share of each relative, by mapping", percent=[7, 50])
def _(percent):
    need_frames()
    with Subject("cow", percent, 16) as s:
        start, _ = s.range("region")
        lines = mmlens("pages", s.tids["pid"], "--watch", 0.1, "-c", 1, "--json").json()
        child = {r["tgid"]: r for r in lines["relatives"]}[s.tids["child"]]
        want_equal(child["relation"], "child", "relation")
        seen = next(r for r in child["regions"] if r["start"] == start)
        want_equal(seen["broken_bytes"], s.number("different") * PAGE, "broken")
        want_equal(seen["shared_bytes"], (s.number("pages") - s.number("different")) * PAGE, "left")


def watched(subject, *options, under=()):
    """The first round of a watch, before the subject writes, and one that began after it had."""
    with subprocess.Popen([*under, MMLENS, "pages", str(subject.tids["pid"]), "--watch", "1",
                           "-c", "600", "--json", *options], stdout=subprocess.PIPE, bufsize=0,
                          stderr=subprocess.PIPE) as process:
        first = json.loads(process.stdout.readline())
        subject.go()
        # what was told while it wrote, and the round that was under way when it ended
        while select.select([process.stdout], [], [], 0)[0]:
            process.stdout.readline()
        process.stdout.readline()
        last = json.loads(process.stdout.readline())
        # nsenter would not hand the signal on
        os.kill(children_of(process.pid)[0] if under else process.pid, signal.SIGTERM)
        errors = process.communicate()[1]
        want_equal(process.returncode, 0, "exit of a watch that was told to end")
    return first, last, errors.decode()


def need_breakers(document, errors):
    if document["breakers"] is None:
        skip(f"no write faults: {errors.strip()}")


@prop("erosion: who copied, how many and where, by the writers' own word")
def _():
    need_frames()
    with Subject("erosion", 30, 70, 16) as s:
        first, last, errors = watched(s)
        need_breakers(last, errors)
        start, end = s.range("region")
        pages = s.number("pages")
        want_equal(sum(t["copied"] for t in first["breakers"]["tasks"]), 0, "before the writing")
        copied = {t["tid"]: t["copied"] for t in last["breakers"]["tasks"] if t["start"] == start}
        want_equal(copied, {s.tids["storer"]: pages * 30 // 100,
                            s.tids["reader"]: pages * 70 // 100}, "copied")
        want_equal(last["breakers"]["lost"], 0, "lost")
        want("page_fault" in last["breakers"]["hook"], "the hook has no name")
        for role, percent in (("storer", 30), ("reader", 70)):
            relative = {r["tgid"]: r for r in last["relatives"]}[s.tids[role]]
            seen = next(r for r in relative["regions"] if r["start"] == start)
            want_equal(seen["broken_bytes"], pages * percent // 100 * PAGE, f"broken by {role}")
            want_equal(seen["end"], end, "end")


@prop("erosion: in a pid namespace the writers are told by the pids that are theirs in it")
def _():
    need_frames()
    with Subject("erosion", 30, 70, 4, under=["unshare", "--pid", "--fork", "--mount-proc"]) as s:
        outside = str(children_of(s.process.pid)[0])
        want_equal(s.tids["pid"], 1, "the subject's own word of its pid")
        _, last, errors = watched(s, under=["nsenter", "-t", outside, "--pid", "--mount"])
        need_breakers(last, errors)
        start, _ = s.range("region")
        copied = {t["tid"]: t["copied"] for t in last["breakers"]["tasks"] if t["start"] == start}
        pages = s.number("pages")
        want_equal(copied, {s.tids["storer"]: pages * 30 // 100, s.tids["reader"]: pages * 70 // 100}, "copied")


@prop("erosion: --stacks names the place in the program that wrote")
def _():
    need_frames()
    with Subject("erosion", 10, 0, 4) as s:
        _, last, errors = watched(s, "--stacks")
        need_breakers(last, errors)
        start, _ = s.range("region")
        tasks = [t for t in last["breakers"]["tasks"] if t["start"] == start]
        want_equal([t["tid"] for t in tasks], [s.tids["storer"]], "who")
        text = [m for m in pagemap.mappings(s.tids["storer"]) if "x" in m[2] and
                m[3].endswith("/subject")]
        want(text and text[0][0] <= tasks[0]["stack"][0] < text[0][1],
             f"{tasks[0]['stack']} is not in {text}")


@prop("the last who has a page does not break it: it is no copy")
def _():
    need_frames()
    # The storer copies all; whoever writes then is the other one, and the last but for the parent.
    with Subject("erosion", 100, 0, 4) as s:
        _, last, errors = watched(s)
        need_breakers(last, errors)
        start, _ = s.range("region")
        want_equal({t["tid"] for t in last["breakers"]["tasks"] if t["start"] == start},
                   {s.tids["storer"]}, "who copied")


# ---- natures ----

@prop("{nature}: every page is in the same frame in both", nature=SHARED)
def _(nature):
    need_frames()
    with Subject("mappings", nature) as s:
        start, end = s.range(nature)
        seen = summed(pages_between(s), start, end)
        want_equal((seen["same_frame"], seen["different_frame"]), ((end - start) // PAGE, 0), "pages")


@prop("{nature}: the half that the child wrote is in other frames", nature=HALF)
def _(nature):
    need_frames()
    with Subject("mappings", nature) as s:
        start, end = s.range(nature)
        half = (end - start) // PAGE // 2
        want_equal([summed(pages_between(s), start, end)[k] for k in COUNTS], [half, half, 0], "pages")


@prop("{nature}: region and pages are told to be of that nature", nature=list(NATURES))
def _(nature):
    need_frames()
    with Subject("mappings", nature) as s:
        if nature in s.absent():
            skip(f"{nature}: {s.absent()[nature]}")
        start, end = s.range(nature)
        document = inspect("pages", s.tids["pid"])
        inside = [r for r in document["regions"] if r["start"] < end and r["end"] > start]
        want_equal({r["nature"] for r in inside}, {NATURES[nature]}, "nature")
        pages = (end - start) // PAGE
        seen = {k: sum(r[k] for r in inside) for k in ("present", "ksm", "huge", "zero")}
        want_equal(seen, {"present": pages, "ksm": 0, "huge": 0, "zero": 0,
                          **({LABELS[nature]: pages} if nature in LABELS else {})}, "labels")


@prop("every count of two processes is what pagemap says, region by region")
def _():
    need_frames()
    with Subject("mappings") as s:
        pair = s.tids["pid"], s.tids["child"]
        regions = [(r["start"], r["end"]) for r in pages_between(s)["regions"]]
        want_equal(regions, list(pagemap.common(*pair)), "regions")
        # The kernel moves pages on its own (compaction, reclaim): what did is looked at again.
        for _ in range(5):
            before = [pagemap.pair_counts(*pair, *r) for r in regions]
            seen = [tuple(r[k] for k in COUNTS) for r in pages_between(s)["regions"]]
            after = [pagemap.pair_counts(*pair, *r) for r in regions]
            if before == after:
                break
        want_equal(before, after, "pages of subjects at rest")
        want_equal(dict(zip(regions, seen)), dict(zip(regions, after)), "counts")


@prop("merged, huge and zero pages are those that kpageflags names")
def _():
    need_frames()
    with Subject("mappings") as s:
        pid = s.tids["pid"]
        document = inspect("pages", pid)
        for nature in NATURES:
            if nature in s.absent():
                continue
            start, end = s.range(nature)
            frames = [e & pagemap.FRAME for e in pagemap.entries(pid, start, end)]
            truth = {"ksm": pagemap.merged(pid, start, end),
                     "huge": sum(pagemap.has_flag(f, "thp") or pagemap.has_flag(f, "huge")
                                 for f in frames),
                     "zero": sum(pagemap.has_flag(f, "zero") for f in frames)}
            inside = [r for r in document["regions"] if r["start"] < end and r["end"] > start]
            want_equal({k: sum(r[k] for r in inside) for k in truth}, truth, nature)


@prop("private pages are those that kpagecount has once, shared those that it has more often")
def _():
    need_frames()
    with Subject("cow", 30, 4) as s:
        for role in ("pid", "child"):
            start, end = s.range("region")
            seen = region_of(inspect("pages", s.tids[role]), start, end)
            counts = [pagemap.mapped(e & pagemap.FRAME)
                      for e in pagemap.entries(s.tids[role], start, end)]
            want_equal((seen["private"], seen["shared"]),
                       (counts.count(1), sum(n > 1 for n in counts)), role)
            want_equal(sorted(set(counts)), [1, 2], f"counts of {role}")


# ---- one address ----

def at(subject, address, *options):
    return inspect("pages", subject.tids["pid"], subject.tids["child"], "--at", f"{address:x}",
                   *options)


def memory(pid, address, n):
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as f:
        f.seek(address)
        return f.read(n)


@prop("--at: the same address, different frames and different bytes, seen in each")
def _():
    need_frames()
    with Subject("cow", 50, 1) as s:
        pids = s.tids["pid"], s.tids["child"]
        start, end = s.range("region")
        relations = set()
        for address in range(start, end, 17 * PAGE + 8):
            seen = at(s, address)
            entries = [pagemap.entries(p, address & -PAGE, (address & -PAGE) + PAGE)[0] for p in pids]
            truth = "different" if (entries[0] ^ entries[1]) & pagemap.FRAME else "same"
            want_equal(seen["frames"], truth, f"{address:#x}")
            relations.add(truth)
            spots = seen["spots"]
            want_equal(spots[0]["frame"] == spots[1]["frame"], truth == "same", "ids")
            for pid, spot in zip(pids, spots):
                want_equal(bytes.fromhex(spot["bytes"]), memory(pid, address, 16), "bytes")
            for entry, spot in zip(entries, spots):
                frame = entry & pagemap.FRAME
                want_equal(spot["mappings"], pagemap.mapped(frame), "as kpagecount has it")
                want_equal({f for f in pagemap.KPF if pagemap.has_flag(frame, f)} - {"ksm"},
                           set(spot["flags"].split(",")) & {*pagemap.KPF} - {"ksm"}, "as kpageflags has it")
                want("anon" in spot["flags"].split(","), spot["flags"])
        want_equal(relations, {"same", "different"}, "relations met")


@prop("--at: frames are ids, and numbers only with --frames")
def _():
    need_frames()
    with Subject("cow", 0, 1) as s:
        start, _ = s.range("region")
        truth = pagemap.entries(s.tids["pid"], start, start + PAGE)[0] & pagemap.FRAME
        ids = {at(s, start)["spots"][0]["frame"] for _ in range(3)}
        want_equal(len(ids), 3, "an id that stays from run to run")
        want(f"{truth:x}" not in ids, "an id that is the number")
        want_equal(at(s, start, "--frames")["spots"][0]["frame"], f"{truth:x}", "number")


@prop("--at: the last bytes before an edge, the vsyscall page, nothing mapped, no address")
def _():
    need_frames()
    with Subject("cow", 0, 1) as s:
        _, end = s.range("region")
        want_equal(at(s, end - 3)["spots"][0]["bytes"].replace(" ", ""), memory(
            s.tids["pid"], end - 3, 3).hex(), "bytes at the edge")
        want(at(s, 0xffffffffff600000)["spots"][0]["state"] in ("absent", "not mapped"), "vsyscall")
        want_equal(at(s, 0)["spots"][0]["state"], "not mapped", "address 0")
        want_equal(at(s, end)["spots"][0]["state"], "absent", "a page without rights")
    for word in ("", "xyz", "12345678901234567", "-1"):
        mmlens("pages", os.getpid(), "--at", word).expect(2).error_line()


# ---- hidden shared memory ----

HIDDEN = {"shared_anon": "shared-anon", "memfd": "memfd", "posix_shm": "shm", "sysv_shm": "sysv",
          "file_shared": "file", "memfd_huge": "memfd", "sysv_huge": "sysv"}
SYSV_ID = {"sysv_shm": "sysv_id", "sysv_huge": "sysv_huge_id"}


@prop("hidden {nature}: its mappers and its bytes, once", nature=list(HIDDEN))
def _(nature):
    need_frames()
    with Subject("mappings", nature) as s:
        if nature in s.absent():
            skip(f"{nature}: {s.absent()[nature]}")
        start, end = s.range(nature)
        inode = os.stat(f"/proc/{s.tids['pid']}/map_files/{start:x}-{end:x}").st_ino
        objects = [o for o in inspect("pages", "--shared")["objects"]
                   if o["inode"] == inode and o["nature"] == HIDDEN[nature]]
        want_equal(len(objects), 1, "objects")
        seen = objects[0]
        want_equal(set(seen["pids"]), {s.tids["pid"], s.tids["child"]}, "who")
        want_equal((seen["spaces"], seen["size"]), (2, end - start), "spaces, size")
        want_equal(seen["resident"], end - start, "resident")
        if nature in SYSV_ID:
            want_equal((seen["inode"], seen["nattch"]), (s.number(SYSV_ID[nature]), 2), "id, nattch")


@prop("hidden: the first SysV segments of two IPC namespaces have one id and are two")
def _():
    need_frames()
    with Subject("mappings", "sysv_shm", under=["unshare", "--ipc"]) as one, \
            Subject("mappings", "sysv_shm", under=["unshare", "--ipc"]) as two:
        want_equal((one.number("sysv_id"), two.number("sysv_id")), (0, 0), "ids")
        pids = [{s.tids["pid"], s.tids["child"]} for s in (one, two)]
        seen = [o for o in inspect("pages", "--shared")["objects"]
                if o["nature"] == "sysv" and set(o["pids"]) & (pids[0] | pids[1])]
        want_equal(sorted(map(sorted, (o["pids"] for o in seen))), sorted(map(sorted, pids)), "who")
        # Of our namespace is neither, and what /proc/sysvipc says of id 0 is of another.
        want_equal({(o["inode"], o["key"], o["nattch"]) for o in seen}, {(0, None, None)}, "key")


@prop("hidden: rings of io_uring have one inode in all processes, and are no common memory")
def _():
    need_frames()
    with Subject("io-uring") as one, Subject("io-uring") as two:
        for s in (one, two):
            want(any("[io_uring]" in m[3] for m in pagemap.mappings(s.tids["pid"])), "no ring is mapped")
        names = {o["name"] for o in inspect("pages", "--shared")["objects"]}
        want(not any("anon_inode" in (n or "") for n in names), f"{names}")


@prop("hidden: named processes narrow the list to what they map")
def _():
    need_frames()
    with Subject("mappings", "memfd") as s, Subject("mappings", "sysv_shm") as other:
        seen = inspect("pages", "--shared", s.tids["child"])["objects"]
        want(all(s.tids["pid"] in o["pids"] for o in seen), f"{seen}")
        want("memfd" in {o["nature"] for o in seen}, "its memfd is missing")
        want(not any(other.tids["pid"] in o["pids"] for o in seen), "a stranger's is listed")


# ---- other spaces ----

@prop("compare: its page evidence is the totals of pages")
def _():
    need_frames()
    with Subject("cow", 25, 4) as s:
        evidence = inspect("compare", s.tids["pid"], s.tids["child"])["pages"]
        want(evidence, "compare has no page evidence")
        totals = pages_between(s)["totals"]
        for key in (*COUNTS, "same_va"):
            want_equal(evidence[key], totals[key], key)
        want_equal(totals["same_va"], sum(totals[k] for k in COUNTS), "same_va")


@prop("threads: every page is in the same frame, for there is one space")
def _():
    need_frames()
    with Subject("threads") as s:
        totals = inspect("pages", s.tids["pid"], s.tids["tid1"])["totals"]
        want_equal(totals["different_frame"], 0, "different frames")
        want(totals["same_frame"] > 0, "no page")


@prop("pages{form}: a kernel thread and a zombie have none, and that is said, exit 1",
      form=["", " --json", " --at 1000", " --watch 1"])
def _(form):
    have("pages")
    with Subject("zombie") as s:
        for pids in [2], [s.tids["child"]], [2, s.tids["pid"]], [s.tids["pid"], 2]:
            if "--watch" in form and pids[1:]:
                continue
            line = mmlens("pages", *form.split(), *pids).expect(1).error_line()
            want("no address space" in line, f"{pids}: {line}")


@prop("pages: a process whose leader has exited is seen through a thread of it")
def _():
    need_frames()
    with Subject("leader-exited") as s:
        leader, thread = s.tids["pid"], s.tids["tid1"]
        one, other = inspect("pages", leader), inspect("pages", thread)
        # who else maps the pages of its files changes by the moment
        same = "pages", "present", "absent", "file", "shared_by_fork"
        want_equal((one["a"], [one["totals"][k] for k in same]),
                   (leader, [other["totals"][k] for k in same]), "of the process")
        pair = inspect("pages", leader, thread)["totals"]
        want(pair["same_frame"] > 0 and not pair["different_frame"], f"with its own thread: {pair}")
        start = other["regions"][0]["start"]
        want_equal([p["pid"] for p in inspect("pages", leader, "--at", f"{start:x}")["spots"]],
                   [leader], "--at")
        shared = inspect("pages", "--shared", leader)["objects"]
        want(shared and all(leader in o["pids"] for o in shared), f"{shared}")


@prop("giant {size} TiB: found at once, nothing invented", size=[1, 16])
def _(size):
    need_frames()
    with Subject("giant", size) as s:
        seen = region_of(mmlens("pages", s.tids["pid"], "--json", timeout=AT_ONCE).json(), *s.range("region"))
        pages = (size << 40) // PAGE
        want_equal(seen["pages"], pages, "pages")
        want_equal(seen["present"] + seen["absent"] + seen["unread"], pages, "sum")
        if not seen["unread"]:
            want_equal(seen["present"], s.number("touched"), "present")
        pair = region_of(mmlens("pages", s.tids["pid"], s.tids["child"], "--json", timeout=AT_ONCE).json(),
                         *s.range("region"))
        want_equal(pair["same_frame"], seen["present"], "in the same frame")
        want_equal(pair["different_frame"], 0, "in different frames")


@prop("giant without rights: it is skipped, and nothing of it is unread")
def _():
    need_frames()
    with Subject("giant", 30, 0) as s:
        seen = region_of(mmlens("pages", s.tids["pid"], "--json", timeout=AT_ONCE).json(), *s.range("region"))
        want_equal((seen["present"], seen["unread"]), (0, 0), "present, unread")
        mmlens("compare", s.tids["pid"], s.tids["child"], timeout=AT_ONCE).expect(0)
        mmlens("stacks", s.tids["pid"], timeout=AT_ONCE).expect(0)


@prop("giant of huge pages: they are found, though no count of resident pages has them")
def _():
    need_frames()
    with Subject("giant-huge") as s:
        seen = region_of(mmlens("pages", s.tids["pid"], "--json", timeout=AT_ONCE).json(), *s.range("region"))
        want_equal([seen[k] for k in ("present", "huge", "unread")], [s.number("touched")] * 2 + [0], "pages")


ORPHANS = """
import os, time
table = [bytes([i % 251]) * 4000 for i in range(2000)]
parent = os.getpid()
for n in range(2):
    if not os.fork():
        while os.getppid() == parent:
            time.sleep(0.01)
        os.write(1, b"%d\\n" % os.getpid())
        time.sleep(600)
        os._exit(0)
"""


@prop("orphans: two workers whose parent has ended still find each other")
def _():
    need_frames()
    with subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE,
                          text=True) as parent:
        workers = [int(parent.stdout.readline()) for _ in range(2)]
        try:
            seen = {r["tgid"]: r for r in inspect("pages", workers[0])["relatives"]}
            want(workers[1] in seen, f"{workers[1]} is not in {list(seen)}")
            want(seen[workers[1]]["shared_bytes"] > 1 << 20, f"{seen[workers[1]]}")
        finally:
            for pid in workers:
                os.kill(pid, 9)


# A debug kernel needs seconds to make a thousand, and as many to end them.
MANY = 5000 if SLOW else 20000


@prop(f"many mappings: each of {MANY:,} is listed")
def _():
    need_frames()
    with Subject("many", MANY) as s:
        start, end = s.range("region")
        inside = [r for r in pages_between(s)["regions"] if start <= r["start"] < end]
        want_equal(len(inside), MANY, "regions")
        want_equal({r["same_frame"] for r in inside}, {1}, "same frames of each")
        table = mmlens("pages", s.tids["pid"], s.tids["child"], "-o", "START,SAME").expect(0)
        rows = table.out.decode().splitlines()
        seen = [row.split() for row in rows if row.endswith(" 1")]
        want({f"{r['start']:x}" for r in inside} <= {start for start, _ in seen}, "rows of the table")
        want_equal(sum("START" in row for row in rows), 1, "headings")


@prop("mappings that change while they are read: always a whole answer, each page once")
def _():
    need_frames()
    with Subject("remap") as s:
        for turn in range(20):
            last = 0
            for region in inspect("pages", s.tids["pid"])["regions"]:
                want(region["start"] >= last, f"{region['start']:#x} is below {last:#x}")
                last = region["end"]
                want_equal(region["present"] + region["absent"], region["pages"], "sum")
            inspect("pages", s.tids["pid"], s.tids["child"])
            if turn % 5 == 0:
                mmlens("pages", "--shared").expect(0)


@prop("above 47 bits: found where the processor has 57")
def _():
    need_frames()
    with Subject("high") as s:
        start, end = s.range("region")
        want(start >> 47, f"{start:#x}")
        want_equal(region_of(pages_between(s), start, end)["same_frame"], (end - start) // PAGE, "same")
        want_equal(at(s, start)["frames"], "same", "--at")


@prop("the inspector's memory does not grow with theirs")
def _():
    need_frames()
    sizes = []
    for mib in (16, 256):
        with Subject("cow", 50, mib) as s:
            sizes.append(peak("pages", "--json", s.tids["pid"], s.tids["child"])[0])
            # a large mapping is counted in parts
            seen = region_of(pages_between(s), *s.range("region"))
            half = s.number("pages") // 2
            want_equal([seen[k] for k in COUNTS], [half, half, 0], f"pages of {mib} MiB")
    want(sizes[1] - sizes[0] < 3 << 20, f"bytes at 16 and 256 MiB: {sizes}")


@prop("the inspector's memory does not grow with the number of mappings")
def _():
    need_frames()
    if SLOW:
        skip("this kernel needs minutes for tens of thousands of mappings")
    sizes = []
    for mappings in (5000, 30000):
        with Subject("many", mappings) as s:
            sizes.append(peak("pages", s.tids["pid"], s.tids["child"])[0])
    want(sizes[1] - sizes[0] < 1 << 20, f"bytes at 5,000 and 30,000 mappings: {sizes}")


# ---- without the right to see frames ----

def as_nobody(*args):
    def drop():
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    return {"args": args, "preexec_fn": drop}


def nobody_runs(*args):
    call = as_nobody(*args)
    done = subprocess.run([MMLENS, *map(str, call["args"])], preexec_fn=call["preexec_fn"],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT // 2, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def nobody_sleeps():
    return subprocess.Popen(["sleep", "600"], preexec_fn=as_nobody()["preexec_fn"])


@prop("without CAP_SYS_ADMIN: kinds and counts are answered, frames are said to be hidden")
def _():
    need_frames()
    with nobody_sleeps() as theirs:
        time.sleep(0.2)
        try:
            status, out, err = nobody_runs("pages", "--json", theirs.pid)
        finally:
            theirs.kill()
    want_equal(status, 0, err)
    document = json.loads(out)
    want("hidden" in err and "CAP_SYS_ADMIN" in err, err)
    totals = document["totals"]
    want(totals["present"] > 0 and totals["private"] is not None, f"{totals}")
    want_equal([totals[k] for k in ("same_frame", "ksm", "zero", "shared_by_fork")], [None] * 4, "frames")


@prop("without any right: exit 3, and the line says how to get it")
def _():
    need_frames()
    with Subject("cow", 0, 1) as s:
        for args in (["pages", s.tids["pid"]], ["stacks", s.tids["pid"]],
                     ["pages", s.tids["pid"], "--at", "1000"]):
            status, out, err = nobody_runs(*args)
            want_equal((status, out), (3, ""), f"{args}: {err}")
            want("root" in err, err)


main()
