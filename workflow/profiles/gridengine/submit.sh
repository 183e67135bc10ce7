#!/usr/bin/env bash
# Submit a job to Gridengine, and print its number: submit.sh SCRIPT. What it asks for stands in the script.
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

script=$1
asked=$(python3 -c '
import json, sys
begin = "# properties = "
job = json.loads(next(line for line in open(sys.argv[1]) if line.startswith(begin))[len(begin):])
asked = job["resources"]
print(job["threads"], asked["mem_mb"], asked["runtime"], asked.get("gres", "none"))' "$script")
read -r cores mem_mb minutes gres <<<"$asked"
[ -z "$memory_per_slot" ] || mem_mb=$(((mem_mb + cores - 1) / cores))
# A minute before its end a job is told, by SIGUSR1, to save its state.
end=$((minutes * 60))
asked="$memory=${mem_mb}M,s_rt=$((end > 120 ? end - 60 : end / 2)),h_rt=$end"
case $gres in
gpu:*:*) asked+=",$gpus=${gres##*:},$gpu_type=$(cut -d : -f 2 <<<"$gres")" ;;
gpu:*) asked+=",$gpus=${gres#gpu:}" ;;
esac
mkdir -p results/gridengine_logs
# -r y: a job whose machine is lost goes back into the queue.
exec qsub -terse -V -cwd -r y -S /bin/bash -j y -o results/gridengine_logs -pe "$parallel" "$cores" -l "$asked" \
    "${more[@]}" "$script"
