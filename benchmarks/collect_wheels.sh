#!/usr/bin/env bash
# Collect what a GPU machine may lack that reaches no package index, as wheels in a folder to bring along.
#
# usage: benchmarks/collect_wheels.sh [FOLDER]      (default build/gpu-wheels, which git ignores)
#
#   PYTHON_VERSION   of the GPU machine (default 3.12)
#
# It has Python with torch, NumPy, SciPy, pandas and Matplotlib; benchmarks/gpu.sh installs the rest from the folder.
[[ $- = *p* ]] || exec bash -p -- "$0" "$@"
set -euo pipefail
cd -- "$(dirname -- "$0")/.."

folder=${1:-build/gpu-wheels}
largest=60 # MB

# Of the locked packages, those that training and its tests import.
packages="absl-py annotated-types cloudpickle etils farama-notifications fsspec glfw gymnasium imageio iniconfig
markdown-it-py mdurl metaworld mujoco packaging pluggy pydantic pydantic-core pygments pyopengl pytest pyyaml rich safetensors
typing-extensions typing-inspection zipp"

mkdir -p -- "$folder"
rm -f -- "$folder"/*.whl
wanted=$(
    for package in $packages; do
        grep -hi -m 1 -o "^$package==[^ ]*" containers/locks/cuda.txt || grep -hi -m 1 -o "^$package==[^ ]*" containers/locks/tools.txt ||
            printf 'collect_wheels: %s is not in the locks\n' "$package" >&2
    done
)
# shellcheck disable=SC2086  # one word for each package
"${PYTHON:-.venv/bin/python}" -m pip download --quiet --no-deps --only-binary :all: --dest "$folder" \
    --python-version "${PYTHON_VERSION:-3.12}" --implementation cp --platform manylinux2014_x86_64 \
    --platform manylinux_2_17_x86_64 --platform manylinux_2_28_x86_64 --platform linux_x86_64 $wanted
size=$(du -sm -- "$folder" | cut -f 1)
printf '%s: %s wheels, %s MB\n' "$folder" "$(find "$folder" -name '*.whl' | wc -l)" "$size"
if ((size > largest)); then
    printf 'collect_wheels: more than %s MB\n' "$largest" >&2
    exit 1
fi
