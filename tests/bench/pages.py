# SPDX-License-Identifier: GPL-2.0-only
"""Pages of two processes against merely reading their pagemaps; many mappings; many stacks."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from bench import HELPERS, MMLENS, Subject, bench, bound, main, note, race  # noqa: E402
from mmlens_test import peak  # noqa: E402
import pagemap  # noqa: E402

MIB = 1 << 20
THREADS = 10000
MAPPINGS = 100000


def floor(pids, start, end):
    """A command that reads the pagemaps of a range of both in preads of 1 MiB, and nothing else."""
    return [os.path.join(HELPERS, "bench_pagemap"), f"{start:x}", f"{end:x}", *map(str, pids)]


def reads(pids, start, end):
    """The same by a process that is there already, its buffer too."""
    buffer = bytearray(MIB)
    reach = MIB // 8 * pagemap.PAGE

    def run():
        begin = time.perf_counter()
        for pid in pids:
            fd = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
            for va in range(start, end, reach):
                os.preadv(fd, [buffer], va // pagemap.PAGE * 8)
            os.close(fd)
        return time.perf_counter() - begin
    return run


def compared(subject):
    return [MMLENS, "pages", "--json", str(subject.tids["pid"]), str(subject.tids["child"])]


@bench("two processes of 1 GiB each, all in frames of their own", on="host")
def _():
    with Subject("cow", 100, 1024) as s:
        pids = s.tids["pid"], s.tids["child"]
        r = race({"pages": compared(s), "1 MiB preads": floor(pids, *s.range("region")),
                  "the reads alone": reads(pids, *s.range("region"))}, rounds=15)
        large, _ = peak(*compared(s)[1:])
    r.within("pages", "1 MiB preads", 1.5)
    with Subject("cow", 100, 16) as s:
        small, _ = peak(*compared(s)[1:])
    note(f"peak memory with 16 MiB each {small / MIB:.1f} MiB, with 1 GiB each {large / MIB:.1f} MiB")
    bound("the inspector's memory grows by at most 4 MiB", large - small <= 4 * MIB,
          f"{(large - small) / MIB:.1f} MiB")


@bench(f"{MAPPINGS} mappings", on="host")
def _():
    with Subject("many", MAPPINGS) as s:
        pids = [str(s.tids[role]) for role in ("pid", "child")]
        r = race({f"of {word}, {form}": [MMLENS, "pages", *option, *pids[:n]]
                  for n, word in ((2, "two"), (1, "one"))
                  for form, option in (("JSON", ["--json"]), ("table", []))}, rounds=5)
    for name in r.times:
        r.below(name, 1)


@bench(f"the stacks of {THREADS} threads", on="host")
def _():
    with Subject("mass", THREADS) as s:
        command = [MMLENS, "stacks", str(s.tids["pid"])]
        r = race({"table": command, "JSON": [*command, "--json"]}, rounds=5)
    for name in r.times:
        r.below(name, 1)


main()
