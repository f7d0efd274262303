# SPDX-License-Identifier: GPL-2.0-only
"""Channels between two real processes, against lsfd(1), ss(8) and what the program itself made."""
import ctypes
import json
import mmap
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import MMLENS, inspect, main, mmlens, prop, skip, want, want_equal  # noqa: E402


class Pair:
    """This process and a child that hold one end each of every channel; the child echoes."""

    def __enter__(self):
        self.down, self.up = os.pipe(), os.pipe()
        self.unix = socket.socketpair()
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        self.tcp = [socket.create_connection(listener.getsockname()), listener.accept()[0]]
        listener.close()
        self.anonymous = mmap.mmap(-1, 4096)
        self.memfd = os.memfd_create("mmlens-test")
        self.pid = os.fork()
        if not self.pid:
            signal.alarm(60)
            os.close(self.down[1])
            os.close(self.up[0])
            self.unix[0].close()
            self.tcp[0].close()
            while os.read(self.down[0], 1):
                os.write(self.up[1], b"x")
            os._exit(0)
        os.close(self.down[0])
        os.close(self.up[1])
        self.unix[1].close()
        self.tcp[1].close()
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        for fd in (self.down[1], self.up[0], self.memfd):
            os.close(fd)
        self.unix[0].close()
        self.tcp[0].close()
        self.anonymous.close()


def between(pair):
    return inspect("channels", os.getpid(), pair.pid)["channels"]


def objects(channels, kind):
    return {c["object"] for c in channels if c["type"] == kind}


@prop("channels: each one that was made is found, and its direction")
def _():
    with Pair() as pair:
        found = between(pair)
        pipes = {c["object"]: c["direction"] for c in found if c["type"] == "pipe"}
        want_equal(pipes.get(os.fstat(pair.down[1]).st_ino), "->", "the pipe down")
        want_equal(pipes.get(os.fstat(pair.up[0]).st_ino), "<-", "the pipe up")
        want_equal(objects(found, "unix"), {os.fstat(pair.unix[0].fileno()).st_ino}, "unix")
        want_equal(objects(found, "tcp"), {os.fstat(pair.tcp[0].fileno()).st_ino}, "tcp")
        want_equal(objects(found, "memfd"), {os.fstat(pair.memfd).st_ino}, "memfd")
        want_equal(len(objects(found, "anon-shm")), 1, "anonymous shared memory")


@prop("channels: lsfd sees the same pipes in both")
def _():
    if not shutil.which("lsfd"):
        skip("lsfd is not installed")
    with Pair() as pair:
        held = []
        for pid in (os.getpid(), pair.pid):
            out = subprocess.run(["lsfd", "-J", "-o", "TYPE,INODE", "-p", str(pid)], check=True,
                                 capture_output=True).stdout
            held.append({int(row["inode"]) for row in json.loads(out)["lsfd"]
                         if row["type"] == "FIFO"})
        ours = objects(between(pair), "pipe") | objects(between(pair), "fifo")
        want({os.fstat(pair.down[1]).st_ino, os.fstat(pair.up[0]).st_ino} <= ours, f"{ours}")
        want(ours <= held[0] & held[1], f"{ours} not all in lsfd's {held[0] & held[1]}")


@prop("channels: ss names the same peer of the unix socket")
def _():
    if not shutil.which("ss"):
        skip("ss is not installed")
    with Pair() as pair:
        mine = os.fstat(pair.unix[0].fileno()).st_ino
        out = subprocess.run(["ss", "-xnH"], check=True, capture_output=True, text=True).stdout
        peers = {int(f[5]): int(f[7]) for f in map(str.split, out.splitlines()) if len(f) > 7}
        want(mine in peers, f"ss has no {mine}")
        theirs = {c["b"]["fd"] for c in between(pair) if c["type"] == "unix"}
        inodes = {os.stat(f"/proc/{pair.pid}/fd/{fd}").st_ino for fd in theirs}
        want_equal(inodes, {peers[mine]}, "the inode at the other end")


@prop("channels --watch: counts each wake-up of a known number, through the right pipe")
def _():
    with Pair() as pair:
        watch = subprocess.Popen(
            [MMLENS, "channels", "--json", "--watch", "4", str(os.getpid()), str(pair.pid)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(2)
        for _ in range(100):
            os.write(pair.down[1], b"x")
            os.read(pair.up[0], 1)
            # a reader that has not gone to sleep yet needs no wake-up and gets none
            time.sleep(0.005)
        out, err = watch.communicate(timeout=30)
        if watch.returncode == 3:
            skip(err.decode())
        woken = json.loads(out)["watch"]["wakeups"]
        down = [w for w in woken if w["waker"] == os.getpid() and w["wakee"] == pair.pid]
        want(98 <= sum(w["count"] for w in down) <= 102, f"{woken}")
        want(all(w["space"] == "other" for w in down), f"{down}")
        calls = {(w["call"], w["channel"]) for w in down if w["count"] > 50}
        want_equal(calls, {("write", f"pipe:[{os.fstat(pair.down[1]).st_ino}]")}, "through")


@prop("channels: a pid that is not there is said in one line, exit 1")
def _():
    mmlens("channels", 4194303).expect(1).error_line()

FUTEX = 202 if os.uname().machine == "x86_64" else 98

LIBC = ctypes.CDLL(None, use_errno=True)


def called(value):
    """What a call of libc's returned, if it did not fail."""
    if value == -1 or value == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "libc")
    return value


class Names:
    """A FIFO, queues and segments that this process and a child hold; nothing is left of them."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="mmlens-channels-")
        os.mkfifo(f"{self.dir}/fifo")
        self.fifo = os.open(f"{self.dir}/fifo", os.O_RDWR)
        self.event = os.eventfd(0)
        self.file = os.open(f"{self.dir}/file", os.O_RDWR | os.O_CREAT)
        os.ftruncate(self.file, 4096)
        self.mapped = mmap.mmap(self.file, 4096)
        self.queue = called(LIBC.msgget(0, 0o1600))
        name = f"/mmlens-channels-{os.getpid()}".encode()
        self.mqueue = called(ctypes.CDLL("librt.so.1", use_errno=True).mq_open(name, os.O_RDWR | os.O_CREAT, 0o600, None))
        called(ctypes.CDLL("librt.so.1").mq_unlink(name))
        self.shm = os.open("/dev/shm" + name.decode(), os.O_RDWR | os.O_CREAT)
        os.unlink("/dev/shm" + name.decode())
        os.ftruncate(self.shm, 4096)
        self.posix = mmap.mmap(self.shm, 4096)
        self.segment = called(LIBC.shmget(0, 4096, 0o1600))
        LIBC.shmat.restype = ctypes.c_void_p
        self.at = called(LIBC.shmat(self.segment, None, 0))
        called(LIBC.shmctl(self.segment, 0, None))
        self.pid = os.fork()
        if not self.pid:
            self.child()
        self.send()
        time.sleep(0.3)
        return self

    def child(self):
        """Takes the message, then sleeps on a futex in the SysV segment."""
        signal.alarm(60)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        buffer = ctypes.create_string_buffer(64)
        LIBC.msgrcv(self.queue, buffer, 8, 0, 0)
        LIBC.syscall(FUTEX, ctypes.c_void_p(self.at), 0, 0, None, None, 0)
        os._exit(0)

    def send(self):
        called(LIBC.msgsnd(self.queue, ctypes.byref(ctypes.create_string_buffer(b"\1" + 23 * b"\0")), 8, 0))

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        LIBC.msgctl(self.queue, 0, None)
        LIBC.shmdt(ctypes.c_void_p(self.at))
        self.mapped.close()
        self.posix.close()
        for fd in (self.fifo, self.event, self.file, self.mqueue, self.shm):
            os.close(fd)
        shutil.rmtree(self.dir)


@prop("channels: a {kind} is found, and is the object that the kernel says it is",
      kind=["fifo", "file", "posix-queue", "posix-shm", "sysv-queue", "sysv-shm", "eventfd"])
def _(kind):
    with Names() as made:
        found = objects(between(made), kind)
        if kind == "eventfd":
            for line in open(f"/proc/self/fdinfo/{made.event}", encoding="ascii"):
                if line.startswith("eventfd-id"):
                    want_equal(found, {int(line.split()[1])}, kind)
            want_equal(len(found), 1, kind)
            return
        truth = {"fifo": lambda: os.fstat(made.fifo).st_ino, "file": lambda: os.fstat(made.file).st_ino,
                 "posix-queue": lambda: os.fstat(made.mqueue).st_ino,
                 "posix-shm": lambda: os.fstat(made.shm).st_ino,
                 "sysv-queue": lambda: made.queue, "sysv-shm": lambda: made.segment}[kind]()
        want(truth in found, f"{truth} is not in {found}")


@prop("channels: a futex in shared memory that is slept on is marked, and no other")
def _():
    with Names() as made:
        waited = {c["type"] for c in between(made) if c["futex_waited"]}
        want_equal(waited, {"sysv-shm"}, "slept on")


@prop("channels: who traces whom")
def _():
    child = subprocess.Popen(["sleep", "60"])
    tracer = subprocess.Popen(["strace", "-o", "/dev/null", "-p", str(child.pid)],
                              stderr=subprocess.DEVNULL) if shutil.which("strace") else None
    try:
        if not tracer:
            skip("strace is not installed")
        for _ in range(50):
            if f"TracerPid:\t{tracer.pid}\n" in open(f"/proc/{child.pid}/status", encoding="ascii").read():
                break
            time.sleep(0.1)
        found = inspect("channels", tracer.pid, child.pid)["channels"]
        want("ptrace" in {c["type"] for c in found}, f"{found}")
    finally:
        for process in (tracer, child):
            if process:
                process.kill()
                process.wait()


@prop("channels --watch: signals are counted with their sender, though the receiver blocks them")
def _():
    with Names() as made:
        watch = subprocess.Popen(
            [MMLENS, "channels", "--json", "--watch", "4", str(os.getpid()), str(made.pid)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(2)
        for _ in range(10):
            os.kill(made.pid, signal.SIGUSR1)
        out, err = watch.communicate(timeout=30)
        if watch.returncode == 3:
            skip(err.decode())
        sent = [s for s in json.loads(out)["watch"]["signals"] if s["signal"] == "SIGUSR1"]
        want_equal([(s["sender"], s["receiver"], s["count"], s["by"]) for s in sent],
                   [(os.getpid(), made.pid, 10, "kill")], "signals")


main()
