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

# rootfs_tar ARCH SOURCES TAR: installed where the programs run here, else unpacked and mended.
rootfs_tar() {
    local packages
    packages=$(IFS=,; echo "${rootfs_packages[*]}")
    if [ "$1" = "$host_arch" ]; then
        mmdebstrap --variant=essential --format=tar --architectures="$1" --include="$packages" \
            --aptopt='APT::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/doc/*' \
            --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
            "$host_suite" "$3" "$2"
    else
        extract_packages "$1" "$packages" "$3" "$2" --include='?essential' --customize-hook="$top/scripts/lib/rootfs-mend"
    fi
}

make_rootfs() {
    local file
    file=$(rootfs_file "$1")
    [ ! -e "$file" ] || return 0
    say "making the guest's root of $host_suite $1 (once)"
    mkdir -p "$cache/rootfs"
    apt_sources "$host_suite" >"$file.list"
    logged "$cache/rootfs/log" rootfs_tar "$1" "$file.list" "$file.tar"
    # shellcheck disable=SC2016
    logged "$cache/rootfs/log" sh -c 'sqfstar -comp lz4 -no-progress "$1" <"$2"' sqfstar "$file.new" "$file.tar"
    rm -f "$file.list" "$file.tar"
    mv "$file.new" "$file"
}

need_rootfs() { with_lock "rootfs-$1" make_rootfs "$1"; }
