# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Boots a laid-out kernel with the three disks and relays the guest's channels.

# mem-merge=off: else the guest's memory is one more thing for the host's ksmd to look through.
qemu_machine() {
    case $k_arch in
    amd64) echo "qemu-system-x86_64 -M q35,mem-merge=off" ;;
    arm64) echo "qemu-system-aarch64 -M virt,mem-merge=off" ;;
    *) die "no machine for $k_arch" ;;
    esac
}

console_of() { if [ "$k_arch" = arm64 ]; then echo ttyAMA0; else echo ttyS0; fi; }

# KVM is believed only after it has booted something: a /dev/kvm that opens proves little.
# The answer holds until the host is rebooted.
kvm_works() {
    local answer
    [ "$k_arch" = "$host_arch" ] && [ -w /dev/kvm ] || return 1
    answer=$cache/kvm-$(</proc/sys/kernel/random/boot_id)
    if [ ! -e "$answer" ]; then
        if probe_kvm; then echo yes; else echo no; fi >"$answer.$$"
        mv "$answer.$$" "$answer"
    fi
    [ "$(<"$answer")" = yes ]
}

# Without disks, the initrd says so and powers off.
probe_kvm() {
    # shellcheck disable=SC2046
    timeout 15 $(qemu_machine) -accel kvm -cpu host -m 512M -nodefaults -no-reboot -display none -serial stdio \
        -kernel "$k_dir/vmlinuz" -initrd "$k_dir/initrd" -append "console=$(console_of) panic=-1" \
        </dev/null 2>/dev/null | grep -q 'mmlens-vm: init'
}

# Emulated, each byte of rep movsb is a step of its own; without it the kernel copies words.
qemu_accel() {
    if [ -z "${no_kvm:-}" ] && kvm_works; then
        echo "-accel kvm -cpu host"
    elif [ "$k_arch" = arm64 ]; then
        echo "-accel tcg,$k_accel -cpu cortex-a72"
    else
        echo "-accel tcg,$k_accel -cpu max,-erms,-fsrm"
    fi
}

disk() {
    echo "-drive if=none,id=$1,format=raw,readonly=on,file.locking=off,file=$2"
    echo "-device virtio-blk-pci,drive=$1,serial=$1"
}

# The guest reads the command's input from QEMU's, to its end; at a prompt, that is the terminal.
channels() {
    local name
    echo "-device virtio-serial-pci"
    if [ "$mode" = shell ]; then
        echo "-chardev stdio,id=tty,signal=off -device virtconsole,chardev=tty -chardev null,id=in"
    else
        echo "-chardev stdio,id=in,signal=off"
    fi
    for name in out err status; do
        echo "-chardev file,id=$name,path=$run/$name"
    done
    for name in in out err status; do
        echo "-device virtserialport,chardev=$name,name=mmlens.$name"
    done
}

# no_timer_check: on a crowded host an emulated timer may not tick in the moment the kernel gives it
# to prove itself, and that is a panic ("IO-APIC + timer doesn't work!").
kernel_command_line() {
    local check=
    [ "$k_arch" != amd64 ] || check=no_timer_check
    echo "console=$(console_of) loglevel=6 panic=-1 oops=panic panic_on_warn=1 sysrq_always_enabled $check $k_append $append"
}

# Words on lines of their own mean nothing here: paths of the cache and of the run hold no blanks.
qemu_command() {
    qemu_machine
    qemu_accel
    echo "-m ${memory:-$k_mem} -smp ${cpus:-$k_cpus} -nodefaults -no-user-config -no-reboot -display none"
    echo "-chardev pipe,id=console,path=$run/console -serial chardev:console"
    echo "-chardev pipe,id=monitor,path=$run/monitor -mon chardev=monitor"
    echo "-kernel $k_dir/vmlinuz -initrd $k_dir/initrd"
    disk payload "$run/payload.sqfs"
    disk kernel "$k_dir/layer.sqfs"
    disk rootfs "$(rootfs_file "$k_arch")"
    channels
}

# In the background, so that a signal to this script is heeded at once (stop_qemu).
run_qemu() {
    local command status=0
    read -r -d '' -a command < <(qemu_command) || true
    "${command[@]}" -append "$(kernel_command_line)" <&0 2>"$run/qemu.log" &
    qemu=$!
    give_up_after "$limit" </dev/null &
    watcher=$!
    wait "$qemu" || status=$?
    kill "$watcher" 2>/dev/null || true
    [ ! -e "$run/late" ] || status=$status_timeout
    return $status
}

stop_qemu() {
    [ -z "${qemu:-}" ] || kill "$qemu" "${watcher:-}" 2>/dev/null || true
}

# Runs the guest to its end. Leaves kernel.log and status in $run; returns QEMU's status, or
# that of a guest which was given up. Streams go through cat and a FIFO, because QEMU makes what it
# is given non-blocking, also for whoever else holds it.
boot() {
    local relays=() status=0
    mkfifo "$run/in" "$run/out" "$run/err" "$run"/{console,monitor}.{in,out} "$run/pause"
    cat "$run/console.out" >"$run/kernel.log" & relays+=($!)
    cat "$run/out" & relays+=($!)
    cat "$run/err" >&2 & relays+=($!)
    if [ "$mode" = shell ]; then
        run_qemu || status=$?
    else
        [ ! -t 0 ] || exec </dev/null
        cat <&0 >"$run/in" & feeder=$!
        run_qemu <"$run/in" >/dev/null || status=$?
        kill "$feeder" 2>/dev/null || true
    fi
    # Where QEMU never opened them, the relays still wait for a writer.
    : <>"$run/out" <>"$run/err" <>"$run/console.out"
    wait "${relays[@]}" || true
    return $status
}
