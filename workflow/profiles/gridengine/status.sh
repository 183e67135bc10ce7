#!/usr/bin/env bash
# Print how a job of Gridengine stands: running (or waiting), success, failed.
#
# What cannot be known now counts as running: a wrong answer would end the sweep, or train a run a second time.
set -uo pipefail
job=$1

if ! queue=$(qstat -u "$(id -un)" 2>/dev/null); then
    echo running
    exit
fi
case $(awk -v job="$job" '$1 == job {print $5}' <<<"$queue") in
E*) # it could not be started, and will not be
    qdel "$job" >/dev/null 2>&1
    echo failed
    exit
    ;;
?*)
    echo running
    exit
    ;;
esac

# It has left the queue. The accounting has it some seconds later.
for wait in 1 2 4 8 15 30 0; do
    ended=$(qacct -j "$job" 2>/dev/null) && break
    sleep "$wait"
done
# Of a job that was started several times the last record counts; 25 says that it is going to be started again.
awk '
    $1 == "failed" {failed = $2}
    $1 == "exit_status" {status = $2}
    END {print failed == 25 ? "running" : failed == "0" && status == "0" ? "success" : "failed"}
' <<<"$ended"
