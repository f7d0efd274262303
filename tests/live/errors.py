# SPDX-License-Identifier: GPL-2.0-only
"""Questions that have no answer: one clear line or a true answer, and the contract's exit status."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    LIMIT, SOURCES, Subject, commands, have, inspect, main, mmlens, need_source, prop, skip, tasks_of, want, want_equal)

NOT_PIDS = ["", "x", "1x", "0x10", "-1", "0", "1.5", " 7", "1099511627776", "18446744073709551617",
            "2147483648", "99999999999999999999999", "1\n2"]
PID_COMMANDS = ["show", "compare", "pages"]
NOBODY = 65534


def arguments_of(command, pid):
    return [pid, os.getpid()] if command == "compare" else [pid]


def gone_pid():
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


@prop("{command}: {pid!r} is refused in one line, exit 1 or 2", command=PID_COMMANDS, pid=NOT_PIDS)
def _(command, pid):
    have(command)
    run = mmlens(command, "--", *arguments_of(command, pid))
    want(run.status in (1, 2), f"exit status: {run}")
    run.error_line()
    want_equal(run.out, b"", "standard output")


@prop("{command}: a pid that is gone is said to be so, exit 1 ({source})",
      command=PID_COMMANDS, source=SOURCES)
def _(command, source):
    have(command)
    need_source(source)
    pid = gone_pid()
    run = mmlens(command, f"--source={source}", *arguments_of(command, pid)).expect(1)
    want(str(pid) in run.error_line(), f"the line does not name the pid: {run}")
    want_equal(run.out, b"", "standard output")


@prop("{command} --json: a pid that is gone leaves no half document",
      command=PID_COMMANDS)
def _(command):
    have(command)
    run = mmlens(command, "--json", *arguments_of(command, gone_pid())).expect(1)
    want_equal(run.out, b"", "standard output")


@prop("show: a kernel thread is a true answer ({source})", source=SOURCES)
def _(source):
    need_source(source)
    task = tasks_of(inspect("show", 2, source=source))[2]
    want_equal((task["kind"], task["space"], task["resources"]["mm"]), ("kthread", None, None),
               "kind, space, mm")
    mmlens("show", f"--source={source}", 2).expect(0)


@prop("show: a zombie is a true answer ({source})", source=SOURCES)
def _(source):
    need_source(source)
    with Subject("zombie") as s:
        child = s.tids["child"]
        task = tasks_of(inspect("show", child, source=source))[child]
        want_equal((task["kind"], task["space"]), ("zombie", None), "kind and space")
        mmlens("show", f"--source={source}", child).expect(0)


@prop("show: the tid of a thread answers for its process ({source})", source=SOURCES)
def _(source):
    need_source(source)
    with Subject("threads") as s:
        tasks = tasks_of(inspect("show", s.tids["tid2"], source=source))
        want(set(s.tids.values()) <= set(tasks), f"only {sorted(tasks)}")


def as_nobody():
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def need_root():
    if os.geteuid():
        skip("only root can become another user")


@prop("a plain user is told the truth about own tasks (procfs)")
def _():
    need_root()
    need_source("procfs")
    with Subject("other-user") as s:
        child = s.tids["child"]
        task = tasks_of(inspect("show", child, source="procfs", **as_nobody()))[child]
        want_equal((task["tid"], task["kind"]), (child, "process"), "tid and kind")


@prop("a plain user is refused or told less about root's task, never an empty table ({source})",
      source=[*SOURCES, "auto"])
def _(source):
    need_root()
    with Subject("threads") as s:
        run = mmlens("show", f"--source={source}", s.tids["pid"], **as_nobody())
        want(run.status in (0, 1, 3), f"exit status: {run}")
        if run.status:
            run.error_line()
        else:
            want(run.out.count(b"\n") >= 2, f"an empty table: {run}")


@prop("a privileged source says to a plain user what is missing, exit 3 ({source})",
      source=[s for s in SOURCES if s != "procfs"])
def _(source):
    need_root()
    need_source(source)
    run = mmlens("show", f"--source={source}", os.getpid(), **as_nobody()).expect(3)
    want(re.search(r"CAP_|root|permission|privilege", run.error_line(), re.IGNORECASE),
         f"the line does not say how to get it: {run}")


@prop("a source that is not here is said to be so, exit 3")
def _():
    if os.path.exists("/proc/mmlens/version"):
        skip("the module is loaded here")
    run = mmlens("show", "--source=module", os.getpid()).expect(3)
    want(re.search(r"mmlens\.ko|insmod|modprobe|module", run.error_line()), f"no way shown: {run}")


@prop("{args}: bad usage is exit 2 and one line",
      args=["nonsense", "show", "show --nonsense 1", "compare 1", "compare 1 2 3", "show --source=x 1",
            "list -o NOCOLUMN", "stat -d x", "stat -d -1", "record", "report", "trace -p x"])
def _(args):
    run = mmlens(*args.split()).expect(2)
    want(run.err.startswith(b"mmlens: ") or b"usage" in run.err.lower(), f"not explained: {run}")
    want_equal(run.out, b"", "standard output")


@prop("{command}: --from of what no file holds is refused, and not answered from the living",
      command=["pages", "channels", "stat", "trace", "prove", "stacks", "report"])
def _(command):
    run = mmlens(command, "--from", "/dev/null", os.getpid()).expect(2)
    want("--from" in run.error_line(), f"the line does not name the option: {run}")
    want_equal(run.out, b"", "standard output")


@prop("no command at all is exit 2 and the usage")
def _():
    run = mmlens().expect(2)
    want(b"usage" in (run.out + run.err).lower(), f"not explained: {run}")


@prop("--help and --version are answers: exit 0, on standard output")
def _():
    for args in ([["--help"], ["--version"]] + [[c, "--help"] for c in commands()]):
        run = mmlens(*args).expect(0)
        want(run.out and not run.err, f"{run}")


@prop("every command of the foundation is there")
def _():
    wanted = {"list", "show", "compare", "stat", "trace"}
    want(wanted <= set(commands()), f"missing: {sorted(wanted - set(commands()))}")


@prop("a full disk is an error, not a success: {args}",
      args=["list", "list --json", "--help", "doctor", "doctor --json"])
def _(args):
    if args.split()[0][0] != "-":
        have(args.split()[0])
    import subprocess  # pylint: disable=import-outside-toplevel
    from mmlens_test import MMLENS  # pylint: disable=import-outside-toplevel
    with open("/dev/full", "wb") as full:
        done = subprocess.run([MMLENS, *args.split()], stdout=full, stderr=subprocess.PIPE,
                              check=False, timeout=LIMIT // 2)
    want_equal(done.returncode, 1, f"exit status ({done.stderr!r})")
    want(done.stderr.startswith(b"mmlens: ") and b"No space left" in done.stderr,
         f"stderr: {done.stderr!r}")


main()
