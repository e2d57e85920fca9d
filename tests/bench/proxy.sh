#!/usr/bin/env bash
# Two server processes behind HAProxy, each on a core of its own, against one process on both cores.
# Nothing is shared between the two: what makes a message fresh lies in its connection.
#
#     proxy.sh BUILD SAM_BIN
#
# BUILD is where the program load lies, SAM_BIN where the server does. QUICK=1 measures less. Prints
# lines as the program bench does.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
load=$1/bench/load
server=${2:-./}asymmetric_symmetric/server client=${2:-./}asymmetric_symmetric/client
clients=8 rounds=7 seconds=1
[ -z "${QUICK:-}" ] || rounds=5 seconds=0.4

skip() {
    printf 'skipped\ttwo servers behind HAProxy\t%s\n' "$1"
    exit
}
haproxy=$(PATH=$PATH:/usr/sbin type -P haproxy) || skip 'haproxy is not installed'
type -P taskset >/dev/null || skip 'taskset is not installed'
mapfile -t cores < <(taskset -cp $$ | sed 's/.*: //' | tr , '\n' |
    awk -F - '{ for (i = $1; i <= $NF; i++) print i }')
[ "${#cores[@]}" -ge 2 ] || skip 'there is one core'

work=$(mktemp -d "${TMPDIR:-/tmp}/bench.XXXXXX")
started=()
stop_started() {
    for one in "${started[@]}"; do
        kill "$one" 2>/dev/null || true
        wait "$one" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap stop_started EXIT
trap 'exit 1' HUP INT TERM

fail() {
    echo "proxy: $*" >&2
    exit 1
}

# await WHAT COMMAND...: until it succeeds, at most ten seconds.
await() {
    local what=$1 tries
    shift
    for ((tries = 0; tries < 200; tries++)); do
        ! "$@" 2>/dev/null || return 0
        sleep 0.05
    done
    fail "$what does not start"
}

# serve NAME CORES: starts a server; its port is then in $work/NAME.port, what it is sent in NAME.out.
serve() {
    taskset -c "$2" "$server" --keys "$work/keys" --port 0 --port-file "$work/$1.port" --quiet \
        >"$work/$1.out" 2>"$work/$1.err" &
    started+=($!)
    await "the server" test -s "$work/$1.port"
}

is_listening() { (: <"/dev/tcp/127.0.0.1/$1"); }

# Starts HAProxy on a port for two servers and one for the single server: free ones, as far as can be
# guessed; it ends where they are not.
balance() {
    local tries
    for ((tries = 0; tries < 20; tries++)); do
        port=$((20000 + RANDOM % 10000 * 2))
        cat >"$work/haproxy.cfg" <<END
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen two
    bind 127.0.0.1:$port
    balance roundrobin
    server first 127.0.0.1:$(cat "$work/first.port")
    server second 127.0.0.1:$(cat "$work/second.port")
listen one
    bind 127.0.0.1:$((port + 1))
    server both 127.0.0.1:$(cat "$work/both.port")
END
        "$haproxy" -db -f "$work/haproxy.cfg" >"$work/haproxy.out" 2>&1 &
        started+=($!)
        sleep 0.3
        if kill -0 $! 2>/dev/null; then
            await haproxy is_listening "$port"
            return
        fi
    done
    fail "HAProxy does not start: $(tail -n 1 "$work/haproxy.out")"
}

rate() { "$load" "$1" "$work/keys" "$clients" "$seconds"; }

# Messages a second, in rounds: the two behind HAProxy, the one behind it, and the one without.
measure() {
    local i direct two one
    for ((i = 0; i < rounds; i++)); do
        direct=$(rate "$(cat "$work/both.port")")
        two=$(rate "$port")
        one=$(rate $((port + 1)))
        printf 'proxy.two\ttwo processes behind HAProxy; one without\t0.85\tmessages/s\t%s\t%s\n' \
            "$two" "$direct"
        printf 'proxy.one\tone process behind HAProxy; the same without\t-\tmessages/s\t%s\t%s\n' \
            "$one" "$direct"
    done
}

for name in client server; do
    "$client" generate_key_pair --quiet --keys "$work/keys" --name "$name" >/dev/null
done
serve first "${cores[0]}"
serve second "${cores[1]}"
serve both "${cores[0]},${cores[1]}"
balance
# Everything else, HAProxy too, has the same two cores.
taskset -cp "${cores[0]},${cores[1]}" $$ >/dev/null
taskset -acp "${cores[0]},${cores[1]}" $! >/dev/null
measure | awk -f "$here/rounds.awk"
# Each had its part, or this was about one alone.
for name in first second; do
    [ -s "$work/$name.out" ] || fail "HAProxy has left one server idle"
done
