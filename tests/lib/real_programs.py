# SPDX-License-Identifier: GPL-2.0-only
"""Real programs, started with a directory of their own, up before they are given out, then ended."""
import contextlib
import glob
import os
import pwd
import shutil
import subprocess
import tempfile

from mmlens_test import PATIENCE, skip, tids_of, until

POSTGRES = (sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [""])[-1]
NGINX = "daemon off; worker_processes 2; pid {0}/pid; error_log {0}/log; events {{}} " \
        "http {{ access_log off; server {{ listen unix:{0}/sock; }} }}"
THREADING = "import threading,time\nfor _ in range(4): threading.Thread(target=time.sleep,args=(600,),daemon=True)" \
            ".start()\ntime.sleep(600)"
FORKING = "import multiprocessing as m,time\nm.set_start_method('fork')\n" \
          "for _ in range(4): m.Process(target=time.sleep,args=(600,),daemon=True).start()\ntime.sleep(600)"
# queues, pipes and a semaphore in shared memory between a parent and its workers
POOL = "import multiprocessing as m,time\nm.set_start_method('fork')\np=m.Pool(3)\na,b=m.Pipe()\n" \
       "m.Process(target=lambda: b.recv(),daemon=True).start()\ntime.sleep(600)"
# program: (least processes, whether one of them must have threads)
PROGRAMS = {"nginx": (3, False), "memcached": (1, True), "postgres": (5, False), "threading": (1, True),
            "multiprocessing": (5, False), "pool": (4, False), "chromium": (4, True)}
PYTHON = {"threading": THREADING, "multiprocessing": FORKING, "pool": POOL}

# whom they run as, made when their package is set up
USERS = {"nginx": "www-data", "memcached": "nobody", "postgres": "postgres"}


def need(path):
    if not shutil.which(path):
        skip(f"{os.path.basename(path)} is not installed")
    return path


def need_user(name):
    try:
        pwd.getpwnam(name)
    except KeyError:
        skip(f"no user {name}: the package was unpacked, not set up")


def command_of(name, where):
    if name in USERS:
        need_user(USERS[name])
    if name == "nginx":
        with open(f"{where}/conf", "w", encoding="ascii") as f:
            f.write(NGINX.format(where))
        return [need("nginx"), "-p", where, "-c", f"{where}/conf"]
    if name == "memcached":
        return [need("memcached"), "-u", USERS[name], "-t", "4", "-s", f"{where}/sock"]
    if name == "postgres":
        need(f"{POSTGRES}/postgres")
        subprocess.run([f"{POSTGRES}/initdb", "-D", f"{where}/db", "-A", "trust", "-N"], check=True,
                       capture_output=True, user="postgres", group="postgres", extra_groups=[])
        return [f"{POSTGRES}/postgres", "-D", f"{where}/db", "-k", where, "-c", "listen_addresses="]
    if name == "chromium":
        return [need("chromium"), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={where}/c",
                "--remote-debugging-port=0", "about:blank"]
    # not a shim that starts another
    return ["/usr/bin/python3", "-c", PYTHON[name]]


def children_of(pid):
    with contextlib.suppress(OSError):
        for tid in tids_of(pid):
            with open(f"/proc/{pid}/task/{tid}/children", encoding="ascii") as f:
                for child in f.read().split():
                    yield int(child)
                    yield from children_of(int(child))


def is_up(name, pids):
    """As many processes as it is made of, and with the threads that it is to have."""
    least, threaded = PROGRAMS[name]
    threads = [len(tids_of(pid)) for pid in pids]
    return len(pids) >= least and (not threaded or max(threads, default=0) > 3)


@contextlib.contextmanager
def running(name):
    """The pids of a program once they are as many as it is made of and stay so."""
    if os.geteuid():
        skip("only root can judge tasks of other users")
    with tempfile.TemporaryDirectory() as where:
        os.chmod(where, 0o777)
        own = {"user": "postgres", "group": "postgres", "extra_groups": []} if name == "postgres" else {}
        with subprocess.Popen(command_of(name, where), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, **own) as program:
            pids = []

            def stays():
                before = list(pids)
                pids[:] = sorted({program.pid, *children_of(program.pid)})
                return is_up(name, pids) and pids == before
            try:
                until(stays, f"{name} does not come up", pause=0.2)
                yield pids
            finally:
                for pid in reversed(pids):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, 9 if name == "chromium" else 15)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    program.wait(PATIENCE)
                program.kill()
