#!/bin/sh
# Holds the manual pages and the completions of bash and zsh against what the programs themselves say.
# Usage: tests/manual.sh [BIN]; BIN, ending in a slash, is where the programs were built, as seen from
# the top.
set -eu
LC_ALL=C # one order for everything that is sorted
export LC_ALL
cd "$(dirname "$0")/.."
bin=${1:-./}
case $bin in /*) ;; *) bin=$PWD/$bin ;; esac
modes="asymmetric_only asymmetric_symmetric"

for tool in mandoc bash zsh; do
    command -v "$tool" >/dev/null || {
        echo "tests/manual.sh needs $tool: install it with make deps-dev" >&2
        exit 1
    }
done
for program in tools/sam asymmetric_only/client; do
    [ -x "$bin$program" ] || {
        echo "tests/manual.sh: there is no $bin$program: build it with make" >&2
        exit 1
    }
done

work=$(mktemp -d "${TMPDIR:-/tmp}/manual.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=no

# same WHAT FILE FILE: they list the same; otherwise each line that one of them lacks is told.
same() {
    if ! diff "$2" "$3" >"$work/difference"; then
        echo "$1 (< the programs, > what is written about them):" >&2
        grep '^[<>]' "$work/difference" >&2
        failed=yes
    fi
}

# What a help says: its options, with a = behind those that take a value; its commands.
options() { sed -n -e 's/^  --\([a-z-]*\)  *[A-Z].*/\1=/p' -e 's/^  --\([a-z-]*\)  *[^A-Z -].*/\1/p' | sort; }
commands() { sed -n 's/^  [a-z]* \([a-z_][a-z_]*\) .*/\1/p' | sort; }

# What a page says: the options that it explains; the commands of its synopsis, and the options there
# of one command. A name behind Fl begins with a dash, being a long one.
explained() { sed -n 's/^\.It Fl -\([a-z-]*\)\( \{0,1\}\).*/\1\2/p' "$1" | tr ' ' = | sort -u; }
synopsis() {
    awk -v wanted="$2" '
        /^\.Sh/ { inside = $2 == "SYNOPSIS" }
        inside && $1 == ".Nm" { command = "" }
        inside && $1 == ".Cm" { command = $2; if (wanted == "*") print command }
        inside && command == wanted { for (i = 2; i <= NF; i++) if ($i ~ /^-[a-z]/) print substr($i, 2) }
    ' "$1" | sort -u
}

# page NAME PROGRAM: everything that the program's help prints is in the page, and nothing else is.
page() {
    file=docs/man/$1.1
    "$2" --help >"$work/help"
    options <"$work/help" >"$work/all"
    explained "$file" >"$work/explained"
    same "$file: its options, = for a value" "$work/all" "$work/explained"
    commands <"$work/help" >"$work/commands"
    synopsis "$file" '*' >"$work/written"
    same "$file: the commands of its synopsis" "$work/commands" "$work/written"
    synopsis "$file" '' >"$work/covered"
    while read -r command; do
        "$2" "$command" --help | options | tr -d = | sort >"$work/taken"
        { synopsis "$file" "$command" && printf 'help\nversion\n'; } | sort >"$work/written"
        same "$file: the synopsis of $command" "$work/taken" "$work/written"
        cat "$work/taken" >>"$work/covered"
    done <"$work/commands"
    tr -d = <"$work/all" | sort >"$work/taken"
    sort -u "$work/covered" >"$work/written"
    same "$file: its synopsis" "$work/taken" "$work/written"
    # Completion trusts the help about which options take a value: so it must be true.
    while read -r option; do
        value=no
        "$2" --help "--${option%=}" >"$work/said" 2>&1 || value=yes
        case $option$value in *=yes | *[!=]no) continue ;; esac
        echo "$2 --help is wrong on whether --${option%=} takes a value" >&2
        failed=yes
    done <"$work/all"
}

mandoc -T lint -W warning docs/man/*.1 || failed=yes
page sam "${bin}tools/sam"
for mode in $modes; do
    page sam-client "$bin$mode/client"
    page sam-server "$bin$mode/server"
    for side in client server; do
        grep -q "^\.Nm sam-$side-$mode" "docs/man/sam-$side.1" || {
            echo "docs/man/sam-$side.1 does not name sam-$side-$mode" >&2
            failed=yes
        }
    done
done

# The programs as they are installed, and a checkout with keys, in which somebody else's client lies.
export SAM_COMPLETION="$PWD/tools/completion" SAM_WORK="$work"
lab=$work/lab
mkdir -p "$work/bin" "$lab/keys" "$lab/other/empty" "$lab/asymmetric_only" "$lab/away/keys" "$lab/away/tools/wireshark"
ln -s "${bin}tools/sam" "$work/bin/sam"
ln -s "${bin}tools/sam" "$lab/away/tools/sam"
for mode in $modes; do
    for side in client server; do
        ln -s "$bin$mode/$side" "$work/bin/sam-$side-$mode"
    done
done
ln -s "${bin}asymmetric_only/client" "$lab/asymmetric_only/client"
touch "$lab/asymmetric_only/seal.c" "$lab/letter one" "$lab/letter.sam"
touch "$lab/keys/alice.private.pem" "$lab/keys/alice.public.pem" "$lab/keys/bob.public.pem"
touch "$lab/other/carol.private.pem" "$lab/keys/dave.private.pem" "$lab/away/keys/erin.private.pem" "$lab/away/tools/wireshark/sam.lua"
printf '#!/bin/sh\ntouch "%s"\n' "$work/was-run" >"$lab/client"
chmod +x "$lab/client"
PATH=$work/bin:$PATH
export PATH

# expect LINE [WORD...]: what completes the last word of the line, in any order.
expect() {
    printf '%s\n' "$1" >>"$work/lines"
    line=$1
    shift
    words=$([ $# = 0 ] || printf '%s\n' "$@" | sort -u | paste -s -d ' ' -)
    printf '%s|%s\n' "$line" "$words" >>"$work/expected"
}
# Lists of words, which are to be split.
# shellcheck disable=SC2046
expect_from_help() {
    for program in sam sam-client-asymmetric_only sam-server-asymmetric_symmetric; do
        expect "$program " $($program --help | commands)
        expect "$program --" $($program --help | options | sed 's/^\(.*[^=]\)=*$/--\1/')
        for command in $($program --help | commands); do
            expect "$program $command --" $($program "$command" --help | options |
                sed 's/^\(.*[^=]\)=*$/--\1/')
        done
    done
    # The names in the page, of which the rest is told by the program.
    expect "sam wiretap --flip " $(sed -n '/^\.It every unit/,/^\.El/p' docs/man/sam.1 |
        grep -v '^\.' | tr -d ,)
}
expect_from_help
expect "sam insp" inspect
expect "sam nothing"
expect "sam seal --mode " 1 2 asymmetric_only asymmetric_symmetric
expect "sam seal --color=" auto always never
expect "sam seal --color=al" always
expect "sam-server-asymmetric_only generate_key_pair --bits " 2048 3072 4096
expect "sam-server-asymmetric_only --handler " receipt upper echo
expect "sam wiretap --side " client server
expect "sam wiretap --set sender-" sender-key-id
expect "sam seal --from " alice dave
expect "sam seal --to " alice bob
expect "sam wiretap --to "
expect "sam open --name " alice bob dave
expect "away/tools/sam seal --from " erin
expect "sam-client-asymmetric_only --to b" bob
expect "sam --keys other seal --from " carol
expect "sam --keys=other seal --from " carol
expect "sam seal --keys other/nothing --from "
expect "sam open --in l" "letter one" letter.sam
expect "sam inspect letter." letter.sam
expect "sam open --keys o" other
expect "sam --name open ins" inspect
expect "sam-client-asymmetric_only send_msg --file letter." letter.sam
expect "sam-client-asymmetric_only --host "
expect "asymmetric_only/client f" fingerprint
expect "./asymmetric_only/client recv_msg --tr" --trace

# Answers each line of lines; = and what follows it are words of their own to bash.
cat >"$work/ask.bash" <<'BASH'
source "$SAM_COMPLETION/sam.bash"
cd "$SAM_WORK/lab"
while IFS= read -r line; do
    read -r -a COMP_WORDS <<<"${line//=/ = }"
    [[ $line = *[\ =] ]] && COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    complete -p "${COMP_WORDS[0]}" &>/dev/null || complete -p "${COMP_WORDS[0]##*/}" >/dev/null || exit
    _sam "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" 2>>"$SAM_WORK/bash-says"
    printf '%s|%s\n' "$line" "$(printf '%s\n' "${COMPREPLY[@]}" | sort -u | paste -s -d ' ' -)"
done
! complete -p client 2>/dev/null
BASH
bash --norc "$work/ask.bash" <"$work/lines" >"$work/bash" || failed=yes
grep -v 'compopt: not currently executing' "$work/bash-says" && failed=yes
same "completion in bash, < as it should be" "$work/expected" "$work/bash"

# Types each line into a zsh of its own on a pseudo-terminal, where a widget completes it and compadd
# writes down what it is given.
cat >"$work/inner.zsh" <<'ZSH'
cd $SAM_WORK/lab
fpath=($SAM_COMPLETION $fpath)
autoload -Uz compinit
compinit -u -D
compadd() {
    local -a found
    [[ ${@[1,(i)(-|--)]} == *' -'(O|A|D)* || $1 == -(O|A|D)* ]] || {
        builtin compadd -A found "$@"
        (( $#found )) && print -rl -- $found >>$SAM_WORK/found
    }
    builtin compadd "$@"
}
ask() { zle complete-word; : >$SAM_WORK/done; zle kill-whole-line }
zle -N ask
bindkey '^I' ask
: >$SAM_WORK/done
ZSH
cat >"$work/ask.zsh" <<'ZSH'
zmodload zsh/zpty
await() { # reads on, so that the inner one never waits for room
    local seen
    repeat 600; do
        while zpty -r -t inner seen; do :; done
        [[ -e $SAM_WORK/done ]] && rm $SAM_WORK/done && return
        sleep 0.05
    done
    print -u2 "zsh does not answer: $1"
    exit 1
}
TERM=dumb zpty -b inner zsh -f -i
zpty -w inner "source $SAM_WORK/inner.zsh"
await source
while IFS= read -r line; do
    : >$SAM_WORK/found
    zpty -w -n inner "$line"$'\t'
    await $line
    print -r -- "$line|$(tr -d '\\' <$SAM_WORK/found | sort -u | paste -s -d ' ' -)"
done
zpty -d inner
ZSH
zsh -f "$work/ask.zsh" <"$work/lines" >"$work/zsh" || failed=yes
same "completion in zsh, < as it should be" "$work/expected" "$work/zsh"

# A program that only has the same name must not be run to be asked.
printf './client \n' >"$work/foreign"
bash --norc "$work/ask.bash" <"$work/foreign" >/dev/null || failed=yes
printf './client \nclient \n' | zsh -f "$work/ask.zsh" >/dev/null || failed=yes
if [ -e "$work/was-run" ]; then
    echo "completion runs a client that is not of this project" >&2
    failed=yes
fi

[ $failed = no ] || exit 1
echo "manual pages and completions agree with the programs"
