# SPDX-License-Identifier: GPL-2.0-only
"""The live tests in the VM: what goes there, how it is run, and what its words mean here."""
import glob
import os
import subprocess

import bounded
from results import Test, parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Seconds that a VM may take with what `make check` runs in one, and with each file where it runs all.
# A file and a property have limits of their own: this one is for a guest that is no more.
LIMIT = int(os.environ.get("MMLENS_VM_TIMEOUT", "1500"))
SECONDS_PER_FILE = 240
# What a kernel may take until it can be booted: a debug kernel that is not there yet is built, while
# other VMs have the processors.
PREPARE_LIMIT = 4000
# Where the tests go in the guest, and where scripts/vm puts what build/tests has.
GUEST = "/mmlens"
HELPERS = "/usr/lib/mmlens/tests"
VM = os.path.join(ROOT, "scripts", "vm")
# What it takes to build and install the module there.
PRODUCT = ("Makefile", "kmod", "scripts/packaging")


# Under KASAN and lockdep, in an emulator beside others, a call may take a minute.
DEBUG_TEST_LIMIT = "480"
# And a file of many tests an hour, where the whole suite may be its only boot.
DEBUG_FILE_LIMIT = "3600"


def limit_of(only, directory):
    """Seconds that the VM may take with the files chosen of a directory, by default all of them."""
    every = glob.glob(os.path.join(ROOT, "tests", directory, "*.py"))
    return max(LIMIT, SECONDS_PER_FILE * len(only or every))


def command(label, only, sampled, directory, limit):
    """The command line that runs a directory of tests, or those chosen, in the VM of a kernel within
    so many seconds; @sampled as tap.py explains."""
    parts_of_tree = [*PRODUCT, *(f"tests/{part}" for part in ("run", "expected-skips.tsv", "lib", directory))]
    brought = [word for part in parts_of_tree for word in ("-a", f"{os.path.join(ROOT, part)}:{GUEST}/{part}")]
    debug = label.startswith("debug")
    return [VM, "-k", label, "-t", str(limit),
            *(["--leaks"] if debug else []), *brought, "--",
            "env", "MMLENS=mmlens", f"MMLENS_HELPERS={HELPERS}", "PYTHONDONTWRITEBYTECODE=1",
            *([f"MMLENS_TEST_TIMEOUT={DEBUG_TEST_LIMIT}", f"MMLENS_FILE_TIMEOUT={DEBUG_FILE_LIMIT}"]
              if debug else []),
            *([f"MMLENS_SAMPLE={label}"] if sampled else []),
            "python3", f"{GUEST}/tests/run", "--tap", f"--label={label}",
            "--source=module,bpf,procfs", *[f"--only={name}" for name in only], directory]


def prepare(label):
    """Fetches and builds what the VM of a kernel needs, which is no time of its tests; a failed test
    if that cannot be had."""
    out, status = bounded.run([VM, "-k", label, "prepare"], PREPARE_LIMIT, stdout=subprocess.PIPE)
    if not status:
        return None
    test = Test(f"vm/{label}", f"all it needs is there: ended with status {status}", "not ok")
    test.notes = out.decode("utf-8", "replace").splitlines()[-40:]
    return test


def execute(label, only, sampled, log_path, directory="live"):
    """(output, status). The log is written as it comes, so that one may watch a VM at work."""
    limit = limit_of(only, directory)
    with open(log_path, "w+b") as log:
        _, status = bounded.run(command(label, only, sampled, directory, limit), limit + 120, stdout=log)
        log.seek(0)
        return log.read().decode("utf-8", "replace"), status


def parts(text):
    """[(file, its TAP, its status)] of what the guest's tests/run --tap printed."""
    found, name, lines = [], None, []
    for line in text.splitlines():
        if line.startswith("# begin "):
            name, lines = line.split()[2], []
        elif line.startswith("# end ") and name:
            found.append((name, "\n".join(lines), int(line.split()[3])))
            name = None
        elif name:
            lines.append(line)
    if name:
        found.append((name, "\n".join(lines), "none: the guest went silent"))
    return found


def judge(label, text, status, directory="live"):
    """All tests of a VM's output; a VM that ended otherwise than its tests is a failure."""
    tests = [test for name, tap, file_status in parts(text)
             for test in parse(f"{directory}/{name}", tap, file_status)]
    if status not in (0, 1) or not tests:
        tests.append(Test(f"vm/{label}", f"the VM ended with status {status}", "not ok"))
        tests[-1].notes = text.splitlines()[-40:]
    elif not status and any(t.word == "not ok" for t in tests):
        tests.append(Test(f"vm/{label}", "the VM says success though a test failed", "not ok"))
    return tests
