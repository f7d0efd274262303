# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The product for the loaded row's architecture: at $out for the host's own, at $out/ARCH for
# another, whose libraries are unpacked into a sysroot because nothing of it can run here.

# What the inspector is compiled against: the libraries of scripts/setup's build group.
sysroot_packages() {
    local package
    for package in ${groups[build]}; do
        case $package in *-dev) echo "$package" ;; esac
    done
    echo libc6-dev
}

sysroot_dir() {
    # shellcheck disable=SC2046
    echo "$cache/sysroot/$host_suite-$k_arch-$(key_of $(sysroot_packages))"
}

make_sysroot() {
    local dir tar
    dir=$(sysroot_dir)
    [ -e "$dir/.complete" ] && return
    say "unpacking the libraries of $host_suite $k_arch to build against (once)"
    tar=$cache/sysroot/$$.tar
    rm -rf "$dir"
    mkdir -p "$dir"
    apt_sources "$host_suite" >"$tar.list"
    logged "$cache/sysroot/log" extract_packages "$k_arch" "$(sysroot_packages | paste -sd,)" "$tar" "$tar.list"
    tar -C "$dir" --exclude='./dev/*' -xf "$tar"
    rm -f "$tar" "$tar.list"
    touch "$dir/.complete"
}

# extract_packages ARCH PACKAGES TAR SOURCES [OPTION]...: with all they depend on, running none of their scripts.
extract_packages() {
    mmdebstrap --variant=extract --format=tar --architectures="$1" --include="$2" \
        --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' "${@:5}" "$host_suite" "$3" "$4"
}

is_foreign() { [ "$k_arch" != "$host_arch" ]; }

product_dir() { if is_foreign; then echo "$out/$k_arch"; else echo "$out"; fi; }

# How make builds for the row's architecture; one word a line.
cross_words() {
    is_foreign || return 0
    echo "ARCH=$(cross_machine)"
    echo "CC=$(env_cc) --sysroot=$(sysroot_dir)"
}

cross_machine() {
    case $k_arch in
    arm64) echo aarch64 ;;
    amd64) echo x86_64 ;;
    *) die "no compiler for $k_arch" ;;
    esac
}

# Brings the inspector and the test programs up to date; several VMs may start at once from one tree.
build_programs() {
    local words dir
    dir=$(product_dir)
    ! is_foreign || with_lock "sysroot-$k_arch" make_sysroot
    mapfile -t words < <(cross_words)
    with_lock "build-$(key_of "$dir")" make -s -C "$top" O="$dir" "${words[@]}" "$dir/mmlens" helpers >&2
}
