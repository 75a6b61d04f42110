#!/bin/sh
# Makes sure that a Chromium is there for the browser tests: installs Debian's when it may, else says the line to run.
set -eu

for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done

line='apt-get update && apt-get install --yes --no-install-recommends chromium'
if ! command -v apt-get >/dev/null 2>&1; then
    echo 'garita: the browser tests need Chromium; install it with your package manager, then run make test again.' >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
if [ "$(id -u)" = 0 ]; then
    echo 'garita: installing Chromium for the browser tests' >&2
    sh -c "$line" >/dev/null
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    echo 'garita: installing Chromium for the browser tests' >&2
    sudo -n sh -c "$line" >/dev/null
else
    echo "garita: the browser tests need Chromium; run: sudo sh -c '$line'" >&2
    exit 1
fi
