#!/usr/bin/env bash
# Starts a real Gridengine of one node on this machine (as root): sge_qmaster, sge_execd.
#
# Queue "main" with two slots a core, so that it works beside the Slurm of the same machine; parallel environment "smp"; a
# consumable "gpu", of which the node has one that is only a number. Running it again changes nothing.
set -euo pipefail

export SGE_ROOT=/var/lib/gridengine SGE_CELL=default DEBIAN_FRONTEND=noninteractive
if ! dpkg -s gridengine-master gridengine-exec gridengine-client >/dev/null 2>&1; then
  apt-get update -q
  # Without a cluster that the package sets up: this machine's name need not lead to an address of a network.
  echo "gridengine-master shared/gridengineconfig boolean false" | debconf-set-selections
  apt-get install -y -q --no-install-recommends gridengine-master gridengine-exec gridengine-client
fi
if pgrep -x sge_qmaster >/dev/null && pgrep -x sge_execd >/dev/null && qconf -sq main >/dev/null 2>&1; then
  qstat -f
  exit 0
fi

common=$SGE_ROOT/$SGE_CELL/common
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
/usr/share/gridengine/scripts/init_cluster "$SGE_ROOT" "$SGE_CELL" /var/spool/gridengine/spooldb sgeadmin >/dev/null
echo "localhost $(hostname)" >"$common/host_aliases" # Gridengine refuses a name that leads to 127.0.0.1, this one apart
echo localhost >"$common/act_qmaster"
chown -R sgeadmin: /var/spool/gridengine "$common"
install -d -o sgeadmin -g sgeadmin /run/gridengine

pgrep -x sge_qmaster >/dev/null || sge_qmaster
for _ in $(seq 30); do
  qconf -sh >/dev/null 2>&1 && break
  sleep 1
done
qconf -sp smp >/dev/null 2>&1 || qconf -Ap /usr/share/gridengine/util/resources/pe/smp
qconf -ss | grep -qx localhost || qconf -as localhost
if ! qconf -sc | grep -q '^gpu '; then
  { qconf -sc && echo "gpu gpu INT <= YES YES 0 0"; } >"$work/complexes"
  qconf -Mc "$work/complexes"
fi
pgrep -x sge_execd >/dev/null || sge_execd
for _ in $(seq 30); do
  qconf -sel 2>/dev/null | grep -qx localhost && break
  sleep 1
done
qconf -mattr exechost complex_values gpu=1 localhost
# What ended is in the accounting at once, and what waits is looked at every two seconds.
qconf -sconf | sed 's/flush_time=[0-9:]*/flush_time=00:00:01/' >"$work/global"
qconf -Mconf "$work/global"
qconf -ssconf | sed 's/^schedule_interval .*/schedule_interval 0:0:2/' >"$work/scheduler"
qconf -Msconf "$work/scheduler"
qconf -sq | sed -e 's/^qname .*/qname main/' -e 's/^hostlist .*/hostlist localhost/' -e "s/^slots .*/slots $(($(getconf _NPROCESSORS_ONLN) * 2))/" \
  -e 's/^load_thresholds .*/load_thresholds NONE/' -e 's/^shell .*/shell \/bin\/bash/' \
  -e 's/^pe_list .*/pe_list make smp/' >"$work/main"
qconf -sq main >/dev/null 2>&1 || qconf -Aq "$work/main"
qstat -f
