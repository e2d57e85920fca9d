#!/usr/bin/env bash
# make bench: measures everything, tells it as a table, or with JSON=1 as JSON, and draws it.
#
#     bench.sh BUILD SAM_BIN
#
# BUILD/bench holds the programs bench and load and afterwards results.tsv, results.json, results.txt
# and, where gnuplot is installed, *.svg. SAM_BIN, with a slash at its end, is where the other
# programs lie. QUICK=1 measures less. A figure that misses its target is told, and no failure; one
# that could not be measured is a failure.
set -euo pipefail

build=$1
export SAM_BIN=$2 QUICK=${QUICK:-}
here=$(dirname "$0")
out=$build/bench
results=$out/results.tsv
failed=

# On each of these a factor depends.
accelerations='sha_ni|vaes|vpclmulqdq|avx512ifma|aes|pclmulqdq|avx2|adx|bmi2|sha2|pmull'

fact() { printf 'machine\t%s\t%s\n' "$1" "$2"; }

processor() {
    sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2>/dev/null | head -n 1 | grep . || uname -m
}

flags() {
    sed -n 's/^\(flags\|Features\)[^:]*: *//p' /proc/cpuinfo 2>/dev/null | head -n 1 | tr ' ' '\n' |
        grep -Ex "$accelerations" | sort | paste -sd ' ' - || true
}

tell_machine() {
    fact date "$(date -u '+%Y-%m-%d %H:%M UTC')"
    fact processor "$(processor), $(getconf _NPROCESSORS_ONLN) cores"
    fact flags "$(flags)"
    fact kernel "$(uname -sr)"
    fact openssl "$(openssl version)"
    fact compiler "$("${CC:-cc}" --version | head -n 1) ${CFLAGS:-}"
    fact load "$(uptime | sed 's/.*average[s]*: *//') when it began"
    [ -z "${OPENSSL_ia32cap+set}" ] || printf 'warning\t%s\n' \
        "OPENSSL_ia32cap is set to '$OPENSSL_ia32cap': libcrypto does not use all of this processor"
}

# run WHAT COMMAND...: its lines go to the results.
run() {
    local what=$1
    shift
    echo "bench: $what" >&2
    "$@" >>"$results" || {
        failed=1
        printf 'skipped\t%s\tit failed\n' "$what" >>"$results"
    }
}

# Written beside and renamed, so that nobody reads half of it.
make_of_results() { # FILE COMMAND...
    local file=$1
    shift
    "$@" "$results" >"$file.new"
    mv "$file.new" "$file"
}

tell_machine >"$results"
run 'the library' "$out/bench" ${QUICK:+--quick}
run 'whole processes' "$here/processes.sh" "$SAM_BIN"
run 'memory' "$here/memory.sh" "$SAM_BIN"
run 'two servers behind HAProxy' "$here/proxy.sh" "$build" "$SAM_BIN"

make_of_results "$out/results.txt" awk -f "$here/table.awk"
make_of_results "$out/results.json" awk -f "$here/json.awk"
if command -v gnuplot >/dev/null; then
    "$here/plots.sh" "$results" "$out"
else
    echo 'bench: no plots: gnuplot is not installed' >&2
fi
cat "$out/results.$([ -n "${JSON:-}" ] && echo json || echo txt)"
[ -z "$failed" ]
