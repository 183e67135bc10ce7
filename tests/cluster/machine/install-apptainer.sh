#!/usr/bin/env bash
# Puts Apptainer on a Debian 12 machine (as root), whose own suite has no package of it.
#
# The package comes from Debian's unstable suite, through the mirror that apt is already set up with. It wants a newer
# libc than Debian 12 has: its two programs get a private copy of that libc under /opt/apptainer-libc, so the system's
# own libc stays as it is. What an ordinary user needs to build and mount images (FUSE, subordinate ids) comes along.
set -euo pipefail

if [ ! -e /dev/fuse ]; then
  echo "install-apptainer: /dev/fuse is missing; an ordinary user cannot mount images without it" >&2
  exit 1
fi
chmod 666 /dev/fuse # an ordinary user mounts an image through FUSE
if command -v apptainer >/dev/null; then
  apptainer --version
  exit 0
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q patchelf squashfs-tools squashfuse fuse2fs debootstrap uidmap fakeroot

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
  awk '/\/debian\/?$/ && !found {found = 1; print}')
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$work/sources.list"
apt=(apt-get -q -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
"${apt[@]}" update
(cd "$work" && "${apt[@]}" download apptainer libc6 libseccomp2 libsqlite3-0)

for deb in "$work"/{libc6,libseccomp2,libsqlite3-0}_*.deb; do dpkg -x "$deb" "$work/libs"; done
dpkg -x "$work"/apptainer_*.deb "$work/app"
libs=/opt/apptainer-libc
mkdir -p "$libs"
cp -a "$work"/libs/usr/lib/x86_64-linux-gnu/. "$libs"
cp -a "$work"/app/usr/. /usr/
cp -a "$work"/app/etc/apptainer /etc/
mkdir -p /var/lib/apptainer/mnt/session
for program in /usr/bin/apptainer /usr/lib/x86_64-linux-gnu/apptainer/bin/starter; do
  patchelf --set-interpreter "$libs/ld-linux-x86-64.so.2" --force-rpath \
    --set-rpath "$libs:/usr/lib/x86_64-linux-gnu" "$program"
done
apptainer --version
