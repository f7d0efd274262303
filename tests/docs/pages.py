# SPDX-License-Identifier: GPL-2.0-only
"""Help, manual pages, completion and column tables tell the same of every command."""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import BUILD, ROOT, commands, main, mmlens, prop, want, want_equal  # noqa: E402

USER = os.path.join(ROOT, "user")
COMMANDS = commands()
# Told once, in mmlens(1).
COMMON = set(re.findall(r"--[a-z-]+", mmlens("list", "--help").out.decode().split("Common options")[1]))


def text_of(*path):
    with open(os.path.join(USER, *path), encoding="utf-8") as f:
        return f.read()


def own_options(command):
    """The long options of the help that are the command's own."""
    text = mmlens(command, "--help").expect(0).out.decode().split("Common options")[0]
    return set(re.findall(r"^  (?:-., |    )(--[a-z][a-z-]*)", text, re.MULTILINE))


@prop("{command}: the manual page tells every option of the help", command=COMMANDS)
def _(command):
    page = text_of("cmd", f"{command}.rst")
    lacking = {o for o in own_options(command) if not re.search(re.escape(o) + r"(?![a-z-])", page)}
    want(not lacking, f"{command}.rst lacks {sorted(lacking)}")


@prop("{command}: no option of the manual page's list is unknown to the help", command=COMMANDS)
def _(command):
    listed = set(re.findall(r"^(?:-., )?(--[a-z][a-z-]*)", text_of("cmd", f"{command}.rst"), re.MULTILINE))
    known = own_options(command) | COMMON
    want(listed <= known, f"unknown: {sorted(listed - known)}")


@prop("make install: every page becomes a manual page without complaint, named as its title says")
def _():
    with tempfile.TemporaryDirectory() as where:
        done = subprocess.run(["make", "-s", "-C", ROOT, f"O={BUILD}", "install", f"DESTDIR={where}", "PREFIX=/usr"],
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        want_equal((done.returncode, "WARNING" in done.stdout), (0, False), f"status, complaints: {done.stdout}")
        names = set(os.listdir(f"{where}/usr/share/man/man1"))
    titles = {re.search(r"^=+\n(.+)\n=+$", text_of(page), re.MULTILINE)[1]
              for page in ["mmlens.rst", *(f"cmd/{c}.rst" for c in COMMANDS)]}
    want_equal(names, {f"{title}.1" for title in titles}, "pages installed")


@prop("every common option is in mmlens(1)")
def _():
    page = text_of("mmlens.rst")
    want(all(option in page for option in COMMON), f"of {sorted(COMMON)} one is missing")


@prop("completion asks the program for commands and options, and knows its words")
def _():
    script = text_of("mmlens.bash")
    for word in ("--help", "--version", "--json-schema"):
        want(word in script, f"{word} is not completed")
        mmlens(word).expect(0)


@prop("{command}: columns are named once and each is explained", command=COMMANDS)
def _(command):
    result = mmlens(command, "--list-columns")
    if result.status == 2:
        want("has no columns" in result.error_line(), "it says why")
        return
    rows = [line.split(None, 1) for line in result.expect(0).out.decode().splitlines()]
    want(all(len(row) == 2 for row in rows), f"without a word: {rows}")
    names = [row[0] for row in rows]
    want_equal(len(names), len(set(names)), "columns")


main()
