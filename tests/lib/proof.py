# SPDX-License-Identifier: GPL-2.0-only
"""What the measurements of `mmlens prove` come to by its manual page, said a second time."""
from tap import want, want_equal


def judged(m):
    """What an interval says of a difference."""
    if m["samples"] < 6:
        return "few"
    if m["low"] > 0 or m["high"] < 0:
        return "more" if m["low"] > 0 else "less"
    return "none" if -m["margin"] < m["low"] and m["high"] < m["margin"] else "hidden"


def judge_overhead(found):
    """The verdict is what the two intervals say; each switch's holds the noise between equals."""
    by_name = {m["name"]: m for m in found["measurements"]}
    two = [by_name.get(name) for name in ("fork - thread", "switch: process - thread")]
    words = {judged(m) if m else "unmeasured" for m in two}
    verdict = ("proved" if words == {"more"} else
               "not-true-here" if words & {"none", "less"} else "cannot-tell")
    want_equal(found["verdict"], verdict, found["because"])
    for m in found["measurements"]:
        if "low" in m:
            want(m["low"] <= m["value"] <= m["high"], f"{m} is not within its interval")
    for name, m in by_name.items():
        if name.startswith("switch difference, "):
            noise = by_name["switch noise, " + name.partition(", ")[2]]["value"]
            # less what the format of the numbers rounds
            want(m["high"] - m["low"] >= 1.999 * noise, f"{m} is narrower than the noise, {noise}")
