# SPDX-License-Identifier: GPL-2.0-only
"""scripts/kernels.tsv, the one list of kernels, for tests and for whoever runs them."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TABLE = os.path.join(ROOT, "scripts", "kernels.tsv")


def rows():
    """[{column: value}] in the order of the file."""
    with open(TABLE, encoding="utf-8") as f:
        lines = [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]
    return [dict(zip(lines[0], values)) for values in lines[1:]]


def row_of(label):
    """The row of a label; ends the program where there is none."""
    known = {row["label"]: row for row in rows()}
    if label not in known:
        sys.exit(f"tests: there is no kernel '{label}', only {' '.join(known)}")
    return known[label]


def files_of(row):
    """The files of tests/live that `make check` runs there; [] for all of them."""
    return [] if row["check"] in ("all", "sample", "-") else row["check"].split(",")


def is_debug(row):
    """Whether it is there to report faults: an own build, with a configuration of its own."""
    return row["config"] != "-"


def is_sampled(row):
    """Whether a property is tried with every value of its axes there, not with every combination."""
    return row["check"] not in ("all", "-")


if __name__ == "__main__":
    # What `make check` runs when nobody chooses.
    print(*[row["label"] for row in rows() if row["check"] != "-"])
