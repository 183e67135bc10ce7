#!/usr/bin/env bash
# Prove and measure everything that concerns a GPU, on any machine that has one, in the minutes that it can be had.
#
# usage: benchmarks/gpu.sh SECONDS [DEVICE]      DEVICE: cuda (default), or cpu to rehearse at tiny sizes
#
#   OUT      folder for all that is to be brought back (default build/gpu); a few MB
#   WHEELS   folder of benchmarks/collect_wheels.sh (default build/gpu-wheels), for a machine without package index
#   PYTHON   interpreter with torch (default .venv/bin/python where it works, else python3)
#   STEPS    which of its steps to take (default: tests steps masks sharing epoch train)
#
# Every step has a time limit, and one that fails does not take the others with it: its log says why, and the summary
# has what the others found. What is left of SECONDS is real training of MT10, many runs sharing the card.
[[ $- = *p* ]] || exec bash -p -- "$0" "$@"
set -uo pipefail
cd -- "$(dirname -- "$0")/.." || exit

budget=${1:?usage: benchmarks/gpu.sh SECONDS [DEVICE]}
device=${2:-cuda}
out=${OUT:-build/gpu}
wheels=${WHEELS:-build/gpu-wheels}
wanted=${STEPS:-tests steps masks sharing epoch train}
at_the_end=25 # seconds for checkpoints and the summary
mkdir -p -- "$out"
out=$(cd -- "$out" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
export PYTHONPATH=$PWD PYTHONNOUSERSITE=1 CUBLAS_WORKSPACE_CONFIG=:4096:8 MPLCONFIGDIR=$scratch
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

left() { echo $((budget - SECONDS)); }

# Take a step within a time limit, and never more than what is left: step NAME LIMIT COMMAND...
step() {
    local name=$1 limit=$2 status began=$SECONDS
    shift 2
    [[ " $wanted " == *" $name "* ]] || return 0
    [[ $device == cpu ]] && limit=$((10 * limit)) # a rehearsal has what time it needs
    ((limit > $(left) - at_the_end)) && limit=$(($(left) - at_the_end))
    if ((limit < 5)); then
        printf '%s\tno time left\t0\n' "$name" >>"$out/steps.tsv"
        return 0
    fi
    timeout --signal=TERM --kill-after=20 "$limit" "$@" >"$out/$name.log" 2>&1
    status=$?
    printf '%s\t%s\t%s\n' "$name" "$status" "$((SECONDS - began))" | tee -a "$out/steps.tsv"
}

# Find a Python that has everything, or has it with the wheels that were brought along: unpacked, which needs no pip.
find_python() {
    local wheel
    python=${PYTHON:-.venv/bin/python}
    "$python" -c 'import torch' 2>/dev/null || python=python3
    if ! "$python" -c 'import metaworld, pydantic, pytest, rich, torch, yaml' 2>/dev/null; then
        for wheel in "$wheels"/*.whl; do
            "$python" -m zipfile -e "$wheel" "$scratch/packages"
        done
        export PYTHONPATH=$PWD:$scratch/packages
    fi
    "$python" -c 'import sys, torch, metaworld, pydantic, pytest, rich, yaml
print(sys.version.split()[0], torch.__version__, torch.cuda.is_available())'
}

: >"$out/steps.tsv"
find_python >"$out/python.log" 2>&1
cat "$out/python.log"
measure=("$python" benchmarks/gpu.py --device "$device" --out "$out")

step tests 120 env MUST_TEST_DEVICE="$device" "$python" -m pytest -q -p no:cacheprovider --durations=10 tests/gpu
step steps 75 "${measure[@]}" steps
step masks 30 "${measure[@]}" masks
step sharing 45 "${measure[@]}" sharing
step epoch 120 "${measure[@]}" epoch --scratch "$scratch/epoch"
step train "$(left)" "${measure[@]}" train --scratch "$scratch/train" --seconds "$(($(left) - 2 * at_the_end))"
"${measure[@]}" summary
find "$out" -type f -size +4M -delete # what is brought back is small
