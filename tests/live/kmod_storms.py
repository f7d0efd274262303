# SPDX-License-Identifier: GPL-2.0-only
"""What the module's readers cost, and who pays."""
import contextlib
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import main, prop, skip, want  # noqa: E402
from module_test import TASKS, need_module  # noqa: E402

CGROUP = "/sys/fs/cgroup"
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


@prop("what open files take is charged to the memory cgroup of who opened them")
def _():
    need_module()
    with memory_cgroup() as where:
        out = subprocess.run([sys.executable, "-c", OPEN_MANY, where], check=True,
                             capture_output=True, text=True).stdout
        want(int(out) >= FILES * WINDOW * 3 // 4, f"{FILES} files were charged {out} bytes")


main()
