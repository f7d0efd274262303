# SPDX-License-Identifier: GPL-2.0-only
"""Every thread's stack, by the thread's own word (pthread_getattr_np)."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import Subject, inspect, main, prop, skip, want, want_equal  # noqa: E402

OWN = ["plain", "deep", "noguard", "small", "bigguard"]


def need_root():
    if os.geteuid():
        skip("the memory of others needs root")


def atlas(subject):
    return {s["tid"]: s for s in inspect("stacks", subject.tids["main"])["stacks"]}


@prop("{role}: bounds, guard and pointer are the thread's own", role=OWN)
def _(role):
    need_root()
    with Subject("stacks") as s:
        seen = atlas(s)[s.tids[role]]
        start, end = s.range(f"stack_{role}")
        want_equal((seen["kind"], seen["start"], seen["end"]), ("pthread", start, end), role)
        want_equal(seen["guard"], s.number(f"guard_{role}"), "guard")
        want_equal(seen["guard_kind"] == "none", role == "noguard", "without guard")
        want(0 <= s.number(f"local_{role}") - seen["sp"] < 4096, f"sp {seen['sp']:#x}")
        want_equal(seen["overlaps"], False, "overlaps")


@prop("{role}: it is not on a known stack, and that is said", role=["altstack", "ucontext"])
def _(role):
    need_root()
    with Subject("stacks") as s:
        seen = atlas(s)[s.tids[role]]
        want_equal(seen["kind"], "not on a known stack", role)
        want_equal((seen["used"], seen["guard_kind"]), (None, None), "of a mapping that is no stack")


@prop("main: its pointer lies on [stack], above the kernel's gap")
def _():
    need_root()
    with Subject("stacks") as s:
        seen = atlas(s)[s.tids["main"]]
        want_equal((seen["kind"], seen["guard_kind"]), ("main", "gap"), "main")
        want(0 <= s.number("local_main") - seen["sp"] < 4096, f"sp {seen['sp']:#x}")


main()
