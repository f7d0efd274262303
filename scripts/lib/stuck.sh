# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What can be learned of a guest that does not end, before it is given up: a kernel that stands still
# for once in a thousand boots is not seen again for the asking.

# l: where each processor is; w: who waits without heeding signals; t: everyone. 9: else the
# console would not show them.
sysrq_keys=(9 l w t)

# A FIFO read from by nobody else is a sleep that leaves no process behind.
pause() { read -r -t "$1" <>"$run/pause" || true; }

# The guest's console hears SysRq after a break, as a serial line of old did.
press_sysrq() {
    echo "chardev-send-break console" >"$run/monitor.in"
    pause 0.2
    printf '%s' "$1" >"$run/console.in"
    pause 2
}

# Registers tell even of a kernel that does not hear.
ask_monitor() {
    local line
    echo "$1" >"$run/monitor.in"
    while IFS= read -r -t 2 line; do echo "$line"; done <>"$run/monitor.out" | tr -d '\r'
}

# What the kernel said, less registers, the scheduler's tables, and threads of its own that wait their turn.
essence() {
    tr -d '\r' | sed -E '/\] (R[0-9A-Z]{2}|x[0-9]+ *):/d; /Sched Debug Version/,$d' | awk '
        function show(i) { for (i = 0; wanted && i < n; i++) print kept[i]; n = 0 }
        BEGIN { wanted = 1 }
        / task:/ { show(); wanted = /state:[DR]/ }
        / do_syscall_64| el0_svc/ { wanted = 1 }
        { kept[n++] = $0 }
        END { show() }'
}

tell_where_it_stands() {
    local key before
    before=$(wc -l <"$run/kernel.log")
    for key in "${sysrq_keys[@]}"; do press_sysrq "$key"; done
    echo "--- the emulator's threads ($k_label) ---"
    ps -L -o tid,stat,time,wchan:24,comm -p "$qemu" || true
    echo "--- its processors ---"
    ask_monitor "info registers -a" | grep -aE '^CPU#|[RE]IP=|RSP=|PC=|HLT=' || echo "(no answer)"
    echo "--- what the kernel said when asked by SysRq ---"
    tail -n "+$((before + 1))" "$run/kernel.log" | essence
} >&2

# Gives the guest up after its time, and leaves a mark that says so.
give_up_after() {
    pause "$1"
    tell_where_it_stands
    : >"$run/late"
    kill "$qemu"
}
