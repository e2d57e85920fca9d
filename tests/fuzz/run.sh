#!/bin/sh
# Runs one fuzz target: run.sh BUILD NAME SECONDS MAX_LEN FILE... The FILEs are those that it is
# after, less the functions $FUZZ_BESIDES. Prints one line of figures, or which file holds the input
# that broke it. What it finds stays in BUILD/corpus/NAME, for the next run.
set -eu

build=$1 name=$2 seconds=$3 max_len=$4
shift 4
program=$build/fuzz_$name
committed=tests/fuzz/corpus/$name
corpus=$build/corpus/$name
log=$build/fuzz_$name.log
profile=$build/fuzz_$name.profraw
mkdir -p "$corpus"
export TMPDIR="$build" # what a target that fails leaves behind stays there

# Both streams of the target lead nowhere: libFuzzer keeps one for itself.
status=0
LLVM_PROFILE_FILE=/dev/null "$program" -seed=1 -max_total_time="$seconds" -max_len="$max_len" \
  -timeout=10 -rss_limit_mb=1024 -close_fd_mask=3 -print_final_stats=1 \
  -artifact_prefix="$build/fuzz_$name." "$corpus" "$committed" >"$log" 2>&1 || status=$?
if [ "$status" != 0 ]; then
    grep -E 'ERROR|SUMMARY| in .*/(shared|tools|tests|asymmetric_)' "$log" | head -12 || true
    echo "fuzz: $name: failed; $(sed -n 's/.*Test unit written to \(.*\)/the input is \1, /p' "$log")$log tells more"
    exit 1
fi

# What all inputs together reach, without what mutators did.
llvm() {
    tool=$1
    shift
    "$("${CLANG:-clang}" -print-prog-name="llvm-$tool")" "$@"
}
LLVM_PROFILE_FILE=$profile "$program" -runs=0 -close_fd_mask=3 "$corpus" "$committed" 2>/dev/null
llvm profdata merge -o "$profile.data" "$profile"
reached=$(llvm cov report "$program" -instr-profile="$profile.data" -show-functions "$@" |
  awk -v list="$FUZZ_BESIDES" '
    BEGIN { count = split(list, names); for (i = 1; i <= count; i++) besides[names[i]] }
    { sub(/.*:/, "", $1) }
    NF == 10 && $5 ~ /^[0-9]+$/ && $1 != "TOTAL" && !($1 in besides) { all += $5; missed += $6 }
    END { printf "%.1f%% of %d", 100 * (all - missed) / all, all }')
awk -v name="$name" -v reached="$reached" -v files="$*" '
  /number_of_executed_units/ { runs = $2 }
  /average_exec_per_sec/ { rate = $2 }
  END { printf "fuzz: %s: %d inputs, %d/s, %s lines of %s\n", name, runs, rate, reached, files }
' "$log"
