#!/bin/sh
# Makes .venv in the current folder from one hash-locked requirements file, then adds our packages as editable.
# Usage: [PYTHON=python3] setup.sh REQUIREMENTS PACKAGE-FOLDER...
set -eu

say() { printf '%s\n' "garita: $*" >&2; }
stop() { say "$*"; exit 1; }
recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

requirements=$1
shift
venv=.venv/bin/python

if ! [ -x "$venv" ] || ! recent "$venv"; then
    python=
    for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
        if recent "$candidate"; then python=$candidate; break; fi
    done
    [ -n "$python" ] || stop "Python 3.11 or newer is needed; install python3 (Debian: apt install python3 python3-venv)."
    "$python" -c 'import venv' 2>/dev/null || stop "Python's venv module is missing; install it (Debian: apt install python3-venv)."
    say "making the virtual environment .venv"
    rm -rf .venv
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv .venv
    elif "$python" -m pip --python "$python" --version >/dev/null 2>&1; then
        "$python" -m venv --without-pip .venv  # Debian splits ensurepip off: a pip outside can fill the environment
    else
        stop "pip is missing; install it (Debian: apt install python3-venv)."
    fi
    "$python" -c 'import sys; print(sys.executable)' >.venv/.made-by
fi

if "$venv" -m pip --version >/dev/null 2>&1; then
    pip() { "$venv" -m pip --disable-pip-version-check "$@"; }
else
    pip() { "$(cat .venv/.made-by)" -m pip --disable-pip-version-check --python "$venv" "$@"; }
fi

say "installing $requirements (once; a minute or two)"
pip install --quiet --require-hashes -r "$requirements" ||
    stop "the packages of $requirements could not be installed; pip's reason stands above."

editable=
for package in "$@"; do editable="$editable -e ./$package"; done
# shellcheck disable=SC2086  # folder names without spaces, meant to be split
pip install --quiet --no-index --no-deps --no-build-isolation $editable ||
    stop "our own packages could not be installed; pip's reason stands above."
