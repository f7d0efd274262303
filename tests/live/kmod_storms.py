# SPDX-License-Identifier: GPL-2.0-only
"""Storms that take things away while the module is read: a processor, memory, the module; who pays."""
import contextlib
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import allow, main, prop, skip, want  # noqa: E402
from module_test import MODULE, READERS, SECONDS, TASKS, THREADS, need_module, need_module_file, passes  # noqa: E402

CGROUP = "/sys/fs/cgroup"
# Of one file of /proc/mmlens/tasks that is open: its window of text.
WINDOW = 16 << 10
FILES = 500
# Too little for the glutton of proc_storm, and for all the readers' buffers at once.
SHORT = 160 << 20

OPEN_MANY = f"""
import os, sys
where = sys.argv[1]
open(where + "/cgroup.procs", "w").write("0")
now = lambda: int(open(where + "/memory.current").read())
before = now()
files = [open("{TASKS}", "rb", buffering=0) for _ in range({FILES})]
print(now() - before)
"""


def storm(*options):
    """{what: how often} of a storm of proc_storm that got every row whole, true and once, and missed none."""
    allow(300)  # it ends when its last reader does, and memory that is short makes all wait
    said = passes("proc_storm", "-r", READERS, "-s", str(int(SECONDS) // 2), "-t", THREADS, *options)
    return {what: int(n) for n, what in re.findall(r"(\d+) (\w+)", said)}


@contextlib.contextmanager
def memory_cgroup():
    """A group of its own whose memory is accounted."""
    if not os.path.exists(f"{CGROUP}/cgroup.subtree_control"):
        skip("no unified cgroup hierarchy here")
    with open(f"{CGROUP}/cgroup.subtree_control", "w", encoding="ascii") as f:
        f.write("+memory")
    where = f"{CGROUP}/mmlens-test"
    os.makedirs(where, exist_ok=True)
    try:
        yield where
    finally:
        with contextlib.suppress(OSError):
            os.rmdir(where)


@prop("unloaded and loaded in a storm of readers: every row whole, true and once")
def _():
    need_module_file()
    done = storm("-u", MODULE)
    want(done["reloads"] and done["passes"], f"not much of a storm: {done}")


@prop("a processor comes and goes in a storm of readers: every row whole, true and once, none missing")
def _():
    done = storm("-p")
    want(done["hotplugs"] and done["passes"], f"not much of a storm: {done}")


@prop("memory runs short in a storm of readers: every row whole, true and once, none missing")
def _():
    with memory_cgroup() as where:
        with open(f"{where}/memory.max", "w", encoding="ascii") as f:
            f.write(str(SHORT))
        done = storm("-g", where)
        with open(f"{where}/memory.events", encoding="ascii") as f:
            events = dict(line.split() for line in f)
    want(int(events["oom_kill"]) and done["passes"], f"not much of a storm: {done} {events}")


@prop("what open files take is charged to the memory cgroup of who opened them")
def _():
    need_module()
    with memory_cgroup() as where:
        out = subprocess.run([sys.executable, "-c", OPEN_MANY, where], check=True,
                             capture_output=True, text=True).stdout
        want(int(out) >= FILES * WINDOW * 3 // 4, f"{FILES} files were charged {out} bytes")


main()
