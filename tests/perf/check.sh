#!/usr/bin/env bash
# How many instructions sealing and opening take, beside those on record: perf/check.sh [--record] BUILD.
# More than 3 % away, either way, is a failure; where compiler, libcrypto, valgrind or processor are
# others than those of the record, it is only told. --record writes the record anew.
set -euo pipefail
export LC_ALL=C
unset OPENSSL_ia32cap # empty, it would switch every acceleration off

here=tests/perf
record=$here/record.tsv
recording=no
if [ "$1" = --record ]; then
    recording=yes
    shift
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

environment() {
    local features
    features=$(grep -o -w -m 3 -E 'avx2|bmi2|adx' /proc/cpuinfo | sort -u | tr '\n' ' ')
    printf '# %s; %s; %s; %s%s\n' "$(${CC:-cc} --version | head -n 1)" \
        "$(openssl version | cut -d '(' -f 1)" "$(valgrind --version)" "$features" "${CFLAGS:-}"
}

valgrind --quiet --tool=callgrind --callgrind-out-file="$work/dump" "$1/perf/counted" \
    tests/vectors/alice.private.pem tests/vectors/mallory.private.pem
mapfile -t dumps < <(printf '%s\n' "$work"/dump.* | sort -V) # by their numbers, which is their order
awk -v program=counted -f $here/counts.awk "${dumps[@]}" >"$work/now"

if [ $recording = yes ]; then
    { environment; cat "$work/now"; } >$record
    echo "written: $record"
    exit
fi
if [ "$(environment)" = "$(head -n 1 $record)" ]; then judged=1; else judged=0; fi
awk -F '\t' -v judged=$judged -f $here/compare.awk $record "$work/now"
