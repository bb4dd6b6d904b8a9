#!/usr/bin/env bash
# Makes the virtual environment that the Makefile works in: make_venv.sh FOLDER
#
# A bare Debian has Python, but neither pip nor the part of venv that installs it, so this script installs python3-venv
# with apt where it may. PYTHON=... chooses the interpreter, AFFECTD_NO_APT=1 forbids apt.
set -euo pipefail

folder=$1
here=$(dirname "$(readlink -f "$0")")

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

choose_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[123].*/bin/python; do
        if [ -n "$candidate" ] && new_enough "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    echo "affectd needs Python 3.11 or newer and found none; install it, or name it: make PYTHON=/path/to/python3.11" >&2
    return 69
}

python=$(choose_python)
if [ -n "${PYTHON:-}" ] && [ "$python" != "$PYTHON" ]; then
    echo "PYTHON=$PYTHON is not a Python 3.11 or newer." >&2
    exit 64
fi

if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    "$here/apt_install.sh" "the environment needs pip" python3-venv || {
        echo "Then run make again." >&2
        exit 69
    }
fi

echo "Making $folder with $("$python" --version)"
"$python" -m venv --clear "$folder"
