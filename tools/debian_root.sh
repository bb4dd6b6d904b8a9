# Functions for a Debian root file system in a folder, with a checkout of affectd in it. Sourced by bash scripts that
# run as root.
#
# Expects these variables: base, the folder in which an empty Debian is kept for the next run; root, the folder of the
# copy to work in; checkout; suite; summary, the file for times and sizes.
#   AFFECTD_ROOT_FILES    files and folders of this machine that the root needs to reach its package registries:
#                         configurations of apt and pip, certificates, folders of wheels
# shellcheck shell=bash disable=SC2154

read -ra files <<<"${AFFECTD_ROOT_FILES:-}"
binds=()

say() { printf '\n== %s\n' "$*"; }

be_root() {
    [ "$(id -u)" -eq 0 ] || {
        echo "$(basename "$0") makes a root file system and changes into it: run it as root" >&2
        exit 77
    }
}

need() { # PACKAGE COMMAND...
    "${@:2}" >/dev/null 2>&1 || "$checkout/tools/apt_install.sh" "needed for the root file system" "$1"
}

keep_log() { # FILE: log all further output, except pip's warnings that name paths and registries of this machine
    exec > >(tee >(grep --line-buffered -vE '^WARNING: (Location|Retrying)' >"$1")) 2>&1
}

make_base() { # ARCHITECTURE PACKAGE,...: an empty Debian, kept for the next run
    if [ -e "$base/.complete" ]; then return; fi
    rm -rf "$base"
    local begun=$SECONDS
    debootstrap --arch="$1" --variant=minbase --include="$2" "$suite" "$base" >"$base.log"
    echo $((SECONDS - begun)) >"$base/.complete"
}

make_root() { # a fresh copy, with the checkout, and with what this machine needs to reach the registries
    leave_root
    rm -rf "$root"
    cp -a "$base" "$root"
    enter_root
    copy_checkout
}

copy_checkout() {
    rm -rf "$root/root/affectd"
    mkdir "$root/root/affectd"
    git -C "$checkout" archive HEAD | tar -x -C "$root/root/affectd"
}

enter_root() {
    # Not /sys: LiteRT looks up its processor there. Under emulation it would find this machine's, and crash.
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

leave_root() {
    local place
    for place in "${binds[@]}" proc dev; do
        if mountpoint -q "$root/$place"; then umount -R -l "$root/$place"; fi
    done
}

inside() { # COMMAND: runs in the root's checkout, as root, without this machine's programs and environment
    local pip
    mapfile -t pip < <(env | grep '^PIP_')
    chroot "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "${pip[@]}" bash -eu -o pipefail -c "cd /root/affectd && $1"
}

used_mb() { du -smx "${binds[@]/#/--exclude=$root/}" "$root" | cut -f1; }

timed() { # WHAT COMMAND...: prints the seconds and megabytes that it took, and appends them to $summary
    local what=$1 begun=$SECONDS before
    shift
    before=$(used_mb)
    "$@"
    printf -- '-- %s: %d s, %+d MB\n' "$what" $((SECONDS - begun)) $(($(used_mb) - before)) | tee -a "$summary"
}
