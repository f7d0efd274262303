# SPDX-License-Identifier: GPL-2.0-only
"""The module's tables while the ground shakes: it is unloaded, processors go, memory is short."""
import contextlib
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import main, prop, skip, want  # noqa: E402
from module_test import MODULE, READERS, SECONDS, TASKS, THREADS, need_module, passes  # noqa: E402

CGROUP = "/sys/fs/cgroup"
PROCESSOR = "/sys/devices/system/cpu/cpu1/online"
STORM = ("proc_storm", "-r", READERS, "-s", SECONDS, "-t", THREADS)
# Of one file of /proc/mmlens/tasks that is open: its window of text.
WINDOW = 16 << 10
FILES = 500

OPEN_MANY = f"""
import os, sys
where = sys.argv[1]
open(where + "/cgroup.procs", "w").write("0")
now = lambda: int(open(where + "/memory.current").read())
before = now()
files = [open("{TASKS}", "rb", buffering=0) for _ in range({FILES})]
print(now() - before)
"""


def happened(text, what):
    """How often the storm says it did something; it must have."""
    match = re.search(rf"(\d+) {what}", text)
    want(match and int(match[1]) > 0, f"no {what} in: {text}")


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


def events(where):
    with open(f"{where}/memory.events", encoding="ascii") as f:
        return {name: int(n) for name, n in (line.split() for line in f)}


@prop("a storm while the module is unloaded and loaded: no row of another load, none twice")
def _():
    need_module()
    happened(passes(*STORM, "-u", MODULE), "reloads")


@prop("a storm while a processor goes and comes: nobody is missing")
def _():
    need_module()
    if not os.path.exists(PROCESSOR):
        skip("there is no second processor that could go")
    happened(passes(*STORM, "-p"), "hotplugs")


@prop("a storm while the readers' memory cgroup runs short: the rows that are read are whole")
def _():
    need_module()
    with memory_cgroup() as where:
        with open(f"{where}/memory.max", "w", encoding="ascii") as f:
            f.write("96M")
        happened(passes(*STORM, "-g", where), "passes")
        want(events(where)["max"] > 0, "memory was never short")


@prop("what open files take is charged to the memory cgroup of who opened them")
def _():
    need_module()
    with memory_cgroup() as where:
        out = subprocess.run([sys.executable, "-c", OPEN_MANY, where], check=True,
                             capture_output=True, text=True).stdout
        want(int(out) >= FILES * WINDOW * 3 // 4, f"{FILES} files were charged {out} bytes")


main()
