# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Where modules of a kernel are built: on the host where that is the suite of the row's `env`,
# else in a chroot of that suite, because headers of a suite carry programs linked against its libc.

env_packages=(make pahole libelf-dev libssl-dev zlib1g kmod bc bison flex cpio xz-utils python3-minimal)

env_suite() { echo "${k_env%%:*}"; }
env_cc() { echo "${k_env#*:}"; }

# The package of a compiler: gcc-14, or gcc-12-aarch64-linux-gnu for aarch64-linux-gnu-gcc-12.
env_cc_package() {
    local cc cross
    cc=$(env_cc)
    case $cc in
    gcc-*) echo "$cc" ;;
    *) cross=${cc%-gcc-*}; echo "gcc-${cc##*-}-$cross" ;;
    esac
}

env_dir() {
    echo "$cache/env/$(env_suite)-$(key_of "$(env_cc_package)" "${env_packages[@]}")"
}

env_is_host() { [ "$(env_suite)" = "$host_suite" ]; }

make_env() {
    local dir tar
    dir=$(env_dir)
    [ -e "$dir/.complete" ] && return
    say "making a chroot of $(env_suite) with $(env_cc) (once)"
    rm -rf "$dir"
    mkdir -p "$dir"
    tar=$cache/env/$$.tar
    apt_sources "$(env_suite)" >"$tar.list"
    # Through a tar, so that without root, too, every file ends up owned by who runs this.
    logged "$cache/env/log" mmdebstrap --variant=apt --format=tar \
        --include="$(env_cc_package) ${env_packages[*]}" "$(env_suite)" "$tar" "$tar.list"
    tar -C "$dir" --exclude='./dev/*' -xf "$tar"
    rm -f "$tar" "$tar.list"
    touch "$dir/.complete"
}

need_env() {
    if env_is_host; then
        command -v "$(env_cc)" >/dev/null || die "$(env_cc) is missing: run scripts/setup vm"
    else
        with_lock "env-$(env_suite)" make_env
    fi
}

# in_env COMMAND...: runs it where modules of the loaded row are built, with the tree and the
# cache at their usual places. /proc is needed by objtool of 7.3.
in_env() {
    local dir
    if env_is_host; then "$@"; return; fi
    dir=$(env_dir)
    # shellcheck disable=SC2016
    unshare ${UID:+$([ "$UID" = 0 ] || echo -r)} -m -- bash -euc '
        dir=$1 out=$2; shift 2
        for d in /proc /dev "$MMLENS_TOP" "$MMLENS_CACHE_DIR" "$out"; do
            mkdir -p "$dir$d"
            mount --rbind "$d" "$dir$d"
        done
        exec chroot "$dir" /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
    ' in_env "$dir" "${env_out:-$top}" env -C "$PWD" "$@"
}
export MMLENS_TOP=$top MMLENS_CACHE_DIR=$cache
