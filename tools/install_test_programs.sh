#!/usr/bin/env bash
# Installs the programs that the tests use, in addition to the Python packages that nox installs.
#
# A program that cannot be installed is not an error: the tests that need it say so and are skipped.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
missing=()

need() { # PACKAGE COMMAND...: the package is missing when the command fails
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

python_headers() {
    "${PYTHON:-python3}" -c '
import pathlib, sys, sysconfig
sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").is_file())'
}

alsa_plugins() {
    compgen -G '/usr/lib/*/alsa-lib/libasound_module_pcm_pulse.so' >/dev/null
}

PATH=$PATH:/usr/sbin:/sbin # Debian keeps daemons there, and they are not on an ordinary user's PATH
need mosquitto command -v mosquitto
need mosquitto-clients command -v mosquitto_pub
need alsa-utils command -v arecord
need sox command -v sox
need chromium command -v chromium
need libasound2-plugins alsa_plugins
need gcc command -v gcc
need portaudio19-dev test -e /usr/include/portaudio.h
need python3-dev python_headers
# On a booted machine these packages would set up its network or run a database; in a container they cannot.
if [ ! -d /run/systemd/system ]; then
    need systemd command -v systemd-analyze
    need udev command -v udevadm
    need cloud-init command -v cloud-init
    need netplan.io command -v netplan
    need influxdb command -v influxd
fi

if [ "${#missing[@]}" -gt 0 ]; then
    "$here/apt_install.sh" "used by the tests" "${missing[@]}" ||
        echo "Continuing without them; the tests that need them are skipped." >&2
fi
