# SPDX-License-Identifier: GPL-2.0-only
"""Programs that have a limit of time: whatever they began ends with them."""
import contextlib
import os
import signal
import subprocess

# Seconds that a program has to end in when it is asked to, before it is killed.
GRACE = 20
_running = set()
_state = {"stopped": False}


def run(command, limit, **how):
    """(what it wrote to stdout if that is a pipe, its exit status or why it has none)."""
    if _state["stopped"]:
        return b"", "none, not begun: interrupted"
    # In a session of its own, so that a build or an emulator that it began can be found and ended too.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
                             start_new_session=True, **how)
    _running.add(child)
    try:
        return child.communicate(timeout=limit)[0], child.returncode
    except subprocess.TimeoutExpired:
        return _end(child), f"none, stopped after {limit} s"
    finally:
        _running.discard(child)


def _end(child):
    """Ends a program and what it began; what it wrote."""
    os.killpg(child.pid, signal.SIGTERM)
    try:
        return child.communicate(timeout=GRACE)[0]
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        return child.communicate()[0]


def stop_all(*_):
    """Asks all that run to end and begins nothing more: a handler for signals, which otherwise do not
    reach the sessions."""
    _state["stopped"] = True
    for child in list(_running):
        # or it has ended by itself just now
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
