#!/usr/bin/env bash
# Download every wheel of a hashed lock, for the Python of the image, so that the image is built without a network.
#
# usage: containers/fill_wheelhouse.sh cpu|cuda DIRECTORY
#
# Where wheels come from is pip's own business: its settings and PIP_* variables are used as they are.
set -euo pipefail

flavour=$1
directory=$2
lock=$(dirname "$0")/locks/$flavour.txt
python=3.11 # of both base systems in must.def

tags=()
for platform in manylinux_2_{34,31,28,27,26,24,17,12,5}_x86_64 manylinux{2014,2010,1}_x86_64 linux_x86_64; do
    tags+=(--platform "$platform")
done
for abi in "cp${python/./}" abi3 none; do tags+=(--abi "$abi"); done

mkdir -p "$directory"
PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip download --quiet --dest "$directory" --no-deps --only-binary :all: \
    --implementation cp --python-version "$python" "${tags[@]}" --require-hashes --requirement "$lock"
cp "$lock" "$directory/lock.txt"
printf '%s: %s wheels\n' "$directory" "$(find "$directory" -name '*.whl' | wc -l)"
