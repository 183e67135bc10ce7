#!/usr/bin/env bash
# Build the image from a wheelhouse, as an ordinary user, without a network (its base system apart).
#
# usage: containers/build_image.sh FLAVOUR BOOTSTRAP WHEELHOUSE IMAGE
#
#   FLAVOUR      cpu or cuda: whose lock the wheelhouse holds
#   BOOTSTRAP    docker (a base image pinned by digest) or debootstrap (Debian packages from the mirror that this host's
#                own apt uses, or from MUST_DEBIAN_MIRROR)
#   WHEELHOUSE   directory that containers/fill_wheelhouse.sh filled
#   IMAGE        the .sif to write
#
# Beside the image: IMAGE.digest (SHA-256 of its contents: the same for every build from the same commit; the file's own
# is not), IMAGE.environment and IMAGE.source (hashes of definition and lock, and of the package, as
# containers/fingerprint.sh gives them).
# Without what a user's shell may bring along: start-up files, exported functions, CDPATH, options.
[[ $- = *p* ]] || exec env -u POSIXLY_CORRECT bash -p -- "$0" "$@"
set -euo pipefail

flavour=$1 bootstrap=$2 wheelhouse=$(realpath "$3") image=$(realpath -m "$4")
cd -- "$(dirname -- "$0")/.."
# Python's modules are those beside the interpreter, whatever the user's shell says.
unset "${!PYTHON@}" CDPATH
export PATH=$PATH:/usr/sbin:/sbin # debootstrap and what it calls, which an ordinary user's PATH may lack

die() {
    printf 'build_image: %s\n' "$@" >&2
    exit 2
}
command -v apptainer >/dev/null || die "apptainer is not installed: see docs/cluster.md, 'What a cluster needs'"

# Apptainer unpacks and packs the whole image there, and does not say well that there was no room.
declare -A space=([cpu]=4 [cuda]=11) # GB; must/doctor/cluster.py tells a user the same
export APPTAINER_TMPDIR=${APPTAINER_TMPDIR:-${TMPDIR:-/tmp}} APPTAINER_CACHEDIR=${APPTAINER_CACHEDIR:-$PWD/.cache/apptainer}
mkdir -p -- "$APPTAINER_TMPDIR" "$APPTAINER_CACHEDIR"
free=$(df -Pk -- "$APPTAINER_TMPDIR" | awk 'NR == 2 {print int($4 * 1024 / 1e9)}')
[ "$free" -ge "${space[$flavour]}" ] ||
    die "the $flavour image takes ${space[$flavour]} GB of temporary space, $APPTAINER_TMPDIR has $free GB:" \
        "set APPTAINER_TMPDIR to a folder on a local disk that has more"

# Only this checkout's own commit counts: not that of a repository around it, nor one that a variable of git's points to.
for name in "${!GIT_@}"; do unset "$name"; done
top=$(git -c safe.directory='*' rev-parse --show-toplevel 2>/dev/null || true)
git_or() { { [ "$top" = "$(pwd -P)" ] && git -c safe.directory='*' "${@:2}" 2>/dev/null; } || echo "$1"; }
commit=$(git_or unknown rev-parse HEAD)
dirty=0
[ -z "$(git_or '' status --porcelain -- must pyproject.toml containers/must.def containers/locks)" ] || dirty=1
SOURCE_DATE_EPOCH=$(git_or 0 log -1 --format=%ct)
export SOURCE_DATE_EPOCH
environment=$(containers/fingerprint.sh environment "$flavour" "$bootstrap")
source=$(containers/fingerprint.sh source)
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' must/__init__.py)

mkdir -p "$(dirname "$image")"
work=$(mktemp -d)
trap 'rm -rf "$work" "$image.partial"' EXIT

# The package's own wheel, made from a copy so that no build directory is left in the checkout.
mkdir "$work/source"
cp -r must pyproject.toml LICENSE "$work/source/"
[ ! -f README.md ] || cp README.md "$work/source/"
find "$work/source" -name __pycache__ -prune -exec rm -rf {} +
rm -f "$wheelhouse"/must-*.whl
ln -s "$wheelhouse" "$work/wheelhouse" # a name that the definition takes, whatever the checkout's path has in it
definition=$PWD/containers/must.def
python3 -m pip wheel --quiet --no-deps --no-build-isolation --no-index --wheel-dir "$wheelhouse" "$work/source"

arguments=(
    --build-arg "flavour=$flavour" --build-arg "wheelhouse=wheelhouse" --build-arg "version=$version"
    --build-arg "commit=$commit" --build-arg "dirty=$dirty" --build-arg "environment=$environment"
    --build-arg "date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)" --build-arg "bootstrap=$bootstrap"
)
if [ "$bootstrap" = debootstrap ]; then
    command -v debootstrap >/dev/null || die "debootstrap is not installed; install it, or set container.bootstrap to docker"
    mirror=${MUST_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk '/\/debian\/?$/ && !found {found = 1; print}')}
    [ -n "$mirror" ] || die "this host's apt names no Debian mirror: set MUST_DEBIAN_MIRROR to one"
    arguments+=(--build-arg "mirror=$mirror")
fi

# Light compression: half the time to build, a tenth more to store.
(cd "$work" &&
    apptainer build --force --mksquashfs-args "-comp gzip -Xcompression-level 3" "${arguments[@]}" "$image.partial" "$definition")
containers/fingerprint.sh content "$image.partial" >"$image.digest"
echo "$environment" >"$image.environment"
echo "$source" >"$image.source"
mv "$image.partial" "$image"
printf '%s: content sha256 %s\n' "$image" "$(cat "$image.digest")"
