# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Drivers to load where they are not built in, in whatever order modprobe finds right.
boot_modules=(virtio_pci virtio_blk virtio_console squashfs overlay)

# The initrd of a kernel: a static busybox, the drivers of the guest's disks and channels, and
# tests/vm/init, which mounts the root and goes there.

busybox_of() { echo "$cache/busybox/$host_suite-$1/usr/bin/busybox"; }

make_busybox() {
    local busybox dir=$cache/busybox/$host_suite-$1
    busybox=$(busybox_of "$1")
    [ ! -x "$busybox" ] || return 0
    with_lock "apt-$host_suite" apt_refresh "$host_suite"
    fetch_unpack "$host_suite" "$dir" "busybox-static:$1"
    [ -x "$busybox" ] || install -D "$dir/bin/busybox" "$busybox"
}

# Paths of the modules to load, dependencies first.
boot_module_files() {
    local name
    for name in "${boot_modules[@]}"; do
        modprobe -d "$k_dir/root" -S "$(<"$k_dir/release")" --show-depends "$name"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# copy_module FILE DIRECTORY: uncompressed, since busybox' insmod takes no other.
copy_module() {
    local name
    name=$(basename "$1")
    case $1 in
    *.xz) xz -dc "$1" >"$2/${name%.xz}" ;;
    *.zst) zstd -qdc "$1" >"$2/${name%.zst}" ;;
    *) cp "$1" "$2/" ;;
    esac
    name=${name%.xz}
    echo "${name%.zst}" >>"$2/order"
}

make_initrd() {
    local file key dir=$k_dir/initrd.d
    key=$(key_of "$(<"$k_dir/.complete")" "$(<"$top/tests/vm/init")" "${boot_modules[@]}")
    [ "$(cat "$k_dir/initrd.key" 2>/dev/null)" != "$key" ] || return 0
    with_lock "busybox-$k_arch" make_busybox "$k_arch"
    rm -rf "$dir"
    mkdir -p "$dir"/{bin,modules,proc,sys,dev,layer,new}
    cp "$(busybox_of "$k_arch")" "$dir/bin/busybox"
    install -m 755 "$top/tests/vm/init" "$dir/init"
    : >"$dir/modules/order"
    boot_module_files | while read -r file; do copy_module "$file" "$dir/modules"; done
    (cd "$dir" && find . | cpio -o -H newc -R 0:0 --quiet) >"$k_dir/initrd"
    rm -rf "$dir"
    echo "$key" >"$k_dir/initrd.key"
}
