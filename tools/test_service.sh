#!/usr/bin/env bash
# Tests the service under a real systemd, in a container that starts with nothing: test_service.sh [SUITE]
#
# Installs affectd into an empty Debian with the guide's command, starts that Debian as a container with its own
# systemd, network and clock, and runs tools/service_scenes.sh in it. SUITE is bookworm (the default) or trixie. A run
# that passes writes its log to firmware_configs/systemd. Needs root, debootstrap and systemd-container.
#
#   AFFECTD_SERVICE_FOLDER  folder of the root file systems, with 3 GB free (default: /var/tmp/affectd-service)
#   AFFECTD_ROOT_FILES      what the root needs to reach its package registries, see debian_root.sh
set -euo pipefail

suite=${1:-bookworm}
here=$(dirname "$(readlink -f "$0")")
checkout=$(dirname "$here")
architecture=$(dpkg --print-architecture)
folder=${AFFECTD_SERVICE_FOLDER:-/var/tmp/affectd-service}
# shellcheck disable=SC2034  # used by debian_root.sh
base=$folder/$suite-$architecture root=$folder/$suite-$architecture-run
log=$folder/$suite-service.log summary=$folder/$suite-summary
# shellcheck source=/dev/null
. "$here/debian_root.sh"
be_root

set_up_scenes() { # what the container has besides the service: a broker, not started yet, and a clock in 1970
    # shellcheck disable=SC2016  # the shell inside expands it
    inside '
        apt-get install -y -qq --no-install-recommends mosquitto mosquitto-clients curl >/dev/null 2>&1
        systemctl disable --quiet mosquitto 2>/dev/null
        printf "listener 1883\nallow_anonymous true\n" >/etc/mosquitto/conf.d/scenes.conf
        gcc -shared -fPIC -O1 -o /usr/local/lib/wrong_clock.so tests/support/wrong_clock.c -ldl
        mkdir -p /etc/systemd/system/affectd.service.d
        cat >/etc/systemd/system/affectd.service.d/clock.conf <<UNIT
[Service]
Environment=LD_PRELOAD=/usr/local/lib/wrong_clock.so WRONG_CLOCK=/etc/wrong_clock
UNIT
        echo "-$(date +%s)" >/etc/wrong_clock
        cat >/etc/systemd/system/scenes.service <<UNIT
[Service]
Type=oneshot
ExecStart=/root/affectd/tools/service_scenes.sh
StandardOutput=file:/root/scenes.log
StandardError=inherit
ExecStopPost=/bin/sh -c "echo \$EXIT_STATUS >/root/scenes.rc; systemctl poweroff --no-block"
[Install]
WantedBy=multi-user.target
UNIT
        systemctl enable --quiet scenes
        cat >/etc/affectd/affectd.toml <<TOML
[audio]
device = "fakemic"
device_rate = 16000
[mqtt]
host = "10.77.0.1"
device = "board"
TOML'
}

play_scenes() {
    leave_root
    systemd-nspawn --quiet --directory="$root" --boot --private-network --register=no --keep-unit --console=pipe \
        </dev/null >"$folder/console.log" 2>&1 || true
    cat "$root/root/scenes.log"
    grep -qx 0 "$root/root/scenes.rc"
}

mkdir -p "$folder"
keep_log "$log"
need debootstrap command -v debootstrap
need systemd-container command -v systemd-nspawn
printf '%s\n' "make test-service SUITE=$suite, affectd of $(git -C "$checkout" log -1 --format=%cs)"
: >"$summary"
trap leave_root EXIT

say "An empty Debian $suite, and sudo firmware_configs/install.sh --board x86 --extra web"
make_base "$architecture" ca-certificates,systemd,systemd-sysv,dbus,iproute2
make_root
inside 'apt-get update -qq'
timed "install.sh" inside 'firmware_configs/install.sh --board x86 --extra web'
set_up_scenes

say "The container starts, with its own systemd"
play_scenes
rm -rf "$root"
install -m 644 "$log" "$checkout/firmware_configs/systemd/$suite-service.log"
