#!/usr/bin/env bash
# Tests the service when things are missing, come late, break or hang. test_service.sh runs it in its container.
set -euo pipefail

readonly address=10.77.0.1 pipe=/run/microphone
feeder=''

# Two minutes, because some things take up to one by design, such as attempts to reach a broker.
wait_until() { # WHAT COMMAND...
    local what=$1 begun=$SECONDS
    shift
    until "$@" >/dev/null 2>&1; do
        if [ $((SECONDS - begun)) -ge 120 ]; then
            printf '  FAIL  %s\n' "$what"
            journalctl -u affectd -n 30 --no-pager -o cat
            exit 1
        fi
        sleep 0.2
    done
    printf '  %3d s %s\n' $((SECONDS - begun)) "$what"
}

property() { systemctl show --property "$1" --value affectd; }
is() { [ "$(property "$1")" = "$2" ]; }
restarted_since() { [ "$(property NRestarts)" -gt "$1" ]; }
journal_says() { journalctl -u affectd --no-pager -o cat | grep -q "$1"; }
last_turn() { mosquitto_sub -h $address -t affectd/board/turn -C 1 -W 30; }
turn_began_in() { last_turn | grep -q "\"started\":\"$1-"; }

plug_microphone_in() {
    mkfifo -m 644 $pipe
    cat >/etc/asound.conf <<ALSA
pcm.fakemic {
    type plug
    slave {
        pcm { type file slave.pcm null file /dev/null infile "$pipe" format raw }
        channels 1
        rate 16000
        format S16_LE
    }
}
ALSA
    /opt/affectd/bin/python - <<PYTHON &
import itertools, time
import numpy as np
from edge.audio.files import read_file

sound = (read_file("/root/affectd/edge/demo_speech.ogg") * 32767).astype("<i2")
with open("$pipe", "r+b", buffering=0) as pipe:  # in real time
    due = time.monotonic()
    for start in itertools.cycle(range(0, len(sound), 1600)):
        pipe.write(sound[start:start + 1600].tobytes())
        due = max(due + 0.1, time.monotonic() - 1.0)
        time.sleep(max(0.0, due - time.monotonic()))
PYTHON
    feeder=$!
}

scene() { printf '\n-- %s\n' "$*"; }

grep PRETTY_NAME /etc/os-release
systemctl --version | head -n 1

scene "No broker, no microphone, no network, and a clock in 1970"
wait_until "it says what is missing" journal_says "no input device"
sleep 15 # a service that ended without its microphone would be started again in this time
wait_until "it stays up and keeps trying" is ActiveState active
wait_until "systemd has not restarted it" is NRestarts 0

scene "The microphone is plugged in"
plug_microphone_in
trap 'kill $feeder' EXIT
wait_until "the service is ready" is ActiveState active
wait_until "it says that there is no network" journal_says "check the network"
wait_until "it hears turns" journal_says "turn: "

scene "The network comes up, then the broker"
ip address add $address/32 dev lo
systemctl start mosquitto
wait_until "a turn arrives, dated 1970" turn_began_in 1970

scene "The clock is set"
echo 0 >/etc/wrong_clock
wait_until "a turn arrives, dated this year" turn_began_in "$(date -u +%Y)"

scene "Its privileges"
systemd-analyze security --no-pager affectd | tail -n 1 | sed 's/[^[:print:]]//g'
wait_until "systemd-analyze security rates it 2.0 or less" systemd-analyze security --no-pager --threshold=20 affectd
grep -E '^(NoNewPrivs|Seccomp|CapEff):' "/proc/$(property MainPID)/status"
wait_until "it runs as the user affectd" test "$(stat -c %U "/proc/$(property MainPID)")" = affectd

scene "kill -9"
before=$(property NRestarts)
kill -9 "$(property MainPID)"
wait_until "systemd restarts it" restarted_since "$before"
wait_until "it is ready" is ActiveState active
wait_until "a turn arrives" last_turn

scene "The dashboard"
readonly page=http://127.0.0.1:8765
web() { systemctl show --property "$1" --value affectd-web; }
wait_until "it serves its page" sh -c "curl -fs $page/ | grep -q '<title>'"
wait_until "it receives turns from the daemon" sh -c "curl -fs $page/api/turns | grep -q '\"emotion\"'"
curl -fs --data-binary @/root/affectd/edge/demo_speech.ogg "$page/api/classify?picture=0" >/root/judged.json
wait_until "a recording has 8 turns" test "$(grep -o '"start":' /root/judged.json | wc -l)" -eq 8
wait_until "it runs as the user affectd" test "$(stat -c %U "/proc/$(web MainPID)")" = affectd
wait_until "systemd-analyze security rates it 2.0 or less" systemd-analyze security --no-pager --threshold=20 affectd-web
printf 'AFFECTD_WEB_OPTIONS=--listen 0.0.0.0:8765\nAFFECTD_WEB_PASSWORD=a long one\n' | install -m 600 /dev/stdin /etc/affectd/web.env
systemctl restart affectd-web
wait_until "other machines reach it with the password" curl -fs -u 'affectd:a long one' http://$address:8765/api/health
wait_until "without the password they do not" sh -c "curl -s -o /dev/null -w '%{http_code}' http://$address:8765/api/health | grep -qx 401"
systemctl stop affectd-web
wait_until "it stops with exit code 0" test "$(web ExecMainStatus)" -eq 0
systemctl start affectd-web

scene "It hangs"
before=$(property NRestarts)
kill -STOP "$(property MainPID)"
wait_until "systemd's watchdog notices" journal_says "Watchdog timeout"
wait_until "systemd restarts it" restarted_since "$before"
wait_until "a turn arrives" last_turn

scene "A mistake in the configuration"
cp /etc/affectd/affectd.toml /root/
echo 'nonsense = 1' >>/etc/affectd/affectd.toml
systemctl restart affectd || true
wait_until "it ends with exit code 78" is ExecMainStatus 78
wait_until "systemd marks it as failed" is ActiveState failed
before=$(property NRestarts)
sleep 7 # RestartSec is 5
wait_until "no restart follows" is NRestarts "$before"
cp /root/affectd.toml /etc/affectd/

scene "sudo systemctl restart affectd, sudo affectd doctor, sudo firmware_configs/install.sh --check"
systemctl restart affectd
wait_until "a turn arrives" last_turn
affectd doctor --only permissions disk clock broker
/root/affectd/firmware_configs/install.sh --check

scene "systemctl stop affectd"
begun=$(date +%s%N)
systemctl stop affectd
printf '  %d ms, ended with exit code %s\n' $((($(date +%s%N) - begun) / 1000000)) "$(property ExecMainStatus)"
wait_until "the exit code is 0" is ExecMainStatus 0

scene "sudo firmware_configs/install.sh --uninstall --purge"
/root/affectd/firmware_configs/install.sh --uninstall --purge
for place in /opt/affectd /etc/affectd /var/lib/affectd /etc/systemd/system/affectd{,-web}.service; do
    wait_until "$place is gone" test ! -e "$place"
done
