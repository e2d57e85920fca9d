#!/bin/sh
# make handout: the archive for students, and the proof that no solution is in it, neither a file nor
# lines of one, and that in it every lab builds, grades, and starts at no points.
set -eu
build=$1
unset MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES BUILD BIN CFLAGS # what is proved is its own
archive=$build/sam-labs.tar.gz
git rev-parse --git-dir >/dev/null 2>&1 || {
    echo "handout: this is no clone of the project: there are no solutions to leave out" >&2
    exit 2
}
work=$(mktemp -d "${TMPDIR:-/tmp}/handout.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$build" "$work/sam-labs"
git ls-files -z -- . ':(exclude)labs/solutions' | xargs -0 tar cf - | tar xf - -C "$work/sam-labs"
for stub in labs/stubs/*; do
    name=$(basename "$stub")
    case $name in
    *.c) cp "$stub" "$work/sam-labs/labs/${name%.c}/student.c" ;;
    *) cp "$stub" "$work/sam-labs/labs/${name%.txt}/answers.txt" ;;
    esac
done
# A class may hand in through git: what students write is not ignored there.
awk '/^# What a student writes/ { exit } { print }' .gitignore >"$work/sam-labs/.gitignore"
tar czf "$work/archive" -C "$work" sam-labs

# The proof looks at what the archive unpacks to.
rm -rf "$work/sam-labs"
tar xzf "$work/archive" -C "$work"
cd "$work/sam-labs"
found=$(find . -path '*solution*' | head -n 1)
[ -z "$found" ] || {
    echo "handout: $found is in the archive" >&2
    exit 1
}
find . -type f ! -path './tests/vectors/*' -print >"$work/files"
for solution in "$OLDPWD"/labs/solutions/*.c "$OLDPWD"/labs/solutions/*.txt; do
    awk -f labs/handout.awk -v lab="$(basename "$solution")" -v files="$work/files" "$solution"
done
status=0
make --silent grade >"$work/graded" 2>&1 || status=$?
if [ $status != 2 ] || grep -q 'error:\|warning:' "$work/graded" ||
    ! grep -q '^  together  *0 of [1-9][0-9]* points$' "$work/graded"; then
    cat "$work/graded" >&2
    echo "handout: the archive does not build, or does not start at no points" >&2
    exit 1
fi
grep 'together' "$work/graded"
cd "$OLDPWD"
mv "$work/archive" "$archive"
echo "handout: made $archive: it holds no solution, builds, and starts there"
