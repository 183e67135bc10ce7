#!/usr/bin/env bash
# Say what an image depends on, as a SHA-256 that knows contents and nothing of file times.
#
# usage: containers/fingerprint.sh environment FLAVOUR BOOTSTRAP    the definition and the lock: a change trains anew
#        containers/fingerprint.sh lock FLAVOUR                     the lock alone: a change downloads anew
#        containers/fingerprint.sh content IMAGE                    the files in an image: the same for equal builds
#        containers/fingerprint.sh source                           the package: a change asks for a new image
# Without what a user's shell may bring along: start-up files, exported functions, CDPATH, options.
[[ $- = *p* ]] || exec env -u POSIXLY_CORRECT bash -p -- "$0" "$@"
set -euo pipefail
export LC_ALL=C

if [ "$1" = content ]; then # The file itself holds the time of the build and an identity of its own.
    partition=$(apptainer sif list "$2" | awk -F '|' '/Squashfs/ {gsub(/ /, "", $1); print $1; exit}')
    apptainer sif dump "$partition" "$2" | sha256sum | cut -d ' ' -f 1
    exit
fi
cd -- "$(dirname -- "$0")/.."
case $1 in
environment) { printf '%s\n' "$2" "$3" && sha256sum containers/must.def "containers/locks/$2.txt"; } | sha256sum ;;
lock) sha256sum "containers/locks/$2.txt" ;;
source) find must pyproject.toml -type f -not -path '*/__pycache__/*' -print0 | sort -z | xargs -0 sha256sum | sha256sum ;;
esac | cut -d ' ' -f 1
