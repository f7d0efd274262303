# SPDX-License-Identifier: GPL-2.0-only
"""What a recorded switch takes in the file, and that none is lost at the highest rate there is."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from bench import bench, bound, main, note  # noqa: E402
from mmlens_test import MMLENS, Subject, strict_json, watching  # noqa: E402

ROUNDS = 400000  # of two switches each, on each CPU


def recorded(path):
    """The report of a window in which every CPU plays ping-pong, with all its wake-ups."""
    cpus = sorted(os.sched_getaffinity(0))
    games = [Subject("switch-processes", ROUNDS, cpu) for cpu in cpus]
    process = subprocess.Popen([MMLENS, "record", "-o", path, "-d", "1000"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        watching(process)
        for game in games:
            game.process.stdin.write(b"go\n")
            game.process.stdin.flush()
        for game in games:
            game.process.stdout.readline()
    finally:
        process.terminate()
        process.wait()
        for game in games:
            game.close()
    out = subprocess.run([MMLENS, "report", "--json", path], check=True, capture_output=True).stdout
    return strict_json(out)


@bench("a window of ping-pong on every CPU", on="host")
def _():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "x.mml")
        document = recorded(path)
        state = os.path.join(d, "state.mml")
        subprocess.run([MMLENS, "record", "-o", state], check=True)
        # the state is in it three times: now, and at both ends of the window
        events = os.path.getsize(path) - 3 * os.path.getsize(state)
    each = events / document["switches"]
    note(f"{document['switches']} switches in {document['duration_ns'] / 1e9:.1f} s")
    bound("a switch takes at most 32 bytes, its wake-up included", each <= 32, f"{each:.1f} bytes")
    bound("none is lost", document["lost"] == 0, f"{document['lost']} lost")


main()
