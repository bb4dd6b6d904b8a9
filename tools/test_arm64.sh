#!/usr/bin/env bash
# From an empty arm64 root file system to the first turn over MQTT, with the guide's commands: test_arm64.sh [SUITE]
#
# SUITE is bookworm (the default) or trixie. Needs root, debootstrap and qemu-user-static. An emulated processor
# computes what a real one would compute, but its times say nothing about a board. A complete run that passes writes its
# log to firmware_configs/arm64.
#
#   AFFECTD_ARM64_FOLDER  folder of the root file systems, with 3 GB free (default: /var/tmp/affectd-arm64)
#   AFFECTD_ARM64_KEEP    1: continue in the root file system that a failed run has left, and update affectd there
#   AFFECTD_ROOT_FILES    what the root needs to reach its package registries, see debian_root.sh
#   PYTHON                a Python with affectd's packages, to compare with (default: python3)
#   AFFECTD_CORPORA       folder of labelled corpora; clips of RAVDESS, if it is there, are compared too
set -euo pipefail

suite=${1:-bookworm}
here=$(dirname "$(readlink -f "$0")")
checkout=$(dirname "$here")
folder=${AFFECTD_ARM64_FOLDER:-/var/tmp/affectd-arm64}
base=$folder/$suite-arm64 root=$folder/$suite-arm64-run log=$folder/$suite-arm64.log summary=$folder/$suite-summary
python=${PYTHON:-python3}
# shellcheck source=/dev/null
. "$here/debian_root.sh"
be_root

register_qemu() {
    local place=/proc/sys/fs/binfmt_misc
    [ -e $place/register ] || mount -t binfmt_misc binfmt_misc $place
    [ -e $place/qemu-aarch64 ] || cat /usr/lib/binfmt.d/qemu-aarch64.conf >$place/register
}

# --- the steps --------------------------------------------------------------------------------------------------

choose_clips() { # the bundled speech, and a few clips of real speakers if there are any
    mkdir -p "$root/root/clips"
    cp "$checkout/edge/demo_speech.ogg" "$root/root/clips/"
    local corpus=${AFFECTD_CORPORA:-}/ravdess
    if [ -d "$corpus" ]; then
        find "$corpus" -type f | sort | awk 'NR % 150 == 1' | head -n 8 | xargs -I{} cp {} "$root/root/clips/"
    fi
}

try_broker_and_daemon() {
    # shellcheck disable=SC2016  # the shell inside expands it
    inside '
        cat >/etc/affectd/affectd.toml <<TOML
[audio]
source = "file"
path = "/root/affectd/edge/demo_speech.ogg"
realtime = true
[mqtt]
host = "127.0.0.1"
port = 18831
device = "arm64"
[outbox]
path = "/tmp/outbox.sqlite3"
TOML
        # The root shares the network of this machine, where another broker may use the usual port.
        mosquitto -p 18831 >/dev/null 2>&1 &
        broker=$!
        trap "kill $broker" EXIT
        until mosquitto_pub -p 18831 -t up -n 2>/dev/null; do sleep 0.2; done
        # Without the item "speed", which an emulated processor would fail.
        affectd doctor --only configuration system model permissions microphone clock disk board broker \
            home-assistant
        mosquitto_sub -p 18831 -t "affectd/arm64/availability" -t "affectd/arm64/turn" -v >/tmp/heard &
        trap "kill $broker $!" EXIT
        affectd run
        cut -c -160 /tmp/heard
        grep -q "^affectd/arm64/turn {" /tmp/heard'
}

install_from_nothing() {
    say "An empty Debian $suite for arm64"
    make_base arm64 ca-certificates
    make_root
    printf -- '-- empty root: %d s, %d MB\n' "$(cat "$base/.complete")" "$(used_mb)" | tee -a "$summary"
    inside 'uname -m; grep PRETTY_NAME /etc/os-release'

    say "sudo firmware_configs/install.sh --board pi4"
    timed "package lists" inside 'apt-get update -qq'
    timed "install.sh" inside 'firmware_configs/install.sh --board pi4'

    say "sudo firmware_configs/install.sh, once more, and --check"
    timed "install.sh again" inside 'firmware_configs/install.sh --board pi4'
    inside 'firmware_configs/install.sh --check'
}

mkdir -p "$folder"
keep_log "$log"
need qemu-user-static test -e /usr/lib/binfmt.d/qemu-aarch64.conf
need debootstrap command -v debootstrap
printf '%s\n' "make test-arm64 SUITE=$suite, affectd of $(git -C "$checkout" log -1 --format=%cs)" \
    "$(qemu-aarch64-static --version | head -n 1), $(nproc) cores of $(uname -m); times say nothing about a board"

[ -n "${AFFECTD_ARM64_KEEP:-}" ] || : >"$summary"
register_qemu
trap leave_root EXIT
if [ -n "${AFFECTD_ARM64_KEEP:-}" ]; then
    leave_root
    enter_root
    copy_checkout
    say "sudo firmware_configs/install.sh, over an older affectd"
    timed "install.sh, an update" inside 'firmware_configs/install.sh --board pi4'
else
    install_from_nothing
fi

say "The same model on the same clips, on this machine and in the root"
choose_clips
timed "classify" inside 'cd /root/clips && affectd classify --json * | cut -c -120'
(cd "$root/root/affectd" && PYTHONPATH=$PWD "$python" tools/int8_outputs.py make "$root/root/there.npz" "$root"/root/clips/*)
inside '/opt/affectd/bin/python tools/int8_outputs.py compare /root/there.npz /root/clips/*'

say "affectd doctor, and affectd run against Mosquitto"
timed "mosquitto" inside 'apt-get install -y -qq --no-install-recommends mosquitto mosquitto-clients >/dev/null 2>&1'
timed "doctor and daemon" try_broker_and_daemon

say "sudo firmware_configs/install.sh --uninstall --purge"
inside 'firmware_configs/install.sh --uninstall --purge
    ! firmware_configs/install.sh --check >/dev/null
    test ! -e /opt/affectd -a ! -e /etc/affectd -a ! -e /var/lib/affectd'

say "Time and disk under emulation"
cat "$summary"
leave_root
rm -rf "$root"
[ -n "${AFFECTD_ARM64_KEEP:-}" ] || install -D -m 644 "$log" "$checkout/firmware_configs/arm64/$suite-arm64.log"
