# SPDX-License-Identifier: GPL-2.0-only
"""What live tests are made of: the inspector, subjects and the kernel's own word.

Where things are comes from the environment, so that the same files run on the host and in a VM:
MMLENS (the inspector), MMLENS_HELPERS (the directory of subject and kcmp_oracle), MMLENS_SOURCES
(the witnesses to try, separated by commas), MMLENS_LABEL (host, or the kernel of kernels.tsv).
"""
import atexit
import fcntl
import functools
import json
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

from tap import LIMIT, Failed, Skip, allow, main, prop, skip, want, want_equal  # noqa: F401

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("O", os.path.join(ROOT, "build"))
MMLENS = os.environ.get("MMLENS", os.path.join(BUILD, "mmlens"))
HELPERS = os.environ.get("MMLENS_HELPERS", os.path.join(BUILD, "tests"))
SOURCES = os.environ.get("MMLENS_SOURCES", "bpf,procfs").split(",")
LABEL = os.environ.get("MMLENS_LABEL", "host")
REALTIME = os.path.exists("/sys/kernel/realtime")
# It preempts itself anywhere: finish_task_switch must not be probed, so switches may have no end.
PREEMPTS = bool({"PREEMPT", "PREEMPT_RT"} & set(os.uname().version.split()))
# A kernel that looks at each of its steps, in an emulator.
SLOW = LABEL.startswith("debug")

PATIENCE = LIMIT // 4
UNAVAILABLE = 77
RESOURCES = ("mm", "files", "fs", "sighand", "io", "sysvsem")


def until(true, why, patience=PATIENCE, pause=0.02):
    """Waits for it to be true, as long as a slow machine may need."""
    deadline = time.monotonic() + patience
    while not true():
        want(time.monotonic() < deadline, f"{why}, after {patience} s")
        time.sleep(pause)


# ---- subjects ----

class Subject:
    """A running subject; its roles, kinds and values as it said them."""

    def __init__(self, name, *args, wait=True, under=(), patience=PATIENCE):
        """`under`: a command that runs it, as unshare(1) does; `patience`: seconds until it stands."""
        self.name, self.patience = name, patience
        self.process = subprocess.Popen(
            [*under, os.path.join(HELPERS, "subject"), name, *map(str, args)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if wait:
            self.ready()

    def ready(self):
        """Waits until it stands; raises where this machine cannot have it."""
        try:
            self._parse(self._line(self.patience))
        except BaseException:
            self.close()
            raise

    def _line(self, patience):
        ready, _, _ = select.select([self.process.stdout], [], [], patience)
        want(ready, f"subject {self.name} said nothing for {patience} s")
        return self.process.stdout.readline().decode("ascii", "strict").strip()

    def _parse(self, line):
        word, _, rest = line.partition(" ")
        if word == "unavailable":
            skip(f"subject {self.name}: {rest}")
        want(word == "ready", f"subject {self.name} said {line!r}")
        self.said = dict(item.split("=", 1) for item in rest.split(" "))
        self.kinds = dict(item.split(":") for item in self.said.get("kinds", "").split(",") if item)
        self.tids = {role: int(self.said[role]) for role in self.kinds}

    def __getitem__(self, key):
        return self.said[key]

    def with_locals(self):
        """The roles that know where a local of theirs lies: one whose pointer is nowhere does not."""
        return [role for role in self.tids if self.said[f"local_{role}"] != "(nil)"]

    def number(self, key):
        return int(self.said[key], 0)

    def range(self, key):
        start, end = self.said[key].split("-")
        return int(start, 16), int(end, 16)

    def absent(self):
        """{nature: why} of what this machine does not give."""
        text = self.said.get("absent", "-")
        return {} if text == "-" else dict(item.split(":", 1) for item in text.split(","))

    def begin(self):
        """Starts a workload that goes on beside the test."""
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()

    def go(self):
        """Starts a workload and waits for its end, as long as the property may take (tap.allow);
        returns the numbers that it ends with."""
        self.begin()
        line = self._line(None)
        want(line.startswith("done "), f"subject {self.name} said {line!r} instead of done")
        return {key: int(value) for key, value in (word.split("=") for word in line.split()[1:])}

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"subject {self.name} did not end") from None
        finally:
            self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@functools.lru_cache(maxsize=None)
def _standing(*names):
    """{name: a subject that stands, or why it does not}, all of them begun side by side."""
    begun = [Subject(name, wait=False) for name in names]
    found = {}
    for subject in begun:
        try:
            subject.ready()
            atexit.register(subject.close)
            found[subject.name] = subject
        except (Skip, Failed) as why:
            found[subject.name] = why
    return found


def standing(names):
    """{name: subject} of those that this machine can have. They stand until the file ends, so that
    one question about all of them serves many properties."""
    return {n: s for n, s in _standing(*names).items() if isinstance(s, Subject)}


def standing_one(name, names):
    """One of those that stand; its reason to be skipped or its failure where it does not."""
    found = _standing(*names)[name]
    if isinstance(found, Exception):
        raise found
    return found


# ---- the inspector ----

def _open_files(pid):
    """What its descriptors are, as far as they stay open."""
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            yield os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            pass


def _links(pid):
    return sum("bpf_link" in name for name in _open_files(pid))


@functools.lru_cache(maxsize=None)
def _no_switches(command):
    """Why no switch can be watched here; asked once, because attaching takes seconds in a VM."""
    done = mmlens(command, "--json", "-d", "0.1")
    if done.status == 3:
        return done.error_line().strip()
    done.expect(0)
    return None


def need_switches(command="stat"):
    """Skips where no switch can be watched, with the product's own word why."""
    if _no_switches(command):
        skip(_no_switches(command))


def watching(process):
    """Waits until a stat or trace has attached all its programs: a slow machine needs longer."""
    seen, since = 0, time.monotonic()
    limit = since + PATIENCE
    while time.monotonic() < limit:
        want(process.poll() is None, "it ended before it watched")
        now = _links(process.pid)
        if now != seen:
            seen, since = now, time.monotonic()
        # the end of a switch is attached first, where one may be, sched_switch itself last
        if seen > (0 if PREEMPTS else 1) and time.monotonic() - since > 1:
            return
        time.sleep(0.05)
    raise Failed("it never watched")


def recorder(path, *args, lasts=("-d", "100")):
    """A recorder whose window is open."""
    process = subprocess.Popen([MMLENS, "record", "-o", path, *lasts, *map(str, args)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    try:
        watching(process)
    except Exception:
        process.kill()
        raise
    return process


def stop(process, number=signal.SIGINT, patience=LIMIT // 2):
    """What a window said that is ended by a signal."""
    time.sleep(0.3)
    process.send_signal(number)
    return process.communicate(timeout=patience)


def attached(process):
    """Waits until somebody else's watcher has programs or events, and a second more until all are there."""
    def watches():
        want(process.poll() is None, f"{process.args[0]} ended with {process.returncode}")
        return any("bpf" in name or "perf_event" in name for name in _open_files(process.pid))
    until(watches, f"{process.args[0]} watches nothing", pause=0.05)
    time.sleep(1)


class Result:
    def __init__(self, args, status, out, err):
        self.args, self.status, self.out, self.err = args, status, out, err

    def __str__(self):
        return (f"mmlens {' '.join(self.args)}: exit {self.status}\n"
                f"stdout: {self.out[:2000]!r}\nstderr: {self.err[:2000]!r}")

    def expect(self, status):
        want(self.status == status, lambda: f"wanted exit {status} of {self}")
        return self

    def json(self):
        """The document, and it must be JSON to the letter: no NaN, no duplicate key, UTF-8."""
        self.expect(0)
        return strict_json(self.out)

    def error_line(self):
        """The one line that an error is."""
        text = self.err.decode("utf-8", "strict")
        want(re.fullmatch(r"mmlens: [^\n]+\n", text), lambda: f"not one line 'mmlens: …': {self}")
        return text


def _no_constant(name):
    raise Failed(f"{name} is no JSON")


def _no_duplicate(pairs):
    keys = [key for key, _ in pairs]
    want(len(keys) == len(set(keys)), lambda: f"a key occurs twice in {keys}")
    return dict(pairs)


def strict_json(data):
    text = data.decode("utf-8", "strict")
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_duplicate)
    except ValueError as why:
        raise Failed(f"not JSON ({why}): {text[:2000]!r}") from None


def mmlens(*args, timeout=LIMIT // 2, **more):
    args = [str(a) for a in args]
    need_inspector()
    try:
        done = subprocess.run([MMLENS, *args], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=timeout, check=False, **more)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"mmlens {' '.join(args)}: no end after {timeout} s; so far {late.stdout!r} "
                     f"{late.stderr!r}") from None
    want(done.returncode >= 0, f"mmlens {' '.join(args)}: killed by signal {-done.returncode}")
    return Result(args, done.returncode, done.stdout, done.stderr)


def peak(*args):
    """The most memory that a run of the inspector held, in bytes, and what it printed."""
    done = subprocess.run([os.path.join(HELPERS, "peak"), MMLENS, *map(str, args)],
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)
    want_equal(done.returncode, 0, f"status ({done.stderr!r})")
    return int(done.stderr.rpartition(b"peak_kib=")[2]) * 1024, done.stdout


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(word) for word in f.read().split()]


def on_terminal(columns, *args):
    """What a command prints on a terminal so wide, line by line."""
    need_inspector()
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([MMLENS, *map(str, args)], stdin=subprocess.DEVNULL, stdout=theirs,
                          stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        text = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # how a terminal says that nobody holds it any more
                break
            text += part
        os.close(ours)
    want_equal(process.returncode, 0, f"exit of mmlens {args}")
    return text.decode().splitlines()


def need_inspector():
    want(shutil.which(MMLENS), f"there is no inspector at {MMLENS}")


def inspect(command, *args, source=None, **more):
    """The JSON document of a command, with the parts every document must have."""
    chosen = [f"--source={source}"] if source else []
    document = mmlens(command, "--json", *chosen, *args, **more).json()
    want_equal(document.get("schema"), f"mmlens.{command}/1", "schema")
    for key in ("source", "boot_id", "withheld"):
        want(key in document, f"{command} --json has no '{key}'")
    if source:
        want_equal(document["source"], source, "source")
    return document


def tasks_of(document):
    """{tid: task} of a `show`."""
    return {task["tid"]: task for task in document["tasks"]}


def show_tasks(tgids, source):
    """{tid: task} of all tasks of these thread groups. Asked at once: ids compare within an answer."""
    return tasks_of(inspect("show", *sorted(set(tgids)), source=source))


# ---- the kernel's own word ----

def tids_of(pid):
    """The tasks of a process now; none when it ended meanwhile."""
    try:
        return {int(tid) for tid in os.listdir(f"/proc/{pid}/task")}
    except OSError:
        return set()


def every_tid():
    """Every task that /proc has now."""
    return set().union(*(tids_of(pid) for pid in os.listdir("/proc") if pid.isdigit()))


def status_of(tid):
    """/proc/TID/status as a dict; {} when the task is gone."""
    try:
        with open(f"/proc/{tid}/status", encoding="utf-8", errors="surrogateescape") as f:
            return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    except (FileNotFoundError, ProcessLookupError):
        return {}


def tgid_of(tid):
    return int(status_of(tid)["Tgid"])


def switches_of(tid):
    status = status_of(tid)
    return int(status["voluntary_ctxt_switches"]), int(status["nonvoluntary_ctxt_switches"])


def total_switches():
    with open("/proc/stat", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("ctxt "))


def settle(tids):
    """Waits until the counters of sleeping tasks stand still."""
    now = None

    def still():
        nonlocal now
        before, now = now, [switches_of(t) for t in tids]
        return now == before
    until(still, f"tasks {tids} do not come to rest")


def kcmp_pairs(tids):
    """{(a, b): {resource: state}} by kcmp(2)."""
    out = subprocess.run([os.path.join(HELPERS, "kcmp_oracle"), *map(str, tids)],
                         check=True, capture_output=True, text=True).stdout
    pairs = {}
    for line in out.splitlines():
        a, b, resource, state = line.split()
        pairs.setdefault((int(a), int(b)), {})[resource] = state
    return pairs


def commands():
    """The names that the help lists."""
    text = mmlens("--help").expect(0).out.decode()
    return re.findall(r"^  ([a-z]+) +\S", text, re.MULTILINE)


def have(command):
    if command not in commands():
        skip(f"no command '{command}' yet")


@functools.lru_cache(maxsize=None)
def refusal(source):
    """The inspector's words where a witness is not to be had."""
    done = mmlens("show", "--json", f"--source={source}", os.getpid())
    return done.error_line().strip() if done.status == 3 else None


def need_source(source):
    if refusal(source):
        skip(f"source {source}: {refusal(source)}")
