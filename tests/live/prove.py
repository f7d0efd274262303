# SPDX-License-Identifier: GPL-2.0-only
"""prove: verdicts that follow from the numbers, nothing left behind, limits met and said."""
import glob
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import MMLENS, inspect, main, mmlens, prop, skip, want, want_equal  # noqa: E402

SYSVIPC = ("msg", "shm", "sem")

def claim(document, name):
    return next(c for c in document["claims"] if c["claim"] == name)

def value(found, name):
    return next(m["value"] for m in found["measurements"] if m["name"] == name)

def descendants():
    """The pids whose parent is this test: what prove leaves becomes ours or init's."""
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as f:
        return f.read().split()

def traces():
    """Everything an experiment makes that has a name."""
    ipc = [open(f"/proc/sysvipc/{kind}", encoding="ascii").read().count("\n") for kind in SYSVIPC]
    files = [p for d in ("/dev/shm", "/dev/mqueue", "/tmp") for p in glob.glob(f"{d}/mmlens-??????")]
    return ipc, sorted(files)

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

@prop("prove overhead: the verdict is what the two intervals say")
def _():
    found = claim(inspect("prove", "--quick", "overhead", timeout=120), "overhead")
    by_name = {m["name"]: m for m in found["measurements"]}
    both = all(by_name[n]["low"] > 0 for n in ("fork - thread", "switch: process - thread"))
    want_equal(found["verdict"], "proved" if both else "not-true-here", found["because"])
    for m in found["measurements"]:
        if "low" in m:
            want(m["low"] <= m["value"] <= m["high"], f"{m} is not within its interval")

@prop("prove overhead: fork costs more the more was written, and less in huge pages")
def _():
    found = claim(inspect("prove", "--quick", "overhead", timeout=120), "overhead")
    small, large = (value(found, f"create and end fork, {n} MiB") for n in (0, 64))
    want(large > 2 * small, f"0 MiB {small} ns, 64 MiB {large} ns")

@prop("prove overhead: its pipe ping-pong is that of perf bench, within noise")
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
        mmlens("prove", "--quick", "--html", path, "definition", "communication").expect(0)
        page = open(path, encoding="utf-8").read()
    finally:
        if os.path.exists(path):
            os.unlink(path)
    want(page.endswith("</html>\n"), "not whole")
    for word in ("http://", "https://", "<script", "src=", "@import"):
        want(word not in page, f"the page has {word}")
    want(page.count("<svg") >= 2, "no picture")

main()
