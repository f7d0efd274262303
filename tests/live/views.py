# SPDX-License-Identifier: GPL-2.0-only
"""stat's views, filters and losses, and trace's other lines, on workloads whose answer is known."""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from bench import room_for  # noqa: E402
from mmlens_test import (  # noqa: E402
    HELPERS, LABEL, LIMIT, MMLENS, REALTIME, SLOW, Subject, allow, inspect, main, mmlens, need_switches, prop,
    recorder, skip, stop, strict_json, want, want_equal, watching)

ROUNDS = 2000


class Session:
    """A stat or trace beside which something happens."""

    def __init__(self, command, *args):
        self.process = subprocess.Popen([MMLENS, command, "--json", *map(str, args)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, bufsize=0)
        watching(self.process)

    def end(self, patience=LIMIT // 2):
        out, err = stop(self.process, patience=patience)
        want_equal(self.process.returncode, 0, f"status ({err!r})")
        return out


def played(name, *args, rounds=ROUNDS, role=None, option=None):
    """(document, subject's tids) of stat around a workload; `option` takes the tid of `role`."""
    with Subject(name, rounds) as s:
        if option:
            args = (*args, option, s.tids[role])
        session = Session("stat", *args)
        s.go()
        return strict_json(session.end()), s.tids


def total(document):
    return sum(c["count"] for c in document["classes"])


@prop("views: CPUs, tasks and classes add up to the same")
def _():
    need_switches()
    d = inspect("stat", "-d", "1")
    want_equal(sum(c["switches"] for c in d["cpus"]), d["switches"], "sum over CPUs")
    want_equal(sum(c["loads"] for c in d["cpus"]), d["loads"], "loads over CPUs")
    want_equal(sum(p["count"] for p in d["pairs"]), d["switches"], "sum over pairs")
    want_equal(sum(p["loads"] for p in d["pairs"]), d["loads"], "loads over pairs")
    want_equal(sum(g["switches"] for g in d["cgroups"]), sum(t["switches"] for t in d["tasks"]),
               "sum over cgroups against tasks")


@prop("views: two processes that hand one CPU to each other are the pairs of their spaces")
def _():
    need_switches()
    d, tids = played("switch-processes")
    spaces = {t["tid"]: t["space"] for t in d["tasks"]}
    a, b = (spaces[t] for t in tids.values())
    pairs = {(p["from"], p["to"]): p for p in d["pairs"]}
    for key in ((a, b), (b, a)):
        want(key in pairs and pairs[key]["count"] >= ROUNDS * 0.75, f"{key}: {pairs.get(key)}")
        want_equal(pairs[key]["loads"], pairs[key]["count"], "each loads")


@prop("filters: --tid keeps the switches with that task on one side")
def _():
    need_switches()
    d, tids = played("switch-processes", role="pid", option="--tid")
    want(total(d) >= 2 * ROUNDS * 0.9, f"{total(d)} switches")
    mine = next(t for t in d["tasks"] if t["tid"] == tids["pid"])
    others = sum(t["switches"] for t in d["tasks"] if t["tid"] != tids["pid"])
    want(mine["switches"] >= ROUNDS and others <= mine["switches"] + 4, f"{mine}, others {others}")


@prop("filters: -p does not follow the next process that gets the pid")
def _():
    need_switches()
    with subprocess.Popen(["sleep", "1000"]) as first:
        session = Session("stat", "-p", first.pid)
        first.kill()
    for _ in range(100):
        with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as f:
            f.write(str(first.pid - 1))
        with subprocess.Popen(["sleep", "0.05"]) as second:
            pass
        if second.pid == first.pid:
            break
    want_equal(second.pid, first.pid, "the pid of another")
    rows = [t for t in strict_json(session.end())["tasks"] if t["tid"] == first.pid]
    want([t["exit"] for t in rows] == [1], f"one task of that pid, and its end: {rows}")


@prop("filters: --comm keeps one name, and one that nobody has keeps nothing")
def _():
    need_switches()
    d, _ = played("switch-threads", "--comm", "subject")
    want(total(d) >= 2 * ROUNDS * 0.9, f"{total(d)} switches")
    want_equal(total(inspect("stat", "-d", "0.5", "--comm", "nobody-has-it")), 0, "switches")


@prop("filters: --cpu, --class and both together")
def _():
    need_switches()
    d = inspect("stat", "-d", "1", "--cpu", "0")
    want_equal({c["cpu"] for c in d["cpus"]}, {0}, "CPUs")
    d, _ = played("switch-processes", "--class", "process")
    want_equal({c["class"] for c in d["classes"] if c["count"]}, {"process"}, "classes")
    want(total(d) >= ROUNDS, f"{total(d)} switches")


@prop("filters: --space keeps one address space")
def _():
    need_switches()
    with Subject("switch-threads", ROUNDS) as s:
        listed = inspect("list", s.tids["pid"])
        space = listed["spaces"][0]["space"]
        session = Session("stat", "--source", listed["source"], "--space", space)
        s.go()
        d = strict_json(session.end())
    want(total(d) >= 2 * ROUNDS * 0.9, f"{total(d)} switches of space {space}")


@prop("delays: with a filter they are of the chosen task alone, not of whom it takes the CPU from")
def _():
    need_switches()
    spin = f"import os\nos.sched_setaffinity(0, {{{max(os.sched_getaffinity(0))}}})\nprint(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", spin], stdout=subprocess.PIPE) as neighbour:
        neighbour.stdout.readline()
        d, tids = played("switch-sleeper", "--delays", role="pid", option="--tid", rounds=500)
        neighbour.kill()
    mine = next(t for t in d["tasks"] if t["tid"] == tids["pid"])
    other = next(t for t in d["tasks"] if t["tid"] == neighbour.pid)
    # a realtime kernel's timers are the work of a thread, which may take the CPU first and give it on
    want(REALTIME or other["preempted"] >= 50, f"the neighbour made way: {other}")
    for key in ("on_cpu_ns", "runnable_ns", "sleep_ns"):
        want_equal(other[key], None, f"{key} of the neighbour")
    times = sum(d["delays"][kind]["n"] for kind in ("sleep", "disk", "other") if d["delays"][kind])
    want(450 <= times <= mine["switches"], f"sleeps of {mine}: {d['delays']}")
    want(d["delays"]["runnable"]["n"] <= mine["switches"], f"waits of {mine}: {d['delays']}")


@prop("delays: distributions of sleeps and of waits for a CPU whose lengths are known")
def _():
    need_switches()
    with Subject("delays") as s:
        session = Session("stat", "--delays", *[w for t in s.tids.values() for w in ("--tid", t)])
        seen = s.go()
        d = strict_json(session.end())
    sleep, runnable = d["delays"]["sleep"], d["delays"]["runnable"]

    def within(name, ns, least, most):
        # a quantile is the upper edge of its bucket, which is an eighth wide
        want(least <= ns <= most * 9 / 8, f"{name}: {ns}, known {least} to {most}: {d['delays']}, {seen}")
    # on a slow machine the timer of a short sleep may fire before the CPU is left
    rounds = range(int(seen["rounds"] * 0.85), int(seen["rounds"] * 1.05) + 1)
    want(sleep["n"] in rounds, f"{sleep['n']} sleeps")
    within("p50 of sleeps", sleep["p50"], 1e6, seen["slept_p50"])
    within("p90 of sleeps", sleep["p90"], 20e6, seen["slept_max"])
    within("p99 of sleeps", sleep["p99"], 20e6, seen["slept_max"])
    within("longest sleep", sleep["max"], seen["slept_p90"] * 0.9, seen["slept_max"])
    want(runnable["n"] >= 2 * rounds.start, f"{runnable['n']} waits for a CPU, of each of the two")
    within("p90 of waits for a CPU", runnable["p90"], 2e6, seen["put_aside"])
    rows = {t["tid"]: t for t in d["tasks"]}
    sleeper, waiter = (rows[s.tids[role]] for role in ("sleeper", "waiter"))
    want(sleeper["sleep_ns"] >= 400e6 and sleeper["on_cpu_ns"] >= 200e6, f"{sleeper}")
    want(waiter["runnable_ns"] >= 200e6 and waiter["sleep_ns"] < 1e6, f"{waiter}")


@contextlib.contextmanager
def control_group():
    """(directory, path) of a group of version 2 that lies in another of our own."""
    with open("/proc/mounts", encoding="utf-8") as f:
        root = next(line.split()[1] for line in f if line.split()[2] == "cgroup2")
    outer = f"{root}/mmlens-views-{os.getpid()}"
    os.makedirs(f"{outer}/inner")
    try:
        yield outer, f"/{os.path.basename(outer)}/inner"
    finally:
        for path in (f"{outer}/inner", outer):
            os.rmdir(path)


@prop("filters: --cgroup keeps the tasks of a group and of those below, and --by cgroup names it")
def _():
    need_switches()
    with control_group() as (outer, path):
        with Subject("switch-processes", ROUNDS) as s:
            for pid in {s.process.pid, *s.tids.values()}:
                with open(f"{outer}/inner/cgroup.procs", "w", encoding="ascii") as f:
                    f.write(str(pid))
            session = Session("stat", "--cgroup", outer, "--by", "cgroup")
            s.go()
            time.sleep(0.3)
            d = strict_json(session.end())
        group = next(g for g in d["cgroups"] if g["path"] == path)
        own = [t for t in d["tasks"] if t["tid"] in s.tids.values()]
        want(len(own) == 2 and all(t["switches"] >= ROUNDS * 0.9 for t in own), f"{own}")
        want(group["switches"] >= 2 * ROUNDS * 0.9 and group["tasks"] >= 2, f"{group}")
        # one side of each is in the group
        others = sum(g["switches"] for g in d["cgroups"]) - group["switches"]
        want(others <= group["switches"] / 2, f"{others} of others, {group}")
        mmlens("stat", "--cgroup", f"{outer}/none", "-d", "1").expect(1).error_line()


@prop("--tlb: the processor reports the loads that the classes of {name} say, where it reports any",
      name=["switch-threads", "switch-processes"])
def _(name):
    need_switches()
    d, _ = played(name, "--tlb", option="-p", role="pid")
    if os.uname().machine != "x86_64":
        return want_equal(d["tlb"], None, "loads reported")
    reported, loads = d["tlb"]["loads"], d["loads"]
    want((loads > ROUNDS) == (name == "switch-processes"), f"{loads} loads")
    # each CPU may have had a switch under way at either end of the window
    edges = 2 * os.cpu_count()
    back = sum(c["count"] for c in d["classes"] if c["class"] == "back-same")
    # a CPU that was idle long enough for its space to be dropped loads the same space again
    want(loads - edges <= reported <= loads + back + edges, f"{reported} reported, {loads} by class")
    want(0 <= d["tlb"]["flushed"] <= reported, f"{d['tlb']}")


@prop("delays: null when they were not asked for")
def _():
    need_switches()
    d = inspect("stat", "-d", "0.3")
    want_equal(d["delays"], None, "delays")
    want(all(t["sleep_ns"] is None and t["runnable_ns"] is None for t in d["tasks"]), "tasks")


@prop("refresh: -i shows the counts while the window lasts")
def _():
    need_switches()
    text = mmlens("stat", "-i", "0.4", "-d", "1.5").expect(0).out.decode()
    want(text.count("CLASS ") >= 3, f"{text.count('CLASS ')} tables")


@prop("refresh: -i --json is one document a line, whose counts grow; the last has the agreement")
def _():
    need_switches()
    out = mmlens("stat", "--json", "-i", "0.3", "--", "sh", "-c",
                 "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; done; exit 3").expect(0).out
    documents = [strict_json(line) for line in out.splitlines()]
    want(len(documents) >= 3, f"{len(documents)} lines")
    *so_far, last = documents
    want_equal({d["schema"] for d in documents}, {"mmlens.stat/1"}, "schema")
    want_equal({d["boot_id"] for d in so_far}, {last["boot_id"]}, "boot")
    for key in ("duration_ns", "switches", "loads"):
        values = [d[key] for d in documents]
        want(values == sorted(values) and values[0] < values[-1], f"{key}: {values}")
    want_equal({(d["agreement"], d.get("command_status")) for d in so_far}, {(None, None)}, "so far")
    want(last["agreement"] is not None and last["command_status"] == 3, "the last has no end")


def events(*args):
    return [strict_json(line) for line in mmlens("trace", "--json", *args).expect(0).out.splitlines()]


@prop("trace: a command's fork, exec and exit are told with what the birth shares")
def _():
    need_switches("trace")
    lines = events("--", "sh", "-c", "(exit 3); /bin/true & wait")
    by = {}
    for e in lines:
        by.setdefault(e.get("event"), []).append(e)
    want(any(e["task"]["comm"] == "sh" for e in by["exec"]), "no exec of sh")
    want(any(e["task"]["comm"] == "true" for e in by["exec"]), "no exec of true")
    want(any(e["code"] >> 8 == 3 and e["last"] for e in by["exit"]), f"no exit 3: {by['exit']}")
    want(all("mm" not in e["shared"] for e in by["fork"] if not e["flags"] & 0x100), "shared mm")
    want(any(e["wakee"]["comm"] == "sh" and e["waker"]["tid"] for e in by.get("wake", [])),
         "nobody woke sh")


@prop("trace: wake-ups of two threads are in one space, of two processes not, both by futex")
def _():
    need_switches("trace")
    for name, same in (("switch-threads", True), ("switch-processes", False)):
        with Subject(name, 300) as s:
            tids = set(s.tids.values())
            session = Session("trace", *[w for t in tids for w in ("--tid", t)])
            s.go()
            lines = [strict_json(line) for line in session.end().splitlines()]
        own = [e for e in lines if e.get("event") == "wake"
               and {e["waker"]["tid"], e["wakee"]["tid"]} == tids]
        # who has not fallen asleep yet when its turn comes is not woken
        want(len(own) >= 270, f"{name}: {len(own)} wake-ups")
        want_equal({e["same_space"] for e in own}, {same}, f"{name}: same space")
        calls = {e["call"] for e in own if not e["interrupt"]}
        want(calls <= {"futex", None} and calls, f"{name}: from {calls}")


@prop("trace: events are in the order of time, and so many switches as the kernel counted")
def _():
    need_switches("trace")
    with Subject("switch-processes", ROUNDS) as s:
        session = Session("trace", *[w for t in s.tids.values() for w in ("-p", t)])
        s.go()
        lines = [strict_json(line) for line in session.end().splitlines()]
    times = [e["ts"] for e in lines if "ts" in e]
    want(times == sorted(times), "time goes back")
    switches = sum("class" in e for e in lines)
    want(switches >= 2 * ROUNDS * 0.9, f"{switches} switches")
    want_equal(lines[-1], {"lost": 0}, "the last line")


@prop("trace: nothing is told before the switches are")
def _():
    need_switches("trace")
    with Subject("switch-threads", 10 ** 9) as s:
        try:
            s.begin()
            # named by tid they are watched from the first moment, a family only after a look at it
            tids = [w for t in s.tids.values() for w in ("--tid", str(t))]
            with subprocess.Popen([MMLENS, "trace", "--json", *tids], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE) as trace:
                first = [strict_json(trace.stdout.readline()) for _ in range(6)]
                trace.kill()
        finally:
            s.process.kill()
    # a wake-up and a switch in turn, from the beginning on
    want(sum("class" in e for e in first) >= 2, f"it begins with {first}")


@prop("trace: a window is no longer than was asked for, and loses nothing, though who reads it is slow")
def _():
    need_switches("trace")
    said = []
    with Subject("switch-threads", 10 ** 9) as s:
        try:
            s.begin()
            tids = [w for t in s.tids.values() for w in ("--tid", str(t))]
            with subprocess.Popen([MMLENS, "trace", "--json", "-d", "0.5", *tids], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE) as trace:
                # a pager that nobody scrolls, then one that somebody does
                naps = [0.02] * 50 + [2]
                while more := os.read(trace.stdout.fileno(), 1 << 16):
                    said.append(more)
                    time.sleep(naps.pop() if naps else 0)
        finally:
            s.process.kill()
    lines = [json.loads(line) for line in b"".join(said).splitlines()]
    want_equal(lines.pop(), {"lost": 0}, "lost")
    window = (lines[-1]["ts"] - lines[0]["ts"]) / 1e9
    want(len(lines) > 1000 and window < 1.2, f"{window} s, {len(lines)} events")


@prop("trace --cpu: what is told happened on that CPU, wake-ups and births included")
def _():
    need_switches("trace")
    with Subject("switch-processes", 500, 0) as s:
        session = Session("trace", "--cpu", 0)
        s.go()
        lines = [strict_json(line) for line in session.end().splitlines()][:-1]
    want({e.get("event", "switch") for e in lines} >= {"switch", "wake"}, "no switch or no wake-up")
    want_equal({e["cpu"] for e in lines}, {0}, "CPUs")


@prop("stat, report: say how many tasks they are not shown, and why")
def _():
    need_switches("trace")
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "x.mml")
        mmlens("record", "-o", path, "-d", "0.1").expect(0)
        document = mmlens("report", "--json", path).json()
        text = mmlens("report", path).expect(0).out.decode()
    if document["withheld"]:
        want(f"withheld, in part or whole: {document['withheld_why']}" in text, f"not said: {text}")
    else:
        want_equal("withheld" in text, document["withheld"] is None, f"said: {text}")


@prop("in a pid namespace with a /proc of its own: the command's tasks, by their numbers in there")
def _():
    need_switches()
    out = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", MMLENS, "stat", "--json",
                          "--", "sh", "-c", "sleep .05; sleep .05; true"],
                         check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout
    document = strict_json(out)
    names = {t["comm"]: t["tid"] for t in document["tasks"]}
    want({"sh", "sleep"} <= set(names), f"tasks: {names}")
    want(max(names.values()) < 100, f"numbers of the initial namespace: {names}")


@prop("trace: nothing is told twice, however often the timer comes in between")
def _():
    need_switches("trace")
    over = threading.Event()

    def nap():
        while not over.is_set():
            time.sleep(0.00005)
    nappers = [threading.Thread(target=nap) for _ in range(8)]
    for thread in nappers:
        thread.start()
    lines = events("-d", "1")
    over.set()
    for thread in nappers:
        thread.join()
    told = [(e["ts"], e["cpu"], e.get("event"), e.get("wakee", {}).get("tid")) for e in lines
            if "class" in e or e.get("event") == "wake"]
    want(len(told) > 100, f"only {len(told)} events")
    want_equal(len(told) - len(set(told)), 0, f"told twice, of {len(told)}")


@prop("loss: a reader that is stopped loses events, and says how many and where")
def _():
    need_switches("trace")
    # with their wake-ups 76 to 96 bytes a round, for a ring of 8 MiB
    rounds = 125000 if SLOW else 150000
    allow(1500 if SLOW else 3 * LIMIT)
    with Subject("switch-processes", rounds) as s:
        session = Session("trace")
        session.process.stdout.readline()  # by now it surely watches
        session.process.send_signal(signal.SIGSTOP)
        s.go()
        session.process.send_signal(signal.SIGCONT)
        # the whole ring is to be told, which takes an emulator its time
        told = session.end(patience=2 * LIMIT)
        lines = [strict_json(line) for line in told.splitlines() if b'"lost"' in line]
    lost = lines[-1]["lost"]
    in_place = sum(e["dropped"] for e in lines if e.get("event") == "lost")
    want(lost > 0, f"nothing was lost in {2 * rounds} switches without a reader")
    want_equal(in_place, lost, "told in place, though little came behind it")


# More tasks than the table has room for where some hundreds are, or one hundred.
MANY = 9000 if SLOW else 12000
PATIENCE_OF_MANY = 3 * LIMIT


@prop("loss: what finds no room in the table of tasks is lost on its CPU, and who was left out is named")
def _():
    need_switches()
    session = Session("stat")
    allow(PATIENCE_OF_MANY)
    with Subject("mass", room_for(MANY), patience=PATIENCE_OF_MANY):
        pass
    d = strict_json(session.end())
    want(d["lost"] > 0, f"nothing was lost, {len(d['tasks'])} tasks")
    want_equal(sum(c["lost"] for c in d["cpus"]), d["lost"], "lost by CPU")
    # idle's have no row
    told = sum(t["switches"] for t in d["tasks"])
    want(told + d["lost"] <= d["switches"], f"{told} told and {d['lost']} lost of {d['switches']}")
    for t in d["agreement"]["disagree"]:
        want(t["counted"] < t["grown"], f"more were counted than there were: {t}")


@prop("loss: pairs of spaces beyond those there is room for are counted, on their CPU")
def _():
    need_switches()
    with Subject("switch-mesh") as s:
        session = Session("stat")
        s.go()
        d = strict_json(session.end())
        pairs = s.number("pairs")
    want(len(d["pairs"]) < pairs and d["lost"] > 0, f"{len(d['pairs'])} of {pairs}, {d['lost']} lost")
    want_equal(sum(c["lost"] for c in d["cpus"]), d["lost"], "lost by CPU")
    want_equal(sum(p["count"] for p in d["pairs"]) + d["lost"], d["switches"], "told and lost")
    want_equal(d["agreement"]["disagree"], [], "tasks, whose table was not full")


def lost_elsewhere(program):
    """(lost, all words) of stat with a command on another CPU than the one asked for: none of its
    switches is wanted, so nothing is seen of those born of it but their birth. $0 is reference."""
    if LABEL != "host":
        skip("so many births take an emulator minutes")
    allow(PATIENCE_OF_MANY)
    cpus = sorted(os.sched_getaffinity(0))
    done = subprocess.run([MMLENS, "stat", "--cpu", str(cpus[0]), "--", "taskset", "-c", str(cpus[-1]), "sh", "-c",
                           f"{program} || kill -9 $PPID", os.path.join(HELPERS, "reference")],
                          check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    return int(re.search(r"switches in .*, ([\d,]+) lost", done.stdout)[1].replace(",", "")), done.stdout


@prop("loss: births beyond the processes that can be followed are counted, and the text says so too")
def _():
    need_switches()
    # while the reader stands still nobody who has ended makes room
    lost, text = lost_elsewhere('kill -STOP $PPID; "$0" vfork 66000 >/dev/null; kill -CONT $PPID')
    want(66000 - 65536 <= lost < 66000 - 65536 + 100, f"{lost} lost: {text}")


@prop("loss: none of births by the thousand, though no switch is wanted of who ends and makes room")
def _():
    need_switches()
    lost, text = lost_elsewhere('"$0" vfork 66000 >/dev/null')
    want_equal(lost, 0, text)


def births():
    """A command that has so many; what it prints goes elsewhere."""
    allow(PATIENCE_OF_MANY)
    return ["sh", "-c", 'exec "$0" vfork "$1" >/dev/null', os.path.join(HELPERS, "reference"),
            str(MANY)]


@prop("births: stat has a row for each of more tasks than fit its table, and loses none")
def _():
    need_switches()
    document = inspect("stat", "--", *births(), timeout=PATIENCE_OF_MANY)
    want_equal(document["lost"], 0, "lost")
    own = [t for t in document["tasks"] if t["comm"] == "reference"]
    want(len(own) >= MANY, f"{len(own)} rows for {MANY} births")
    want_equal(len({(t["tid"], t["start_ns"]) for t in own}), len(own), "rows of different tasks")
    want_equal(sum(t["exit"] for t in own), len(own), "ends")
    left = sum(t["switches"] for t in document["tasks"])
    want(left <= document["switches"], f"{left} by task of {document['switches']}")


def judge_births(said):
    """Each has its own birth and end in a stream; who has ended does nothing more."""
    # a hundred thousand lines: whether they are JSON to the letter is seen elsewhere
    lines = [json.loads(line) for line in said.splitlines()]
    want_equal(lines.pop(), {"lost": 0}, "lost")
    alive, dead, born = set(), set(), 0
    for e in lines:
        if e.get("event") == "fork" and e["parent"]["comm"] == "reference":
            born += 1
            alive.add(e["child"]["tid"])
            dead.discard(e["child"]["tid"])
        sides = [e[k]["tid"] for k in ("prev", "next", "waker", "wakee", "task") if k in e]
        want(None not in sides, f"nobody: {e}")
        want(not dead.intersection(sides), f"it had ended: {e}")
        if "class" in e and e["prev"]["state"] == "X" and e["prev"]["tid"] in alive:
            alive.discard(e["prev"]["tid"])
            dead.add(e["prev"]["tid"])
    want(born >= MANY and not alive, f"{born} births, {len(alive)} did not end")


@prop("colour: none in a pipe")
def _():
    need_switches("trace")
    want(b"\033" not in mmlens("trace", "-d", "0.5").expect(0).out, "escape sequences in a pipe")


@prop("births: in a stream of more tasks than fit the table each has its own birth, switches and end")
def _():
    need_switches("trace")
    judge_births(mmlens("trace", "--json", "--", *births(), timeout=PATIENCE_OF_MANY).expect(0).out)


class Away:
    """CPU 1, which may be taken away; at the end it comes back."""

    def __init__(self):
        need_switches("trace")
        if LABEL == "host":
            skip("the CPUs of this machine are not ours to take away")
        try:
            self.switch("1")
        except OSError as e:
            skip(f"this machine's CPUs stay: {e.strerror}")

    def switch(self, word):
        with open("/sys/devices/system/cpu/cpu1/online", "w", encoding="ascii") as f:
            f.write(word)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.switch("1")


@prop("a CPU that is taken away and comes back is counted, told in its turn, and nothing is lost or told twice")
def _():
    away = Away()
    session = Session("trace")
    for _ in range(3):
        with away:
            away.switch("0")
            time.sleep(0.5)
        time.sleep(0.5)
    lines = [strict_json(line) for line in session.end().splitlines()]
    want_equal(lines.pop(), {"lost": 0}, "the last line")
    want(any(e.get("cpu") == 1 for e in lines), "nothing of CPU 1")
    late = [(a, b) for a, b in zip(lines, lines[1:]) if a["ts"] > b["ts"]]
    want(not late, f"{len(late)} of {len(lines)} out of order, the first {late[:1]}")
    mine = [(e["ts"], e["prev"]["tid"], e["next"]["tid"]) for e in lines if e.get("cpu") == 1 and "class" in e]
    want_equal(len(set(mine)), len(mine), "switches of CPU 1")
    torn = [(a, b) for a, b in zip(mine, mine[1:]) if a[2] != b[1]]
    # the kernel traces nothing on a CPU that is not online: each time its last switch is not told
    want(len(torn) <= 3, f"who came is not who left: {torn}")
    d = inspect("stat", "-d", "0.5")
    want_equal(d["agreement"]["disagree"], [], "disagreement after the CPU came back")


@prop("births: while a CPU is away too, those who have ended make room in the stream's table")
def _():
    with Away() as away, tempfile.TemporaryDirectory() as where:
        # one CPU is too little for so many births and for printing them, so they are printed later
        process = recorder(f"{where}/births", lasts=("-d", str(PATIENCE_OF_MANY)))
        # it leaves with what it has not sent yet
        away.switch("0")
        subprocess.run(births(), check=True, stdin=subprocess.DEVNULL)
        stop(process)
        want_equal(process.returncode, 0, "status of record")
        judge_births(mmlens("report", "--trace", "--json", f"{where}/births").expect(0).out)


main()
