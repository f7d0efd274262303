# SPDX-License-Identifier: GPL-2.0-only
"""What documents and packaging say of kernels is what scripts/kernels.tsv says, and no more."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from kernels import ROOT, rows  # noqa: E402
from tap import main, prop, want, want_equal  # noqa: E402

COLUMNS = ["label", "arch", "suites", "package", "env", "accel", "mem", "cpus", "config", "append",
           "weight", "check"]


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def supported():
    """Labels of Debian's own kernels; what is built here is a test's tool."""
    return [row["label"] for row in rows() if row["config"] == "-"]


def oldest():
    """(major, minor) of the oldest kernel in the list."""
    numbers = [re.search(r"(\d+)\.(\d+)", row["label"]) for row in rows()]
    return min((int(n[1]), int(n[2])) for n in numbers if n)


@prop("every row has every column, and no label occurs twice")
def _():
    for row in rows():
        want_equal(list(row), COLUMNS, f"columns of {row.get('label')}")
        want(all(row.values()), f"{row['label']}: a column is empty; '-' says nothing")
    labels = [row["label"] for row in rows()]
    want_equal(len(labels), len(set(labels)), "labels")


@prop("what a row names in this tree is there")
def _():
    for row in rows():
        named = [] if row["config"] == "-" else row["config"].split(",")
        if row["check"] not in ("all", "sample", "-"):
            named += [f"tests/live/{name}.py" for name in row["check"].split(",")]
        missing = [path for path in named if not os.path.exists(os.path.join(ROOT, path))]
        want(not missing, f"{row['label']} names {missing}")


@prop("README's table of kernels has the rows of the list, in its order")
def _():
    table = re.findall(r"^\| `([\w.-]+)` +\| (\w+) +\|", text_of("README.md"), re.MULTILINE)
    want_equal(table, [(r["label"], r["arch"]) for r in rows() if r["config"] == "-"],
               "labels and architectures")


@prop("the oldest kernel is the same in README, manual and DKMS")
def _():
    wanted = ".".join(map(str, oldest()))
    for path in ("README.md", "user/mmlens.rst"):
        said = re.search(r"kernels? from (\d+\.\d+)", text_of(path))
        want(said, f"{path} does not say 'kernels from N.N'")
        want_equal(said[1], wanted, path)
    dkms = re.search(r'^BUILD_EXCLUSIVE_KERNEL="(.*)"', text_of("kmod/dkms.conf"), re.MULTILINE)
    want(dkms, "dkms.conf has no BUILD_EXCLUSIVE_KERNEL")
    major, minor = oldest()
    for numbers, taken in (((major, minor), True), ((major, minor + 1), True), ((major + 1, 0), True),
                           ((major + 5, 3), True), ((major, minor - 1), False), ((major - 1, 19), False)):
        release = f"{numbers[0]}.{numbers[1]}.0-1-amd64"
        want_equal(bool(re.search(dkms[1], release)), taken, f"dkms.conf takes {release}")


@prop("a row of expected-skips.tsv is for a label that exists, and has a reason")
def _():
    import fnmatch  # pylint: disable=import-outside-toplevel
    labels = ["host", *[row["label"] for row in rows()]]
    for line in text_of("tests/expected-skips.tsv").splitlines():
        if line and not line.startswith("#"):
            where, test, reason = line.split("\t")
            want(any(fnmatch.fnmatchcase(label, where) for label in labels), f"{where}: no such label")
            want(test.strip() and reason.strip(), f"{line!r}: no test or no reason")


main()
