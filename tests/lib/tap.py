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
import signal
import sys
import time
import traceback

_props = []
_LIMIT = int(os.environ.get("MMLENS_TEST_TIMEOUT", "120"))


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


def prop(text, **axes):
    """Declares a property for each combination of the values of @axes."""
    def declare(function):
        for values in itertools.product(*axes.values()):
            chosen = dict(zip(axes, values))
            _props.append((text.format(**chosen), function, chosen))
        return function
    return declare


def _alarm(_signal, _frame):
    raise TooLong(f"no end after {_LIMIT} s")


def _run(function, chosen):
    """(word, detail): ok, not ok or skip, and what to say about it."""
    signal.signal(signal.SIGALRM, _alarm)
    signal.alarm(_LIMIT)
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
