#!/bin/sh
# make demo: both modes for real, over TCP. A message is sent and received, looked at as an
# eavesdropper has it, tampered with on its way; then both modes stand side by side.
set -eu
exec 2>&1

build=$1
demo=$build/demo
message="Meet me at noon, by the old bridge."
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true' EXIT

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
    rm -f "$demo/port"
    "$1/server" --trace --keys "$demo/keys" --port 0 --port-file "$demo/port" \
        >"$demo/$1.server.out" 2>"$demo/$1.server.log" &
    server=$!
    port=$(port_in "$demo/port")
}

stop_server() {
    kill "$server"
    wait "$server"
    server=
    # Of the last two requests, which measure sent.
    grep '^cost' "$demo/$1.server.log" | tail -n 2 | head -n 1 >"$demo/$1.server.cost.10"
    grep '^cost' "$demo/$1.server.log" | tail -n 1 >"$demo/$1.server.cost.10000"
}

client() {
    mode=$1
    shift
    "$mode/client" --keys "$demo/keys" --port "$port" "$@"
}

# The line of a --trace that tells the cost, as words: sent received private public microseconds.
cost() {
    sed -n 's/^cost: \([0-9]*\) bytes sent, \([0-9]*\) received; RSA \([0-9]*\) private, \([0-9]*\) public; \([0-9]*\) us$/\1 \2 \3 \4 \5/p' "$1"
}

send_and_receive() {
    heading "Mode $2, $1: a message sent, and one received"
    echo "\$ client send_msg \"$message\""
    client "$1" --save "$demo/$1.sam" send_msg "$message"
    echo "The server shows: $(tail -n 1 "$demo/$1.server.out")"
    echo
    echo "\$ client recv_msg"
    client "$1" recv_msg >"$demo/$1.received"
    echo "It prints: $(cat "$demo/$1.received")"
}

eavesdrop() {
    heading "Mode $2, $1: what an eavesdropper saw"
    client "$1" --trace send_msg "$message" 2>"$demo/$1.trace"
    # From "what leaves" to the next step; of each field the first line, which alone has a size.
    awk '/^- / { on = ($0 == "- what leaves") }
         on && (!/^ *[0-9]+ / || substr($0, 9, 5) ~ /[0-9]/)' "$demo/$1.trace"
    echo "    (of each field the first 16 bytes; all of them are in $demo/$1.trace)"
    if grep -q "noon" "$demo/$1.sam"; then
        echo "demo: the message can be read in the envelope" >&2
        exit 1
    fi
    echo "The word \"noon\" is nowhere in these $(wc -c <"$demo/$1.sam" | tr -d ' ') bytes."
}

# Byte 200 is in the first RSA block of either mode. Byte 700 is in the signature of mode 1, which
# travels in clear, and in the ciphertext of mode 2.
tamper() {
    heading "Mode $2, $1: one bit changed on the way"
    direct=$port
    for byte in 200 700; do
        rm -f "$demo/flip.port"
        "$build/tools/flip" "$demo/flip.port" 127.0.0.1 "$direct" $byte &
        flip=$!
        port=$(port_in "$demo/flip.port")
        echo "\$ client send_msg \"$message\""
        echo "(through a relay that turns over one bit of byte $byte)"
        code=0
        client "$1" send_msg "$message" || code=$?
        wait "$flip"
        echo "The client's exit code is $code. The server's log says:"
        sed -n '/rejected/,/^cost/p' "$demo/$1.server.log" | grep -v -e '^cost' -e '^- ' -e '^    ' |
            if [ $byte = 200 ]; then cat; else sed '1,/FAILED/d'; fi
        [ "$code" = 1 ]
    done
    port=$direct
}

measure() {
    head -c 10 /dev/zero >"$demo/10"
    head -c 10000 /dev/zero >"$demo/10000"
    for size in 10 10000; do
        client "$1" --trace send_msg --file "$demo/$size" 2>"$demo/$1.trace.$size"
    done
}

compare() {
    heading "Both modes side by side: one message and its receipt"
    echo "asymmetric_only needs an RSA block for every 318 bytes, asymmetric_symmetric one"
    echo "for the secret key, however long the message is."
    printf '%-28s %16s %21s\n' '' asymmetric_only asymmetric_symmetric
    for size in 10 10000; do
        # shellcheck disable=SC2046 # five words each
        set -- $(cost "$demo/asymmetric_only.trace.$size") \
            $(cost "$demo/asymmetric_symmetric.trace.$size")
        echo "a message of $size bytes"
        printf '  %-26s %16s %21s\n' "bytes sent" "$1" "$6" "bytes received" "$2" "$7" \
            "client: RSA private" "$3" "$8" "client: RSA public" "$4" "$9"
        spent="$5 ${10}"
        # shellcheck disable=SC2046
        set -- $(cost "$demo/asymmetric_only.server.cost.$size") \
            $(cost "$demo/asymmetric_symmetric.server.cost.$size")
        printf '  %-26s %16s %21s\n' "server: RSA private" "$3" "$8" "server: RSA public" "$4" "$9" \
            "microseconds, all in all" "${spent% *}" "${spent#* }"
    done
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
    start_server "$mode"
    send_and_receive "$mode" $number
    eavesdrop "$mode" $number
    tamper "$mode" $number
    measure "$mode"
    stop_server "$mode"
done
compare
printf '\nIn %s: the two envelopes (*.sam), the traces and the servers'"'"' logs.\n' "$demo"
