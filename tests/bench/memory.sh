#!/usr/bin/env bash
# The most memory that sam seal and sam open have at once, mode 2, with a file of 64 MiB.
#
#     memory.sh SAM_BIN
#
# SAM_BIN is where the programs lie. QUICK=1 measures less. Prints lines as the program bench does.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "${1:-.}" && pwd)
sam=$bin/tools/sam client=$bin/asymmetric_symmetric/client
mebibytes=64 spare=10 rounds=5
[ -z "${QUICK:-}" ] || rounds=1

gnu_time=$(type -P time || true)
if ! "${gnu_time:-false}" -f %M true >/dev/null 2>&1; then
    printf 'skipped\tpeak memory\tGNU time is not installed\n'
    exit
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"
# shellcheck source=tests/bench/tools.sh
. "$here/tools.sh"

# peak VERB: a run of it and a line for rounds.awk, in KiB.
peak() {
    local verb=$1 most
    shift
    "$gnu_time" -o peak -f %M "$sam" "$verb" --quiet --keys keys "$@" >/dev/null
    most=$(tail -n 1 peak)
    printf 'memory.%s\t%s %s MiB; peak memory\t1.00\tKiB\t%s\t%s\n' "$verb" "$verb" "$mebibytes" \
        "$most" $(((mebibytes + spare) * 1024))
}

sam_keys >/dev/null
head -c $((mebibytes * 1024 * 1024)) /dev/urandom >message
for ((i = 0; i < rounds; i++)); do
    peak seal --mode 2 --from alice --to bob --in message --out sealed
    peak open --in sealed --out opened
done | awk -f "$here/rounds.awk"
