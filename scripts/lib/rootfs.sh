# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The guest's programs: one read-only squashfs of the host's own suite, so that what is built on
# the host runs in it; shared by all kernels of an architecture.

rootfs_packages=(
    # the guest's own needs
    kmod procps iproute2 mount util-linux util-linux-extra psmisc libcap2-bin
    # what the inspector is linked with
    libelf1 zlib1g libzstd1 libsmartcols1 libyajl2 libcap2 libprotobuf-c1 libbpf1 libncursesw6
    # real programs to inspect, and to load them
    python3 nginx-light memcached postgresql stress-ng
    # other witnesses
    strace bpftool
    # modules built in the guest
    dkms gcc make libc6-dev
)

rootfs_file() {
    echo "$cache/rootfs/$host_suite-$1-$(key_of "${rootfs_packages[@]}").sqfs"
}

rootfs_tar() {
    local packages
    packages=$(IFS=,; echo "${rootfs_packages[*]}")
    mmdebstrap --variant=essential --format=tar --architectures="$1" --include="$packages" \
        --aptopt='APT::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$host_suite" - "$2"
}

make_rootfs() {
    local file sources
    file=$(rootfs_file "$1")
    [ ! -e "$file" ] || return 0
    say "making the guest's root of $host_suite $1 (once)"
    mkdir -p "$cache/rootfs"
    sources=$file.list
    apt_sources "$host_suite" >"$sources"
    logged "$cache/rootfs/log" bash -c "set -o pipefail; $(declare -f rootfs_tar); $(declare -p rootfs_packages host_suite)
        rootfs_tar '$1' '$sources' | sqfstar -comp lz4 -no-progress '$file.new'"
    rm -f "$sources"
    mv "$file.new" "$file"
}

need_rootfs() { with_lock "rootfs-$1" make_rootfs "$1"; }
