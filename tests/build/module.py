# SPDX-License-Identifier: GPL-2.0-only
"""Building the module for kernels that nobody listed, that lack something, and that are not here."""
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from kernels import ROOT, rows  # noqa: E402
from tap import main, prop, want, want_equal  # noqa: E402

LABEL = rows()[0]["label"]


class Tree:
    """A copy of what the module is built from, to be changed."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="mmlens-build.")
        for part in ("kmod", "scripts", "bpf", "user", "tests"):
            shutil.copytree(os.path.join(ROOT, part), os.path.join(self.path, part))
        shutil.copy(os.path.join(ROOT, "Makefile"), self.path)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def append(self, path, text):
        with open(os.path.join(self.path, path), "a", encoding="utf-8") as f:
            f.write(text)

    def run(self, *command):
        """(status, lines, both streams) of a command in the tree."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "O"))}
        done = subprocess.run(command, cwd=self.path, check=False, stdin=subprocess.DEVNULL, env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout.decode("utf-8", "replace").splitlines()

    def build(self, *words):
        return self.run(os.path.join(self.path, "scripts", "kmod-build"), LABEL, *words)


def the_sentence(status, lines):
    """The one thing said about a kernel that lacks something; make may say that it failed."""
    want(status, "it was built")
    said = [line for line in lines if not re.match(r"make(\[\d+\])?: |kmod-build: |  KMOD ", line)]
    want_equal(len(said), 1, f"lines of explanation in {lines}")
    want(said[0].startswith("mmlens: cannot be built for this kernel: "), said[0])
    return said[0]


@functools.lru_cache(maxsize=None)
def listed():
    return {row["label"] for row in rows()}


@prop("a kernel outside the list is built for, without a word, where the probes pass")
def _():
    want("6.1.99-custom" not in listed(), "it is in the list")
    with Tree() as tree:
        status, lines = tree.build("KREL=6.1.99-custom")
        want_equal((status, len(lines)), (0, 1), f"status and lines of {lines}")
        want(os.path.exists(os.path.join(tree.path, "build/6.1.99-custom/kmod/mmlens.ko")), "no module")


@prop("a kernel without a structure's field is refused in one sentence that names it")
def _():
    with Tree() as tree:
        tree.append("kmod/compat/probes",
                    "!FAKE|linux/sched.h|(void)current->mmlens_no_such;|a task_struct without mmlens_no_such\n")
        said = the_sentence(*tree.build())
        want(said.endswith("a task_struct without mmlens_no_such"), said)


@prop("a kernel that does not export a symbol is refused in one sentence that names it")
def _():
    with Tree() as tree:
        tree.append("kmod/main.c", "\nvoid mmlens_not_exported(void);\n"
                    "void mmlens_calls_it(void);\nvoid mmlens_calls_it(void) { mmlens_not_exported(); }\n")
        said = the_sentence(*tree.build())
        want(said.endswith("it does not export mmlens_not_exported"), said)


@prop("a mistake of ours is shown whole, not explained away")
def _():
    with Tree() as tree:
        tree.append("kmod/main.c", "\nint mmlens_broken = no_such_name;\n")
        status, lines = tree.build()
        want(status and any("no_such_name" in line and "error" in line for line in lines), f"{lines}")


@prop("a warning while the module is built is a failure")
def _():
    with Tree() as tree:
        tree.append("kmod/main.c", "\nstatic int mmlens_unused;\n")
        status, lines = tree.build()
        want(status and any("mmlens_unused" in line for line in lines), f"{lines}")


@prop("make without the kernel's headers skips the module with one sentence and goes on")
def _():
    with Tree() as tree:
        status, lines = tree.run("make", "-s", "kmod", "KREL=0.0-nowhere")
        want_equal(status, 0, f"status, saying {lines}")
        want_equal(len(lines), 1, f"lines of {lines}")
        want("its headers are not installed" in lines[0] and "0.0-nowhere" in lines[0], lines[0])


main()
