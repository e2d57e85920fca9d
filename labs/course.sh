#!/bin/sh
# What the Makefile's hint, reset and status do: course.sh VERB LAB(S) BUILD, from the top.
set -eu
verb=$1
labs=$2
build=$3

# The file that a student writes in.
student_file() {
    if [ -e "labs/stubs/$1.txt" ]; then
        echo "labs/$1/answers.txt"
    else
        echo "labs/$1/student.c"
    fi
}

stub_file() {
    echo "labs/stubs/$1.${2##*.}"
}

hint() {
    mkdir -p "$build/labs/hints"
    seen=$(cat "$build/labs/hints/$1" 2>/dev/null || echo 0)
    total=$(awk 'BEGIN { RS = "" } END { print NR }' "labs/$1/hints.txt")
    [ "$seen" -lt "$total" ] || {
        echo "That was the last hint. Once more from the first:"
        seen=0
    }
    seen=$((seen + 1))
    echo "$seen" >"$build/labs/hints/$1"
    echo "Hint $seen of $total:"
    awk -v n="$seen" 'BEGIN { RS = "" } NR == n' "labs/$1/hints.txt"
}

reset() {
    file=$(student_file "$1")
    stub=$(stub_file "$1" "$file")
    if [ ! -e "$file" ] || cmp -s "$stub" "$file"; then
        echo "$file is untouched: there is nothing to reset."
        return
    fi
    n=1
    while [ -e "$file.$n" ]; do
        n=$((n + 1))
    done
    mv "$file" "$file.$n"
    cp "$stub" "$file"
    rm -f "$build/labs/hints/$1"
    echo "$file starts again. What you had is in $file.$n."
}

status() {
    for lab in $labs; do
        file=$(student_file "$lab")
        score=$build/labs/student/$lab.score
        if [ ! -e "$file" ] || cmp -s "$(stub_file "$lab" "$file")" "$file"; then
            state=untouched
        elif [ ! -e "$score" ]; then
            state="begun, not graded yet"
        else
            read -r points most <"$score"
            state="$points of $most points"
            [ -z "$(find "$file" -newer "$score")" ] || state="$state, changed since"
        fi
        printf '  %s  %-20s %s\n' "${lab%%_*}" "$(echo "${lab#*_}" | tr _ ' ')" "$state"
    done
}

case $verb in
hint) hint "$labs" ;;
reset) reset "$labs" ;;
status) status ;;
esac
