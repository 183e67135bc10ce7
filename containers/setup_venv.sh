#!/usr/bin/env bash
# Make the project's Python environment from its hashed locks (`make setup`). A second call does nothing.
#
# usage: containers/setup_venv.sh [VENV]       (default .venv)
#
#   PYTHON    interpreter to build with (default: the first of python3, python3.13, python3.12, python3.11 that fits)
#   FLAVOUR   cpu or cuda (default: cuda where an NVIDIA driver answers, else cpu)
#
# Where packages come from is pip's own business: its settings and PIP_* variables are used as they are.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${1:-.venv}
asked_python=${PYTHON:-}
asked_flavour=${FLAVOUR:-}
PATH=${PATH//"$PWD/$venv/bin:"/} # The environment must not be made with its own interpreter.
locks=containers/locks
stamp=$venv/.setup
oldest=11 newest=13 # Python 3.x, as `requires-python` in pyproject.toml.

say() { printf 'setup: %s\n' "$@"; }
die() {
    printf 'setup: %s\n' "$@" >&2
    exit 2
}

main() {
    case $asked_flavour in '' | cpu | cuda) ;; *) die "FLAVOUR=$asked_flavour: write FLAVOUR=cpu or FLAVOUR=cuda" ;; esac
    if is_current; then
        say "$venv is up to date"
        return
    fi
    local python flavour
    python=$(choose_python)
    say "making $venv with $python ($(version_of "$python"))"
    "$python" -m venv --clear "$venv"
    flavour=$(choose_flavour)
    say "1/3 what a training run needs ($locks/$flavour.txt); this downloads a lot and may take minutes"
    pip install --require-hashes --requirement "$locks/$flavour.txt"
    say "2/3 what the workflow and its developers need ($locks/tools.txt)"
    # One package comes as source only: build it with the setuptools that is locked, not with any that pip would fetch.
    pip install --require-hashes --no-build-isolation --requirement "$locks/tools.txt"
    say "3/3 must itself"
    pip install --no-deps --no-build-isolation --editable .
    printf '%s\n' "$(fingerprint)" "$(version_of "$python")" "$flavour" >"$stamp"
    say "done ($flavour): $venv/bin/must doctor tells what this machine has"
}

# What the environment depends on: the locks and this recipe, and the folder, whose path is written into its scripts.
fingerprint() { { pwd && cat pyproject.toml "$locks"/*.txt containers/setup_venv.sh; } | cksum; }

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

is_current() {
    local made_from version flavour
    [ -f "$stamp" ] && { read -r made_from && read -r version && read -r flavour; } <"$stamp" || return 1
    [ "$made_from" = "$(fingerprint)" ] && [ "$(version_of "$venv/bin/python")" = "$version" ] || return 1
    [ -z "$asked_python" ] || [ "$(version_of "$asked_python")" = "$version" ] || return 1
    [ -z "$asked_flavour" ] || [ "$asked_flavour" = "$flavour" ]
}

choose_python() {
    local candidate version candidates=(python3 python3.13 python3.12 python3.11)
    [ -z "$asked_python" ] || candidates=("$asked_python")
    for candidate in "${candidates[@]}"; do
        version=$(version_of "$candidate") || continue
        [ "${version%.*}" = 3 ] && [ "${version#3.}" -ge $oldest ] && [ "${version#3.}" -le $newest ] || continue
        "$candidate" -c 'import ensurepip, venv' 2>/dev/null ||
            die "$candidate cannot make environments: on Debian or Ubuntu run 'apt-get install python$version-venv' as root"
        command -v "$candidate"
        return
    done
    die "none of these is Python 3.$oldest to 3.$newest: ${candidates[*]}" \
        "install one, or name it: make setup PYTHON=/path/to/python3.$oldest"
}

choose_flavour() {
    if [ -n "$asked_flavour" ]; then
        echo "$asked_flavour"
    elif command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then
        echo cuda
    elif cpu_build_is_found; then
        echo cpu
    else
        say "pip's sources have no CPU build of PyTorch for this platform that $locks/cpu.txt lists." \
            "The CUDA build is installed instead: it runs without a GPU too, but takes several GB more." \
            "For the small build, name PyTorch's CPU wheel index in pip's own variable PIP_EXTRA_INDEX_URL" \
            "and run make setup FLAVOUR=cpu" >&2
        echo cuda
    fi
}

# Ask pip which file it would take for PyTorch, and whether the cpu lock allows it.
cpu_build_is_found() {
    local torch digest
    torch=$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' "$locks/cpu.txt")
    digest=$(pip install --dry-run --no-deps --report - "$torch" | sed -n 's/.*"sha256": "\([0-9a-f]*\)".*/\1/p')
    [ -n "$digest" ] || die "pip finds no $torch in its sources: is the package index reachable?"
    grep -q "$digest" "$locks/cpu.txt"
}

# Quiet unless somebody watches: a terminal shows pip's progress, anything else gets errors only.
pip() {
    local quiet=-qq
    [ -t 1 ] && quiet=
    PIP_USER=0 "$venv/bin/python" -m pip ${quiet:+"$quiet"} "$@"
}

main
