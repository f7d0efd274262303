# SPDX-License-Identifier: GPL-2.0-only
"""Properties as TAP: a test file declares them, main() runs them and prints one line each.

	@prop("{subject}: every pair is as kcmp says ({source})", subject=[...], source=SOURCES)
	def _(subject, source): ...

A property fails by raising, and is skipped by skip(reason) alone: tests/run holds every skip
against the list of those expected, so a skip never passes for a success.
"""
import fnmatch
import itertools
import os
import random
import signal
import sys
import time
import traceback

_props = []
# A kernel's label: of a property with axes, each value of each axis is tried, not each combination.
_SAMPLE = os.environ.get("MMLENS_SAMPLE", "")
# Seconds that a property may take; other patience is measured by it.
LIMIT = int(os.environ.get("MMLENS_TEST_TIMEOUT", "120"))


class Skip(Exception):
    """The property cannot be tried here, and this is why."""


class Failed(AssertionError):
    """The property does not hold, and this is what was seen."""


class TooLong(Exception):
    """The property took longer than any should."""


def skip(reason):
    raise Skip(reason)


def want(condition, why):
    """Unlike assert it survives -O, and it has to say what was seen."""
    if not condition:
        raise Failed(why() if callable(why) else why)


def want_equal(seen, wanted, what):
    want(seen == wanted, f"{what}: seen {seen!r}, wanted {wanted!r}")


def sample(combinations, seed):
    """As few of the combinations as have every value of every axis, others for another seed: over
    several kernels all of them are tried."""
    seen, kept = set(), []
    for values in random.Random(seed).sample(combinations, len(combinations)):
        new = set(enumerate(map(repr, values))) - seen
        if new or not values:
            seen |= new
            kept.append(values)
    return [values for values in combinations if values in kept]


def prop(text, **axes):
    """Declares a property for each combination of the values of @axes."""
    def declare(function):
        combinations = list(itertools.product(*axes.values()))
        for values in sample(combinations, _SAMPLE + text) if _SAMPLE else combinations:
            chosen = dict(zip(axes, values))
            _props.append((text.format(**chosen), function, chosen))
        return function
    return declare


def allow(seconds):
    """How long the property that runs may take from now on, where that is more than others need."""
    seconds = max(seconds, LIMIT)

    def alarm(_signal, _frame):
        raise TooLong(f"no end after {seconds} s")
    signal.signal(signal.SIGALRM, alarm)
    signal.alarm(seconds)


def _run(function, chosen):
    """(word, detail): ok, not ok or skip, and what to say about it."""
    allow(LIMIT)
    try:
        function(**chosen)
        return "ok", ""
    except Skip as why:
        return "skip", str(why)
    except Failed as why:
        return "not ok", str(why)
    except Exception:  # pylint: disable=broad-except
        return "not ok", traceback.format_exc()
    finally:
        signal.alarm(0)


def _report(number, text, word, detail, seconds):
    if word == "skip":
        print(f"ok {number} - {text} # SKIP {' '.join(detail.split())}")
    else:
        print(f"{word} {number} - {text}")
        for line in detail.rstrip().splitlines():
            print(f"# {line}")
    print(f"# {seconds:.2f} s", flush=True)


def main():
    """Runs what was declared; arguments are globs that choose among the properties."""
    globs = sys.argv[1:] or ["*"]
    chosen = [p for p in _props if any(fnmatch.fnmatchcase(p[0], g) for g in globs)]
    failed = 0
    for number, (text, function, values) in enumerate(chosen, 1):
        begin = time.monotonic()
        word, detail = _run(function, values)
        failed += word == "not ok"
        _report(number, text.replace("#", "\\#"), word, detail, time.monotonic() - begin)
    print(f"1..{len(chosen)}", flush=True)
    sys.exit(1 if failed else 0)
