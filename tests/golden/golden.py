# SPDX-License-Identifier: GPL-2.0-only
"""Recorded states, printed by every command that reads one: byte for byte what was agreed.

No right is needed and no living task is asked. vm.hex is a pid namespace of the VM as the module
saw it; tests/data has a file of each version there has been, states (record-*) and windows with
their events (events-*), and a window from another architecture. What changed on purpose is written
anew by `python3 tests/golden/golden.py --update`, and read in the diff.
"""
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from mmlens_test import main, mmlens, on_terminal, prop, want, want_equal  # noqa: E402

DATA = os.path.join(HERE, "..", "data")
FILES = {"vm": os.path.join(HERE, "vm.hex"), "v1": os.path.join(DATA, "record-v1.hex"),
         "v2": os.path.join(DATA, "record-v2.hex"),
         "window1": os.path.join(DATA, "events-v1.hex"),
         "arm64": os.path.join(DATA, "events-arm64.hex")}
# pids of vm.hex: a crowd, a vfork, hostile names, a thread with files of its own, a zombie
VIEWS = ["vm list", "vm list --tree", "vm list --json", "vm list --sort=rss --bytes --comm=subject",
         "vm list --cgroup=/ -o PID,TASKS", "vm show {crowd}", "vm show {hostile} --all",
         "vm show {unshared} --json", "vm show {zombie}", "vm show {vfork}",
         "vm compare {crowd} {thread}", "vm compare {vfork} {crowd} -v",
         "vm compare {crowd} {thread} --json", "v1 list", "v1 show {v_threads}", "v2 list",
         "v2 show {v_threads}", "v2 list --cgroup=/ --raw", "window1 report --by=class,task,cpu",
         "window1 report --tid={game} --json", "window1 report --trace", "arm64 show 1",
         "arm64 report --by=class,task,cpu", "arm64 report --trace"]
PIDS = {"crowd": 4, "thread": 10, "hostile": 6, "unshared": 7, "zombie": 17, "vfork": 13,
        "v_threads": 4, "game": 6}


def bytes_of(name):
    with open(FILES[name], encoding="ascii") as f:
        return bytes.fromhex("".join(f.read().split()))


def as_anybody():
    """Who runs the tests as root is nobody here: golden tests may not need a right."""
    return {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}


def printed(view):
    """(what the command prints, its exit status), the same wherever it runs."""
    name, *args = view.split()
    with tempfile.TemporaryDirectory() as where:
        os.chmod(where, 0o755)
        path = os.path.join(where, "state")
        with open(path, "wb") as f:
            f.write(bytes_of(name))
        env = {"PATH": os.environ["PATH"], "COLUMNS": "100", "LC_ALL": "C.UTF-8"}
        file = [path] if args[0] == "report" else ["--from", path]
        run = mmlens(args[0], *file, *[a.format(**PIDS) for a in args[1:]], env=env, **as_anybody())
        return run.out + run.err.replace(path.encode(), b"FILE"), run.status


def golden_path(view):
    name = "".join(c if c.isalnum() else "-" for c in view).strip("-")
    while "--" in name:
        name = name.replace("--", "-")
    return os.path.join(HERE, f"{name}.txt")


@prop("{view}: prints what was agreed", view=VIEWS)
def _(view):
    with open(golden_path(view), "rb") as f:
        agreed = f.read()
    out, status = printed(view)
    want_equal(status, 0, f"exit status of {view}: {out!r}")
    want(out == agreed, lambda: f"{view} prints\n{out.decode('utf-8', 'replace')}\nagreed was\n"
         f"{agreed.decode('utf-8', 'replace')}")


@prop("report {option} on a full disk: one line names the disk, not the recording, and why",
      option=["--perfetto", "--html"])
def _(option):
    out, status = printed(f"window1 report {option}=/dev/full")
    want_equal(status, 1, "exit status")
    want_equal(out, b"mmlens: /dev/full: cannot be written: No space left on device\n", "told")


@prop("a file of version {version} tells the same tasks as one of now", version=["v1"])
def _(version):
    kinds = [line.split()[1:] for line in printed(f"{version} list --raw -o TASKS,MEMBERS,COMM")[0]
             .decode().splitlines()]
    now = [line.split()[1:] for line in printed("v2 list --raw -o TASKS,MEMBERS,COMM")[0]
           .decode().splitlines()]
    want_equal(kinds[:-1], now[:-1], "spaces, without that of the recorder")


@prop("doctor: on {columns} columns its table is no wider, and no word of it is cut", columns=[60, 80])
def _(columns):
    with tempfile.NamedTemporaryFile() as f:
        f.write(bytes_of("v2"))
        f.flush()
        wide = mmlens("doctor", "--from", f.name).expect(0).out.decode()
        narrow = "\n".join(on_terminal(columns, "doctor", "--from", f.name))
    table = narrow.split("\n\n")[0]
    longest = max(table.splitlines(), key=len)
    want(len(longest) <= columns, f"wider than the terminal: {longest!r}")
    want_equal(sorted(table.split()), sorted(wide.split("\n\n")[0].split()), "words")


def update():
    for view in VIEWS:
        with open(golden_path(view), "wb") as f:
            f.write(printed(view)[0])


if "--update" in sys.argv:
    update()
else:
    main()
