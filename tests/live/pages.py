# SPDX-License-Identifier: GPL-2.0-only
"""Pages in the same and in other frames, as constructed."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import Subject, have, inspect, main, mmlens, prop, skip, want, want_equal  # noqa: E402

PAGE = os.sysconf("SC_PAGESIZE")
SHARED = ["shared_anon", "memfd", "posix_shm", "sysv_shm", "file_shared"]
HALF = ["private", "file_private"]
COUNTS = ("same_frame", "different_frame", "absent")


def need_frames():
    have("pages")
    if os.geteuid():
        skip("frames need CAP_SYS_ADMIN")


def pages_between(subject):
    return inspect("pages", subject.tids["pid"], subject.tids["child"])


def summed(document, start, end):
    """Counts of the regions that make up a range; the kernel may split or merge mappings."""
    inside = [r for r in document["regions"] if r["start"] < end and r["end"] > start]
    want(inside, f"no region at {start:#x}")
    return inside, {k: sum(r[k] for r in inside) for k in (*COUNTS, "ksm", "huge")}


@prop("cow {percent}: exactly that share is in different frames", percent=[0, 1, 25, 50, 100])
def _(percent):
    need_frames()
    with Subject("cow", percent, 64) as s:
        total, different = s.number("pages"), s.number("different")
        # The region may be merged with neighbours by the kernel, so ask for its counts alone.
        _, seen = summed(pages_between(s), *s.range("region"))
        want(abs(seen["different_frame"] - different) <= 32, f"{seen}, rewritten {different}")
        want(abs(seen["same_frame"] - (total - different)) <= 32, f"{seen} of {total}")


@prop("{nature}: every page is in the same frame in both", nature=SHARED)
def _(nature):
    need_frames()
    with Subject("mappings", nature) as s:
        start, end = s.range(nature)
        _, seen = summed(pages_between(s), start, end)
        want(seen["same_frame"] >= (end - start) // PAGE and not seen["different_frame"], f"{seen}")


@prop("{nature}: the half that the child wrote is in other frames", nature=HALF)
def _(nature):
    need_frames()
    with Subject("mappings", nature) as s:
        start, end = s.range(nature)
        _, seen = summed(pages_between(s), start, end)
        half = (end - start) // PAGE // 2
        want(seen["different_frame"] >= half and seen["same_frame"] >= half, f"{seen}")


@prop("{nature}: its pages are told to be so", nature=["ksm", "thp", "hugetlb"])
def _(nature):
    need_frames()
    with Subject("mappings", nature) as s:
        if nature in s.absent():
            skip(f"{nature}: {s.absent()[nature]}")
        start, end = s.range(nature)
        _, seen = summed(pages_between(s), start, end)
        key = "ksm" if nature == "ksm" else "huge"
        want(seen[key] > 0, f"{key} of {seen}")


@prop("compare: its page evidence is the totals of pages")
def _():
    need_frames()
    with Subject("cow", 25, 4) as s:
        evidence = inspect("compare", s.tids["pid"], s.tids["child"])["pages"]
        want(evidence, "compare has no page evidence")
        totals = pages_between(s)["totals"]
        for key in COUNTS:
            want(abs(evidence[key] - totals[key]) <= 64, f"{key}: {evidence[key]}, {totals[key]}")


@prop("threads: every page is in the same frame, for there is one space")
def _():
    need_frames()
    with Subject("threads") as s:
        totals = inspect("pages", s.tids["pid"], s.tids["tid1"])["totals"]
        want_equal(totals["different_frame"], 0, "different frames")
        want(totals["same_frame"] > 0, "no page")


@prop("pages: a kernel thread has none, and that is said, exit 1")
def _():
    have("pages")
    mmlens("pages", 2).expect(1).error_line()


main()
