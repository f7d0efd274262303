# SPDX-License-Identifier: GPL-2.0-only
"""TAP read back, skips held against the expected ones, and the verdict."""
import fnmatch
import re

_LINE = re.compile(r"(?P<word>ok|not ok)\b *(?P<number>\d+)? *(?:- )?(?P<rest>.*)")
_SECONDS = re.compile(r"# (\d+\.\d+) s")
_SKIP = re.compile(r"(?P<text>.*?)\s*# *skip\S*\s*(?P<why>.*)", re.IGNORECASE)


class Test:
    def __init__(self, suite, name, word, why=""):
        self.suite, self.name, self.word, self.why = suite, name, word, why
        self.notes = []
        self.seconds = None

    @property
    def title(self):
        return f"{self.suite}: {self.name}"


def parse_line(suite, line):
    """A Test, or None for any other line of TAP."""
    match = _LINE.fullmatch(line)
    if not match:
        return None
    skipped = _SKIP.fullmatch(match["rest"])
    if skipped and match["word"] == "ok":
        return Test(suite, skipped["text"], "skip", skipped["why"])
    return Test(suite, match["rest"], match["word"])


def parse(suite, text, status):
    """All tests of one program's output; what it promised and did not run is a failure."""
    tests, planned = [], None
    for line in text.splitlines():
        plan = re.fullmatch(r"1\.\.(\d+)(?: *# *skip *(.*))?", line, re.IGNORECASE)
        test = parse_line(suite, line)
        if plan:
            planned = int(plan[1])
        elif test:
            tests.append(test)
        elif tests and (took := _SECONDS.fullmatch(line)):
            tests[-1].seconds = float(took[1])
        elif tests and line.startswith("#"):
            tests[-1].notes.append(line[1:].strip())
    tests += _broken(suite, text, tests, planned, status)
    return tests


def _broken(suite, text, tests, planned, status):
    """A program that died or lost tests on the way gets a failure of its own."""
    bad = any(t.word == "not ok" for t in tests)
    if planned is None:
        why = f"ended with status {status} before its plan"
    elif not planned:
        why = "has no test at all"
    elif planned != len(tests):
        why = f"promised {planned} tests and ran {len(tests)}"
    elif status and not bad:
        why = f"ended with status {status} though no test failed"
    else:
        return []
    failure = Test(suite, why, "not ok")
    failure.notes = text.splitlines()[-25:]
    return [failure]


class Expected:
    """The list of skips that a kernel is known to need: label, glob of the title, reason."""

    def __init__(self, path, label):
        self.rows = []
        with open(path, encoding="utf-8") as f:
            for line in f:
                if line.strip() and not line.startswith("#"):
                    self._add(line.rstrip("\n").split("\t"), path, label)

    def _add(self, row, path, label):
        if len(row) != 3:
            raise SystemExit(f"{path}: not three columns: {row}")
        if fnmatch.fnmatchcase(label, row[0]):
            # What is only at times skipped need not have been this time.
            self.rows.append({"glob": row[1], "met": row[2].startswith("at times: "), "seen": False})

    def judge(self, test):
        """Turns a skip that nobody expected into a failure."""
        for row in self.rows:
            if fnmatch.fnmatchcase(test.title, row["glob"]):
                row["seen"] = True
                row["met"] |= test.word == "skip"
                if test.word == "skip":
                    return
        if test.word == "skip":
            test.word = "not ok"
            test.notes.insert(0, f"unexpected skip: {test.why}")

    def unmet(self, complete):
        """[(glob, what is wrong)] of rows that the list is to lose: their tests ran after all or,
        where everything was run, do not exist."""
        return [(row["glob"], "was expected to be skipped and ran" if row["seen"] else "names no test")
                for row in self.rows if not row["met"] and (row["seen"] or complete)]
