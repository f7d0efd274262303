# SPDX-License-Identifier: GPL-2.0-only
"""Pages of real programs: PostgreSQL's shared memory, and a forking server in python."""
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    PATIENCE, Failed, children_of, inspect, main, prop, skip, until, want, want_equal)
import pagemap  # noqa: E402

SERVER = """
import gc, os, sys, time
table = [bytes([i % 251]) * 4000 for i in range(4000)]
gc.freeze()
workers = []
for n in range(3):
    pid = os.fork()
    if not pid:
        if n == 0:
            # Only reading: but every reference counted is a page written.
            total = sum(len(row) for row in table for _ in range(3))
            held = list(table)
        time.sleep(600)
        os._exit(0)
    workers.append(pid)
time.sleep(1)
print(os.getpid(), *workers, flush=True)
sys.stdin.read()
for pid in workers:
    os.kill(pid, 9)
"""


def need_root():
    if os.geteuid():
        skip("frames need CAP_SYS_ADMIN")


@prop("python forking server: the worker that touched its objects has broken most, as pagemap says")
def _():
    need_root()
    with subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as server:
        master, *workers = map(int, server.stdout.readline().split())
        document = inspect("pages", master)
        seen = {r["tgid"]: r for r in document["relatives"]}
        want(set(workers) <= set(seen), f"{workers} are not all in {list(seen)}")
        broken = [seen[w]["broken_bytes"] for w in workers]
        want(broken[0] > 2 * max(broken[1:]), f"broken by each: {broken}")
        want_equal({seen[w]["relation"] for w in workers}, {"child"}, "relation")
        for worker in workers:
            pair = inspect("pages", master, worker)
            for region in pair["regions"]:
                truth = pagemap.pair_counts(master, worker, region["start"], region["end"])
                want_equal((region["same_frame"], region["different_frame"], region["absent"]), truth,
                           f"{worker} at {region['start']:#x}")
        server.stdin.close()


class Postgres:
    """A server of its own in a temporary directory, by a user that is not root."""

    def __init__(self):
        self.initdb, self.postgres = shutil.which("initdb"), shutil.which("postgres")
        if not self.initdb or not self.postgres:
            found = sorted(os.listdir("/usr/lib/postgresql")) if os.path.isdir(
                "/usr/lib/postgresql") else []
            if not found:
                skip("no PostgreSQL here")
            where = f"/usr/lib/postgresql/{found[-1]}/bin"
            self.initdb, self.postgres = f"{where}/initdb", f"{where}/postgres"
        self.user = next((u for u in ("postgres", "nobody") if self._known(u)), None)
        if not self.user:
            skip("no user here that PostgreSQL would run as")
        self.dir = tempfile.mkdtemp(prefix="mmlens-pg-")
        shutil.chown(self.dir, self.user)
        self.process = None

    @staticmethod
    def _known(name):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            return None

    def _as(self, *command):
        entry = pwd.getpwnam(self.user)

        def drop():
            os.setgroups([])
            os.setresgid(*[entry.pw_gid] * 3)
            os.setresuid(*[entry.pw_uid] * 3)
        return {"args": command, "preexec_fn": drop, "cwd": self.dir,
                "env": {**os.environ, "HOME": self.dir, "LC_ALL": "C"}}

    def __enter__(self):
        data = f"{self.dir}/data"
        done = subprocess.run(**self._as(self.initdb, "-N", "-D", data, "-A", "trust", "-U", "postgres"),
                              capture_output=True, check=False)
        if done.returncode:
            self.__exit__()
            skip(f"initdb: {done.stderr.decode(errors='replace').strip().splitlines()[-1:]}")
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            **self._as(self.postgres, "-D", data, "-k", self.dir, "-c", "listen_addresses=",
                       "-c", "shared_buffers=16MB"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until(lambda: os.path.exists(f"{self.dir}/.s.PGSQL.5432") and
                  len(children_of(self.process.pid)) > 3, "PostgreSQL did not come up")
        except Failed:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(PATIENCE)
        shutil.rmtree(self.dir, ignore_errors=True)


@prop("postgres: its shared memory is one object, mapped by postmaster and all its children")
def _():
    need_root()
    with Postgres() as pg:
        time.sleep(0.5)
        family = {pg.process.pid, *children_of(pg.process.pid)}
        objects = inspect("pages", "--shared", pg.process.pid)["objects"]
        largest = max(objects, key=lambda o: o["size"])
        want(set(largest["pids"]) >= family, f"{largest['pids']}, family {family}")
        want(largest["size"] > 16 << 20, f"size {largest['size']}")
        want(0 < largest["resident"] <= largest["size"], f"resident {largest['resident']}")
        sysv = [o for o in objects if o["nature"] == "sysv"]
        want_equal(len(sysv), 1, "its SysV segment")
        want_equal(sysv[0]["nattch"], len(sysv[0]["pids"]), "nattch and who")
        with open("/proc/sysvipc/shm", encoding="ascii") as f:
            keys = {int(row[1]): int(row[0]) & 0xffffffff for row in map(str.split, f) if row[0] != "key"}
        want_equal(sysv[0]["key"], f"{keys[sysv[0]['inode']]:#010x}", "key")
        child = sorted(family - {pg.process.pid})[0]
        for region in inspect("pages", pg.process.pid, child)["regions"]:
            if region["nature"] in ("shared-anon", "sysv"):
                want_equal(region["different_frame"], 0, f"{region['start']:#x}")


main()
