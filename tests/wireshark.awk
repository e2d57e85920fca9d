# Turns what shows units into lines "stream offset size name hex", to compare two views. In a
# name '_' stands for a space; of each unit there is also a line "status".
#
# Of the output of tshark -T pdml: the stream is that of TCP, the offset counts from its start. Of
# the output of sam inspect --json: the stream is the number of the file, from 0. Of such lines,
# sorted by stream: the same lines, made comparable.
#
# joined=1 takes all files for units of one stream. legs=2 takes two streams of TCP, as a wiretap
# makes them, for one, and of the two only number leg.
#
# Two things differ by nature. What inspect calls the surplus of a file begins the next unit of a
# stream, or none: it is called unknown in both views, and whether a status is LENGTH because of it
# is left open. And nobody waits for the rest of a unit that cannot be valid: its body ends with the
# segment, and what comes later is unknown. Where a stream comes in pieces, lenient=1 therefore puts
# body and unknown together.

function value(attribute,    start, text) {
    start = index($0, " " attribute "=\"")
    if (start == 0) return ""
    text = substr($0, start + length(attribute) + 3)
    return substr(text, 1, index(text, "\"") - 1)
}

function member(name,    start, text) {
    start = index($0, "\"" name "\": ")
    text = substr($0, start + length(name) + 4)
    sub(/^"/, "", text)
    sub(/[",].*/, "", text)
    return text
}

function show(name, at, size, hex) {
    gsub(/ /, "_", name)
    print stream, at, size, tolower(name), hex
}

# PDML
/^<packet>/ { stream = 0; wanted = 1 }
/^ *<field name="tcp.stream"/ {
    stream = value("show")
    if (legs > 0) {
        wanted = stream % legs == leg
        stream = int(stream / legs)
    }
}
/name="(_ws.malformed|_ws.lua.error|_ws.short)"/ { show("error", 0, 0, $0) }
!wanted && /^ *</ { next }
/^  <proto name="sam" / {
    start = value("pos")
    base = shown[stream] + 0
    next
}
/^ *<field name="sam.status"/ { show("status", base, 0, value("show")); next }
/^ *<field name="sam\.[a-z_]*"/ && value("size") > 0 {
    name = value("name")
    sub(/^sam\./, "", name)
    show(name, base + value("pos") - start, value("size"), value("value"))
    shown[stream] += value("size")
    next
}
/^ *</ { next }

# JSON
/[{]"file": / {
    stream = joined ? 0 : files++ + 0
    base = joined ? total + 0 : 0
    total += member("bytes")
    status = member("status")
    next
}
/^ *[{]"name": / {
    show(member("name"), base + member("offset"), member("size"), member("hex"))
    if (/][}]?]?,?$/) show("status", base, 0, status)
    next
}
/^ *"(sentence|fields)"/ || /^[]}]/ { next }

# Lines
function flush_rest() {
    if (rest != "") print stream, rest_at, length(rest) / 2, rest_name, rest
    rest = ""
}
function flush_stream() {
    flush_rest()
    if (first != "" && any_rest && (first == "OK" || first == "LENGTH")) first = "OK or LENGTH"
    if (first != "") print stream, 0, 0, "status", first
    first = ""
    any_rest = 0
}
/^[0-9]+ / {
    if ($1 != stream) flush_stream()
    stream = $1
    if ($4 == "status") {
        if (first == "") first = $5
        next
    }
    name = $4 == "surplus" ? "unknown" : $4
    if (name == "unknown" || name == "body") {
        any_rest = 1
        if (lenient) name = "rest"
        if (name == rest_name && rest != "") {
            rest = rest $5
            next
        }
        flush_rest()
        rest_name = name
        rest_at = $2
        rest = $5
        next
    }
    flush_rest()
    print
}
END { flush_stream() }
