# SPDX-License-Identifier: GPL-2.0-only
"""Witnesses agree about every task of a quiet system, and a fault put into a record is named."""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    LIMIT, MMLENS, SOURCES, Subject, have, main, mmlens, prop, skip, want, want_equal)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def forge(path, old, new):
    """Replaces the first `old` in the file's first block and makes its checksum true again."""
    with open(path, "r+b") as f:
        data = bytearray(f.read())
        at = data.index(old)
        data[at:at + len(old)] = new
        length = struct.unpack_from("<I", data, 24)[0]
        struct.pack_into("<I", data, 28, crc32c(bytes(data[16:28] + data[32:32 + length])))
        f.seek(0)
        f.write(data)


@prop("doctor: all witnesses agree about {name}", name=["crowd", "unshare-files", "zombie", "ptraced"])
def _(name):
    have("doctor")
    with Subject(name) as s:
        doc = mmlens("doctor", "--json").json()
        want(len(doc["witnesses"]) >= 2, "there is one witness only")
        want(doc["compared"] >= len(s.tids), "nothing was compared")
        want_equal(doc["disagreements"], [], "disagreements")


@prop("doctor: with --source that witness alone is asked, and must serve")
def _():
    asked = {w["source"] for w in mmlens("doctor", "--json", "--source=procfs").json()["witnesses"]}
    want_equal(asked, {"procfs"}, "witnesses")
    if "module" not in SOURCES:
        mmlens("doctor", "--source=module").expect(3).error_line()


# What the living /proc then says of three threads: each lie is told in one file, of one field.
LIES = {"tid1": ("stat", rb"\(subject", b"(sabject", "comm"),
        "tid2": ("stat", rb"(\) . )\d+", rb"\g<1>1", "ppid"),
        "tid3": ("status", rb"(\nUid:\t)\d+", rb"\g<1>4711", "uid")}


@prop("doctor: a living witness that lies of one thread is named with the field, and of no other")
def _():
    if os.geteuid():
        skip("only root can mount over a file of /proc")
    with Subject("threads") as s, tempfile.TemporaryDirectory() as where:
        script, wanted = "", set()
        for role, (name, said, instead, field) in LIES.items():
            truth = f"/proc/{s.tids['pid']}/task/{s.tids[role]}/{name}"
            lie = os.path.join(where, role)
            with open(truth, "rb") as f, open(lie, "wb") as g:
                text, n = re.subn(said, instead, f.read())
                want_equal(n, 1, f"{field} in {truth}")
                g.write(text)
            script += f"mount --bind {lie} {truth} || exit 99; "
            wanted.add((s.tids[role], field))
        # the lies are seen by this doctor alone
        done = subprocess.run(["unshare", "-m", "--propagation=private", "sh", "-c",
                               f"{script} exec {MMLENS} doctor --json"],
                              capture_output=True, timeout=LIMIT // 2, check=False)
        want_equal(done.returncode, 1, f"exit status ({done.stderr!r})")
        found = json.loads(done.stdout)["disagreements"]
        want_equal({(d["task"]["tid"], d["field"]) for d in found if d["task"]["tid"] in s.tids.values()},
                   wanted, "what is named")


@prop("doctor: a name changed in a recorded file is found, with its task and field")
def _():
    have("record")
    with Subject("fork"), tempfile.TemporaryDirectory() as where:
        good, bad = os.path.join(where, "good"), os.path.join(where, "bad")
        for path in (good, bad):
            mmlens("record", "--source=procfs", "-o", path).expect(0)
        forge(bad, b"\x07subject", b"\x07sabject")
        run = mmlens("doctor", "--json", "--from", good, "--against", bad)
        want_equal(run.status, 1, "exit status")
        want(b'"field": "comm"' in run.out and b"sabject" in run.out, f"not named: {run}")
        named = [d["task"]["comm"] for d in json.loads(run.out)["disagreements"]]
        want("subject" in named, f"the task is not named: {named}")


@prop("--from: a cut or damaged file is refused in one line")
def _():
    have("record")
    with tempfile.TemporaryDirectory() as where:
        path = os.path.join(where, "state")
        mmlens("record", "--source=procfs", "-o", path).expect(0)
        with open(path, "rb") as f:
            whole = f.read()
        for data in (b"", whole[:7], whole[:40], whole[:len(whole) // 2],
                     whole[:100] + b"\xff" + whole[101:], b"\x7fELF" + whole[4:]):
            with open(path, "wb") as f:
                f.write(data)
            run = mmlens("list", "--from", path).expect(1)
            run.error_line()
            want_equal(run.out, b"", "standard output")


main()
