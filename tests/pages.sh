#!/bin/sh
# Loads pages of sam explain in a real browser without a window: none may make it complain, and each
# must be there to its end. usage: tests/pages.sh PAGE.html...
set -eu

complain() {
    echo "pages: $*" >&2
    exit 1
}

[ $# -gt 0 ] || complain "give the pages to load"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
    complain "there is no chromium, chromium-browser or google-chrome in PATH: install one"

work=$(mktemp -d "${TMPDIR:-/tmp}/pages.XXXXXX")
pid=
clean() {
    if [ -n "$pid" ]; then
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' HUP INT TERM

sandbox=
[ "$(id -u)" -ne 0 ] || sandbox=--no-sandbox # as root it does not start otherwise

# A page that cannot be loaded would otherwise be waited for without an end: 60 seconds.
load() {
    "$browser" --headless $sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
        --user-data-dir="$work/profile" --enable-logging=stderr --dump-dom "$1" \
        >"$work/dom" 2>"$work/log" &
    pid=$!
    tries=0
    while kill -0 "$pid" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -le 600 ] || complain "$1: did not load within a minute"
        sleep 0.1
    done
    wait "$pid" || complain "$1: the browser failed: $(tail -n 3 "$work/log")"
    pid=
}

for page in "$@"; do
    [ -s "$page" ] || complain "$page: there is no such page"
    folder=$(cd "$(dirname "$page")" && pwd)
    cp "$folder/$(basename "$page")" "$work/page.html" # whatever its name: this one is a plain URL
    load "file://$work/page.html"
    if grep -E ':CONSOLE[:(]' "$work/log" >&2; then
        complain "$page: the browser complains"
    fi
    grep -q 'id="end-of-page"' "$work/dom" || complain "$page: it ends too early"
done
echo "$# page(s) loaded, without a complaint"
