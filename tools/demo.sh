#!/bin/sh
# make demo: both modes for real, over TCP, told with the instruments. A message is sealed and sent,
# seen by the wiretap, tampered with and refused, replayed and refused; then both modes are compared.
set -eu
exec 2>&1

demo=$1/demo
message="Meet me at noon, by the old bridge."
server='' tap=''
# shellcheck disable=SC2086 # none or both
trap 'kill $server $tap 2>/dev/null || true' EXIT

heading() { printf '\n%s\n' "$1" && printf '%s\n' "$1" | sed 's/./-/g'; }

# Waits for a file that another program writes once it listens.
port_in() {
    tries=0
    until [ -s "$1" ]; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || { echo "demo: $1 did not appear" >&2 && exit 1; }
        sleep 0.05
    done
    cat "$1"
}

start_server() {
    "$mode/server" --keys "$demo/keys" --port 0 --port-file "$demo/port" \
        >"$demo/$mode.server.out" 2>"$demo/$mode.server.log" &
    server=$!
    port=$(port_in "$demo/port")
}

stop_server() {
    kill "$server"
    wait "$server"
    server=
}

# through NAME RULE... runs the client through a wiretap that keeps NAME.tap and a capture, and tells
# what the wiretap told.
through() {
    name=$mode.$1
    shift
    tools/sam wiretap --listen 0 --port-file "$demo/tap.port" --to "127.0.0.1:$port" --brief --quiet \
        --pcap "$demo/$name.part" "$@" >"$demo/$name.tap" &
    tap=$!
    code=0
    echo "\$ client send_msg \"$message\""
    "$mode/client" --keys "$demo/keys" --port "$(port_in "$demo/tap.port")" \
        --save "$demo/$name.sam" send_msg "$message" 2>"$demo/client.err" || code=$?
    grep -v 'kept the envelope' "$demo/client.err"
    tries=0
    until [ "$(grep -c -e ' client ends' -e ' server ends' "$demo/$name.tap")" = 2 ]; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || { echo "demo: the connection does not end" >&2 && exit 1; }
        sleep 0.05
    done
    kill "$tap"
    wait "$tap"
    tap=
    echo
    echo "What the wiretap saw${*:+ and did, with $*}:"
    cat "$demo/$name.tap"
}

# The client's exit code, and what the server said when it rejected for the last time, which has to
# be number $1.
refused() {
    echo
    echo "The client's exit code is $code. The server's log says:"
    awk '/rejected/ { said = "" } /^server/ { on = /rejected/ } on { said = said $0 "\n" }
         END { printf "%s", said }' "$demo/$mode.server.log"
    [ "$(grep -c 'rejected' "$demo/$mode.server.log")" = "$1" ]
}

tell() {
    heading "Mode $number, $mode: sealed and sent, past an eavesdropper"
    through seen
    [ "$code" = 0 ]
    echo "The server shows: $(cat "$demo/$mode.server.out")"
    mv "$demo/$mode.seen.sam" "$demo/$mode.sam"

    heading "Mode $number, $mode: all that an eavesdropper can read of it"
    # Of each field the first line, which alone has a size.
    tools/sam inspect "$demo/$mode.sam" | awk '!/^ *[0-9]+ / || substr($0, 9, 5) ~ /[0-9]/' |
        grep -v '^  *[a-zA-Z]'
    if grep -q "noon" "$demo/$mode.sam"; then
        echo "demo: the message can be read in the envelope" >&2
        exit 1
    fi
    echo "The word \"noon\" is nowhere in it."

    heading "Mode $number, $mode: one bit changed on the way"
    through tampered --flip "$1"
    [ "$code" = 1 ]
    refused 1

    heading "Mode $number, $mode: recorded, and sent again later"
    through replayed --replay-new 1
    [ "$code" = 0 ]
    refused 2
}

rm -rf "$demo"
mkdir -p "$demo"
heading "Two key pairs, each side trusting the other's public key"
for name in server client; do
    asymmetric_only/client generate_key_pair --quiet --keys "$demo/keys" --name "$name"
done
number=0
for mode in asymmetric_only asymmetric_symmetric; do
    number=$((number + 1))
    start_server
    if [ $number = 1 ]; then tell signature; else tell tag; fi
    stop_server
    tools/sam explain "$demo/$mode.sam" --out "$demo/$mode.html" --quiet
    for part in seen tampered replayed; do # a capture may have several sections
        cat "$demo/$mode.$part.part"
    done >>"$demo/demo.pcapng"
done
rm -f "$demo"/*.part "$demo"/*ed.sam "$demo"/*port "$demo"/client.err

heading "Both modes compared"
tools/sam compare --sizes 10,1000,10000
cat <<END

In $demo:
  asymmetric_*.sam     the two envelopes: look at one with tools/sam inspect FILE
  asymmetric_*.html    every byte of them explained: open one in a browser
  demo.pcapng          all that passed the wiretap: open it in Wireshark with
                       -X lua_script:tools/wireshark/sam.lua
END
