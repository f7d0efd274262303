# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What a machine needs for a part of the project; one group a line.

# shellcheck disable=SC2034  # read by who sources this
declare -A groups=(
    [build]="gcc make clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev libsmartcols-dev libyajl-dev
        libcap-dev uthash-dev libprotobuf-c-dev protobuf-c-compiler python3-docutils pkg-config kmod git"
    [vm]="qemu-system-x86 qemu-system-arm mmdebstrap squashfs-tools cpio xz-utils zstd busybox-static kmod util-linux
        gcc-12 gcc-12-aarch64-linux-gnu libc6-dev-arm64-cross bc bison flex libssl-dev dwarves rsync python3"
    [check]="libcmocka-dev libasan8 libubsan1 valgrind sparse codespell shellcheck clang-format clang-tidy cppcheck coccinelle
        universal-ctags python3 python3-jsonschema linux-perf bpftrace strace tmux iproute2
        util-linux-extra"
)
# The demo builds, and what it shows lies in the guest's own userland.
groups[demo]="${groups[build]} ${groups[vm]}"
