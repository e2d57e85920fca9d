#!/bin/sh
# Installs the packages that are missing: what building, demo and check need; with the word dev, what
# the other targets of the Makefile need, too; with the word bench, what make bench compares with.
set -eu

wanted=${1:-base}
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo

# Prints those of its arguments that $installed does not find.
missing() {
    for package in "$@"; do
        $installed "$package" >/dev/null 2>&1 || printf '%s ' "$package"
    done
}

dpkg_installed() { dpkg-query -W -f '${Status}' "$1" | grep -q 'install ok installed'; }

if command -v apt-get >/dev/null; then
    installed=dpkg_installed
    install="$as_root apt-get install -y"
    refresh="$as_root apt-get update"
    base="gcc make libc6-dev pkg-config libssl-dev openssl check"
    # What the fuzzers link and measure with has clang's own version in its name.
    release=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*: clang-\([0-9][0-9]*\)$/\1/p' | head -n 1)
    dev="clang clang-format clang-tidy cppcheck valgrind gcovr shellcheck python3-cram \
tshark chromium mandoc zsh libclang-rt-${release:-14}-dev llvm-${release:-14}"
    bench="age minisign gnupg jose haproxy gnuplot-nox time"
elif command -v dnf >/dev/null; then
    installed="rpm -q"
    install="$as_root dnf install -y"
    refresh=
    base="gcc make glibc-devel pkgconf-pkg-config openssl openssl-devel check-devel"
    dev="clang clang-tools-extra compiler-rt llvm libasan libubsan libtsan cppcheck valgrind valgrind-devel \
gcovr ShellCheck python3-cram wireshark-cli chromium mandoc zsh"
    bench="age minisign gnupg2 jose haproxy gnuplot time"
elif command -v pacman >/dev/null; then
    installed="pacman -Q"
    install="$as_root pacman -S --needed --noconfirm"
    refresh=
    base="gcc make pkgconf openssl check"
    dev="clang compiler-rt llvm cppcheck valgrind gcovr shellcheck python-cram wireshark-cli chromium mandoc zsh"
    bench="age minisign gnupg jose haproxy gnuplot time"
elif command -v brew >/dev/null; then
    installed="brew list"
    install="brew install"
    refresh=
    base="pkgconf openssl@3 check"
    dev="llvm cppcheck gcovr shellcheck cram wireshark chromium mandoc"
    bench="age minisign gnupg jose haproxy gnuplot gnu-time"
else
    echo "make deps knows apt, dnf, pacman and brew. Install by hand: a C compiler, make, pkg-config," >&2
    echo "OpenSSL 3.0.8 or later with its headers, and Check 0.15 or later." >&2
    exit 1
fi

case $wanted in
    dev) packages="$base $dev" ;;
    bench) packages="$base $bench" ;;
    *) packages=$base ;;
esac
# shellcheck disable=SC2086 # lists of words
absent=$(missing $packages)
if [ -z "$absent" ]; then
    echo "deps: nothing is missing"
else
    for command in "$refresh" "$install $absent"; do
        [ -n "$command" ] || continue
        echo "deps: $command"
        $command
    done
fi
pkg-config --exists 'libcrypto >= 3.0.8' || {
    echo "deps: OpenSSL 3.0.8 or later is needed, this system has $(pkg-config --modversion libcrypto)" >&2
    exit 1
}
