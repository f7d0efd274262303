# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The topmost layer of the guest's root: what this one run brings along.

# Where /bin, /sbin and /lib are links, a directory of that name in a layer would hide them.
guest_path() {
    case $1 in
    /bin/* | /sbin/* | /lib/* | /lib64/*) echo "/usr$1" ;;
    /*) echo "$1" ;;
    *) die "not an absolute path of the guest: $1" ;;
    esac
}

# put HOSTFILE GUESTPATH: a file or a whole directory.
put() {
    local target
    target=$payload$(guest_path "$2")
    [ -e "$1" ] || die "no such file: $1"
    mkdir -p "$(dirname "$target")"
    cp -aL "$1" "$target"
}

# The product, as far as it has been built, and its test programs.
put_product() {
    local dir module=$out/$k_release/kmod/mmlens.ko program
    dir=$(product_dir)
    [ ! -x "$dir/mmlens" ] || put "$dir/mmlens" /usr/bin/mmlens
    for program in "$dir"/tests/*; do
        [ ! -f "$program" ] || [ ! -x "$program" ] || put "$program" "/usr/lib/mmlens/tests/${program##*/}"
    done
    [ ! -e "$module" ] || put "$module" /usr/lib/mmlens/mmlens.ko
}

settings() {
    echo "mode=$mode label=$k_label leaks=${leaks:-}"
    echo "module=${load_module:+/usr/lib/mmlens/mmlens.ko}"
}

make_payload() {
    local pair payload=$run/payload
    put "$top/tests/vm/guest" /usr/lib/mmlens-vm/guest
    settings >"$payload/usr/lib/mmlens-vm/settings"
    printf '%s\0' "$@" >"$payload/usr/lib/mmlens-vm/argv"
    printf '%s\0' MMLENS_VM="$k_label" "TERM=${TERM:-dumb}" "${environment[@]}" >"$payload/usr/lib/mmlens-vm/env"
    put_product
    for pair in "${adds[@]}"; do
        put "${pair%%:*}" "${pair#*:}"
    done
    logged "$run/payload.log" mksquashfs "$payload" "$run/payload.sqfs" -noI -noD -noF -noX -all-root -no-progress
}
