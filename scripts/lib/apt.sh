# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Packages of any suite beside the machine's own: a private apt root per set of suites, fed from
# the mirrors of the machine's own configuration (its proxies and keys hold here too).

# Prints "release uri" of the machine's Debian sources.
machine_sources() {
    # shellcheck disable=SC2016  # apt's own variables
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' | sort -u
}

# The mirror of a suite: security suites have an archive of their own.
mirror_of() {
    local main security
    main=$(machine_sources | awk -v s="$host_suite" '$1 == s { print $2; exit }')
    security=$(machine_sources | awk -v s="$host_suite-security" '$1 == s { print $2; exit }')
    [ -n "$main" ] || die "apt's sources name no mirror of $host_suite: add one, then run again"
    case $1 in
    *-security) main=${main%/}; echo "${security:-$main-security}" ;;
    *) echo "$main" ;;
    esac
}

apt_sources() {
    local suite
    for suite in ${1//,/ }; do
        echo "deb $(mirror_of "$suite") $suite main"
    done
}

# private_apt SUITES TOOL ARGUMENT...: apt-get or apt-cache inside the private root.
private_apt() {
    local root=$cache/apt/${1//,/_} tool=$2
    shift 2
    "$tool" -q=2 -o Dir::State="$root/state" -o Dir::State::status="$root/status" \
        -o Dir::Cache="$root/cache" -o Dir::Etc::sourcelist="$root/sources.list" \
        -o Dir::Etc::sourceparts="$root/none" -o Dir::Etc::preferencesparts="$root/none" \
        -o Dir::Etc::trustedparts="$root/keys" -o APT::Sandbox::User=root \
        -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 -o Acquire::Languages=none "$@"
}

# Makes the private root of some suites and reads their index.
apt_refresh() {
    local root=$cache/apt/${1//,/_}
    mkdir -p "$root"/{state/lists/partial,cache/archives/partial,keys,none}
    : >"$root/status"
    # Older suites may be signed by keys that Debian has retired since.
    cp /usr/share/keyrings/debian-archive-*keyring.gpg /usr/share/keyrings/debian-archive-removed-keys.gpg "$root/keys/"
    apt_sources "$1" >"$root/sources.list"
    logged "$root/update.log" private_apt "$1" apt-get update
}

# newest_package SUITES ARCH REGEX: the newest package whose name matches, by its version.
newest_package() {
    local name
    name=$(private_apt "$1" apt-cache dumpavail | awk -v re="^$3\$" -v arch="$2" '
        /^Package: / { name = $2 } /^Architecture: / { a = $2 }
        /^Version: / { version = $2 }
        /^$/ { if (name ~ re && (a == arch || a == "all")) print version, name }' |
        sort -u -V | tail -n 1 | cut -d' ' -f2)
    [ -n "$name" ] || die "no package like $3 ($2) in $1"
    echo "$name"
}

# fetch_unpack SUITES DIRECTORY PACKAGE...: downloads and unpacks, without running anything of theirs.
fetch_unpack() {
    local suites=$1 dir=$2 debs deb
    shift 2
    debs=$(mktemp -d "$cache/debs.XXXXXX")
    (cd "$debs" && logged "$cache/apt/download.log" private_apt "$suites" apt-get download "$@")
    mkdir -p "$dir"
    for deb in "$debs"/*.deb; do
        dpkg -x "$deb" "$dir"
    done
    rm -rf "$debs"
}
