# SPDX-License-Identifier: GPL-2.0-only
"""The BPF objects as the compiler left them."""
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from kernels import ROOT  # noqa: E402
from tap import main, prop, skip, want, want_equal  # noqa: E402

OBJECTS = sorted(glob.glob(os.path.join(os.environ.get("O") or os.path.join(ROOT, "build"), "bpf", "*.bpf.o")))
PIN = "/sys/fs/bpf/mmlens-test"


# libbpf goes on without what the kernel refuses, and so do programs that need no types: those with
# a callback fail, and what they would have told stays unknown without a word.
@prop("the kernel takes the types of {path}", path=[os.path.basename(path) for path in OBJECTS])
def _(path):
    if os.geteuid():
        skip("only root may load types")
    path = next(p for p in OBJECTS if os.path.basename(p) == path)
    env = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}
    # What cannot be loaded outside its program fails later, at its relocations.
    done = subprocess.run(["bpftool", "-d", "prog", "loadall", path, PIN], check=False, env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    subprocess.run(["rm", "-rf", PIN], check=True)
    want("elf: section" in done.stdout, f"bpftool did not read it: {done.stdout[:500]}")
    refused = re.search(r"BTF loading error.*?END BTF LOAD LOG", done.stdout, re.S)
    want_equal(refused and refused[0][-300:], None, "what the kernel said of them")


main()
