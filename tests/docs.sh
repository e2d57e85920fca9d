#!/bin/sh
# make docs-check: runs every command of the documents, or of those that are named, in a copy of the
# project, with cram, and compares what they print.
set -eu
unset MAKEFLAGS MAKELEVEL MFLAGS # this is a shell of its own, whoever called it

documents=${*:-README.md labs.md docs/by-hand.md docs/secure-socket.md}
work=$(mktemp -d "${TMPDIR:-/tmp}/docs.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/lab" "$work/tests"
git ls-files -z --cached --others --exclude-standard | xargs -0 tar cf - | tar xf - -C "$work/lab"

# What the documents' commands find around them. `stays` starts a server that goes on while the next
# commands run, shows what it has said once it listens, and is stopped at the end, or when another of
# its kind (`make run-server`, `make wiretap`) takes its place.
cat >"$work/prelude" <<'PRELUDE'
cd "$DOCS_LAB"
find keys -mindepth 1 ! -name README.md -delete # each document begins anew
declare -A servers
trap '[ -z "${servers[*]}" ] || kill ${servers[*]}; wait' EXIT
stays() {
    if [ -n "${servers[$2]:-}" ]; then
        kill "${servers[$2]}"
        wait "${servers[$2]}"
    fi
    log=$(mktemp "$DOCS_LAB/stays.XXXXXX")
    "$@" >"$log" 2>&1 &
    servers[$2]=$!
    tries=0
    until grep -q "trusting\|passing on\|listening on port" "$log"; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || break
        sleep 0.05
    done
    cat "$log"
}
PRELUDE
cat >"$work/shell" <<SHELL
#!/bin/sh
cat "$work/prelude" - | bash
SHELL
chmod +x "$work/shell"

# Ports that were free a moment ago, for documents that speak of the default ones.
tools/sam wiretap --quiet --listen 0 --to 127.0.0.1:9 --port-file "$work/one" &
one=$!
tools/sam wiretap --quiet --listen 0 --to 127.0.0.1:9 --port-file "$work/two" &
tries=0
until [ -s "$work/one" ] && [ -s "$work/two" ] || [ $tries = 200 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
PORT=$(cat "$work/one")
TAP=$(cat "$work/two")
kill $! $one
wait
export PORT TAP DOCS_LAB="$work/lab"
export SUITES="status wire" # that `make check` works is seen by these two as well

for document in $documents; do
    awk -f tests/docs.awk "$document" >"$work/tests/$(basename "$document" .md).t"
done
# Each test that the threat model names is one that exists.
grep -o '[a-z0-9]*_[a-z0-9_]*_[a-z0-9_]*' docs/threat-model.md | while read -r name; do
    grep -q "START_TEST($name)" tests/check_*.c || {
        echo "docs/threat-model.md names a test that does not exist: $name" >&2
        exit 1
    }
done

$(command -v cram3 || command -v cram) --shell="$work/shell" "$work"/tests/*.t
