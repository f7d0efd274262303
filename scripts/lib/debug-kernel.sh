# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# An own build of Debian's linux-source with the fragments of the row's `config`.

# Every line of the fragments must have been honoured: an option that silently lost a dependency
# would leave a net with a hole in it.
check_fragment() {
    local line missing=0
    while read -r line; do
        case $line in
        CONFIG_*=n) line="# ${line%=n} is not set" ;;
        CONFIG_*=* | '# CONFIG_'*' is not set') ;;
        *) continue ;;
        esac
        # An option whose menu is absent has no line either, which is as good as "not set".
        grep -qxF "$line" "$1" && continue
        case $line in
        '# '*) grep -q "^$(cut -d' ' -f2 <<<"$line")=" "$1" || continue ;;
        esac
        say "not honoured: $line"
        missing=1
    done < <(cat "${@:2}")
    [ "$missing" = 0 ] || die "the kernel's configuration lost what the fragments ask for"
}

# What stays of the build is what modules need: headers, configuration, host programs, symbols.
prune_build_tree() {
    local obj=$1 src=$2
    strip -g "$obj/vmlinux"
    find "$obj" -name '*.o' ! -path '*/scripts/*' ! -path '*/tools/*' ! -name 'module.lds' -delete
    find "$obj" \( -name '*.cmd' -o -name '*.a' -o -name '.tmp_*' -o -name 'vmlinux.unstripped' \) \
        ! -path '*/scripts/*' ! -path '*/tools/*' -delete
    find "$src" -name '*.c' ! -path '*/scripts/*' ! -path '*/tools/*' ! -path '*/include/*' \
        ! -path '*/kernel/bounds.c' ! -path '*/asm-offsets*.c' ! -path '*/check-missing-syscalls*' -delete
    rm -rf "$src/Documentation"
}

kernel_make() {
    in_env nice make -C "$k_dir/src" O="$k_dir/obj" CC="$(env_cc)" HOSTCC="$(env_cc)" \
        KBUILD_BUILD_TIMESTAMP=1970-01-01 KBUILD_BUILD_USER=mmlens KBUILD_BUILD_HOST=mmlens "$@"
}

configure_debug_kernel() {
    local fragments=("${@/#/$top/}")
    kernel_make tinyconfig
    (cd "$k_dir/src" && scripts/kconfig/merge_config.sh -m -O "$k_dir/obj" "$k_dir/obj/.config" "${fragments[@]}")
    kernel_make olddefconfig
}

# Leaves vmlinuz, root/ with the modules, and build (a link to the pruned tree) in k_dir.
build_debug_kernel() {
    local fragments
    IFS=, read -r -a fragments <<<"$k_config"
    say "building $k_label from $k_package (ten minutes on two idle cores, half an hour on busy ones, once)"
    rm -rf "$k_dir"
    mkdir -p "$k_dir/src" "$k_dir/obj"
    fetch_unpack "$k_suites" "$k_dir/deb" "$1"
    tar -C "$k_dir/src" --strip-components=1 -xf "$k_dir"/deb/usr/src/linux-source-*.tar.xz
    rm -rf "$k_dir/deb"
    logged "$k_dir/config.log" configure_debug_kernel "${fragments[@]}"
    check_fragment "$k_dir/obj/.config" "${fragments[@]/#/$top/}"
    logged "$k_dir/build.log" kernel_make -j"$(nproc)" bzImage modules
    cp "$k_dir/obj/arch/x86/boot/bzImage" "$k_dir/vmlinuz"
    cat "$k_dir/obj/include/config/kernel.release" >"$k_dir/release"
    logged "$k_dir/install.log" kernel_make INSTALL_MOD_PATH="$k_dir/root/usr" INSTALL_MOD_STRIP=1 modules_install
    prune_build_tree "$k_dir/obj" "$k_dir/src"
    ln -sfn obj "$k_dir/build"
}
