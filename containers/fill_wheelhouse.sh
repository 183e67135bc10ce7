#!/usr/bin/env bash
# Download every wheel of a hashed lock, for the Python of the image, so that the image is built without a network.
#
# usage: containers/fill_wheelhouse.sh cpu|cuda DIRECTORY
#        containers/fill_wheelhouse.sh tags                 the platforms whose wheels the image can use, one a line
#
# Where wheels come from is pip's own business: its settings and PIP_* variables are used as they are.
# Without what a user's shell may bring along: start-up files, exported functions, CDPATH, options.
[[ $- = *p* ]] || exec env -u POSIXLY_CORRECT bash -p -- "$0" "$@"
set -euo pipefail

python=3.11 # of both base systems in must.def,
glibc=36    # and their glibc, 2.36: a wheel for that one or for any before it can be used.

tags=()
for ((minor = glibc; minor >= 5; minor--)); do tags+=("manylinux_2_${minor}_x86_64"); done
tags+=(manylinux{2014,2010,1}_x86_64 linux_x86_64) # 2_17, 2_12 and 2_5 by their old names
if [ "$1" = tags ]; then
    printf '%s\n' "${tags[@]}"
    exit
fi

flavour=$1
directory=$2
lock=$(dirname -- "$0")/locks/$flavour.txt
options=()
for platform in "${tags[@]}"; do options+=(--platform "$platform"); done
for abi in "cp${python/./}" abi3 none; do options+=(--abi "$abi"); done
# Settings of pip that say which files of a package are taken, or where they go: here the lock and the image say that.
unset PIP_{TARGET,PREFIX,ROOT,USER,PYTHON,NO_BINARY,ONLY_BINARY,PLATFORM,ABI,IMPLEMENTATION,PYTHON_VERSION,DEST}

mkdir -p -- "$directory"
PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip download --quiet --dest "$directory" --no-deps --only-binary :all: \
    --implementation cp --python-version "$python" "${options[@]}" --require-hashes --requirement "$lock"
cp "$lock" "$directory/lock.txt"
printf '%s: %s wheels\n' "$directory" "$(find "$directory" -name '*.whl' | wc -l)"
