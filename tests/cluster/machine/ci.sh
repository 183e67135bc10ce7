#!/usr/bin/env bash
# Prepare a bare Debian 12 machine (as root) and run the cluster's tests there as an ordinary user.
#
# usage: tests/cluster/machine/ci.sh [USER]       (default must-ci; made, with subordinate ids, if it does not exist)
set -euo pipefail
CDPATH= cd -- "$(dirname -- "$0")/../../.."

user=${1:-must-ci}
here=tests/cluster/machine
"$here/install-apptainer.sh"
"$here/start-slurm.sh"
"$here/start-gridengine.sh"
dpkg -s slurmdbd mariadb-server >/dev/null 2>&1 ||
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends slurmdbd mariadb-server
dpkg -s python3-venv >/dev/null 2>&1 || apt-get install -y -q python3-venv

id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$user"
grep -q "^$user:" /etc/subuid || usermod --add-subuids 200000-265535 --add-subgids 200000-265535 "$user"

# The user works on a clone of what is committed here, in a home of its own, with the system's Python: the one in root's
# home is not readable.
home=$(getent passwd "$user" | cut -d : -f 6)
rm -rf "$home/checkout"
git clone --quiet --no-hardlinks . "$home/checkout"
chown -R "$user:" "$home/checkout"
runuser -u "$user" -- env HOME="$home" USER="$user" LOGNAME="$user" \
  make -C "$home/checkout" test-cluster PYTHON=/usr/bin/python3 FLAVOUR=cpu
