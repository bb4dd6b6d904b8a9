#!/usr/bin/env bash
# Adds users to a Mosquitto password file, or changes their passwords: make-users.sh FILE USER...
#
# Asks for each password, unless it is in an environment variable: AFFECTD_PASSWORD_ and the name in capitals, with
# underscores for hyphens (AFFECTD_PASSWORD_KITCHEN_2 for kitchen-2). No password is ever an argument of a program,
# because every user of the machine can read those.
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
    echo "$(dirname "$file") does not exist; run this on the machine with the broker" >&2
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
            echo "The passwords differ; nothing was changed." >&2
            exit 65
        fi
    fi
    if [ -z "$password" ]; then
        echo "The password for $user is empty; nothing was changed." >&2
        exit 65
    fi
    # mosquitto_passwd reads the password twice from standard input, and prints prompts that nobody needs.
    printf '%s\n%s\n' "$password" "$password" | mosquitto_passwd "$work/file" "$user" >/dev/null
done

if [ "$(id -u)" -eq 0 ] && getent group mosquitto >/dev/null; then
    chgrp mosquitto "$work/file" # the broker is no longer root when it reads this
    chmod 640 "$work/file"
fi
mv "$work/file" "$file"
echo "$file: $(wc -l <"$file") users. To make the broker read it: sudo systemctl restart mosquitto"
