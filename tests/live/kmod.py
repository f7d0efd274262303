# SPDX-License-Identifier: GPL-2.0-only
"""The module's files under storms, fuzzing and the wrong openers; load and unload with readers."""
import errno
import os
import platform
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import Subject, allow, main, prop, want, want_equal  # noqa: E402
from module_test import (CHURN, MODULE, READERS, SECONDS, SLOW, TASKS, THREADS, need_module, need_module_file,  # noqa: E402
                         passes)

def tool(*command):
    path = shutil.which(command[0], path=os.environ.get("PATH", "") + ":/sbin:/usr/sbin")
    return subprocess.run([path, *command[1:]], check=False, capture_output=True, text=True)


def reload_module():
    want_equal(tool("rmmod", "mmlens").returncode, 0, "rmmod")
    want_equal(tool("insmod", MODULE).returncode, 0, "insmod")


@prop("readers in a storm get every row whole, true and once, and miss none")
def _():
    allow(300)
    said = passes("proc_storm", "-r", READERS, "-s", SECONDS, "-t", THREADS, "-n", CHURN)
    print(f"# {said.strip()}")
    made = int(re.search(r"(\d+) threads", said)[1])
    want(made >= int(CHURN), f"only {made} threads were made")


def places_of_module():
    """How many places the compiler marked for KCOV, but for loading and unloading."""
    done = subprocess.run(["objdump", "-r", "-j", ".text", MODULE], check=True, capture_output=True, text=True)
    return done.stdout.count("__sanitizer_cov_trace_pc")


@prop("every call on the files at random: the kernel holds, nothing but a read gives anything")
def _():
    said = passes("proc_fuzz", "-s", SECONDS)
    print(*(f"# {line}" for line in said.splitlines()), sep="\n")
    if os.path.exists("/sys/kernel/debug/kcov"):
        reached = int(re.search(r"(\d+) places of the module", said)[1])
        there = places_of_module()
        # What failing allocations take and exec races are not for a caller to reach.
        want(reached * 2 > there, f"{reached} of {there} places reached")


@prop("only an opener with CAP_SYS_PTRACE reads, only one with CAP_SYSLOG sees addresses")
def _():
    passes("proc_access")


@prop("one byte at a time gives the same header and as many fields as a read of all")
def _():
    need_module()
    with open(TASKS, "rb", buffering=0) as f:
        slow = b"".join(iter(lambda: f.read(1), b""))
    rows = slow.decode().splitlines()
    with open(TASKS, encoding="ascii") as f:
        want_equal(rows[0], f.readline().rstrip("\n"), "header")
    want_equal({len(row.split(" ")) for row in rows}, {len(rows[0].split(" "))}, "fields")


RECORD = 512
IDS, TASKS_BIN = "/proc/mmlens/ids.bin", "/proc/mmlens/tasks.bin"


def slot(fd, tid):
    row = os.pread(fd, RECORD, tid * RECORD)
    want_equal(int.from_bytes(row[12:16], sys.byteorder), tid, "tid of the row")
    return row


def rows_of_both(ids, tasks, tid):
    """The row of a sleeping task from ids.bin, and what tasks.bin says where both say something."""
    known, ustack, stacks = slice(0, 8), slice(240, 272), (slice(232, 272), slice(280, 304))
    lean, full = bytearray(slot(ids.fileno(), tid)), bytearray(slot(tasks.fileno(), tid))
    want(any(full[ustack]), "tasks.bin has no stack")
    want(not any(any(lean[part]) for part in stacks), "ids.bin has one")
    bits = int.from_bytes(full[known], sys.byteorder) & ~(1 << 24 | 1 << 25 | 1 << 27 | 1 << 28)
    want_equal(int.from_bytes(lean[known], sys.byteorder), bits, "known")
    for part in (known, *stacks):
        full[part] = lean[part]
    return lean, full


@prop("ids.bin gives the rows of tasks.bin, but for the stacks")
def _():
    need_module()
    with Subject("threads", 3) as s, open(IDS, "rb", buffering=0) as ids, open(TASKS_BIN, "rb", buffering=0) as tasks:
        for tid in s.tids.values():
            lean, full = rows_of_both(ids, tasks, tid)
            # whoever looks at a space, as the kernel's own scanners do, counts among its users meanwhile
            for _ in range(9):
                if lean == full:
                    break
                time.sleep(0.3)
                lean, full = rows_of_both(ids, tasks, tid)
            want_equal(lean, full, "the row")


@prop("a read that ends within its third row goes on there, and within no row before")
def _():
    need_module()
    with Subject("threads", 3) as s, open(TASKS_BIN, "rb", buffering=0) as f, open(TASKS_BIN, "rb") as other:
        tids = sorted(s.tids.values())
        f.seek(tids[0] * RECORD)
        got = f.read(2 * RECORD + 100)
        want_equal(len(got), 2 * RECORD + 100, "bytes read")
        got_tids = [int.from_bytes(got[n * RECORD + 12:n * RECORD + 16], sys.byteorder) for n in range(3)]
        want_equal(f.tell(), got_tids[2] * RECORD + 100, "position")
        try:
            os.pread(f.fileno(), 10, got_tids[1] * RECORD + 100)
            want(False, "a row that was given whole is gone on with")
        except OSError as why:
            want_equal(why.errno, errno.EINVAL, "error")
        got += f.read(RECORD - 100)
        want(set(got_tids) & set(tids), f"none of {tids} in {got_tids}")
        # What does not change while a task runs: files to user_ns.
        for n, tid in enumerate(got_tids):
            if tid in tids:
                row = got[n * RECORD:(n + 1) * RECORD]
                want_equal(row[128:216], slot(other.fileno(), tid)[128:216], f"row {n}")


@prop("the shell's read, which seeks back and forks, gets every row once")
def _():
    need_module()
    # A program now and then: on a debug kernel each takes a second.
    script = "while read -r tgid tid rest; do ((n++ % 4)) || /bin/true; echo $tid; done < " + TASKS
    tids = subprocess.run(["bash", "-c", script], check=True, capture_output=True,
                          text=True).stdout.split()
    want(len(tids) > 5 and len(tids) == len(set(tids)), f"tids {tids}")


@prop("loaded and unloaded {times} times while it is read", times=[5 if SLOW else 20])
def _(times):
    need_module_file()
    loop = ("while :; do cat /proc/mmlens/tasks /proc/mmlens/tasks.bin /proc/mmlens/stacks.bin"
            " > /dev/null 2>&1; done")
    # Nicely, as four of them leave an emulated machine no time to load anything.
    readers = [subprocess.Popen(["nice", "-n", "15", "sh", "-c", loop]) for _ in range(4)]
    try:
        for _ in range(times):
            reload_module()
    finally:
        if not os.path.exists(TASKS):
            tool("insmod", MODULE)
        for reader in readers:
            reader.kill()
            reader.wait()


@prop("an open file outlives the module and then reads nothing")
def _():
    need_module_file()
    with open(TASKS, "rb", buffering=0) as f:
        want(f.read(10), "first bytes")
        want_equal(tool("rmmod", "mmlens").returncode, 0, "rmmod with a file open")
        try:
            want_equal(f.read(10), b"", "bytes after unload")
        except OSError:
            pass
    want_equal(tool("insmod", MODULE).returncode, 0, "insmod")


@prop("loaded twice: refused by name, nothing left behind")
def _():
    need_module_file()
    done = tool("insmod", MODULE)
    want(done.returncode != 0 and "File exists" in done.stderr, done.stderr)
    want(os.path.exists("/proc/mmlens/version"), "the loaded one is gone")


@prop("version names the running kernel and boot")
def _():
    need_module()
    with open("/proc/mmlens/version", encoding="ascii") as f:
        says = dict(line.rstrip("\n").split(": ", 1) for line in f)
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as f:
        want_equal(says["boot_id"], f.read().strip(), "boot_id")
    want_equal(says["kernel"], platform.release(), "kernel")


main()
