#!/usr/bin/env sh
# The long tests look at the report in a browser: Debian's Chromium, installed where it is not there yet.
set -eu
command -v chromium >/dev/null 2>&1 && exit 0
command -v apt-get >/dev/null 2>&1 || { echo "install Chromium by hand: the long tests open the report in it" >&2; exit 1; }
apt-get update -qq && apt-get install -y -qq chromium
