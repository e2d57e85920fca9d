#!/usr/bin/env bash
# sam seal and sam open as whole processes, against what else signs and encrypts a file.
#
#     processes.sh SAM_BIN
#
# SAM_BIN is where the programs lie. QUICK=1 measures less. Prints lines as the program bench does; a
# tool that is missing, or fails, is skipped.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "${1:-.}" && pwd)
sam=$bin/tools/sam client=$bin/asymmetric_symmetric/client
quick=${QUICK:+1}

work=$(mktemp -d "${TMPDIR:-/tmp}/bench.XXXXXX")
cd "$work"
# shellcheck source=tests/bench/tools.sh
. "$here/tools.sh"
finish() {
    [ "$1" = 0 ] || tail -n 1 errors >&2
    gpg_stop
    rm -rf "$work"
}
trap 'finish $?' EXIT
trap 'exit 1' HUP INT TERM

declare -A bytes=([100 B]=100 [1 MiB]=1048576 [64 MiB]=67108864)
declare -A rounds=([100 B]=11 [1 MiB]=7 [64 MiB]=5) batch=([100 B]=10 [1 MiB]=4 [64 MiB]=1)
[ -z "$quick" ] || rounds=([100 B]=5 [1 MiB]=5 [64 MiB]=3) batch=([100 B]=5 [1 MiB]=2 [64 MiB]=1)
sizes=('100 B' '1 MiB' '64 MiB')

skip() { printf 'skipped\t%s\t%s\n' "$1" "$2" >&3; }

# A size as it stands in file names and ids.
short() { echo "${1/ /}"; }

# Whether a tool can be measured: it is there, has keys, and gives back what it was given.
usable() {
    local tool=$1 file program
    file=$(short '100 B')
    for program in ${needs[$tool]}; do
        command -v "$program" >/dev/null || {
            skip "${words[$tool]}" "$program is not installed"
            return 1
        }
    done
    if ! { "${tool}_keys" && "${tool}_seal" "$file" && "${tool}_open" "$file" &&
        cmp "$file" "$file.$tool.out"; } >/dev/null 2>errors; then
        skip "${words[$tool]}" "it fails here: $(tail -n 1 errors)"
        return 1
    fi
}

# timed TIMES COMMAND...: sets spent to the microseconds that each of so many runs takes, by the
# shell's own clock, without another shell in between.
timed() {
    local times=$1 i from to
    shift
    from=${EPOCHREALTIME/[.,]/}
    for ((i = 0; i < times; i++)); do
        "$@" 2>>errors
    done
    to=${EPOCHREALTIME/[.,]/}
    spent=$(((to - from) / times))
}

# measure ID WORDS TARGET SIZE OURS LIMIT: rounds of both commands on the message of that size, one
# after the other.
measure() {
    local size=$4 file i ours
    file=$(short "$size")
    for ((i = 0; i < rounds[$size]; i++)); do
        timed "${batch[$size]}" "$5" "$file"
        ours=$spent
        timed "${batch[$size]}" "$6" "$file"
        printf '%s\t%s\t%s\tus\t%s\t%s\n' "$1" "$2" "$3" "$ours" "$spent"
    done
}

measure_all() {
    local size tool verb file
    for size in "${sizes[@]}"; do
        file=$(short "$size")
        echo "bench: whole processes, $size" >&2
        for tool in "$@"; do
            if [ "$tool$size$quick" = 'jose64 MiB1' ]; then
                skip 'jose, 64 MiB' 'it takes ten seconds for each round: not with QUICK=1'
                continue
            fi
            for verb in seal open; do
                measure "process.$verb.$file.$tool" "$verb $size; ${words[$tool]}" 1.00 "$size" \
                    "sam_$verb" "${tool}_$verb"
            done
        done
        [ -z "$quick" ] || continue
        # What it costs to see the file onto the disk, which --out does and none of the others can.
        for verb in seal open; do
            measure "process.$verb.$file.synced" "$verb $size, synced by --out; not" - "$size" \
                "synced_$verb" "sam_$verb"
        done
    done
}

exec 3>&1
for size in "${sizes[@]}"; do
    head -c "${bytes[$size]}" /dev/urandom >"$(short "$size")"
done
usable sam >&2 3>&1
tools=()
for tool in cms age gpg jose; do
    ! usable "$tool" || tools+=("$tool")
done
for size in "${sizes[@]}"; do
    sam_seal "$(short "$size")" 2>>errors
done
measure_all "${tools[@]}" | awk -f "$here/rounds.awk" >&3
