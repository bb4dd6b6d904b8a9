#!/usr/bin/env bash
# Adds users to a Mosquitto password file, or gives them a new password: make-users.sh FILE USER...
#
# Asks for each password, unless the environment holds it: AFFECTD_PASSWORD_ and the name in capitals, hyphens as
# underscores (AFFECTD_PASSWORD_KITCHEN_2 for kitchen-2). A password is never an argument of a program, because every
# user of the machine can read those.
set -euo pipefail

if [ "$#" -lt 2 ]; then
    echo "usage: $(basename "$0") FILE USER..." >&2
    exit 64
fi
if ! command -v mosquitto_passwd >/dev/null; then
    echo "mosquitto_passwd is missing: sudo apt-get install mosquitto" >&2
    exit 69
fi

file=$1
shift
if [ ! -d "$(dirname "$file")" ]; then
    echo "$(dirname "$file") does not exist; is this the machine with the broker?" >&2
    exit 66
fi

umask 077
# Beside the file, so that the last step is a rename: the broker never sees half a file.
work=$(mktemp -d "$(dirname "$file")/.affectd-users.XXXXXX")
trap 'rm -rf "$work"' EXIT
touch "$work/file"
if [ -e "$file" ]; then
    cat "$file" >"$work/file"
fi

ask() { # PROMPT VARIABLE
    if ! IFS= read -r -s -p "$1" "$2"; then
        echo "No password given; nothing was changed." >&2
        exit 65
    fi
    echo
}

for user in "$@"; do
    if ! [[ $user =~ ^[a-z0-9-]{1,64}$ ]]; then
        echo "$user: a name is 1 to 64 of a-z, 0-9 and '-', as in the topics" >&2
        exit 64
    fi
    variable=${user^^}
    variable=AFFECTD_PASSWORD_${variable//-/_}
    password=${!variable-}
    if [ -z "$password" ]; then
        ask "Password of $user: " password
        ask "Again: " again
        if [ "$password" != "${again-}" ]; then
            echo "The two differ; nothing was changed." >&2
            exit 65
        fi
    fi
    if [ -z "$password" ]; then
        echo "An empty password for $user; nothing was changed." >&2
        exit 65
    fi
    # It asks twice, on standard input, and prompts as if somebody sat there.
    printf '%s\n%s\n' "$password" "$password" | mosquitto_passwd "$work/file" "$user" >/dev/null
done

if [ "$(id -u)" -eq 0 ] && getent group mosquitto >/dev/null; then
    chgrp mosquitto "$work/file" # the broker has given up root by the time it reads this
    chmod 640 "$work/file"
fi
mv "$work/file" "$file"
echo "$file: $(wc -l <"$file") users. The broker reads it at its next start: sudo systemctl restart mosquitto"
