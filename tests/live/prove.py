# SPDX-License-Identifier: GPL-2.0-only
"""prove: verdicts that follow from the numbers, nothing left behind, limits met and said."""
import ctypes
import glob
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import MMLENS, inspect, main, mmlens, prop, skip, want, want_equal  # noqa: E402

SYSVIPC = {"msg": "\n", "shm": f" {1 << 20} "}

def claim(document, name):
    return next(c for c in document["claims"] if c["claim"] == name)

def value(found, name):
    return next(m["value"] for m in found["measurements"] if m["name"] == name)

def descendants():
    """The pids whose parent is this test: what prove leaves becomes ours or init's."""
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as f:
        return f.read().split()

def traces():
    """Everything an experiment makes that has a name; segments by its size, as others make some too."""
    ipc = [open(f"/proc/sysvipc/{kind}", encoding="ascii").read().count(word)
           for kind, word in SYSVIPC.items()]
    files = [p for d in ("/dev/shm", "/dev/mqueue", "/tmp") for p in glob.glob(f"{d}/mmlens-*")
             if re.fullmatch("mmlens-[0-9a-f-]+", os.path.basename(p))]
    return ipc, sorted(files)

def deny_affinity():
    """Makes sched_setaffinity(2) fail from here on, as a container may (seccomp, EPERM)."""
    class Instruction(ctypes.Structure):
        _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte),
                    ("k", ctypes.c_uint)]

    class Program(ctypes.Structure):
        _fields_ = [("n", ctypes.c_ushort), ("first", ctypes.POINTER(Instruction))]

    number = {"x86_64": 203, "aarch64": 122}[os.uname().machine]
    code = (Instruction * 4)((0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050001),
                             (0x06, 0, 0, 0x7fff0000))
    libc = ctypes.CDLL(None)
    libc.prctl(38, 1, 0, 0, 0)
    libc.prctl(22, 2, ctypes.byref(Program(4, code)), 0, 0)

def running_prove():
    """Processes that run the inspector's prove, wherever they hang."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            words = open(path, "rb").read().split(b"\0")
        except OSError:
            continue
        if words[0] == os.fsencode(MMLENS) and b"prove" in words:
            found.append(path)
    return found

@prop("prove {name}: decided, and every fact is behind the verdict",
      name=["definition", "isolation", "communication"])
def _(name):
    document = inspect("prove", "--quick", name, timeout=120)
    want_equal([c["claim"] for c in document["claims"]], [name], "claims")
    found = claim(document, name)
    facts = [m["value"] for m in found["measurements"] if m["unit"] == "fact"]
    want(facts, "no fact was observed")
    want_equal(found["verdict"], "proved" if all(facts) else "not-true-here", found["because"])
    want_equal(found["verdict"], "proved", f"here, where the textbook is right: {found['because']}")

def judged(m):
    """What an interval says of a difference, by the manual page."""
    if m["samples"] < 6:
        return "hidden"
    if m["low"] > 0 or m["high"] < 0:
        return "more" if m["low"] > 0 else "less"
    return "none" if -m["margin"] < m["low"] and m["high"] < m["margin"] else "hidden"

@prop("prove overhead: the verdict is what the two intervals say, and hidden by noise is no verdict")
def _():
    found = claim(inspect("prove", "--quick", "overhead", timeout=120), "overhead")
    by_name = {m["name"]: m for m in found["measurements"]}
    two = {judged(by_name[n]) for n in ("fork - thread", "switch: process - thread")}
    verdict = ("proved" if two == {"more"} else
               "not-true-here" if two & {"none", "less"} else "cannot-tell")
    want_equal(found["verdict"], verdict, found["because"])
    for m in found["measurements"]:
        if "low" in m:
            want(m["low"] <= m["value"] <= m["high"], f"{m} is not within its interval")

@prop("prove overhead: what may not be pinned is not told")
def _():
    def refuse():
        deny_affinity()
    found = claim(inspect("prove", "--quick", "overhead", timeout=120, preexec_fn=deny_affinity), "overhead")
    want_equal(found["verdict"], "cannot-tell", found["because"])
    want(any("pinned" in s.get("cannot", "") for s in found["steps"]), f"{found['steps']}")

@prop("prove overhead: fork costs more the more was written, and less in huge pages")
def _():
    found = claim(inspect("prove", "--quick", "overhead", timeout=120), "overhead")
    names = {m["name"] for m in found["measurements"]}
    # a slow machine runs out of time before the largest, and says so
    sizes = [n for n in (0, 1, 16, 64) if f"create and end fork, {n} MiB" in names]
    want(len(sizes) > 1, f"only {sizes} MiB were measured")
    small, large = (value(found, f"create and end fork, {n} MiB") for n in (sizes[0], sizes[-1]))
    want(large > (2 if sizes[-1] == 64 else 1) * small, f"{sizes} MiB: {small} ns, {large} ns")

def reference_fork():
    """A plain loop, as lmbench has it: fork, exit and wait at their best, in ns."""
    took = []
    for _ in range(60):
        begin = time.monotonic_ns()
        pid = os.fork()
        if not pid:
            os._exit(0)
        os.waitpid(pid, 0)
        took.append(time.monotonic_ns() - begin)
    return min(took)

@prop("prove overhead: its pipe ping-pong is that of perf bench, its fork that of a plain loop, within noise")
def _():
    if not shutil.which("perf") or not shutil.which("taskset"):
        skip("perf is not installed")
    found = claim(inspect("prove", "--quick", "overhead", timeout=120), "overhead")
    cpu = max(os.sched_getaffinity(0))
    out = subprocess.run(["taskset", "-c", str(cpu), "perf", "bench", "sched", "pipe", "-l", "20000"],
                         capture_output=True, text=True, check=False).stdout
    usecs = [float(line.split()[0]) for line in out.splitlines() if "usecs/op" in line]
    if not usecs:
        skip("perf bench does not run here")
    ours = value(found, "switch process, pipe, nothing touched")
    # one op of perf's is a round trip: two switches
    want(1 / 4 < ours / (usecs[0] * 500) < 4, f"{ours} ns and perf's {usecs[0] * 500} ns a switch")
    ours, plain = value(found, "create and end fork"), reference_fork()
    # the loop forks an interpreter, which is larger
    want(1 / 10 < ours / plain < 2, f"{ours} ns and a plain loop's {plain} ns")

@prop("prove: interrupted after {after} s it leaves no child, queue, segment or file",
      after=[0.05, 0.5, 2.5])
def _(after):
    before = traces()
    run = subprocess.Popen([MMLENS, "prove"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after)
    run.send_signal(signal.SIGINT)
    want(run.wait(timeout=20) in (-signal.SIGINT, 130), f"ended by {run.returncode}")
    want_equal(running_prove(), [], "left running")
    want_equal(traces(), before, "left behind")
    want_equal(descendants(), [], "children")

@prop("prove: interrupted at twenty random moments it leaves nothing, as {user}", user=["root", "nobody"])
def _(user):
    if user == "root" and os.geteuid():
        skip("needs root")
    before, seed = traces(), int(time.time())
    moments = random.Random(seed)
    become = [] if user == "root" or os.geteuid() else ["setpriv", "--reuid=65534", "--regid=65534",
                                                        "--clear-groups"]
    for _ in range(20):
        claims = moments.sample(["definition", "isolation", "overhead", "communication", "uses"], 2)
        run = subprocess.Popen([*become, MMLENS, "prove", "--quick", *claims], cwd="/",
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.01, 1.5))
        run.send_signal(moments.choice([signal.SIGINT, signal.SIGTERM]))
        run.wait(timeout=20)
        want_equal(running_prove(), [], f"left running, seed {seed}")
        want_equal(traces(), before, f"left behind, seed {seed}")
        want_equal(descendants(), [], f"children, seed {seed}")

@prop("prove: with no process to be had (ulimit -u) it says so and ends")
def _():
    if os.geteuid():
        skip("needs root")
    def limit():
        resource.setrlimit(resource.RLIMIT_NPROC, (3, 3))
        os.setgid(65533)
        os.setuid(65533)
    document = inspect("prove", "--quick", "definition", "overhead", timeout=120, preexec_fn=limit,
                       cwd="/")
    told = [s["cannot"] for c in document["claims"] for s in c["steps"] if "cannot" in s]
    want(told, "nothing was said")
    want("proved" not in {c["verdict"] for c in document["claims"]}, f"{told}")

@prop("prove: a memory cgroup shrinks the experiment, and nobody is killed")
def _():
    group = next((g for g in ("/sys/fs/cgroup/memory", "/sys/fs/cgroup")
                  if os.path.exists(f"{g}/cgroup.procs")), None)
    group = group and f"{group}/mmlens-test-{os.getpid()}"
    try:
        os.mkdir(group)
    except (OSError, TypeError):
        skip("no cgroup can be made")
    limits = [f"{group}/{n}" for n in ("memory.max", "memory.limit_in_bytes")
              if os.path.exists(f"{group}/{n}")]
    try:
        if not limits:
            skip("no memory cgroup here")
        open(limits[0], "w", encoding="ascii").write(str(96 << 20))
        def join():
            open(f"{group}/cgroup.procs", "w", encoding="ascii").write(str(os.getpid()))
        out = mmlens("prove", "--quick", "overhead", timeout=120, preexec_fn=join).expect(0).out
        want(b"64 MiB left out: a quarter of the memory" in out, out.decode())
        want(b"ended early" not in out, out.decode())
    finally:
        os.rmdir(group)

@prop("prove --source={source}: the definition is decided by that witness alone", source=["bpf", "procfs"])
def _(source):
    found = claim(inspect("prove", "--quick", f"--source={source}", "definition"), "definition")
    want_equal(found["verdict"], "proved", found["because"])
    others = {"module", "bpf", "procfs"} - {source}
    want(not [m for m in found["measurements"] if m["name"].split(":")[0] in others], "others spoke")

@prop("prove communication: the copies and calls of a message are what strace would count")
def _():
    found = claim(inspect("prove", "--quick", "communication", timeout=120), "communication")
    try:
        copies = {n: value(found, f"copies {n}") for n in
                  ("pipe", "socketpair", "memfd", "shared variable", "process_vm_readv", "SysV queue")}
    except StopIteration:
        skip("not traced here: " + next(s["saw"] for s in found["steps"] if "not traced" in s.get("saw", "")))
    want_equal({n: round(c, 1) for n, c in copies.items()},
               {"pipe": 2, "socketpair": 2, "memfd": 1, "shared variable": 0, "process_vm_readv": 1,
                "SysV queue": 4}, "copies")
    # one write and one read a message, and what each side does around its messages
    # and the fewer messages there was time for, the more that weighs
    want(2 <= value(found, "calls pipe") <= 8, f"calls {value(found, 'calls pipe')}")

@prop("prove: killed outright, its room ends with it")
def _():
    before = traces()
    run = subprocess.Popen([MMLENS, "prove"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)
    run.kill()
    run.wait()
    for _ in range(100):
        if not running_prove():
            break
        time.sleep(0.05)
    want_equal(running_prove(), [], "left running")
    want_equal(traces(), before, "left behind")

@prop("prove: the affinity of the caller is as before")
def _():
    before = os.sched_getaffinity(0)
    mmlens("prove", "--quick", "isolation").expect(0)
    want_equal(os.sched_getaffinity(0), before, "affinity")

@prop("prove: too little memory shrinks the experiment, and that is said")
def _():
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))
    out = mmlens("prove", "--quick", "overhead", timeout=120, preexec_fn=limit).expect(0).out
    want(b"left out" in out, "nothing was said to be left out")

@prop("prove: an unknown claim is a usage error")
def _():
    mmlens("prove", "nonsense").expect(2).error_line()

@prop("prove --html: one page that loads nothing")
def _():
    path = f"/tmp/prove-{os.getpid()}.html"
    try:
        mmlens("prove", "--html", path, "definition", "communication", timeout=150).expect(0)
        page = open(path, encoding="utf-8").read()
    finally:
        if os.path.exists(path):
            os.unlink(path)
    want(page.endswith("</html>\n"), "not whole")
    for word in ("http://", "https://", "<script", "src=", "@import"):
        want(word not in page, f"the page has {word}")
    want(page.count("<svg") >= 2, "no picture")

main()
