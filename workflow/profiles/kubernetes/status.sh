#!/usr/bin/env bash
# Print how a job of Kubernetes stands: running (or waiting), success, failed.
#
# What cannot be known now counts as running; a job that is gone has failed.
set -uo pipefail
if ! found=$(kubectl get "$1" --ignore-not-found -o 'jsonpath={.metadata.name}:{.status.succeeded}:{.status.failed}'); then
    echo running
    exit
fi
case $found in
'') echo failed ;;
*:1:*) echo success ;;
*:[1-9]*) echo failed ;;
*) echo running ;;
esac
