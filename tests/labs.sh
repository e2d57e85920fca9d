#!/bin/sh
# make labs-check: what a class does to the students' archive, sam-labs.tar.gz: files that come late, old,
# odd or not at all.
set -eu
unset MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES BUILD BIN CFLAGS
archive=$1
project=$PWD
work=$(mktemp -d "${TMPDIR:-/tmp}/labs.XXXXXX")
trap 'rm -rf "$work"' EXIT
tar xzf "$archive" -C "$work"
cd "$work/sam-labs"
file=labs/02_fail_open/student.c
solved=$project/labs/solutions/02_fail_open.c

# Grades lab 02 and expects a line of what is said.
expect() {
    make --silent lab L=2 >"$work/said" 2>&1 || {
        cat "$work/said" >&2
        exit 1
    }
    grep -q "$2" "$work/said" || {
        cat "$work/said" >&2
        echo "labs-check: $1: expected \"$2\"" >&2
        exit 1
    }
}

expect "a stub" '^  0 of 10 points$'
cp "$solved" $file
touch -t 202001010000 $file
expect "a solution with an old time" '^  10 of 10 points$'
rm $file
expect "no file any more" '^  0 of 10 points$'
cmp labs/stubs/02_fail_open.c $file
cp "$solved" $file
sed 's/^size_t forge.*/&/; s/^    size_t signature = .*/&\n    printf("I begin\\n");/; s/return sam_label/return 0 \&\& sam_label/' \
    "$solved" >$file
expect "a program that prints and fails" '^         | I begin$'
echo 'int unfinished = ;' >>$file
expect "a program that does not compile" '^It does not compile: mend the first error above. Nothing was graded.$'

# Four odd files cost their own labs; the solution of lab 02 counts.
cp "$solved" $file
rm labs/01_read_the_wire/answers.txt labs/0[345]_*/student.c
mkdir labs/01_read_the_wire/answers.txt labs/03_not_integrity/student.c
ln -s nowhere labs/04_talking_signature/student.c
echo 'this is not C' >labs/05_answering_blocks/student.c
status=0
make --silent grade RESULTS="$work/the results.json" >"$work/said" 2>&1 || status=$?
if [ $status != 2 ] || ! grep -q '^  together  *10 of [1-9][0-9]* points$' "$work/said" ||
    ! grep -q '"output": "10 of ' "$work/the results.json"; then
    cat "$work/said" >&2
    echo "labs-check: four odd files changed the points of others" >&2
    exit 1
fi
echo "labs-check: passed"
