# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Reads scripts/kernels.tsv, the one list of kernels.

kernels_tsv=$top/scripts/kernels.tsv

# The header line and the rows, without comments.
kernel_rows() { grep -v '^#' "$kernels_tsv"; }

kernel_labels() { kernel_rows | sed 1d | cut -f1; }

default_label() { kernel_labels | head -n 1; }

# Sets k_label, k_arch, ... from the row of a label: a variable per column of the header.
load_kernel() {
    local row names values i
    row=$(kernel_rows | awk -F'\t' -v l="$1" 'NR > 1 && $1 == l')
    [ -n "$row" ] || fatal_status=2 die "no kernel '$1' in the list; known: $(kernel_labels | xargs)"
    IFS=$'\t' read -r -a names < <(kernel_rows)
    IFS=$'\t' read -r -a values <<<"$row"
    for i in "${!names[@]}"; do
        printf -v "k_${names[i]}" %s "${values[i]}"
    done
    # shellcheck disable=SC2154
    [ "$k_append" != - ] || k_append=
    [ "$k_config" != - ] || k_config=
    k_dir=$cache/kernels/$k_label
}
