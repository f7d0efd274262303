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
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    LIMIT, MMLENS, PATIENCE, Failed, Subject, inspect, main, mmlens, prop, skip, status_of, until, want, want_equal,
    watching)
from real_programs import running  # noqa: E402


def loopback():
    """Both ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return [socket.create_connection(listener.getsockname()), listener.accept()[0]]


class Pair:
    """This process and a child that hold one end each of every channel; the child echoes."""

    def __enter__(self):
        self.down, self.up = os.pipe(), os.pipe()
        self.unix = socket.socketpair()
        self.tcp = loopback()
        self.anonymous = mmap.mmap(-1, 4096)
        self.memfd = os.memfd_create("mmlens-test")
        self.pid = os.fork()
        if not self.pid:
            signal.alarm(LIMIT)
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


@prop("channels: TCP by IPv6, and from IPv4 to who listens on both, has both ends")
def _():
    ends = []
    for address, to in (("::1", "::1"), ("::", "127.0.0.1")):
        listener = socket.socket(socket.AF_INET6)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        try:
            listener.bind((address, 0))
        except OSError as why:
            skip(f"no IPv6: {why}")
        listener.listen()
        ends.append([socket.create_connection((to, listener.getsockname()[1])), listener.accept()[0]])
        listener.close()
    pid = os.fork()
    if not pid:
        signal.alarm(LIMIT)
        for client, _ in ends:
            client.close()
        signal.pause()
    try:
        for _, server in ends:
            server.close()
        found = {c["object"] for c in between_pids(os.getpid(), pid) if c["type"] == "tcp"}
        want_equal(found, {os.fstat(client.fileno()).st_ino for client, _ in ends}, "clients")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        for client, _ in ends:
            client.close()


@prop("channels: those of a process whose leader has exited are what its threads hold")
def _():
    with Subject("leader-exited") as s:
        ours = os.fstat(s.process.stdin.fileno()).st_ino
        found = inspect("channels", os.getpid(), s.tids["pid"])["channels"]
        want(ours in objects(found, "pipe"), f"{ours} is not in {found}")


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


def watched(a, b, happens):
    """What --watch tells of what happens between two processes, or to one."""
    with subprocess.Popen([MMLENS, "channels", "--json", "--watch", "60", *[str(p) for p in (a, b) if p]],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            watching(process)
        except Failed:
            if process.wait(1) == 3:
                skip(process.stderr.read().decode().strip())
            raise
        happens()
        process.send_signal(signal.SIGINT)
        return json.loads(process.communicate(timeout=PATIENCE)[0])["watch"]


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
        until(self.on_futex, "the child does not come to sleep on its futex")
        return self

    def on_futex(self):
        with open(f"/proc/{self.pid}/syscall", encoding="ascii") as f:
            return f.read().split()[0] == str(FUTEX)

    def child(self):
        """Takes the message, then sleeps on a futex in the SysV segment."""
        signal.alarm(LIMIT)
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
    child = subprocess.Popen(["sleep", "600"])
    tracer = subprocess.Popen(["strace", "-o", "/dev/null", "-p", str(child.pid)],
                              stderr=subprocess.DEVNULL) if shutil.which("strace") else None
    try:
        if not tracer:
            skip("strace is not installed")
        until(lambda: status_of(child.pid)["TracerPid"] == str(tracer.pid), "strace traces nobody")
        found = inspect("channels", tracer.pid, child.pid)["channels"]
        want("ptrace" in {c["type"] for c in found}, f"{found}")
    finally:
        for process in (tracer, child):
            if process:
                process.kill()
                process.wait()


class Ring:
    """A child that sleeps on one channel after the other, and what wakes it from each."""

    def __enter__(self):
        self.pipe = os.pipe()
        self.unix = socket.socketpair()
        self.tcp = loopback()
        self.event = os.eventfd(0)
        self.queue = called(LIBC.msgget(0, 0o1600))
        self.librt = ctypes.CDLL("librt.so.1", use_errno=True)
        name = f"/mmlens-channels-{os.getpid()}".encode()
        self.mqueue = called(self.librt.mq_open(name, os.O_RDWR | os.O_CREAT, 0o600, None))
        called(self.librt.mq_unlink(name))
        self.memory = mmap.mmap(-1, 4096)
        self.word = ctypes.c_int.from_buffer(self.memory)
        self.pid = os.fork()
        if not self.pid:
            signal.alarm(LIMIT)
            while True:
                self.sleep()
        self.at_rest(0)
        return self

    def futex(self, operation, value):
        LIBC.syscall(FUTEX, ctypes.byref(self.word), operation, value, None, None, 0)

    def sleep(self):
        """The child's side: in the order of rouse()."""
        text = ctypes.create_string_buffer(8192)
        os.read(self.pipe[0], 1)
        self.unix[1].recv(1)
        self.tcp[1].recv(1)
        os.read(self.event, 8)
        LIBC.msgrcv(self.queue, text, 8, 0, 0)
        self.librt.mq_receive(self.mqueue, text, 8192, None)
        while not self.word.value:
            self.futex(0, 0)
        self.word.value = 0

    def rouse(self):
        """(the system call, what it is told to go through) of each, once the child slept again."""
        def through_futex():
            self.word.value = 1
            self.futex(1, 1)
        message = ctypes.create_string_buffer(b"\1" + 23 * b"\0")
        for call, through, wake in (
                ("write", f"pipe:[{os.fstat(self.pipe[1]).st_ino}]", lambda: os.write(self.pipe[1], b"x")),
                ("sendto", f"socket:[{os.fstat(self.unix[0].fileno()).st_ino}]", lambda: self.unix[0].send(b"x")),
                ("sendto", f"socket:[{os.fstat(self.tcp[0].fileno()).st_ino}]", lambda: self.tcp[0].send(b"x")),
                ("write", "anon_inode:[eventfd]", lambda: os.write(self.event, b"\1" + 7 * b"\0")),
                ("msgsnd", f"SysV queue {self.queue}", lambda: LIBC.msgsnd(self.queue, message, 8, 0)),
                ("mq_timedsend", f"/mmlens-channels-{os.getpid()} (deleted)",
                 lambda: self.librt.mq_send(self.mqueue, b"x", 1, 0)),
                ("futex", "shared memory /dev/zero (deleted)", through_futex)):
            before = self.slept()
            wake()
            self.at_rest(before)
            yield call, through

    def slept(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as f:
            return int(f.read().split("\nvoluntary_ctxt_switches:")[1].split()[0])

    def at_rest(self, before):
        """Waits until the child slept once more than before, and is asleep."""
        def rests():
            with open(f"/proc/{self.pid}/stat", encoding="ascii") as f:
                state = f.read().rpartition(")")[2].split()[0]
            return state == "S" and self.slept() > before
        until(rests, "the child does not come to rest", pause=0.001)

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        LIBC.msgctl(self.queue, 0, None)
        for fd in (*self.pipe, self.event, self.mqueue):
            os.close(fd)
        for end in (*self.unix, *self.tcp):
            end.close()


@prop("channels --watch: counts each wake-up of a known number, and through which of seven channels")
def _():
    rounds, went = 30, []
    def happens():
        for _ in range(rounds):
            went[:] = ring.rouse()
    with Ring() as ring:
        woken = watched(os.getpid(), ring.pid, happens)["wakeups"]
        down = [w for w in woken if w["waker"] == os.getpid() and w["wakee"] == ring.pid]
        want(all(w["space"] == "other" for w in down), f"{down}")
        counted = {(w["call"], w["channel"]): w["count"] for w in down if w["count"] > 2}
        want_equal(set(counted), set(went), "calls, and through what")
        # a wake-up may be of a child that had not quite gone to sleep, and then there was none
        wrong = {through: n for through, n in counted.items() if not rounds - 2 <= n <= rounds + 2}
        want(not wrong, f"of {rounds} each: {wrong}")


@prop("channels --watch: who wakes a thread of its own process is told to be in the same space")
def _():
    r, w = os.pipe()
    pid = os.fork()
    if not pid:
        signal.alarm(LIMIT)
        threading.Thread(target=lambda: [os.read(r, 1) for _ in range(10000)], daemon=True).start()
        while True:
            os.write(w, b"x")
            time.sleep(0.005)
    try:
        woken = watched(pid, None, lambda: time.sleep(0.5))["wakeups"]
        own = [x for x in woken if x["waker"] == x["wakee"] == pid and x["channel"] == f"pipe:[{os.fstat(w).st_ino}]"]
        want(own and sum(x["count"] for x in own) > 5, f"{woken}")
        want_equal({x["space"] for x in own}, {"same"}, "space")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(r)
        os.close(w)


# Two processes of a pid namespace of their own, and mmlens among them: what it says.
INSIDE = """
import os, subprocess, sys, time
r, w = os.pipe()
child = os.fork()
while not child:
    os.read(r, 1)
watch = subprocess.Popen([sys.argv[1], "channels", "--json", "--watch", "2", "1", str(child)])
while watch.poll() is None:
    os.write(w, b"x")
    os.kill(child, 28)
    time.sleep(0.01)
sys.exit(watch.wait())
"""


@prop("channels --watch: in a pid namespace, who wakes and signals whom is told by the pids there")
def _():
    if os.geteuid():
        skip("needs root")
    done = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", sys.executable, "-c", INSIDE,
                           MMLENS], capture_output=True, check=False, timeout=LIMIT // 2)
    if done.returncode == 3:
        skip(done.stderr.decode().strip())
    watch = json.loads(done.stdout)["watch"]
    down = [w for w in watch["wakeups"] if (w["waker"], w["call"]) == (1, "write")]
    want(down and down[0]["count"] > 20 and down[0]["channel"].startswith("pipe:["), f"{watch}")
    want_equal({s["sender"] for s in watch["signals"] if s["signal"] == "SIGWINCH"}, {1}, "senders")
    want_equal({w["wakee"] for w in down}, {s["receiver"] for s in watch["signals"]}, "the other")


@prop("channels --watch: signals are counted with their sender, though the receiver blocks them")
def _():
    def happens():
        for _ in range(10):
            os.kill(made.pid, signal.SIGUSR1)
    with Names() as made:
        sent = [s for s in watched(os.getpid(), made.pid, happens)["signals"] if s["signal"] == "SIGUSR1"]
        want_equal([(s["sender"], s["receiver"], s["count"], s["by"]) for s in sent],
                   [(os.getpid(), made.pid, 10, "kill")], "signals")


def alone(pid, kind, inode, **more):
    """The rows of a socket or pipe at whose other end nobody is seen."""
    rows = inspect("channels", pid, **more)["channels"]
    return [c for c in rows if c["type"] == kind and c["object"] == inode and c["b"]["pid"] is None]


@prop("channels: what is connected to nobody who is seen is told without a peer ({kind})",
      kind=["unix", "tcp", "pipe"])
def _(kind):
    if kind == "pipe":
        ours, other = os.pipe()
        os.close(other)
        inode, close = os.fstat(ours).st_ino, [lambda: os.close(ours)]
    else:
        listener = socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET)
        listener.bind("" if kind == "unix" else ("127.0.0.1", 0))
        listener.listen()
        # never accepted: the other end is there, and no descriptor leads to it
        client = socket.socket(listener.family)
        client.connect(listener.getsockname())
        inode, close = os.fstat(client.fileno()).st_ino, [client.close, listener.close]
        want_equal(alone(os.getpid(), kind, os.fstat(listener.fileno()).st_ino), [], "who only listens")
    try:
        rows = alone(os.getpid(), kind, inode)
        want_equal([(c["a"]["fd"] is not None, c["direction"]) for c in rows],
                   [(True, "<-" if kind == "pipe" else "<->")], f"{kind} without a peer")
        between_two = inspect("channels", os.getpid(), os.getppid())["channels"]
        want(not [c for c in between_two if c["b"]["pid"] is None], "asked of two, told of nobody")
    finally:
        for one in close:
            one()


@prop("channels: the owner of the other end is withheld from a plain user, the channel is not")
def _():
    if os.geteuid():
        skip("needs root")
    ours, theirs = socket.socketpair()
    become = {"user": 65534, "group": 65534, "extra_groups": []}
    with subprocess.Popen(["sleep", "600"], pass_fds=[theirs.fileno()], cwd="/", **become) as child:
        inode = os.fstat(theirs.fileno()).st_ino
        theirs.close()
        try:
            want_equal(len(alone(child.pid, "unix", inode, cwd="/", **become)), 1, "told without its owner")
            want_equal(alone(child.pid, "unix", inode), [], "root sees the owner")
            want(inspect("channels", child.pid, cwd="/", **become)["withheld_processes"] > 0, "withheld")
        finally:
            child.kill()
            ours.close()


@prop("channels: a unix socket that leads into another network namespace has both ends, from either side")
def _():
    if os.geteuid():
        skip("needs root")
    directory = tempfile.mkdtemp(prefix="mmlens-channels-")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{directory}/socket")
    listener.listen()
    code = f"import socket,time\ns=socket.socket(socket.AF_UNIX)\ns.connect('{directory}/socket')\ntime.sleep(600)"
    with subprocess.Popen(["unshare", "-n", sys.executable, "-c", code]) as child:
        accepted = listener.accept()[0]
        try:
            inode = os.fstat(accepted.fileno()).st_ino
            for a, b in ((os.getpid(), child.pid), (child.pid, os.getpid())):
                found = [c for c in inspect("channels", a)["channels"] if c["type"] == "unix"
                         and c["b"]["pid"] == b]
                want_equal(len(found), 1, f"from {a} to {b}")
            want_equal([c["object"] for c in between_pids(os.getpid(), child.pid) if c["type"] == "unix"],
                       [inode], "of the two")
        finally:
            child.kill()
            accepted.close()
            listener.close()
            shutil.rmtree(directory)


def between_pids(a, b):
    return inspect("channels", a, b)["channels"]


@prop("channels: who sends datagrams to one socket is seen at it, though it names none of them")
def _():
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind("")
    code = f"import socket,time\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\n" \
           f"s.connect({server.getsockname()!r})\nprint(flush=True)\ntime.sleep(600)"
    children = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for child in children:
            child.stdout.readline()
        inode = os.fstat(server.fileno()).st_ino
        found = {c["b"]["pid"] for c in inspect("channels", os.getpid())["channels"]
                 if c["type"] == "unix" and c["object"] == inode}
        want_equal(found, {child.pid for child in children}, "senders")
    finally:
        for child in children:
            child.kill()
            child.wait()
            child.stdout.close()
        server.close()


def held(pids):
    """What lsfd(1) and ss(8) say of these processes: {(inode, writer, reader)} and {(inode, pid, pid)}."""
    rows = json.loads(subprocess.run(["lsfd", "-J", "-o", "PID,TYPE,INODE,MODE"], check=True,
                                     capture_output=True).stdout)["lsfd"]
    ends = [r for r in rows if r["type"] == "FIFO" and int(r["pid"]) in pids]
    pipes = {(int(w["inode"]), int(w["pid"]), int(r["pid"])) for w in ends for r in ends
             if w["inode"] == r["inode"] and w["pid"] != r["pid"] and "w" in w["mode"] and "r" in r["mode"]}
    out = subprocess.run(["ss", "-xapnH"], check=True, capture_output=True, text=True).stdout
    owners, peers = {}, {}
    for line in map(str.split, out.splitlines()):
        inode, peer = int(line[5]), int(line[7])
        peers[inode] = peer
        owners[inode] = {int(word.split(",")[0]) for word in " ".join(line[8:]).split("pid=")[1:]}
    unix = {(inode, a, b) for inode, peer in peers.items() if peer for a in owners[inode] & pids
            for b in owners.get(peer, set()) & pids if a != b}
    return pipes, unix


@prop("channels: the pipes of {name} are those of lsfd, its unix sockets those of ss",
      name=["nginx", "postgres", "pool"])
def _(name):
    for tool in ("lsfd", "ss"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    with running(name) as found:
        pids = set(found)
        pipes, unix = held(pids)
        # whose channels lead to all the others, and one of those
        asked = found[:2]
        pipes = {edge for edge in pipes if set(asked) & set(edge[1:])}
        unix = {edge for edge in unix if edge[1] in asked}
        rows = [c for pid in asked for c in inspect("channels", pid)["channels"] if c["b"]["pid"] in pids]
        ours = set()
        for c in (c for c in rows if c["type"] in ("pipe", "fifo")):
            a, b = c["a"]["pid"], c["b"]["pid"]
            ours |= {(c["object"], a, b)} if "->" in c["direction"] else set()
            ours |= {(c["object"], b, a)} if "<-" in c["direction"] else set()
        want_equal(ours, pipes, "pipes (inode, writer, reader)")
        want_equal({(c["object"], c["a"]["pid"], c["b"]["pid"]) for c in rows if c["type"] == "unix"},
                   unix, "unix sockets (inode, holder, holder of the other end)")
        want(name == "postgres" or pipes or unix, "it has none")


main()
