# SPDX-License-Identifier: GPL-2.0-only
"""prove: verdicts that follow from the numbers, nothing left behind, limits met and said."""
import ctypes
import functools
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
from proof import judge_overhead  # noqa: E402
from mmlens_test import (  # noqa: E402
    HELPERS, LABEL, LIMIT, MMLENS, PATIENCE, Failed, allow, inspect, main, mmlens, prop, skip, strict_json,
    until, want, want_equal)

SYSVIPC = {"msg": "\n", "shm": f" {1 << 20} "}

def claim(document, name):
    return next(c for c in document["claims"] if c["claim"] == name)

def measured(found, name):
    m = next((m for m in found["measurements"] if m["name"] == name), None)
    want(m, f"nothing is told of {name}: {found}")
    return m

def value(found, name):
    return measured(found, name)["value"]

@functools.lru_cache(maxsize=None)
def quick(name):
    """A claim as one quick run found it: what is asked of one run is asked of the same one."""
    document = inspect("prove", "--quick", name, timeout=LIMIT)
    want_equal([c["claim"] for c in document["claims"]], [name], "claims")
    return claim(document, name)

CORE = max(os.sched_getaffinity(0))

def on_core():
    """What prove does for itself: one core, and a larger share of it where that is allowed."""
    os.sched_setaffinity(0, {CORE})
    os.setsid()
    if not os.geteuid():
        os.setpriority(os.PRIO_PROCESS, 0, -10)
        if os.path.exists("/proc/self/autogroup"):
            open("/proc/self/autogroup", "w", encoding="ascii").write("-10")

def reference(loop, samples):
    """(lower quartile, median) of a plain loop of tests/helpers/reference.c, in ns."""
    out = subprocess.run([os.path.join(HELPERS, "reference"), loop, str(samples)], check=True,
                         preexec_fn=on_core, capture_output=True, text=True).stdout
    return tuple(map(float, out.split()))

def bench(*args):
    """perf bench sched pipe: ns a switch of eight short runs; one op is there and back."""
    took = []
    for _ in range(8):
        out = subprocess.run(["perf", "bench", "sched", "pipe", "-l", "4000", *args],
                             preexec_fn=on_core, capture_output=True, text=True, check=False).stdout
        took += [float(line.split()[0]) * 500 for line in out.splitlines() if "usecs/op" in line]
    return took

# What prove calls it, the plain loop, how many times, and which of its two figures is the like of it.
LOOPS = {
    "create and end thread": ("thread", 100, 1),
    "create and end vfork": ("vfork", 100, 1),
    "create and end posix_spawn true": ("spawn", 20, 1),
    "create and end fork": ("fork", 40, 1),
    "switch thread, pipe, nothing touched": ("pipe-thread", 100, 0),
    "switch process, pipe, nothing touched": ("pipe", 100, 0),
}

@functools.lru_cache(maxsize=None)
def between(run=0):
    """(claim, what the loops took before and after, perf the same): the noise is what those differ by."""
    def loops():
        return {name: reference(loop, n)[which] for name, (loop, n, which) in LOOPS.items()}
    def perf():
        return {"process": bench(), "thread": bench("-T")} if shutil.which("perf") else {}
    before = loops(), perf()
    found = claim(inspect("prove", "--quick", "overhead", timeout=LIMIT, preexec_fn=on_core), "overhead")
    after = loops(), perf()
    return found, (before[0], after[0]), (before[1], after[1])

# Whom the claim cannot do without, and what is said once one was looked into.
ROLES = {"browser": "chromium keeps its work in several spaces",
         "server of threads": "memcached serves by threads of one space"}

@prop("prove uses: told only of programs that were looked into, and what fell is what lived in a space")
def _():
    found = quick("uses")
    names = {m["name"] for m in found["measurements"]}
    missing = [what for what, fact in ROLES.items() if fact not in names]
    cannot = [s["cannot"] for s in found["steps"] if "cannot" in s]
    # who is stopped before the end has not come to say it
    if not any("was stopped" in c for c in cannot):
        want_equal([what for what in ROLES if any(f"no {what} " in c for c in cannot)], missing, "said to lack")
    facts = [m["value"] for m in found["measurements"] if m["unit"] == "fact"]
    want_equal(found["verdict"], "not-true-here" if not all(facts) else
               "cannot-tell" if cannot else "proved", found["because"])
    if "crashed memcached" in names:
        want_equal(value(found, "crashed memcached"), value(found, "tasks memcached"), "fell with one of memcached")

def want_alike(ours, others, what):
    """Our interval reaches what others found, widened by what those differ by among themselves."""
    noise = max(others) / min(others) - 1
    low, high = min(others) / (1.3 + noise), max(others) * (1.3 + noise)
    want(ours["low"] <= high and ours["high"] >= low,
         f"{what}: ours {ours['value']:.0f} ns [{ours['low']:.0f}, {ours['high']:.0f}], others "
         f"{[round(o) for o in others]} ns, noise {100 * noise:.0f} %")

def alike_once(judge, measure=None):
    """A wrong figure is wrong in each run; a machine that was disturbed in one is not in three."""
    if LABEL != "host":
        skip("an emulator's clock runs on while others run beside it")
    allow(240)
    for run in range(3):
        try:
            return judge(*(measure() if measure else between(run)))
        except Failed as why:
            last = why
    raise last

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
    found = quick(name)
    facts = [m["value"] for m in found["measurements"] if m["unit"] == "fact"]
    want(facts, "no fact was observed")
    want_equal(found["verdict"], "proved" if all(facts) else "not-true-here", found["because"])
    want_equal(found["verdict"], "proved", f"here, where the textbook is right: {found['because']}")

@prop("prove overhead: the verdict is what the two intervals say, and hidden by noise is no verdict")
def _():
    judge_overhead(between()[0])

@functools.lru_cache(maxsize=None)
def confined():
    """overhead where a core may not be chosen and memory is short."""
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (160 << 20, 160 << 20))
        deny_affinity()
    return claim(inspect("prove", "--quick", "overhead", timeout=LIMIT, preexec_fn=limit), "overhead")

@prop("prove overhead: what may not be pinned is not told")
def _():
    found = confined()
    want_equal(found["verdict"], "cannot-tell", found["because"])
    want(any("pinned" in s.get("cannot", "") for s in found["steps"]), f"{found['steps']}")

@prop("prove overhead: too little memory shrinks the experiment, and that is said")
def _():
    found = confined()
    want(any(s.get("saw", "").startswith("at most 40 MiB are written: a quarter") for s in found["steps"]),
         f"{found['steps']}")
    want(not [m["name"] for m in found["measurements"] if " 64 MiB" in m["name"]], "it wrote more")

@prop("prove overhead: fork costs more the more was written, and less in huge pages")
def _():
    found = between()[0]
    names = {m["name"] for m in found["measurements"]}
    sizes = [n for n in (0, 1, 16, 64) if f"create and end fork, {n} MiB" in names]
    said = "\n".join(s.get("saw", "") for s in found["steps"])
    most = int(re.search(r"^at most (\d+) MiB are written", said, re.M).group(1))
    for left in {0, 1, 16, 64} - set(sizes):
        want(left > most or f"{left} MiB left out: " in said, f"{left} MiB: neither measured nor said to be left out")
    if len(sizes) < 2:
        skip("left out for want of time")
    small, large = (value(found, f"create and end fork, {n} MiB") for n in (sizes[0], sizes[-1]))
    tables = [value(found, f"page tables, {n} MiB") for n in (sizes[0], sizes[-1])]
    # 8 bytes a page: what there is more to copy, and so at least some more time
    want(tables[1] - tables[0] >= 2 * (sizes[-1] - sizes[0]) * 0.9, f"{sizes} MiB: tables {tables} KiB")
    want(large > small, f"{sizes} MiB: {small} ns, {large} ns")

@prop("prove overhead: {what} takes what a plain loop before and after it takes, within their noise",
      what=list(LOOPS))
def _(what):
    def judge(found, loops, _):
        if not any(m["name"] == what for m in found["measurements"]):
            want(any("left out" in s.get("saw", "") for s in found["steps"]), "it is neither there nor left out")
            skip("left out for want of time")
        want_alike(measured(found, what), [loop[what] for loop in loops], what)
    alike_once(judge)

@prop("prove overhead: its pipe ping-pong is that of perf bench on the same core, within noise ({kind})",
      kind=["process", "thread"])
def _(kind):
    if not shutil.which("perf"):
        skip("perf is not installed")
    def judge(found, _, perf):
        # perf prints a mean, which others on the core make larger and nothing makes smaller
        runs = [run for one in perf for run in sorted(one[kind])[:2]]
        if not runs:
            skip("perf bench does not run here")
        want_alike(measured(found, f"switch {kind}, pipe, nothing touched"), runs, "a switch by pipe")
    alike_once(judge)

def under_strace(calls, *options):
    """(strace's output, the claim) of a quick run of which these calls are watched."""
    if not shutil.which("strace"):
        skip("strace is not installed")
    path = f"/tmp/prove-strace-{os.getpid()}"
    name = "overhead" if "clone" in calls else "communication"
    try:
        done = subprocess.run(["strace", "-f", "-qq", "--seccomp-bpf", "-o", path, *options, "-e",
                               f"trace={calls}", MMLENS, "prove", "--quick", "--json", name],
                              capture_output=True, timeout=LIMIT, check=False)
        if done.returncode:
            skip(f"strace does not run here: {done.stderr[-200:]!r}")
        return open(path, encoding="utf-8").read(), claim(strict_json(done.stdout), name)
    finally:
        if os.path.exists(path):
            os.unlink(path)

@prop("prove overhead: it made just the tasks that strace saw it make")
def _():
    out, found = under_strace("clone,clone3,?vfork,?fork")
    if any("was stopped" in s.get("cannot", "") for s in found["steps"]):
        skip("stopped before it told, for want of time")
    flags = [frozenset(f.split("|")) for f in re.findall(r"clone3?\(.*?flags=([A-Z_|]+)", out)]
    def seen(yes, no):
        return sum(set(yes) <= f and not set(no) & f for f in flags)
    def made(name):
        return value(found, f"made {name}")
    # libc makes vfork of clone where there is no such call
    vforks = seen(["CLONE_VFORK"], []) + len(re.findall(r"\bvfork\(", out))
    want_equal(vforks, sum(map(made, ("vfork", "posix_spawn", "posix_spawn true"))), "vforks and spawns")
    want_equal(seen(["CLONE_VM"], ["CLONE_VFORK", "CLONE_THREAD"]), made("clone(CLONE_VM)"), "peers")
    partners = sum(m["samples"] for m in found["measurements"] if m["name"].startswith("switch thread, "))
    more = seen(["CLONE_THREAD"], []) - made("thread") - partners
    # what was timed in the kernel has partners too, and may have been stopped before it told how many
    names = {m["name"] for m in found["measurements"]}
    pairs = value(found, "direct: pairs of partners") if "direct: pairs of partners" in names else 64
    want(0 <= more <= pairs, f"{more} threads that it does not tell of, {pairs} pairs")

# How a message of n bytes goes: by what call, in how many.
SENDERS = {"msgsnd": ("SysV queue", 4096), "mq_timedsend": ("POSIX queue", 4096),
           "rt_sigqueueinfo": ("signal", 1 << 20), "process_vm_readv": ("process_vm_readv", 1 << 20)}

@prop("prove communication: strace counts the calls of just the messages that it tells of")
def _():
    out, found = under_strace(",".join(SENDERS), "-c")
    counted = {f[-1]: int(f[3]) for f in map(str.split, out.splitlines()) if f and f[-1] in SENDERS}
    if not counted:
        skip("left out for want of time")
    for call, (medium, piece) in SENDERS.items():
        names = {m["name"]: m for m in found["measurements"]}
        runs = [(parse_size(n.split(", ")[1]), m["samples"]) for n, m in names.items()
                if n.startswith(f"latency {medium}, ")]
        # there and back, and once more to tell the end
        messages = sum(2 * (n + 1) * max(1, size // piece) for size, n in runs)
        for n, m in names.items():
            if n.startswith(f"streamed {medium}, "):
                messages += m["value"] * max(1, parse_size(n.split(", ")[1]) // piece)
                # each stream is answered by one message
        runs += [1] * (f"traced {medium}" in names)
        messages += value(found, f"traced {medium}") if f"traced {medium}" in names else 0
        # the last of each run may be under way when its sender is ended
        want(messages - len(runs) <= counted.get(call, 0) <= messages,
             f"{call}: strace {counted.get(call, 0)}, told {messages}")

def parse_size(text):
    return int(float(text[:-1]) * 1024 ** "BKM".index(text[-1]))

@prop("prove communication: the switches of its messages are those that perf counts")
def _():
    if not shutil.which("perf") or os.geteuid():
        skip("needs perf and root")
    done = subprocess.run(["perf", "stat", "-a", "-x,", "-e", "sched:sched_switch", "--filter",
                           'prev_comm ~ "born:*" || prev_comm ~ "talk:*"', MMLENS, "prove", "--quick",
                           "--json", "communication"], capture_output=True, text=True, timeout=LIMIT,
                          check=False)
    words = done.stderr.strip().splitlines()[-1].split(",")
    if done.returncode or not words[0].isdigit():
        skip(f"perf counts no switches here: {done.stderr[-200:]}")
    found = claim(strict_json(done.stdout.encode()), "communication")
    ours = sum(m["value"] * value(found, "switches" + m["name"][len("traced"):])
               for m in found["measurements"] if m["name"].startswith("traced "))
    want(ours, "nothing was traced")
    # perf also sees the parents, for the instant in which they bear the name they give
    want(abs(ours - int(words[0])) <= 0.02 * ours + 13, f"ours {ours:.0f}, perf's {words[0]}")

@prop("prove communication: the throughput of a pipe is that of a plain loop before and after it, within noise")
def _():
    def once():
        before = reference("stream", 30)[1]
        found = claim(inspect("prove", "--quick", "communication", timeout=LIMIT, preexec_fn=on_core), "communication")
        return found, [before, reference("stream", 30)[1]]
    def judge(found, others):
        want(any(m["name"] == "throughput pipe, 64.0K" for m in found["measurements"]), "it was not measured")
        # one MiB in pieces of 64 KiB is one stream of ours too
        ours = (1 << 20) / value(found, "throughput pipe, 64.0K") * 1e9
        want_alike({"value": ours, "low": ours, "high": ours}, others, "1 MiB through a pipe")
    alike_once(judge, once)

@prop("prove: interrupted after {after} s it leaves no child, queue, segment or file",
      after=[0.05, 0.5, 2.5])
def _(after):
    before = traces()
    run = subprocess.Popen([MMLENS, "prove"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after)
    run.send_signal(signal.SIGINT)
    want(run.wait(timeout=PATIENCE) in (-signal.SIGINT, 130), f"ended by {run.returncode}")
    want_equal(running_prove(), [], "left running")
    want_equal(traces(), before, "left behind")
    want_equal(descendants(), [], "children")

@prop("prove: interrupted at up to twenty random moments it leaves nothing, as {user}",
      user=["root", "nobody"])
def _(user):
    if user == "root" and os.geteuid():
        skip("needs root")
    before, seed = traces(), int(time.time())
    moments = random.Random(seed)
    become = [] if user == "root" or os.geteuid() else ["setpriv", "--reuid=65534", "--regid=65534",
                                                        "--clear-groups"]
    # where all takes long, fewer are tried, but never less than five
    end = time.monotonic() + 10
    for tried in range(20):
        if tried >= 5 and time.monotonic() > end:
            break
        claims = moments.sample(["definition", "isolation", "overhead", "communication", "uses"], 2)
        run = subprocess.Popen([*become, MMLENS, "prove", "--quick", *claims], cwd="/",
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.01, 1.5))
        run.send_signal(moments.choice([signal.SIGINT, signal.SIGTERM]))
        run.wait(timeout=PATIENCE)
        want_equal(running_prove(), [], f"left running, seed {seed}")
        want_equal(traces(), before, f"left behind, seed {seed}")
        want_equal(descendants(), [], f"children, seed {seed}")

@prop("prove: with {few} processes to be had (ulimit -u) it says so and ends; nothing is refuted by that",
      few=[3, 5, 10])
def _(few):
    if os.geteuid():
        skip("needs root")
    def limit():
        resource.setrlimit(resource.RLIMIT_NPROC, (few, few))
        os.setgid(65533)
        os.setuid(65533)
    claims = ("definition", "isolation") if few > 3 else ("definition", "overhead")
    begin = time.monotonic()
    document = inspect("prove", "--quick", *claims, timeout=LIMIT, preexec_fn=limit, cwd="/")
    told = [s["cannot"] for c in document["claims"] for s in c["steps"] if "cannot" in s]
    want(told or few > 8, "nothing was said")
    want(not any("was stopped" in t for t in told) or time.monotonic() - begin > 20, f"it hung: {told}")
    verdicts = {c["verdict"] for c in document["claims"]}
    want(few > 3 or "proved" not in verdicts, f"{told}")
    want("not-true-here" not in verdicts, f"{[c['because'] for c in document['claims']]}")

def killed(group):
    """How many the kernel killed for want of memory in a memory cgroup of either version."""
    for name in ("memory.events", "memory.oom_control"):
        if os.path.exists(f"{group}/{name}"):
            words = open(f"{group}/{name}", encoding="ascii").read().split()
            return int(words[words.index("oom_kill") + 1])
    return 0

@prop("prove: a memory cgroup shrinks the experiment, and nobody is killed")
def _():
    group = next((g for g in ("/sys/fs/cgroup/memory", "/sys/fs/cgroup")
                  if os.path.exists(f"{g}/cgroup.procs")), None)
    try:
        # of version 2 a group has the files only where its parent says so, as no other test may have
        if os.path.exists(f"{group}/cgroup.subtree_control"):
            with open(f"{group}/cgroup.subtree_control", "w", encoding="ascii") as f:
                f.write("+memory")
        group = group and f"{group}/mmlens-test-{os.getpid()}"
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
        found = claim(inspect("prove", "--quick", "overhead", timeout=LIMIT, preexec_fn=join), "overhead")
        said = [s["saw"] for s in found["steps"] if "saw" in s]
        want(any(s.startswith("at most 24 MiB are written: a quarter of") for s in said), f"{said}")
        want(not [m["name"] for m in found["measurements"] if " 64 MiB" in m["name"]], "it wrote more")
        # a machine that stalls may have it stopped; the kernel shall not have ended it
        want(not any("by signal" in s.get("cannot", "") for s in found["steps"]), f"{found['steps']}")
        want_equal(killed(group), 0, "killed for want of memory")
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
    found = quick("communication")
    told = {m["name"]: m["value"] for m in found["measurements"]}
    media = ("pipe", "socketpair", "memfd", "shared variable", "process_vm_readv", "SysV queue")
    if not all(f"copies {medium}" in told for medium in media):
        why = [s["saw"] for s in found["steps"] if "not traced" in s.get("saw", "")]
        want(why, f"neither traced nor said why not: {found['steps']}")
        skip(f"not traced here: {why[0]}")
    copies = {medium: told[f"copies {medium}"] for medium in media}
    want_equal({n: round(c, 1) for n, c in copies.items()},
               {"pipe": 2, "socketpair": 2, "memfd": 1, "shared variable": 0, "process_vm_readv": 1,
                "SysV queue": 4}, "copies")
    for medium, most in (("pipe", "1.0M"), ("socketpair", "1.0M"), ("memfd", "1.0M")):
        for size in ("1B", most):
            if any(m["name"] == f"latency {medium}, {size}" for m in found["measurements"]):
                want(value(found, f"throughput {medium}, {size}") > 0, f"throughput of {medium}, {size}")
    # one write and one read a message
    for medium in ("pipe", "FIFO", "socketpair", "SysV queue", "POSIX queue", "eventfd"):
        want_equal(value(found, f"calls {medium}"), 2, f"calls of a message by {medium}")

@prop("prove: killed outright, its room ends with it")
def _():
    before = traces()
    run = subprocess.Popen([MMLENS, "prove"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)
    run.kill()
    run.wait()
    until(lambda: not running_prove(), "left running")
    want_equal(traces(), before, "left behind")

@prop("prove: the affinity of the caller is as before")
def _():
    before = os.sched_getaffinity(0)
    mmlens("prove", "--quick", "isolation").expect(0)
    want_equal(os.sched_getaffinity(0), before, "affinity")

@prop("prove --html: a place that cannot be written to is said before the experiments")
def _():
    begin = time.monotonic()
    mmlens("prove", "--html", "/nonexistent/page.html").expect(1).error_line()
    want(time.monotonic() - begin < LIMIT // 24, "it ran the experiments first")

@prop("prove: who reads no more of it ends it, and nothing is left, as a plain user")
def _():
    if os.geteuid():
        skip("needs root")
    before = traces()
    run = subprocess.Popen([MMLENS, "prove", "--quick", "communication"], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, cwd="/", user=65534, group=65534, extra_groups=[])
    run.stdout.readline()
    run.stdout.close()
    want(run.wait(timeout=PATIENCE) in (-signal.SIGPIPE, 128 + signal.SIGPIPE), f"ended by {run.returncode}")
    want_equal(running_prove(), [], "left running")
    want_equal(traces(), before, "left behind")

@prop("prove: an unknown claim is a usage error")
def _():
    mmlens("prove", "nonsense").expect(2).error_line()

@prop("prove --html: one page that loads nothing")
def _():
    path = f"/tmp/prove-{os.getpid()}.html"
    try:
        mmlens("prove", "--quick", "--html", path, "definition", "communication", timeout=LIMIT // 2).expect(0)
        page = open(path, encoding="utf-8").read()
    finally:
        if os.path.exists(path):
            os.unlink(path)
    want(page.endswith("</html>\n"), "not whole")
    for word in ("http://", "https://", "<script", "src=", "@import"):
        want(word not in page, f"the page has {word}")
    want(page.count("<svg") >= 2, "no picture")

main()
