# SPDX-License-Identifier: GPL-2.0-only
"""prove where a core is not what it is on a quiet machine: the only one there is, or one without its
tick that others crowd. Each is a boot of its own."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from kernels import ROOT, rows  # noqa: E402
from proof import judge_overhead  # noqa: E402
from tap import allow, main, prop, want, want_equal  # noqa: E402

LABEL = rows()[0]["label"]
PROVE = "mmlens prove --quick --json overhead"
HOG = "taskset -c 1 sh -c 'while :; do :; done' & hog=$!; taskset -c 1 " + PROVE + "; status=$?; kill $hog; exit $status"


def overhead(script, *options):
    """The claim as a guest that was booted with these options finds it, and all its words."""
    allow(400)
    done = subprocess.run([os.path.join(ROOT, "scripts", "vm"), "-k", LABEL, "-t", "300", "--no-module", *options,
                           "--", "sh", "-c", script], check=False, capture_output=True, text=True)
    want_equal(done.returncode, 0, f"status of the VM, which said {done.stdout}{done.stderr}")
    found = json.loads(done.stdout)["claims"][0]
    return found, "\n".join(text for step in found["steps"] for text in step.values())


def others(found, said):
    """Percent of the core that others had, as it was measured; None where prove had to stop before it looked
    back at that: who emulates on a loaded machine may run out of its time, and it says so."""
    measured = [m["value"] for m in found["measurements"] if m["name"] == "noise: others on the core"]
    want(measured or "was stopped" in said, f"neither what others had nor why not: {said}")
    return measured[0] if measured else None


@prop("on a single core prove measures what takes turns on one, says so, and judges by its intervals")
def _():
    found, said = overhead(PROVE, "-c", "1")
    want("all of it on CPU 0 of 1, emulated in software" in said or "all of it on CPU 0 of 1, a virtual" in said, said)
    judge_overhead(found)
    had = others(found, said)
    want(had is None or had < 50, f"others had {had} % of an idle machine")


@prop("on a core without its tick (nohz_full) that another crowds, prove says both, and its intervals hold it")
def _():
    found, said = overhead(HOG, "-A", "nohz_full=1 rcu_nocbs=1 isolcpus=1")
    want("all of it on CPU 1 of 2" in said and "(nohz_full)" in said, said)
    judge_overhead(found)
    had = others(found, said)
    want(had is None or had > 2, f"others had {had} %, though one never rests there")


main()
