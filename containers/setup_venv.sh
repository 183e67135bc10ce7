#!/usr/bin/env bash
# Make the project's Python environment from its hashed locks (`make setup`). A second call does nothing.
#
# usage: containers/setup_venv.sh [VENV]       (default .venv)
#
#   PYTHON    interpreter to build with (default: the first of python3, python3.13, python3.12, python3.11 that fits)
#   FLAVOUR   cpu or cuda (default: cuda where an NVIDIA driver answers, else cpu)
#
# Where packages come from is pip's own business: its settings and PIP_* variables are used as they are.
# Without what a user's shell may bring along: start-up files, exported functions, CDPATH, options.
[[ $- = *p* ]] || exec env -u POSIXLY_CORRECT bash -p -- "$0" "$@"
set -euo pipefail
cd -- "$(dirname -- "$0")/.."

venv=${1:-.venv}
asked_python=${PYTHON:-}
asked_flavour=${FLAVOUR:-}
# Another Python's modules, and settings of pip that say what is installed and where instead of where from.
unset "${!PYTHON@}" PIP_{TARGET,PREFIX,ROOT,PYTHON,DRY_RUN,REPORT,NO_DEPS,EDITABLE,REQUIRE_HASHES,NO_BINARY,ONLY_BINARY}
export PYTHONNOUSERSITE=1 PIP_USER=0
unset GREP_OPTIONS CDPATH
PATH=${PATH//"$PWD/$venv/bin:"/} # The environment must not be made with its own interpreter.
locks=containers/locks
stamp=$venv/.setup.packages
size_cpu="half a GB to download, 2 GB on the disk"
size_cuda="3 GB to download, 6 GB on the disk"
oldest=11 newest=13 # Python 3.x, as `requires-python` in pyproject.toml.

say() { printf 'setup: %s\n' "$@"; }
die() {
    printf 'setup: %s\n' "$@" >&2
    exit 2
}

main() {
    case $asked_flavour in '' | cpu | cuda) ;; *) die "FLAVOUR=$asked_flavour: write FLAVOUR=cpu or FLAVOUR=cuda" ;; esac
    check_path
    wait_for_turn
    if ! packages_are_current; then
        install_packages
    elif project_is_current; then
        say "$venv is up to date"
        return
    fi
    say "installing must itself"
    pip install --no-deps --no-build-isolation --editable .
    fingerprint pyproject.toml >"$venv/.setup.project"
    say "done: $venv/bin/must doctor tells what this machine has"
}

# PATH is divided at colons. Where a path has a blank or is long, pip starts an environment's programs through sh, with
# their path in double quotes.
check_path() {
    local path=$PWD/$venv/bin/python3
    case $path in
    *:* | *$'\n'*) ;;
    *[\"\`\\\$]*) [ ${#path} -gt 120 ] || [[ $path = *[[:space:]]* ]] || return 0 ;;
    *) return 0 ;;
    esac
    die "$PWD: programs cannot be started below such a path (a colon; or one of \" \` \\ \$ beside a blank):" \
        "move the checkout, or rename the folder"
}

# Two `make` in one checkout must not write the environment at once. The file is open for writing: NFS wants that of
# whoever locks. Some file systems have no locks, and macOS has no flock.
wait_for_turn() {
    command -v flock >/dev/null || return 0
    if ! { exec 9>>"$venv.lock"; } 2>/dev/null; then
        packages_are_current && project_is_current ||
            die "$PWD/$venv.lock cannot be written: make setup needs a checkout that you may write to"
        return 0
    fi
    { flock -n 9 || { [ $? = 1 ] && say "waiting for another make in this checkout" && flock 9; }; } 2>/dev/null ||
        say "warning: files cannot be locked in $PWD (flock fails); do not run make twice at a time there" >&2
}

install_packages() {
    local python flavour size
    python=$(choose_python)
    say "making $venv with $python ($(version_of "$python"))"
    "$python" -m venv --clear "$venv"
    flavour=$(choose_flavour)
    size=size_$flavour size=${!size}
    say "installing what a training run needs ($locks/$flavour.txt: $size); this may take minutes"
    pip install --require-hashes --requirement "$locks/$flavour.txt"
    say "installing what the workflow and its developers need ($locks/tools.txt)"
    # One package comes as source only: build it with the setuptools that is locked, not with any that pip would fetch.
    pip install --require-hashes --no-build-isolation --requirement "$locks/tools.txt"
    printf '%s\n' "$(fingerprint "$locks"/*.txt)" "$(version_of "$python")" "$flavour" >"$stamp"
}

# Of some files, and of the folder, whose path is written into the environment's scripts.
fingerprint() { { pwd && cat "$@"; } | cksum; }

project_is_current() { [ "$(cat "$venv/.setup.project" 2>/dev/null)" = "$(fingerprint pyproject.toml)" ]; }

packages_are_current() {
    local made_from version flavour
    [ -f "$stamp" ] && { read -r made_from && read -r version && read -r flavour; } <"$stamp" || return 1
    [ "$made_from" = "$(fingerprint "$locks"/*.txt)" ] && [ "$(version_of "$venv/bin/python")" = "$version" ] || return 1
    [ -z "$asked_python" ] || [ "$(version_of "$asked_python")" = "$version" ] || return 1
    [ -z "$asked_flavour" ] || [ "$asked_flavour" = "$flavour" ]
}

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

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
    local flavour=$asked_flavour
    if [ -z "$flavour" ]; then
        flavour=cpu
        if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then flavour=cuda; fi
    fi
    if [ "$flavour" = cpu ] && ! cpu_build_is_found; then
        say "pip's sources have no CPU build of PyTorch for this machine that $locks/cpu.txt allows." \
            "$(grep '^# CPU builds' "$locks/cpu.txt")" \
            "To get one ($size_cpu), name PyTorch's CPU wheel index in pip's own variable" \
            "PIP_EXTRA_INDEX_URL, or a folder that holds the wheel in PIP_FIND_LINKS." >&2
        [ -z "$asked_flavour" ] ||
            die "make setup FLAVOUR=cuda works without it (and without a GPU), but takes $size_cuda."
        say "Installing the CUDA build instead: it works without a GPU too, but takes $size_cuda. Ctrl-C stops it." >&2
        flavour=cuda
    fi
    echo "$flavour"
}

# Ask pip which file it would take for PyTorch, and whether the cpu lock allows it.
cpu_build_is_found() {
    local torch digest
    torch=$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' "$locks/cpu.txt")
    # pip 23.0, which Debian 12 has, writes the hash another way than later ones.
    digest=$(pip install --dry-run --no-deps --report - "$torch" |
        sed -n 's/.*"sha256": "\([0-9a-f]*\)".*/\1/p; s/.*"hash": "sha256=\([0-9a-f]*\)".*/\1/p' | head -n 1)
    [ -n "$digest" ] ||
        die "pip finds no $torch in its sources: is the package index reachable?"
    grep -q "$digest" "$locks/cpu.txt"
}

# Quiet unless somebody watches: a terminal shows pip's progress, anything else gets errors only.
pip() {
    local quiet=-qq
    [ -t 1 ] && quiet=
    "$venv/bin/python" -m pip ${quiet:+"$quiet"} "$@"
}

main
