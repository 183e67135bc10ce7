#!/usr/bin/env bash
# The head of a sweep inside a job of its own, where login nodes end what runs for long. From the checkout:
#
#     sbatch --account=... workflow/profiles/slurm/head.sh --profile slurm --configfile config/mt10_standard.yaml
#
# Ten minutes before its walltime it stops the sweep as Ctrl-C does (its jobs save their state) and submits itself again.
#SBATCH --job-name=must-head
#SBATCH --cpus-per-task=1
#SBATCH --mem=4000M
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@600
#SBATCH --output=results/head-%j.log
set -euo pipefail
cd -- "${SLURM_SUBMIT_DIR:?start it with sbatch}"

# In the background, a program ignores SIGINT unless it is told not to.
.venv/bin/python -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
os.execv(sys.executable, [sys.executable, "-m", "snakemake", *sys.argv[1:]])' "$@" &
head=$!
again=
trap 'again=yes; kill -INT "$head"' USR1
status=0
wait "$head" || status=$?
if [ -n "$again" ]; then # that wait was ended by the signal
    status=0
    wait "$head" || status=$?
    if [ "$status" != 0 ]; then
        same=(--time="$(squeue -h -j "$SLURM_JOB_ID" -o %l)" --partition="$SLURM_JOB_PARTITION")
        [ -z "${SLURM_JOB_ACCOUNT:-}" ] || same+=(--account="$SLURM_JOB_ACCOUNT")
        exec sbatch "${same[@]}" workflow/profiles/slurm/head.sh "$@"
    fi
fi
exit "$status"
