# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's own word on pages: /proc/PID/maps, pagemap and kpageflags, read without haste."""
import array
import os

PAGE = os.sysconf("SC_PAGESIZE")
PRESENT, SWAPPED, FILE, EXCLUSIVE = 1 << 63, 1 << 62, 1 << 61, 1 << 56
FRAME = (1 << 55) - 1
# linux/kernel-page-flags.h
KPF = {"anon": 12, "huge": 17, "ksm": 21, "thp": 22, "zero": 24}


def entries(pid, start, end):
    """The entries of pagemap from start to end; the kernel's half has none."""
    if start >= 1 << 63:
        return []
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as f:
        f.seek(start // PAGE * 8)
        wanted, data = (end - start) // PAGE * 8, b""
        while len(data) < wanted:
            part = f.read(wanted - len(data))
            if not part:
                break
            data += part
    values = array.array("Q", data).tolist()
    return values + [0] * ((end - start) // PAGE - len(values))


def _of_frame(path, frame):
    with open(path, "rb", buffering=0) as f:
        f.seek(frame * 8)
        return int.from_bytes(f.read(8), "little")


def flags(frame):
    return _of_frame("/proc/kpageflags", frame)


def mapped(frame):
    """How many times."""
    return _of_frame("/proc/kpagecount", frame)


def has_flag(frame, name):
    return bool(flags(frame) >> KPF[name] & 1)


def merged(pid, start, end):
    """Merged pages of a range that is whole mappings: by smaps (6.8), whose word is better than that
    of the flags, which call every anonymous page merged from 6.10 on until that was mended."""
    inside, pages, told = False, 0, False
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="surrogateescape") as f:
        for line in f:
            word = line.split()
            if "-" in word[0] and not word[0].endswith(":"):
                inside = start <= int(word[0].split("-")[0], 16) < end
            elif word[0] == "KSM:" and inside:
                told, pages = True, pages + int(word[1]) * 1024 // PAGE
    if told:
        return pages
    return sum(has_flag(e & FRAME, "ksm") for e in entries(pid, start, end) if e & PRESENT)


def mappings(pid):
    """[(start, end, perms, name)] of maps, the kernel's half left out."""
    out = []
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="surrogateescape") as f:
        for line in f:
            parts = line.rstrip("\n").split(None, 5)
            start, end = (int(x, 16) for x in parts[0].split("-"))
            if start < 1 << 63:
                out.append((start, end, parts[1], parts[5] if len(parts) > 5 else ""))
    return out


def pair_counts(pid_a, pid_b, start, end):
    """(same, different, absent) of a range of two spaces."""
    same = different = absent = 0
    for a, b in zip(entries(pid_a, start, end), entries(pid_b, start, end)):
        if not a & b & PRESENT:
            absent += 1
        elif (a ^ b) & FRAME:
            different += 1
        else:
            same += 1
    return same, different, absent


def common(pid_a, pid_b):
    """The ranges that both have mapped."""
    theirs = mappings(pid_b)
    for start, end, _, _ in mappings(pid_a):
        for other_start, other_end, _, _ in theirs:
            low, high = max(start, other_start), min(end, other_end)
            if low < high:
                yield low, high
