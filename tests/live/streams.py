# SPDX-License-Identifier: GPL-2.0-only
"""Ends of streams: interrupts, closed pipes, windows, and one JSON object a line."""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    LIMIT, MMLENS, PATIENCE, Subject, have, main, mmlens, need_switches, prop, strict_json, want, want_equal,
    watching)

EVENTS = ["stat", "trace"]


def start(*args, **more):
    return subprocess.Popen([MMLENS, *map(str, args)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def interrupted(number, *args):
    """(status, out, err) of a command that gets a signal while it watches."""
    process = start(*args)
    watching(process)
    process.send_signal(number)
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, out, err


@prop("{command}: {name} ends it with its summary and exit 0", command=EVENTS,
      name=["SIGINT", "SIGTERM"])
def _(command, name):
    need_switches(command)
    status, out, err = interrupted(getattr(signal, name), command)
    want_equal((status, err.startswith(b"mmlens: ")), (0, False), f"status, error ({err!r})")
    want(out.strip(), "nothing was printed")


@prop("stat --json: SIGINT leaves a whole document")
def _():
    need_switches("stat")
    status, out, err = interrupted(signal.SIGINT, "stat", "--json")
    want_equal(status, 0, f"status ({err!r})")
    want_equal(strict_json(out)["schema"], "mmlens.stat/1", "schema")


def objects(data):
    """The objects of a trace; each line must be one."""
    want(data.endswith(b"\n"), "the last line is cut")
    return [strict_json(line) for line in data.splitlines()]


@prop("trace --json: SIGINT leaves whole lines")
def _():
    need_switches("trace")
    status, out, err = interrupted(signal.SIGINT, "trace", "--json")
    want_equal(status, 0, f"status ({err!r})")
    want(objects(out), "no line")


@prop("{command}: a reader that closes the pipe ends it quietly",
      command=["list", "list --json", "trace", "trace --json", "stat -d 0.5", "show 2", "doctor"])
def _(command):
    have(command.split()[0])
    if command.split()[0] in EVENTS:
        need_switches(command.split()[0])
    process = start(*command.split())
    process.stdout.close()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    want_equal(process.stderr.read(), b"", "standard error")
    process.stderr.close()
    want(process.returncode in (0, 141, -signal.SIGPIPE), f"exit status {process.returncode}")


@prop("{command}: -d is the length of the window", command=EVENTS)
def _(command):
    need_switches(command)
    begin = time.monotonic()
    mmlens(command, "-d", "1").expect(0)
    took = time.monotonic() - begin
    want(1 <= took < PATIENCE // 2, f"it took {took:.1f} s")


@prop("{command}: -- COMMAND is run, and measured to its end", command=EVENTS)
def _(command):
    need_switches(command)
    run = mmlens(command, "--json", "--", "sh", "-c", "sleep 0.3; echo said >&2").expect(0)
    want(b"said" in run.err, f"the command did not run: {run}")


@prop("stat: a command that cannot be run is exit 1 and one line")
def _():
    need_switches("stat")
    mmlens("stat", "--", "/nonexistent/command").expect(1).error_line()


@prop("trace: every line has time, cpu, class and both tasks, and time does not go back on a CPU")
def _():
    need_switches("trace")
    with Subject("switch-threads", 200) as s:
        process = start("trace", "--json", "-d", "4")
        watching(process)
        s.go()
        out, err = process.communicate(timeout=LIMIT // 2)
    want_equal(process.returncode, 0, f"status ({err!r})")
    last = {}
    for event in objects(out):
        if "class" in event:
            want({"ts", "cpu", "class", "prev", "next"} <= set(event), f"keys of {event}")
            want(event["ts"] >= last.get(event["cpu"], 0), f"time goes back: {event}")
            last[event["cpu"]] = event["ts"]
    want(last, "no switch")


main()
