#!/bin/sh
# Part of make tools-check: tools/wireshark/sam.lua against the project's own view of the same bytes.
#
#     tests/wireshark.sh BUILD        MUTATIONS=100000 tries more than 2000 changed units
#
# SAM_BIN, as for the other tests, is where the programs lie, with a slash at its end.
set -eu

build=$1
bin=${SAM_BIN:-./}
lua=tools/wireshark/sam.lua
mutations=${MUTATIONS:-2000}
seed=${SEED:-1}
work=$(mktemp -d "${TMPDIR:-/tmp}/wireshark.XXXXXX")
started=
stop_started() {
    for one in $started; do
        kill "$one" 2>/dev/null || true
        { wait "$one" || true; } 2>/dev/null
    done
    started=
}
trap 'stop_started; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Also from within a pipe: the shell that runs the tests ends as well.
fail() {
    echo "wireshark: $*" >&2
    kill -s TERM $$
    exit 1
}
command -v tshark >/dev/null || fail "tshark is missing: install it with make deps-dev"

# Where everything is of this protocol, if not on the default ports; elsewhere a stream has to begin
# well.
ports=

# tshark with this dissector and nothing of the person's own, who may have installed it.
mkdir "$work/home"
shark() {
    HOME=$work/home XDG_CONFIG_HOME=$work/home timeout 1800 tshark -X "lua_script:$lua" \
        ${ports:+-o "sam.ports:$ports"} "$@" 2>"$work/shark.err" ||
        fail "tshark $* failed: $(cat "$work/shark.err")"
    ! grep -i 'lua\|error\|bug\|warning' "$work/shark.err" || fail "tshark $* complains"
}

# Runs a program beside this one: begin PORT_FILE PROGRAM..., then $port is where it listens.
begin() {
    port_file=$1
    shift
    "$@" >>"$work/log" 2>&1 &
    started="$! $started"
    tries=0
    until [ -s "$port_file" ]; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail "does not start: $*"
        sleep 0.05
    done
    port=$(cat "$port_file")
}

begin_wiretap() { # CAPTURE PORT
    rm -f "$work/wiretap.port"
    begin "$work/wiretap.port" "${bin}tools/sam" wiretap --brief --listen 0 --to "127.0.0.1:$2" \
        --port-file "$work/wiretap.port" --pcap "$1"
}

# What the dissector, and what inspect, makes of the streams; what follows is for wireshark.awk.
dissected() {
    capture=$1
    shift
    shark -r "$capture" -T pdml -Y 'sam || _ws.malformed || _ws.lua.error' |
        awk "$@" -f tests/wireshark.awk | sort -s -n -k 1,1
}
inspected() { # a list of files on standard input
    # It says by its exit code that some of them are not well.
    { xargs "${bin}tools/sam" inspect --json 2>&1 || true; } | awk "$@" -f tests/wireshark.awk |
        sort -s -n -k 1,1
}

# agree WHAT LENIENT CAPTURE LIST OPTION...: both see the same, and there is something to see.
agree() {
    what=$1 lenient=$2 capture=$3 list=$4
    shift 4
    inspected "$@" <"$list" | awk -v "lenient=$lenient" -f tests/wireshark.awk >"$work/inspected"
    dissected "$capture" "$@" >"$work/lines"
    awk -v "lenient=$lenient" -f tests/wireshark.awk "$work/lines" >"$work/dissected"
    [ -s "$work/inspected" ] || fail "$what: inspect shows nothing"
    cmp -s "$work/inspected" "$work/dissected" || {
        diff "$work/inspected" "$work/dissected" | cut -c 1-150 | head -n 20 >&2
        fail "$what: inspect (<) and the dissector (>) do not agree (seed $seed)"
    }
    echo "$what: inspect and the dissector agree on $(wc -l <"$work/inspected" | tr -d ' ') parts"
}

# Streams that are written, not sent: written WHAT HOW LENIENT [N SEED] FILE...
written() {
    what=$1 how=$2 lenient=$3
    shift 3
    rm -rf "$work/streams"
    mkdir "$work/streams"
    "$build/tests/wireshark_streams" "$how" "$work/$how.pcapng" "$work/streams" "$@" ||
        fail "$how: no capture"
    find "$work/streams" -name '*.sam' | sort >"$work/list"
    agree "$what" "$lenient" "$work/$how.pcapng" "$work/list"
}

# expect WHAT WANTED: standard input is that text.
expect() {
    got=$(cat)
    [ "$got" = "$2" ] || fail "$1: not as expected.
expected:
$2
got:
$got"
}

fields() { # CAPTURE FILTER FIELD...
    capture=$1 filter=$2
    shift 2
    for one in "$@"; do
        set -- "$@" -e "$one"
        shift
    done
    shark -r "$capture" -T fields -E separator=' ' -Y "$filter" "$@"
}

check_that_errors_are_seen() {
    good=$lua
    cp "$good" "$work/broken.lua"
    echo 'function sam.dissector() return nothing.at_all end' >>"$work/broken.lua"
    lua=$work/broken.lua
    dissected "$work/whole.pcapng" | grep -q ' error ' || fail "an error in Lua would not be seen"
    lua=$good
}

check_units_in_one_segment() {
    set -- tests/vectors/001_* tests/vectors/102_* tests/vectors/001_*
    "$build/tests/wireshark_streams" joined "$work/joined.pcapng" "$work/streams" "$@"
    printf '%s\n' "$@" >"$work/list"
    agree "three units in a packet" 0 "$work/joined.pcapng" "$work/list" -v joined=1
    one="Envelope send, mode 1, $(wc -c <"$1" | tr -d ' ') bytes"
    two="Envelope send, mode 2, $(wc -c <"$2" | tr -d ' ') bytes"
    fields "$work/joined.pcapng" sam _ws.col.Protocol _ws.col.Info |
        expect "the summary of a packet with three units" "SAM $one; $two; $one"
    # All that are valid, over many segments whose ends lie inside units.
    "${bin}tools/sam" inspect --json tests/vectors/[0-9]*.sam |
        sed -n 's/.*"file": "\([^"]*\)".*"status": "OK".*/\1/p' >"$work/list"
    xargs "$build/tests/wireshark_streams" joined "$work/joined.pcapng" "$work/streams" \
        <"$work/list"
    agree "all valid vectors in one stream" 0 "$work/joined.pcapng" "$work/list" -v joined=1
}

# A capture that holds only the beginning of each packet.
check_packets_cut_by_the_capture() {
    for size in 41 60 100 200; do
        editcap -s "$size" "$work/whole.pcapng" "$work/cut.pcapng"
        dissected "$work/cut.pcapng" >"$work/lines"
        ! grep ' error ' "$work/lines" || fail "packets cut to $size bytes: an error"
        grep -q ' status TRUNCATED' "$work/lines" || fail "packets cut to $size bytes: not told"
    done
    fields "$work/cut.pcapng" 'tcp.stream == 0 && sam.bad.not_captured' sam.sender_key_id |
        expect "a packet cut to 200 bytes" \
            "$(tail -c +65 tests/vectors/001_* | head -c 32 | od -An -v -tx1 | tr -d ' \n')"
    echo "packets cut to 41, 60, 100 and 200 bytes: told, without an error"
}

# On a port that nobody has named, a stream is known by how it begins, then to its end.
check_another_port() {
    ports=1
    agree "all valid vectors in one stream, on another port" 0 "$work/joined.pcapng" "$work/list" \
        -v joined=1
    # Longer than one packet.
    { cat tests/vectors/001_* && head -c 40000 /dev/zero; } >"$work/tail.sam"
    written "an envelope and zeros, on another port" whole 1 "$work/tail.sam"
    ports=
}

# A unit of hexadecimal digits as a file.
unit() {
    # shellcheck disable=SC2059
    printf "$(echo "$2" | tr -d ' ' | sed 's/../&\
/g' | while read -r byte; do [ -z "$byte" ] || printf '\\%03o' "0x$byte"; done)" >"$1"
}

# Each malformation has its word, is shown where it arrives, and what follows it is not awaited.
check_what_is_wrong() {
    zeros16=00000000000000000000000000000000
    ones16=11111111111111111111111111111111
    rest="0000000000000000 0000019b7ca98c88 $zeros16$zeros16 $ones16$ones16 $ones16$ones16 ff"
    rm -rf "$work/wrong"
    mkdir "$work/wrong"
    while read -r word hex; do
        unit "$work/wrong/$(printf %02d "$(find "$work/wrong" -name '*.sam' | wc -l)")_$word.sam" \
            "$(echo "$hex" | sed "s/Z/$zeros16/g; s/I/$ones16/g; s/T/$rest/")"
    done <<'UNITS'
version 53414d47 02020000 00001000 00000000 I II
mode 53414d47 01030000 00001000 00000000 I II
mode 53414d53 01010100 00000000 00000020 II
kind 53414d47 01020100 00001000 00000000 I II
kind 53414d53 01020700 00000000 00000020 II
kind 53414d53 01020900 00000000 00000020 II
kind 53414d45 01010800 01000100 00000200 T
reserved 53414d47 01020001 00001000 00000000 I II
reserved 53414d47 01020000 00001000 00000100 I II
reserved 53414d52 01020000 00000001 00000000
reserved 53414d53 01020101 00000000 00000020 II
length 53414d47 01020000 40000001 00000000 I II
length 53414d53 01020100 00000000 0000000f II
length 53414d53 01020100 00000000 40000011 II
length 53414d45 01010100 01000100 00000100 T
length 53414d45 01010100 01000100 00000201 T
length 53414d45 01010100 01000100 ffffff00 T
length 53414d45 01020100 01000100 0000022b T
length 53414d45 01020100 01000100 4000022d T
key_lengths 53414d45 01020100 00ff0100 0000022c T
key_lengths 53414d45 01020100 01000201 0000022c T
challenge 53414d47 01020000 00001000 00000000 Z II
magic 53414e47 01020000 00001000 00000000 I II
type 53414d48 01020000 00001000 00000000 I II
truncated 53414d45 01020100 01000100 0000022c T
truncated 53414d53 01020100 00000000 40000010 II
truncated 53414d
UNITS
    set -- "$work"/wrong/*.sam
    written "what can be wrong" whole 0 "$@"
    number=0
    for one in "$@"; do
        word=${one##*_}
        word=${word%.sam}
        [ "${one##*/??_}" = key_lengths.sam ] && word=key_lengths
        # A segment with what is wrong has a length; only what was cut is told at the end.
        length=$(wc -c <"$one" | tr -d ' ')
        [ "$word" != truncated ] || length=0
        fields "$work/whole.pcapng" "tcp.stream == $number && sam.bad.$word" tcp.len |
            expect "${one##*/}: the packet that shows what is wrong" "$length"
        number=$((number + 1))
    done
}

check_vectors_over_the_wiretap() {
    begin "$work/sink.port" "$build/tests/wireshark_streams" sink "$work/sink.port"
    sink=$port
    begin_wiretap "$work/vectors.pcapng" "$sink"
    ports=$port,$sink
    timeout 300 "$build/tests/wireshark_streams" send "$port" tests/vectors/[0-9]*.sam ||
        fail "the vectors cannot be sent"
    stop_started
    printf '%s\n' tests/vectors/[0-9]*.sam >"$work/list"
    for leg in 0 1; do
        agree "vectors over the wiretap, leg $leg" 1 "$work/vectors.pcapng" "$work/list" \
            -v legs=2 -v "leg=$leg"
    done
    ports=
}

check_conversation() { # MODE NUMBER
    rm -f "$work/server.port"
    begin "$work/server.port" "$bin$1/server" --keys "$work/keys" --port 0 \
        --port-file "$work/server.port"
    begin_wiretap "$work/$1.pcapng" "$port"
    "$bin$1/client" --keys "$work/keys" --port "$port" send_msg "over the wiretap" \
        >>"$work/log" 2>&1 || fail "$1: the message was not delivered"
    timeout 60 "$build/tests/wireshark_streams" send "$port" tests/vectors/001_*.sam
    stop_started
    client='frame.interface_name == "client" && sam'
    fields "$work/$1.pcapng" "$client" sam.type sam.mode sam.kind sam.status |
        LC_ALL=C sort | expect "$1: the units" "$(printf '%s\n' "'E' $2 1 OK" "'E' $2 4 OK" \
        "'E' 1 1 OK" "'G' $2 0 OK" "'G' $2 0 OK" "'R' $2 0 OK" | LC_ALL=C sort)"
    while read -r count filter; do
        fields "$work/$1.pcapng" "$client && $filter" frame.number | wc -l | tr -d ' ' |
            expect "$1: how many packets are $filter" "$count"
    done <<'FILTERS'
1 sam.kind == 1 && sam.signature_length == 384
1 sam.kind == "reply" && sam.sequence == 0
1 sam.type == "rejection"
2 sam.type == 'G' && sam.max_message > 0
3 sam.sent_at > "2000-01-01 00:00:00"
0 sam.mode == "asymmetric_only" && sam.nonce
FILTERS
    # The request refers to the challenge, the reply to the request.
    fields "$work/$1.pcapng" "$client && tcp.stream == 0" sam.challenge sam.message_id \
        sam.reference >"$work/ids"
    awk 'NR == 2 && $2 == last { good++ } NR == 3 && $2 == last { good++ } { last = $1 }
         END { exit good != 2 }' "$work/ids" || fail "$1: the references do not fit"
    echo "$1: the units of a conversation are found"
}

check_live() {
    loopback=$(tshark -D 2>/dev/null | awk '$2 == "lo" || $2 == "lo0" { print $2 }')
    if [ -z "$loopback" ] ||
        ! timeout 60 tshark -i "$loopback" -a duration:1 -w "$work/none" 2>"$work/live.log"; then
        echo "live capture: left out, because capturing on loopback is not permitted here"
        return
    fi
    rm -f "$work/server.port"
    begin "$work/server.port" "${bin}asymmetric_symmetric/server" --keys "$work/keys" --port 0 \
        --port-file "$work/server.port"
    : >"$work/live"
    HOME=$work/home XDG_CONFIG_HOME=$work/home timeout 120 tshark -X "lua_script:$lua" -l \
        -i "$loopback" -f "tcp port $port" -T fields -e sam.kind -Y 'sam.kind == "reply"' \
        >"$work/live" 2>"$work/live.log" &
    started="$! $started"
    tries=0
    until grep -q 4 "$work/live"; do
        tries=$((tries + 1))
        [ $tries -lt 60 ] || fail "nothing is seen in a live capture"
        "${bin}asymmetric_symmetric/client" --keys "$work/keys" --port "$port" send_msg "live" \
            >>"$work/log" 2>&1 || fail "the message was not delivered"
        sleep 0.2
    done
    stop_started
    ! grep -i 'lua' "$work/live.log" || fail "tshark complains in a live capture"
    echo "live capture: a reply is seen"
}

mkdir "$work/streams"
written "every vector in a packet of its own" whole 0 tests/vectors/[0-9]*.sam
check_that_errors_are_seen
check_packets_cut_by_the_capture
written "vectors byte by byte" bytewise 1 tests/vectors/[0-9]*[05]_*.sam
written "every beginning of two vectors" prefixes 0 tests/vectors/001_* tests/vectors/102_*
check_units_in_one_segment
check_another_port
check_what_is_wrong
written "$mutations changed units" mutations 1 "$mutations" "$seed" tests/vectors/[0-9]*.sam \
    "$work"/wrong/*.sam
for name in server client; do
    "${bin}asymmetric_only/client" generate_key_pair --keys "$work/keys" --name "$name" \
        >>"$work/log" 2>&1
done
check_vectors_over_the_wiretap
check_conversation asymmetric_only 1
check_conversation asymmetric_symmetric 2
check_live
