# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The kernel's own judges of a module's source: checkpatch with its tables, and the semantic patches of
# coccinelle. They come with linux-source alone, so it is fetched for them where no own build of the list
# has left them.

kernel_scripts=$cache/kernel-scripts
kernel_scripts_wanted=(checkpatch.pl spelling.txt const_structs.checkpatch coccinelle)

# The first own build of the list says which source.
own_build() {
    local label
    for label in $(kernel_labels); do
        load_kernel "$label"
        [ -z "$k_config" ] || return 0
    done
    die "the list of kernels has none that is built from source"
}

make_kernel_scripts() {
    local package dir=$kernel_scripts.new
    ! compgen -G "$cache/kernels/*/src/scripts/checkpatch.pl" >/dev/null || return 0
    [ ! -d "$kernel_scripts" ] || return 0
    say "fetching the kernel's scripts (once, with its whole source)"
    own_build
    with_lock "apt-$k_suites" apt_refresh "$k_suites"
    package=$(newest_package "$k_suites" all "$k_package")
    rm -rf "$dir"
    fetch_unpack "$k_suites" "$dir/deb" "$package"
    tar -C "$dir" --strip-components=1 --wildcards -xf "$dir"/deb/usr/src/linux-source-*.tar.xz \
        "${kernel_scripts_wanted[@]/#/*/scripts/}"
    rm -rf "$dir/deb"
    mv "$dir" "$kernel_scripts"
}

need_kernel_scripts() { with_lock kernel-scripts make_kernel_scripts; }
