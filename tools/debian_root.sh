# A Debian of its own in a folder, with a checkout of affectd in it. For bash scripts to source, which run as root.
#
# Expects: base, where an empty Debian is kept for the next time; root, the copy that is worked in; checkout; suite.
#   AFFECTD_ROOT_FILES    files and folders of this machine that the root needs to reach its package registries:
#                         configurations of apt and pip, certificates, folders of wheels
# shellcheck shell=bash disable=SC2154

read -ra files <<<"${AFFECTD_ROOT_FILES:-}"
binds=()

say() { printf '\n== %s\n' "$*"; }

be_root() {
    [ "$(id -u)" -eq 0 ] || {
        echo "$(basename "$0") makes a root and changes into it: run it as root" >&2
        exit 77
    }
}

need() { # PACKAGE COMMAND...
    "${@:2}" >/dev/null 2>&1 || "$checkout/tools/apt_install.sh" "the root is made with it" "$1"
}

keep_log() { # FILE: all that is said from here on, less pip's warnings that name places and registries of this machine
    exec > >(tee >(grep --line-buffered -vE '^WARNING: (Location|Retrying)' >"$1")) 2>&1
}

make_base() { # ARCHITECTURE PACKAGE,...: an empty Debian, kept for the next time
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
    # Not /sys: LiteRT looks up its processor there, and under emulation finds this machine's, and crashes.
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

inside() { # COMMAND: in the root's checkout, as root, with none of this machine's programs
    local pip
    mapfile -t pip < <(env | grep '^PIP_')
    chroot "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "${pip[@]}" bash -eu -o pipefail -c "cd /root/affectd && $1"
}

used_mb() { du -smx "${binds[@]/#/--exclude=$root/}" "$root" | cut -f1; }

timed() { # WHAT COMMAND...: seconds and megabytes that it took, noted in the file $summary
    local what=$1 begun=$SECONDS before
    shift
    before=$(used_mb)
    "$@"
    printf -- '-- %s: %d s, %+d MB\n' "$what" $((SECONDS - begun)) $(($(used_mb) - before)) | tee -a "$summary"
}
