# Of callgrind's dumps, in their order: a line for each request, its name, all instructions and those of
# the program itself (-v program=NAME), with tabs between.
function tell() {
    if (request != "")
        printf "%s\t%d\t%d\n", request, all, own
    request = ""
}

FNR == 1 { tell(); all = own = 0 }
/^desc: Trigger: Client Request: / { request = substr($0, 32) }

# ob=(3) /usr/lib/libcrypto.so.3, or cob= for what is called, and from then on ob=(3): in later dumps,
# too
/^c?ob=/ {
    id = $1
    sub(/.*=/, "", id)
    if (NF > 1)
        name[id] = $0
}
/^ob=/ { is_own = name[id] ~ "/" program "$" }

# The line behind calls= is what was called, and is counted where it was.
/^calls=/ { called = 1; next }
/^[0-9+*-]/ {
    if (!called) {
        all += $2
        own += is_own ? $2 : 0
    }
    called = 0
}

END { tell() }
