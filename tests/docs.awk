# Turns a document into a test for cram: what stands in its console fences, and nothing else.
#
# In a document, … stands for what differs from run to run. A comment on the line above a fence says how
# it is meant:
#   <!-- stays running -->                 its last command is a server: see `stays` in docs.sh
#   <!-- the end of what it prints -->     only the last lines of the command's output are shown
#   <!-- not run: because ... -->          it is left out, for that reason
# A fence of another kind that holds a command is an error: somebody forgot to have it tested.

function flush_fence(    i, lines, command) {
    for (i = 1; i <= count; i++)
        if (fence[i] ~ /^  \$ /) command = i
    lines = count - command
    for (i = 1; i <= count; i++) {
        if (i == command && how == "stays running")
            sub(/^  \$ /, "  $ stays ", fence[i])
        if (i == command && how == "the end of what it prints")
            fence[i] = fence[i] " 2>&1 | tail -n " lines
        if (fence[i] ~ /^  \$ .*_msg/) # on the port that docs.sh found free
            sub(/\.\/client/, "./client --port $PORT", fence[i])
        gsub(/PORT=8001/, "PORT=$TAP", fence[i])
        if (fence[i] ~ /^  \$ .*examples\//)
            sub(/ 8000/, " $PORT", fence[i])
        if (fence[i] == "")
            fence[i] = "  "
        if (i != command && gsub(/…/, "*", fence[i]))
            fence[i] = fence[i] " (glob)"
        print fence[i]
    }
    print ""
}

/^<!-- .* -->$/ { comment = substr($0, 6, length($0) - 9); next }
/^```/ && !inside {
    inside = $0 == "```console" ? "console" : "other"
    how = comment
    count = 0
    next
}
/^```/ {
    if (inside == "console" && how !~ /^not run: ./) flush_fence()
    inside = how = ""
    next
}
inside == "console" { fence[++count] = $0; next }
inside && /^ *\$ / {
    print FILENAME ":" FNR ": a command in a fence that is not run" > "/dev/stderr"
    failed = 1
}
{ comment = "" }
END { exit failed }
