#!/usr/bin/env bash
# Submit a job to Gridengine, and print its number: submit.sh CORES MEM_MB MINUTES GRES SCRIPT.
set -euo pipefail

# ---------------------------------------------------------------------------------------------------------------------
# Yours: what administrators choose the names of. `qconf -spl` lists parallel environments, `qconf -sc` resources.
parallel=smp      # an environment whose slots are cores of one machine
memory=mem_free   # or h_vmem, where it is enforced: that of a GPU program is many times what it uses
memory_per_slot=  # yes, where what is asked for counts once for each core
gpus=gpu          # how many GPUs
gpu_type=gpu_type # which
more=()           # such as: more=(-q long.q -P lab)
# ---------------------------------------------------------------------------------------------------------------------

cores=$1 mem_mb=$2 minutes=$3 gres=$4 script=$5
[ -z "$memory_per_slot" ] || mem_mb=$(((mem_mb + cores - 1) / cores))
# A minute before its end a job is told, by SIGUSR1, to save its state.
asked="$memory=${mem_mb}M,s_rt=$((minutes * 60 - 60)),h_rt=$((minutes * 60))"
case $gres in
gpu:*:*) asked+=",$gpus=${gres##*:},$gpu_type=$(cut -d : -f 2 <<<"$gres")" ;;
gpu:*) asked+=",$gpus=${gres#gpu:}" ;;
esac
mkdir -p results/gridengine_logs
# -r y: a job whose machine is lost goes back into the queue.
exec qsub -terse -V -cwd -r y -S /bin/bash -j y -o results/gridengine_logs -pe "$parallel" "$cores" -l "$asked" \
    "${more[@]}" "$script"
