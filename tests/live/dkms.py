# SPDX-License-Identifier: GPL-2.0-only
"""make dkms-install: the module is built, installed, loaded at boot and removed for this kernel."""
import glob
import os
import platform
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import allow, main, prop, skip, want, want_equal  # noqa: E402
from module_test import MODULE, need_module  # noqa: E402

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
MODULES = f"/lib/modules/{platform.release()}"
BUILD = f"{MODULES}/build"
# A kernel that does not run; its headers are those of the one that does.
OTHER = f"{platform.release()}-other"
# depmod reads every module there is, which under emulation takes a minute: it need not find those.
UNNEEDED = ("drivers", "fs", "net", "sound")


def run(*command):
    """(status, what it said)."""
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def succeed(*command):
    status, said = run(*command)
    want(status == 0, f"{' '.join(command)}: exit {status}: {said[-3000:]}")
    return said


def dkms_install(*words):
    status, said = run("make", "-C", TREE, "dkms-install", *words)
    if status:
        log = glob.glob("/var/lib/dkms/mmlens/*/build/make.log")
        said = run("tail", "-n", "40", *log)[1] if log else said
    want(status == 0, f"make dkms-install: exit {status}: {said[-3000:]}")


def compiler():
    """The one that these headers name: that of their suite."""
    done = subprocess.run(["make", "-s", "-f", "-"], check=True, capture_output=True, text=True,
                          input=f"include {BUILD}/.kernelvariables\nall:\n\t@echo $(CC)\n")
    return done.stdout.strip()


def need_build():
    """Skips where this root cannot build for its kernel."""
    need_module()
    if not os.path.exists(f"{BUILD}/Makefile"):
        skip("the VM has no headers of this kernel")
    modpost = f"{BUILD}/scripts/mod/modpost"
    status, said = run("ldd", modpost)
    if status or "not found" in said:
        skip("the programs of this kernel's headers need a newer libc than the VM has")
    cc = compiler()
    if not shutil.which(cc):
        skip(f"this kernel's headers name a compiler that the VM has not: {cc}")


def hide_unneeded():
    for part in UNNEEDED:
        if os.path.isdir(f"{MODULES}/kernel/{part}"):
            succeed("mount", "-t", "tmpfs", "-o", "ro", "hidden", f"{MODULES}/kernel/{part}")


def show_unneeded():
    for part in UNNEEDED:
        run("umount", f"{MODULES}/kernel/{part}")


def modinfo(release=platform.release()):
    """{field: value} of the module installed for a kernel, as modprobe would find it."""
    lines = succeed("modinfo", "-k", release, "mmlens").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def judge_modinfo(info):
    want(info["filename"].startswith(f"{MODULES}/updates/"), f"filename {info['filename']}")
    want_equal(info["vermagic"].split()[0], platform.release(), "vermagic")
    want_equal(info["license"], "GPL", "license")
    for field in ("version", "description", "author", "srcversion"):
        want(info.get(field), f"modinfo has no {field}: {info}")
    want_equal([f for f in info if f == "parm"], [], "parameters, of which there are none")


def is_loaded():
    with open("/proc/modules", encoding="ascii") as f:
        return any(line.startswith("mmlens ") for line in f)


def boot_step():
    """What a boot does with modules-load.d, by the script that does it where systemd does not."""
    succeed("/etc/init.d/kmod", "start")


def left_behind():
    return succeed("find", "/usr/src", "/var/lib/dkms", "/usr/lib/modules-load.d", "/lib/modules/",
                   "-name", "mmlens*")


def installed():
    """The kernels that have the module by DKMS."""
    lines = succeed("dkms", "status", "mmlens").splitlines()
    return sorted(line.split(", ")[1] for line in lines if ": installed" in line)


def judge_another_kernel():
    """What is installed for a kernel that does not run lies beside what the running one has."""
    os.mkdir(f"/lib/modules/{OTHER}")
    os.symlink(os.path.realpath(BUILD), f"/lib/modules/{OTHER}/build")
    dkms_install(f"KREL={OTHER}")
    want_equal(installed(), [platform.release(), OTHER], "kernels that have the module")
    want(modinfo(OTHER)["filename"].startswith(f"/lib/modules/{OTHER}/updates/"), f"{modinfo(OTHER)}")
    judge_modinfo(modinfo())


@prop("make dkms-install builds and installs, for another kernel too, boot loads it, make dkms-remove leaves nothing")
def _():
    need_build()
    allow(850)  # a compiler under emulation takes its time, and it runs twice
    hide_unneeded()
    try:
        dkms_install()
        want(": installed" in succeed("dkms", "status", "mmlens"), "dkms status does not say installed")
        judge_modinfo(modinfo())
        judge_another_kernel()
        succeed("rmmod", "mmlens")
        boot_step()
        want(is_loaded(), "it is not loaded at boot")
        with open("/sys/module/mmlens/srcversion", encoding="ascii") as f:
            want_equal(f.read().strip(), modinfo()["srcversion"], "srcversion of what is loaded")
        succeed("rmmod", "mmlens")
        succeed("make", "-C", TREE, "dkms-remove")
        want_equal(succeed("dkms", "status", "mmlens"), "", "dkms status after its removal")
        want(run("modprobe", "mmlens")[0] != 0, "it can still be loaded by name")
        want_equal(left_behind(), "", "what is left behind")
    finally:
        show_unneeded()
        shutil.rmtree(f"/lib/modules/{OTHER}", ignore_errors=True)
        if not is_loaded():
            succeed("insmod", MODULE)


main()
