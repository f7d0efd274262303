# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What every script here needs: one voice, one cache, locks. Sourced, never run.

set -euo pipefail
umask 022

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${MMLENS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mmlens}
host_suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")
host_arch=$(dpkg --print-architecture)
me=${0##*/}

say() { [ -n "${quiet:-}" ] || echo "$me: $*" >&2; }
die() { echo "$me: $*" >&2; exit "${fatal_status:-1}"; }

# Runs a command with its output kept in a log that is shown only when it fails.
logged() {
    local log=$1; shift
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 </dev/null && return
    tail -n 30 "$log" >&2
    die "failed: $* (whole log: $log)"
}

# with_lock NAME COMMAND...: one maker of a cached thing at a time; the others wait for it.
with_lock() {
    local name=$1; shift
    mkdir -p "$cache/lock"
    (
        flock -n 9 || { say "waiting for another run that makes $name"; flock 9; }
        "$@"
    ) 9>"$cache/lock/${name//\//_}"
}

# The first 16 digits of a hash over the words given: names a cached thing by what it is made of.
key_of() { printf '%s\n' "$@" | sha256sum | cut -c1-16; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}
