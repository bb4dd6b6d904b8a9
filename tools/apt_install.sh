#!/usr/bin/env bash
# Installs Debian packages where that is allowed, and otherwise prints the command: apt_install.sh REASON PACKAGE...
#
# It is allowed as root, or with a sudo that asks for no password, but never with AFFECTD_NO_APT=1. Exits with 69 if the
# packages could not be installed.
set -euo pipefail

reason=$1
shift

as_root=()
allowed=yes
if [ -n "${AFFECTD_NO_APT:-}" ] || ! command -v apt-get >/dev/null; then
    allowed=no
elif [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo -n)
    sudo -n true 2>/dev/null || allowed=no
fi

if [ "$allowed" = no ]; then
    {
        echo "Missing on this machine ($reason). On Debian, Ubuntu or Raspberry Pi OS:"
        echo "    sudo apt-get install --no-install-recommends $*"
    } >&2
    exit 69
fi

echo "Installing with apt ($reason): $*"
install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@")
log=$(mktemp)
trap 'rm -f "$log"' EXIT

run_quietly() {
    "$@" >"$log" 2>&1
}

# On a fresh or long unused system the package lists are missing or stale, hence the second try.
if ! run_quietly "${install[@]}"; then
    if ! run_quietly "${as_root[@]}" apt-get update -qq || ! run_quietly "${install[@]}"; then
        tail -n 15 "$log" >&2
        echo "apt could not install: $*" >&2
        exit 69
    fi
fi
