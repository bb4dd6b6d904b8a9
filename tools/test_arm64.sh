#!/usr/bin/env bash
# From an empty arm64 root to the first turn over MQTT, by the guide's own commands: test_arm64.sh [SUITE]
#
# SUITE is bookworm (the default) or trixie. Needs root, debootstrap and qemu-user-static. What an emulated processor
# computes is what a real one would compute; how long it takes says nothing of a board. A whole run that passes writes
# its log to firmware_configs/arm64.
#
#   AFFECTD_ARM64_FOLDER  where the roots are, with 3 GB free (default: /var/tmp/affectd-arm64)
#   AFFECTD_ROOT_FILES    files and folders of this machine that the root needs to reach its package registries:
#                         configurations of apt and pip, certificates, folders of wheels
#   AFFECTD_ARM64_KEEP    1: go on in the root that a run before has left when it failed, with affectd installed in it
#   PYTHON                a Python with affectd's packages, to compare with (default: python3)
#   AFFECTD_CORPORA       labelled corpora; clips of RAVDESS are compared too where they are there
set -euo pipefail

suite=${1:-bookworm}
here=$(dirname "$(readlink -f "$0")")
checkout=$(dirname "$here")
folder=${AFFECTD_ARM64_FOLDER:-/var/tmp/affectd-arm64}
base=$folder/$suite-arm64 root=$folder/$suite-arm64-run log=$folder/$suite-arm64.log
python=${PYTHON:-python3}
read -ra files <<<"${AFFECTD_ROOT_FILES:-}"
binds=()

say() { printf '\n== %s\n' "$*"; }

need() { # PACKAGE COMMAND...
    "${@:2}" >/dev/null 2>&1 || "$here/apt_install.sh" "the arm64 root is made with it" "$1"
}

[ "$(id -u)" -eq 0 ] || {
    echo "test_arm64.sh makes a root and changes into it: run it as root" >&2
    exit 77
}

# --- the host ---------------------------------------------------------------------------------------------------

register_qemu() {
    local place=/proc/sys/fs/binfmt_misc
    [ -e $place/register ] || mount -t binfmt_misc binfmt_misc $place
    [ -e $place/qemu-aarch64 ] || cat /usr/lib/binfmt.d/qemu-aarch64.conf >$place/register
}

leave() {
    local place
    for place in "${binds[@]}" proc dev; do
        if mountpoint -q "$root/$place"; then umount -R -l "$root/$place"; fi
    done
}

make_base() { # an empty Debian, kept for the next time
    if [ -e "$base/.complete" ]; then return; fi
    rm -rf "$base"
    local begun=$SECONDS
    debootstrap --arch=arm64 --variant=minbase --include=ca-certificates "$suite" "$base" >"$folder/debootstrap.log"
    echo $((SECONDS - begun)) >"$base/.complete"
}

make_root() { # a fresh copy, with the checkout, and with what this machine needs to reach the registries
    leave
    rm -rf "$root"
    cp -a "$base" "$root"
    enter_root
    mkdir "$root/root/affectd" "$root/root/clips"
    git -C "$checkout" archive HEAD | tar -x -C "$root/root/affectd"
}

enter_root() {
    # Not /sys: LiteRT looks up its processor there, finds this machine's, and crashes.
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --make-rslave "$root/dev"
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    local file
    for file in "${files[@]}"; do
        if [ -d "$file" ]; then
            mkdir -p "$root$file"
            mount --bind -o ro "$file" "$root$file"
            binds+=("${file#/}")
        elif [ -f "$file" ]; then
            install -D -m 644 "$file" "$root$file"
        fi
    done
}

inside() { # COMMAND: in the root, as root, with none of this machine's programs
    local pip
    mapfile -t pip < <(env | grep '^PIP_')
    chroot "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "${pip[@]}" bash -eu -o pipefail -c "cd /root/affectd && $1"
}

used_mb() { du -smx "${binds[@]/#/--exclude=$root/}" "$root" | cut -f1; }

timed() { # WHAT COMMAND...: seconds and megabytes that it took
    local what=$1 begun=$SECONDS before
    shift
    before=$(used_mb)
    "$@"
    printf -- '-- %s: %d s, %+d MB\n' "$what" $((SECONDS - begun)) $(($(used_mb) - before)) | tee -a "$folder/summary"
}

# --- what is tried ----------------------------------------------------------------------------------------------

choose_clips() { # the bundled speech, and a few clips of people where there are any
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
device = "arm64"
[outbox]
path = "/tmp/outbox.sqlite3"
TOML
        mosquitto -p 1883 >/dev/null 2>&1 &
        broker=$!
        trap "kill $broker" EXIT
        until mosquitto_pub -t up -n 2>/dev/null; do sleep 0.2; done
        # Not the speed: an emulated processor would be told that it is too slow.
        affectd doctor --only configuration system model permissions microphone clock disk board broker \
            home-assistant
        mosquitto_sub -t "affectd/arm64/#" -W 240 -C 12 -v >/tmp/heard &
        listening=$!
        affectd run
        wait $listening || true
        cut -c -160 /tmp/heard
        grep -q "^affectd/arm64/turn {" /tmp/heard'
}

install_from_nothing() {
    make_base
    make_root
    printf -- '-- empty root: %d s, %d MB\n' "$(cat "$base/.complete")" "$(used_mb)" | tee -a "$folder/summary"
    inside 'uname -m; grep PRETTY_NAME /etc/os-release'

    say "sudo firmware_configs/install.sh --board pi4"
    timed "package lists" inside 'apt-get update -qq'
    timed "install.sh" inside 'firmware_configs/install.sh --board pi4'

    say "sudo firmware_configs/install.sh, once more, and --check"
    timed "install.sh again" inside 'firmware_configs/install.sh --board pi4'
    inside 'firmware_configs/install.sh --check'
}

mkdir -p "$folder"
exec > >(tee "$log") 2>&1
need qemu-user-static test -e /usr/lib/binfmt.d/qemu-aarch64.conf
need debootstrap command -v debootstrap
printf '%s\n' "make test-arm64 SUITE=$suite, affectd at commit $(git -C "$checkout" rev-parse --short HEAD)" \
    "$(qemu-aarch64-static --version | head -n 1), $(nproc) cores of $(uname -m); times say nothing of a board"

say "An empty Debian $suite for arm64"
[ -n "${AFFECTD_ARM64_KEEP:-}" ] || : >"$folder/summary"
register_qemu
trap leave EXIT
if [ -n "${AFFECTD_ARM64_KEEP:-}" ]; then
    leave
    enter_root
else
    install_from_nothing
fi

say "The same model on the same clips, here and there"
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
cat "$folder/summary"
leave
rm -rf "$root"
[ -n "${AFFECTD_ARM64_KEEP:-}" ] || install -D -m 644 "$log" "$checkout/firmware_configs/arm64/$suite-arm64.log"
