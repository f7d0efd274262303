# SPDX-License-Identifier: GPL-2.0-only
"""Kernels that take signed modules only, or are locked down: insmod is refused, doctor says why and
what to do, and no address leaves. Each needs a boot of its own: there is no way back."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from kernels import ROOT, rows  # noqa: E402
from tap import allow, main, prop, want, want_equal  # noqa: E402

LABEL = rows()[0]["label"]
TRY = """
insmod /usr/lib/mmlens/mmlens.ko 2>&1; echo "status $?"
ls -d /sys/module/mmlens /proc/mmlens 2>/dev/null
mmlens doctor --json || exit 1; echo =
"""
LOCK = "/sys/kernel/security/lockdown"


def guest(script, *options):
    """What a script said in the VM, in the parts that `=` ends."""
    allow(600)
    done = subprocess.run([os.path.join(ROOT, "scripts", "vm"), "-k", LABEL, "-t", "500", *options, "--",
                           "sh", "-c", script], check=False, capture_output=True, text=True)
    want_equal(done.returncode, 0, f"status of the VM, which said {done.stdout}{done.stderr}")
    return done.stdout.split("\n=\n")


def judge_feature(document, name, *whys):
    """Doctor says that it is not to be had, and why."""
    feature = next(f for f in json.loads("{" + document)["features"] if f["name"] == name)
    want_equal(feature["state"], "no", name)
    for part in whys:
        want(part in feature["why"], f"doctor says {feature['why']!r}, not {part!r}")


def judge_refusal(said, why):
    """insmod failed, left nothing behind, and doctor has the reason and what to do. Returns its words."""
    words, _, document = said.partition("{")
    status = int(words.rpartition("status ")[2].split("\n")[0])
    want(status != 0 and "insmod: ERROR" in words, f"insmod was not refused: {words}")
    want("/proc/mmlens" not in words and "/sys/module/mmlens" not in words, f"something stays: {words}")
    judge_feature(document, "module-loading", why, "sign mmlens.ko")
    return document


@prop("where signatures are enforced insmod is refused and doctor says so, and to sign it")
def _():
    said = guest(TRY, "--no-module", "-A", "module.sig_enforce=1")
    judge_refusal(said[0], "signed modules only")


@prop("lockdown raised while it is read: no address leaves any more; insmod is refused, doctor says so")
def _():
    said = guest(f"/usr/lib/mmlens/tests/proc_access lockdown 2>&1 || exit 1; rmmod mmlens; {TRY}"
                 f"echo confidentiality >{LOCK}; {TRY}")
    judge_refusal(said[0], "locked down (integrity)")
    document = judge_refusal(said[1], "locked down (confidentiality)")
    judge_feature(document, "bpf", "locked down (confidentiality)")


main()
