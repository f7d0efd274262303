# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What a guest's end means: the command's status when the verdict came through and the kernel's
# log is clean, else a status of our own and the reason.

status_timeout=124
status_broken=125

# Reports that do not stop a kernel even with panic_on_warn.
splats='BUG: |WARNING: |INFO: (possible|inconsistent|suspicious|task .* blocked|trying to register)|possible circular locking|UBSAN: |KASAN: |suspicious RCU|kmemleak: .* new suspected|rcu: INFO|Oops|soft lockup'

show_log() {
    echo "--- last lines of the kernel's log ($k_label) ---" >&2
    tail -n 40 "$run/kernel.log" | tr -d '\r' >&2 || true
    echo "---" >&2
}

broken() {
    show_log
    fatal_status=$status_broken die "$@"
}

# verdict STATUS-OF-TIMEOUT: ends the script.
verdict() {
    local word rest
    touch "$run/status" "$run/kernel.log"
    read -r word rest <"$run/status" || true
    [ -n "${any_log:-}" ] || check_log "${word:-}"
    case ${word:-} in
    exit) exit "$rest" ;;
    module) die "the module does not load in $k_label ($k_release): $rest" ;;
    guest) broken "the guest of $k_label could not be set up: $rest" ;;
    leak) broken "kmemleak found a leak in $k_label" ;;
    nokmemleak) broken "$k_label has no kmemleak to look for leaks with" ;;
    esac
    [ "$1" != "$status_timeout" ] || { show_log; fatal_status=$status_timeout die "$k_label: no end after $limit s"; }
    [ ! -s "$run/qemu.log" ] || cat "$run/qemu.log" >&2
    broken "$k_label went down before the command ended"
}

check_log() {
    local first
    first=$(grep -m 1 -n -E "$splats" "$run/kernel.log" | tr -d '\r') || return 0
    sed -n "${first%%:*},+60p" "$run/kernel.log" | tr -d '\r' >&2
    fatal_status=$status_broken die "the kernel $k_label reported: ${first#*:}${1:+ (verdict: $1)}"
}
