# SPDX-License-Identifier: GPL-2.0-only
"""Names that want to break a line, a terminal, a table or JSON: in every command that prints names."""
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    Subject, commands, main, mmlens, need_switches, prop, strict_json, want, want_equal)

HOSTILE = b"\n\x1b[31m (deleted)\xff\t) R 1"
# command and its words; {pid} and {tid} are tasks of the subject, {file} a state recorded of it
PRINTING = ["list {pid}", "list", "list --tree", "show {pid}", "show --all {pid}", "compare {pid} {tid}",
            "compare -v {pid} {tid}", "pages {pid}", "pages --all {pid}", "pages --shared {pid}",
            "stacks {pid}", "channels {pid}", "stat -d 0.2 -p {pid}", "trace -d 0.2 -p {pid}", "doctor",
            "list --from {file}", "show --from {file} {pid}", "list --raw {pid}"]
JSON_LINES = {"trace"}


def harmless(text, what):
    """UTF-8, and of the control characters only the newline."""
    text = text.decode("utf-8", "strict")
    bad = re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    want(not bad, lambda: f"{what}: {text[max(0, bad.start() - 60):bad.end() + 20]!r}")


class Mapped:
    """Maps and opens a file of a hostile name in this very process, for pages and channels."""

    def __enter__(self):
        import mmap  # pylint: disable=import-outside-toplevel
        self.dir = tempfile.TemporaryDirectory()
        self.path = os.path.join(os.fsencode(self.dir.name), HOSTILE)
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT)
        os.ftruncate(self.fd, 8192)
        self.map = mmap.mmap(self.fd, 8192)
        self.map[0] = 1
        return self

    def __exit__(self, *_):
        self.map.close()
        os.close(self.fd)
        self.dir.cleanup()


def lines_of(words, s, path):
    pid, tid = s.tids["pid"], s.tids["tid1"]
    return [w.format(pid=pid, tid=tid, file=path) for w in words.split()]


@prop("{words}: text and JSON stay whole with hostile names", words=PRINTING)
def _(words):
    command = words.split()[0]
    if command not in commands():
        want(False, f"no command {command}")
    if command == "trace":
        need_switches(command)
    with Subject("hostile-comm") as s, tempfile.TemporaryDirectory() as where:
        path = os.path.join(where, "state")
        if "{file}" in words:
            mmlens("record", "-o", path).expect(0)
        run = mmlens(*lines_of(words, s, path))
        want(run.status in (0, 1), f"exit status: {run}")
        harmless(run.out, words)
        harmless(run.err, words)
        if "--raw" in words:
            return
        run = mmlens(command, "--json", *lines_of(words, s, path)[1:])
        want(run.status in (0, 1), f"exit status: {run}")
        for line in run.out.splitlines() if command in JSON_LINES else [run.out]:
            strict_json(line)


@prop("{command}: a mapped file of a hostile name stays on its line", command=["pages", "channels"])
def _(command):
    with Mapped():
        plain = mmlens(command, os.getpid()).expect(0)
        harmless(plain.out, command)
        document = mmlens(command, "--json", os.getpid()).json()
        if command == "pages":
            names = [r["name"] for r in document["regions"] if r["name"] and "(deleted)" in r["name"]]
            want_equal(len(names), 1, f"regions of that name, of {len(document['regions'])}")


def unescaped(text, pattern, base):
    return re.sub(pattern, lambda m: bytes([int(m[1], base)]), text)


@prop("hostile names: each odd byte is escaped once, in tables and raw, and the name can be had back")
def _():
    with Subject("hostile-comm") as s:
        pid = s.tids["pid"]
        name = bytes.fromhex(s.said["comm0"])
        shown = mmlens("list", "-o", "COMM", "--noheadings", pid).expect(0).out
        raw = mmlens("list", "-o", "COMM", "--noheadings", "--raw", pid).expect(0).out
        want_equal(unescaped(shown.strip(b"\n "), rb"\\([0-7]{3})", 8).strip(), name.strip(), "the table's name")
        want_equal(unescaped(raw.strip(b"\n"), rb"\\x([0-9a-f]{2})", 16), name, "the raw name")


@prop("hostile names: JSON tells each name to the byte where it is UTF-8, and escapes what is not")
def _():
    with Subject("hostile-comm") as s:
        document = mmlens("show", "--json", s.tids["pid"]).json()
        told = {t["tid"]: t["comm"] for t in document["tasks"]}
        for role, tid in s.tids.items():
            number = "0" if role == "pid" else role[3:]
            raw = bytes.fromhex(s.said.get(f"comm{number}", "").strip("-"))
            try:
                text = raw.decode("utf-8", "strict")
            except UnicodeDecodeError:
                want("\\x" in told[tid], f"{raw!r} told as {told[tid]!r}")
                continue
            if not re.search("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text):
                want_equal(told[tid], text, f"name of {tid}")


main()
