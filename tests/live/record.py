# SPDX-License-Identifier: GPL-2.0-only
"""Recorded windows: what report shows is what was recorded, cut files and hostile ones included."""
import html.parser
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    LIMIT, MMLENS, Subject, main, mmlens, need_switches, prop, recorder, stop, strict_json, switches_of, want,
    want_equal, watching)

ROUNDS = 2000


def path_in(folder, name="x.mml"):
    return os.path.join(folder, name)


def recorded(folder, subject, *args):
    """Path of a window around a workload, and how its tasks grew by /proc."""
    path = path_in(folder)
    before = {t: sum(switches_of(t)) for t in subject.tids.values()}
    process = recorder(path, *args)
    subject.go()
    grown = {t: sum(switches_of(t)) - n for t, n in before.items()}
    _, err = stop(process)
    want_equal(process.returncode, 0, f"status of record ({err!r})")
    return path, grown


def report(path, *args):
    document = mmlens("report", "--json", *args, path).json()
    want_equal(document["schema"], "mmlens.report/1", "schema")
    return document


def lines(path):
    return [strict_json(line) for line in
            mmlens("report", "--json", "--trace", path).expect(0).out.splitlines()]


@prop("{name}: the file's counts are its events and what the kernel counted, at most 32 bytes a switch",
      name=["switch-threads", "switch-processes"])
def _(name):
    need_switches("trace")
    with tempfile.TemporaryDirectory() as folder, Subject(name, 10 * ROUNDS) as s:
        pids = [word for t in s.tids.values() for word in ("-p", t)]
        path, grown = recorded(folder, s, *pids)
        document, events = report(path), lines(path)
        want_equal((document["lost"], events[-1]), (0, {"lost": 0}), "lost")
        switches = [e for e in events if "class" in e]
        unique = {(e["ts"], e["cpu"]) for e in switches}
        want_equal((len(switches), len(unique)), (document["switches"], len(switches)),
                   "events and those of different times, against counts")
        for row in document["classes"]:
            want_equal(sum(e["class"] == row["class"] for e in switches), row["count"], row["class"])
            timed = sum(e["class"] == row["class"] and e["cost"] is not None for e in switches)
            want_equal((row["cost"] or {"n": 0})["n"], timed, f"{row['class']}: costs")
        for key, sums in (("count", "switches"), ("loads", "loads")):
            want_equal(sum(p[key] for p in document["pairs"]), document[sums], f"{sums} by pair")
        for role, tid in s.tids.items():
            seen = sum(e["prev"]["tid"] == tid for e in switches)
            want(0 <= seen - grown[tid] <= 4, f"{role}: file {seen}, the kernel {grown[tid]}")
        agreement = document["agreement"]
        want(agreement["tasks"] and agreement["agree"] == agreement["tasks"], f"{agreement}")
        state = path_in(folder, "state.mml")
        mmlens("record", "-o", state).expect(0)
        # from elsewhere the numbers are not this machine's, so the file has their names
        calls = {e["call"] for e in events if e.get("event") == "wake" and not e["interrupt"]
                 and e["waker"]["tid"] in grown and e["wakee"]["tid"] in grown}
        want("futex" in calls and calls <= {"futex", None}, f"they wake each other from {calls}")
        size = (os.path.getsize(path) - 4 * os.path.getsize(state)) / len(switches)
        want(size <= 32, f"{size} bytes a switch")


@prop("a call by the numbers of 32-bit programs is not named by those of others")
def _():
    need_switches("trace")
    with tempfile.TemporaryDirectory() as folder, Subject("switch-legacy", 300) as s:
        path, grown = recorded(folder, s)
        wakes = [e for e in lines(path) if e.get("event") == "wake" and not e["interrupt"]
                 and e["waker"]["tid"] in grown and e["wakee"]["tid"] in grown]
        want(len(wakes) > 50, f"{len(wakes)} wake-ups")
        want_equal({e["call"] for e in wakes}, {None}, "the calls that they wake each other from")


def by_class(switches):
    return {c: sum(e["class"] == c for e in switches) for c in {e["class"] for e in switches}}


@prop("report --delays, of a recording {of}: what stat --delays of the same time tells of the same task",
      of=["of all", "of one process"])
def _(of):
    need_switches("trace")
    with tempfile.TemporaryDirectory() as folder, Subject("switch-sleeper", 300) as s:
        tid = s.tids["pid"]
        chosen = ["-p", tid] if of == "of one process" else []
        with subprocess.Popen([MMLENS, "stat", "--json", "--delays", "--tid", str(tid)],
                              stdout=subprocess.PIPE) as stat:
            watching(stat)
            path, _ = recorded(folder, s, *chosen)
            stat.send_signal(signal.SIGINT)
            told = strict_json(stat.communicate(timeout=LIMIT // 2)[0])
        mine = report(path, "--delays", "--tid", tid)
        other, unasked = report(path, "--delays"), report(path)
    rows = [next(t for t in d["tasks"] if t["tid"] == tid) for d in (told, mine, other)]
    # Two programs stamp the same switch, and a processor may be taken away from between them.
    slept = [r["sleep_ns"] for r in rows]
    want(min(slept) >= 0.9 * max(slept) - 5e6, f"asleep: {slept}")
    want(all(r["on_cpu_ns"] > 0 and r["runnable_ns"] > 0 for r in rows), f"on a CPU and waiting: {rows}")
    medians = [d["delays"]["sleep"]["p50"] for d in (told, mine)]
    want(min(medians) >= 0.8 * max(medians) - 3e5, f"median sleeps: {medians}")
    for kind in ("runnable", "sleep"):
        n = told["delays"][kind]["n"], mine["delays"][kind]["n"]
        want(250 <= n[1] and abs(n[0] - n[1]) <= 8, f"{kind}: stat and report have {n}")
    want_equal(unasked["delays"], None, "delays that nobody asked for")


@prop("report --by=cgroup: the groups that stat tells, by the path they were recorded with")
def _():
    need_switches("trace")
    with tempfile.TemporaryDirectory() as folder, Subject("switch-processes", ROUNDS) as s:
        path, _ = recorded(folder, s)
        document = report(path)
        text = mmlens("report", "--by=cgroup", path).expect(0).out
        with open(f"/proc/{s.tids['pid']}/cgroup", encoding="utf-8") as f:
            own = next((line.split(":", 2)[2].strip() for line in f if line.startswith("0::")), None)
    rows = {t["tid"]: t for t in document["tasks"]}
    group = next(g for g in document["cgroups"] if g["cgroup"] == rows[s.tids["pid"]]["cgroup"])
    want(group["switches"] >= sum(rows[t]["switches"] for t in s.tids.values()), f"{group}")
    if own is not None:
        want_equal(group["path"], own, "path")
    want(b"CGROUP" in text and str(group["cgroup"]).encode() in text, f"{text!r}")


@prop("report: each filter keeps those events of the file that fit, and counts them")
def _():
    need_switches("trace")
    with tempfile.TemporaryDirectory() as folder, Subject("switch-processes", ROUNDS) as s:
        path, _ = recorded(folder, s)
        switches = [e for e in lines(path) if "class" in e]
        a, b = s.tids.values()
        one = next(e["prev"] for e in switches if e["prev"]["tid"] == a)

        def with_side(key, value):
            return lambda e: value in (e["prev"][key], e["next"][key])
        for option, fits in {
                ("--tid", a): with_side("tid", a),
                ("--tid", a, "--tid", b): lambda e: {a, b} & {e["prev"]["tid"], e["next"]["tid"]},
                ("--space", one["space"]): with_side("space", one["space"]),
                ("--comm", one["comm"]): with_side("comm", one["comm"]),
                ("--cpu", 1): lambda e: e["cpu"] == 1,
                ("--class", "process"): lambda e: e["class"] == "process",
                ("--class", "process", "--tid", a):
                    lambda e: e["class"] == "process" and with_side("tid", a)(e),
                # both are children of it
                ("-p", s.process.pid):
                    lambda e: {a, b, s.process.pid} & {e["prev"]["tid"], e["next"]["tid"]}}.items():
            wanted = [e for e in switches if fits(e)]
            document = report(path, *option)
            counts = {c["class"]: c["count"] for c in document["classes"] if c["count"]}
            want_equal(counts, by_class(wanted), f"{option}: switches by class")
            want_equal(document["agreement"]["tasks"], 0, f"{option}: tasks that agree")
        want(by_class(wanted).get("process", 0) > ROUNDS, f"{by_class(wanted)} of {a} and {b}")
        mmlens("report", "-p", "4194304", path).expect(1).error_line()


@prop("a recorded window is a state for --from as well")
def _():
    need_switches("trace")
    with tempfile.TemporaryDirectory() as folder, Subject("threads", 3) as s:
        mmlens("record", "-o", path_in(folder), "-d", "0.5").expect(0)
        seen = mmlens("show", "--json", "--from", path_in(folder), s.process.pid).json()
        want(set(s.tids.values()) <= {t["tid"] for t in seen["tasks"]}, "tasks are missing")


@prop("a recorder that is killed leaves a file that is read to its last block and says so")
def _():
    need_switches("trace")
    with tempfile.TemporaryDirectory() as folder, Subject("switch-threads", 40000) as s:
        path = path_in(folder)
        process = recorder(path)
        s.go()
        time.sleep(1.5)
        stop(process, signal.SIGKILL)
        done = mmlens("report", "--json", path).expect(0)
        want(b"cut short" in done.err, f"it does not say so: {done}")
        document = strict_json(done.out)
        want_equal(document["complete"], False, "complete")
        want(document["switches"] > 1000, f"only {document['switches']} switches")
        want_equal(document["agreement"]["tasks"], 0, "tasks held against nothing")


@prop("a file cut anywhere is read to its last whole block or refused with one line")
def _():
    need_switches("trace")
    with tempfile.TemporaryDirectory() as folder:
        path = path_in(folder)
        mmlens("record", "-o", path, "-d", "0.5").expect(0)
        with open(path, "rb") as f:
            data = f.read()
        for part in range(0, 20):
            with open(path, "wb") as f:
                f.write(data[:len(data) * part // 20])
            done = mmlens("report", path)
            want(done.status in (0, 1) and done.err.startswith(b"mmlens: "), f"{part}: {done}")


@prop("a window that cannot begin leaves the file as it was, or none")
def _():
    need_switches("trace")
    with tempfile.TemporaryDirectory() as d:
        path, other = path_in(d), path_in(d, "other")
        mmlens("record", "-o", path).expect(0)
        with open(path, "rb") as f:
            old = f.read()
        for wrong in (["-p", 4194305], ["--cgroup", "/nowhere"], ["--space", "zz"], ["--", "/nonexistent"]):
            for to in path, other:
                want(mmlens("record", "-o", to, "-d", "1", *wrong).status in (1, 2), f"{wrong}: status")
            with open(path, "rb") as f:
                want(f.read() == old, f"{wrong}: the file is another")
            want(not os.path.exists(other), f"{wrong}: a file was left")


@prop("a file that takes nothing is said to be so at once")
def _():
    need_switches("trace")
    run = mmlens("record", "-o", "/dev/full", "--cpu", 0).expect(1)
    want("No space left" in run.error_line(), f"not said why: {run}")


@prop("a recording to standard output is whole: no word of ours is in it")
def _():
    need_switches("trace")
    with tempfile.TemporaryDirectory() as d:
        path = path_in(d)
        with open(path, "wb") as out:
            done = subprocess.run([MMLENS, "record", "-o", "/dev/stdout", "-d", "0.2"], stdin=subprocess.DEVNULL,
                                  stdout=out, stderr=subprocess.PIPE, check=False)
        want_equal(done.returncode, 0, f"exit status ({done.stderr!r})")
        want(b" switches in " in done.stderr, f"no summary: {done.stderr!r}")
        report(path)


@prop("a filter without a length is a window until it is interrupted")
def _():
    need_switches("trace")
    with tempfile.TemporaryDirectory() as d, Subject("switch-sleeper", ROUNDS) as s:
        path = path_in(d)
        process = recorder(path, "--tid", s["pid"], lasts=())
        s.go()
        stop(process)
        want(report(path)["switches"] >= ROUNDS, "its switches are not in the file")


@prop("a file of the state alone is said to be one")
def _():
    with tempfile.TemporaryDirectory() as folder:
        mmlens("record", "-o", path_in(folder)).expect(0)
        line = mmlens("report", path_in(folder)).expect(1).error_line()
        want(re.search(r"state of \d+ tasks and no events", line), line)


@prop("report: {what} is refused with one line", what=["no file", "a directory", "a text"])
def _(what):
    path = {"no file": "/nonexistent/file", "a directory": "/tmp", "a text": __file__}[what]
    mmlens("report", path).expect(1).error_line()


# ---- an independent reader of protobuf's wire format ----

def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    """[(number, value)] of a message; bytes where it is a string or a message."""
    found, at = [], 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 1:
            value, at = int.from_bytes(data[at:at + 8], "little"), at + 8
        else:
            want_equal(key & 7, 2, "wire type")
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            want_equal(len(value), size, "length of a field")
        found.append((key >> 3, value))
    return found


class Page(html.parser.HTMLParser):
    """Cells of the rows of each table, by the heading above it; every element must be closed."""

    VOID = ("meta", "circle", "line", "polyline", "path", "rect")

    def __init__(self, text):
        super().__init__()
        self.open, self.tables, self.heading, self.loads = [], {}, "", []
        self.feed(text)
        want_equal(self.open, [], "elements left open")

    def handle_starttag(self, tag, attrs):
        self.loads += [value for name, value in attrs if name in ("src", "href")] + ["script"] * (tag == "script")
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "h2":
            self.heading = ""
        elif tag == "tr":
            self.tables.setdefault(self.heading, []).append([])
        elif tag in ("td", "th"):
            self.tables[self.heading][-1].append("")

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            want_equal(self.open.pop(), tag, "the element that ends")

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.heading += data
        elif self.open and self.open[-1] in ("td", "th"):
            self.tables[self.heading][-1][-1] += data


@prop("--html: one page that loads nothing and has the counts of --json, whatever a task calls itself")
def _():
    need_switches("trace")
    name = "<i>&'\"<b>"
    with tempfile.TemporaryDirectory() as folder:
        path, program = path_in(folder), path_in(folder, name)
        os.symlink("/bin/sleep", program)
        mmlens("record", "-o", path, "--", program, "0.2").expect(0)
        out = path_in(folder, "page.html")
        mmlens("report", "--html", out, path).expect(0)
        document = report(path)
        with open(out, encoding="utf-8") as f:
            text = f.read()
    page = Page(text)
    want_equal(page.loads, [], "loads")
    want("<svg" in text or not document["cost_end"], "no picture of the costs")
    head, *rows = page.tables["Classes"]
    told = {row[head.index("CLASS")]: int(row[head.index("COUNT")].replace(",", "")) for row in rows}
    want_equal(told, {c["class"]: c["count"] for c in document["classes"]}, "classes")
    head, *rows = page.tables["Tasks"]
    want(name in {row[head.index("COMM")] for row in rows}, lambda: f"no {name} among {rows[:9]}")


@prop("--html: a place that cannot be written to is one line of error")
def _():
    need_switches("trace")
    with tempfile.TemporaryDirectory() as folder, Subject("switch-threads", 100) as s:
        path, _ = recorded(folder, s)
        mmlens("report", "--html", "/nonexistent/page.html", path).expect(1).error_line()
        mmlens("report", "--html", path_in(folder, "a"), "--trace", path).expect(2).error_line()


@prop("--perfetto: slices nest on known tracks, CPUs' are the switches, flows end where they began")
def _():
    need_switches("trace")
    with tempfile.TemporaryDirectory() as folder, Subject("switch-processes", ROUNDS) as s:
        path, _ = recorded(folder, s)
        out = path_in(folder, "trace.pftrace")
        mmlens("report", "--perfetto", out, path).expect(0)
        events = lines(path)
        with open(out, "rb") as f:
            packets = [dict(fields(value)) for number, value in fields(f.read()) if number == 1]
    tracks, depth, begun, flows, ended, loads = {}, {}, 0, set(), set(), {}
    colours, last = {}, 0
    for packet in packets:
        want_equal(packet[10], 1, "sequence")
        if 60 in packet:
            track = dict(fields(packet[60]))
            want(track[1] and track[1] not in tracks, f"a track is told twice: {track}")
            want(track.get(5, 0) == 0 or track[5] in tracks, f"its group is not told: {track}")
            tracks[track[1]] = track[2].decode()
            continue
        want(packet[8] >= last, "time goes back")
        last = packet[8]
        event = dict(fields(packet[11]))
        if event[9] == 1 and tracks.get(event[11], "").startswith("CPU "):
            colours.setdefault(event[23].decode(), set()).add(event.get(53, b"").decode())
        want(event[11] in tracks, f"no such track: {event}")
        depth.setdefault(event[11], 0)
        depth[event[11]] += {1: 1, 2: -1}.get(event[9], 0)
        want(depth[event[11]] in (0, 1), f"{tracks[event[11]]}: slices {depth[event[11]]} deep")
        begun += event[9] == 1 and re.fullmatch(r"CPU \d+", tracks[event[11]]) is not None
        flows |= {event[47]} if 47 in event else set()
        ended |= {event[48]} if 48 in event else set()
        if event[9] == 4:
            loads[event[11]] = event[30]
    want_equal([tracks[t] for t, deep in depth.items() if deep], [], "tracks whose slices do not end")
    # one colour for each space, by its id; the UI takes digits out of names, but not out of this
    want(all(len(ids) == 1 for ids in colours.values()), f"colours of a space: {colours}")
    told = [min(ids) for name, ids in colours.items() if name.startswith("@")]
    want_equal(len(set(told) - {""}), len(told), "colours of different spaces")
    want_equal({ids for name, ids in ((n, min(i)) for n, i in colours.items())
                if not name.startswith("@")} - {""}, set(), "colours of the kernel")
    switches = [e for e in events if "class" in e]
    arrivals = sum(e["next"]["tid"] != 0 for e in switches)
    # an exec ends a slice and begins one of the new name
    execs = sum(e.get("event") == "exec" for e in events)
    want(arrivals <= begun <= arrivals + execs, f"{begun} slices of CPUs, {arrivals} arrivals, {execs} execs")
    want(ended and ended <= flows, "a flow ends that never began")
    want_equal(sum(loads.values()), sum(e["class"] in ("process", "back-other") for e in switches),
               "loads counted")


main()
