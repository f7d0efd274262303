# SPDX-License-Identifier: GPL-2.0-only
"""insmod where it must fail: twice, and of a module built for another kernel; nothing stays behind."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import inspect, main, prop, want, want_equal  # noqa: E402
from module_test import MODULE, need_module  # noqa: E402

def tool(*command):
    """(status, what it said) of a program of sbin."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, "PATH": os.environ["PATH"] + ":/sbin:/usr/sbin"})
    return done.returncode, done.stdout.decode()


def traces():
    """Everything by which a module is there."""
    with open("/proc/modules", encoding="ascii") as f:
        listed = any(line.startswith("mmlens ") for line in f)
    return [listed, os.path.exists("/sys/module/mmlens"), os.path.exists("/proc/mmlens")]


def kernel_log():
    return tool("dmesg")[1]


def of_another_kernel(path):
    """A copy of the module that says what one of another kernel would: its release and, where
    kernels compare those, its checksums of what it calls."""
    with open(MODULE, "rb") as f:
        data = bytearray(f.read())
    at = data.index(b"vermagic=") + len(b"vermagic=")
    data[at:at + 2] = b"4." if data[at:at + 2] != b"4." else b"3."
    for name in (b"module_layout\0", b"idr_get_next\0", b"pid_task\0"):
        at = data.find(name)
        while at >= 8:
            # struct modversion_info: the checksum stands in eight bytes before the name.
            if data[at - 4:at] == bytes(4):
                data[at - 8] ^= 0xFF
            at = data.find(name, at + 1)
    with open(path, "wb") as f:
        f.write(data)


@prop("insmod a second time is refused with a clear word, and the first stays whole")
def _():
    need_module()
    status, said = tool("insmod", MODULE)
    want(status, "it was loaded twice")
    want("File exists" in said, f"insmod said {said!r}")
    want_equal(traces(), [True] * 3, "listed, in sysfs, in /proc")
    want(inspect("list", source="module")["spaces"], "the first one gives nothing any more")


@prop("insmod of a module of another kernel is refused with a clear word and leaves nothing")
def _():
    need_module()
    want_equal(tool("rmmod", "mmlens"), (0, ""), "rmmod")
    try:
        want_equal(traces(), [False] * 3, "after rmmod: listed, in sysfs, in /proc")
        with tempfile.TemporaryDirectory() as where:
            other = os.path.join(where, "mmlens.ko")
            of_another_kernel(other)
            status, said = tool("insmod", other)
        want(status, "a module of another kernel was loaded")
        want("Invalid module format" in said, f"insmod said {said!r}")
        log = kernel_log()
        want("disagrees about version of symbol" in log or "version magic" in log,
             f"the kernel does not say why: {log[-500:]!r}")
        want_equal(traces(), [False] * 3, "after the refusal: listed, in sysfs, in /proc")
    finally:
        status, said = tool("insmod", MODULE)
    want_equal((status, said), (0, ""), "insmod of the right one afterwards")
    want_equal(traces(), [True] * 3, "listed, in sysfs, in /proc")


main()
