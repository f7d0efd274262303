# SPDX-License-Identifier: GPL-2.0-only
"""The list of expected skips names what is there, and tests/run holds what was skipped against it."""
import fnmatch
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from kernels import ROOT, rows  # noqa: E402
from results import Expected, parse  # noqa: E402
from tap import main, prop, want, want_equal  # noqa: E402

LIST = os.path.join(ROOT, "tests", "expected-skips.tsv")
TAP = """ok 1 - it runs
ok 2 - it is old # SKIP the kernel is too old
1..2
"""


def judged(listed, text=TAP, status=0, label="6.12"):
    """({name: word} of what a program printed, what the list is told to lose) under a list of skips."""
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as f:
        f.write(listed)
        f.flush()
        expected = Expected(f.name, label)
    tests = parse("live/some", text, status)
    for test in tests:
        expected.judge(test)
    return {t.name: t.word for t in tests}, expected.unmet(complete=True)


def runs(target, *words):
    """What make would call for a target."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "KERNELS"))}
    said = subprocess.run(["make", "-n", "-C", ROOT, target, *words], check=True, env=env,
                          capture_output=True, text=True).stdout
    return next(line for line in said.splitlines() if "tests/run" in line).split()


@prop("every row is of a kernel of the list and of a file of tests")
def _():
    labels = ["host", *(row["label"] for row in rows())]
    with open(LIST, encoding="utf-8") as f:
        listed = [line.split("\t") for line in f if not line.startswith("#")]
    for label, test, _reason in listed:
        want(fnmatch.filter(labels, label), f"no kernel is meant by {label!r}, {test!r}")
        path = re.match(r"([\w/]+):", test)
        want(path and os.path.exists(os.path.join(ROOT, "tests", path[1] + ".py")), f"no file has {test!r}")


@prop("a skip that nobody expected of this kernel fails, one that is expected does not")
def _():
    wanted = {"it runs": "ok", "it is old": "skip"}
    want_equal(judged("6.1*\tlive/some: it is old\twhy\n"), (wanted, []), "expected")
    for other in ("", "5.10\tlive/some: it is old\twhy\n", "6.12\tlive/other: it is old\twhy\n"):
        words, _ = judged(other)
        want_equal(words, wanted | {"it is old": "not ok"}, f"under the list {other!r}")


@prop("a row whose test ran, or that names none, is told")
def _():
    _, unmet = judged("6.12\tlive/some: it *\twhy\n6.12\tlive/some: it runs\twhy\n6.12\tlive/some: none\twhy\n")
    want_equal(unmet, [("live/some: it runs", "was expected to be skipped and ran"),
                       ("live/some: none", "names no test")], "rows that are not met")


@prop("a program that ends before its plan, or without success, has failed")
def _():
    for text, status in ((TAP[:-5], 0), (TAP.replace("1..2", "1..3"), 0), (TAP, 1), ("1..0\n", 0)):
        words, _ = judged("6.12\tlive/some: it is old\twhy\n", text, status)
        want("not ok" in words.values(), f"{text!r} with status {status} is {words}")


@prop("make check keeps each kernel to its part, make check KERNELS= and make check-vm run all there")
def _():
    want("--budget" in runs("check"), "make check runs everything everywhere")
    for target in ("check", "check-vm"):
        words = runs(target, "KERNELS=6.12")
        want("--budget" not in words and not [w for w in words if w.startswith("--only")], f"{words}")
        want_equal([w for w in words if w.startswith("vm:")], ["vm:6.12"], f"kernels of {target}")


main()
