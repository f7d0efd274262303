# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Fetches the kernel of a row and lays it out in k_dir:
#   release      its name, as uname -r prints it
#   vmlinuz      the image
#   root/        modules and headers, usr-merged, depmod run
#   layer.sqfs   the same as a layer of the guest's root, at its true paths
#   initrd       what mounts that root
# Nothing is installed; downloads are unpacked with dpkg -x.

kernel_key() {
    key_of "$k_suites" "$k_package" "$k_config" "$(cat_fragments | sha256sum)" layout-1
}

cat_fragments() {
    local fragment
    for fragment in ${k_config//,/ }; do
        cat "$top/$fragment"
    done
}

# The image and the headers with what they need of the same build; from 7.2 on an image is split.
kernel_packages() {
    local version=${1#linux-image-}
    private_apt "$k_suites" apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
        --no-breaks --no-replaces --no-enhances "linux-image-$version:$k_arch" "linux-headers-$version:$k_arch" |
        sed 's/^[ |]*[A-Za-z]*: *//' | grep -E '^linux-(image|binary|modules|base|headers|kbuild)-[0-9]' |
        sed 's/:.*//' | sort -u | while read -r name; do
        case $name in
        # Programs that run while modules are built: the build machine's, also for another architecture.
        linux-kbuild-*) echo "$name:$host_arch" ;;
        *-common | *-common-rt) echo "$name:all" ;;
        *) echo "$name:$k_arch" ;;
        esac
    done
}

# Debian's own image: unpacked beside each other, headers pointed at where they lie.
unpack_debian_kernel() {
    local packages
    say "fetching $1 (once)"
    rm -rf "$k_dir"
    mapfile -t packages < <(kernel_packages "$1")
    fetch_unpack "$k_suites" "$k_dir/root" "${packages[@]}"
    merge_usr
    basename "$k_dir"/root/usr/lib/modules/* >"$k_dir/release"
    mv "$(find "$k_dir/root" -name 'vmlinuz*' -type f | head -n 1)" "$k_dir/vmlinuz"
    rm -rf "$k_dir"/root/usr/share "$k_dir"/root/boot/System.map*
}

# Packages up to bookworm ship /lib; in the guest /lib is a link and a directory would hide it.
merge_usr() {
    local root=$k_dir/root
    if [ -d "$root/lib" ] && [ ! -L "$root/lib" ]; then
        mkdir -p "$root/usr/lib"
        cp -al "$root/lib/." "$root/usr/lib/"
        rm -rf "${root:?}/lib"
    fi
    ln -sfn usr/lib "$root/lib"
}

make_layer() {
    depmod -b "$k_dir/root" "$(<"$k_dir/release")"
    logged "$k_dir/layer.log" mksquashfs "$k_dir/root" "$k_dir/layer.sqfs" -comp lz4 -all-root -noappend -no-progress
}

# The only absolute paths in Debian's headers are in the top Makefile.
relocate_headers() {
    local headers
    # An own build has none there.
    [ -d "$k_dir/root/usr/src" ] || return 0
    headers=$(find "$k_dir/root/usr/src" -maxdepth 1 -name "linux-headers-$(<"$k_dir/release")" 2>/dev/null)
    [ -n "$headers" ] || return 0
    sed -i -E "s#(=|include )/usr/src/#\1$k_dir/root/usr/src/#" "$headers/Makefile"
    ln -sfn "$headers" "$k_dir/build"
}

make_kernel() {
    local package arch=$k_arch
    [ "$(cat "$k_dir/.complete" 2>/dev/null)" != "$(kernel_key)" ] || return 0
    [ -z "$k_config" ] || arch=all
    with_lock "apt-$k_suites" apt_refresh "$k_suites"
    package=$(newest_package "$k_suites" "$arch" "$k_package")
    if [ -n "$k_config" ]; then
        need_env
        build_debug_kernel "$package"
    else
        unpack_debian_kernel "$package"
    fi
    merge_usr
    make_layer
    relocate_headers
    kernel_key >"$k_dir/.complete"
}

# need_kernel LABEL: the row's kernel is laid out, made now if need be.
need_kernel() {
    load_kernel "$1"
    with_lock "kernel-$1" make_kernel
    with_lock "initrd-$1" make_initrd
    k_release=$(<"$k_dir/release")
}
