# The lines of a run (docs/performance.md), as a table of at most 80 columns.
BEGIN {
    FS = "\t"
    heading["small"] = "Seal and open, against the RSA operations in them alone"
    heading["big"] = "The same with one loop of SHA-256 and AES-256-GCM over the message"
    heading["blocks"] = "Open in mode 1, against as many private operations alone"
    heading["server"] = "Server and clients, against private operations alone on all cores"
    heading["connections"] = "The same with a connection for each message"
    heading["session"] = "Session, against plain sockets"
    heading["process"] = "Whole processes: sam seal and sam open, against others"
    heading["memory"] = "Peak memory, against the message and 10 MiB"
    heading["proxy"] = "Two server processes, a core each, against one on both"
}

# Breaks text into lines of at most width: line[1] and so on. Returns how many.
function wrap(text, width, line,    words, n, i, count) {
    n = split(text, words, " ")
    line[count = 1] = words[1]
    for (i = 2; i <= n; i++)
        if (length(line[count]) + 1 + length(words[i]) <= width)
            line[count] = line[count] " " words[i]
        else
            line[++count] = words[i]
    return count
}

# Prints a label and text beside it, the text indented by so much.
function tell(label, text, indent,    line, n, i) {
    n = wrap(text, 80 - indent, line)
    for (i = 1; i <= n; i++)
        printf "%-" indent "s%s\n", i == 1 ? label : "", line[i]
}

function ratio(value) {
    return sprintf(value >= 9.995 ? "%.1f" : "%.2f", value)
}

$1 == "machine" { tell($2, $3, 12) }
$1 == "warning" { tell("warning:", $2, 12) }
$1 == "skipped" { skipped[++skips] = $2 ": " $3 }

$1 == "figure" {
    split($2, id, ".")
    if (group == "")
        printf "\n%-41s %5s  %-11s %6s\n", "", "ratio", "quartiles", "target"
    if (id[1] != group) {
        group = id[1]
        printf "\n%s\n", (group in heading) ? heading[group] : group
    }
    verdict = ""
    if ($7 != "-") {
        targets++
        verdict = $4 + 0 >= $7 + 0 ? " reached" : " not reached"
        if ($4 + 0 < $7 + 0)
            missed[++misses] = $3
    }
    n = wrap($3, 39, line)
    printf "  %-39s %5s  %-11s %6s%s\n", line[1], exact($4, $7), ratio($5) "-" ratio($6), $7, verdict
    for (i = 2; i <= n; i++)
        print "  " line[i]
    printf "    %s against %s, %d rounds\n", $8, $9, $10
}

# With a third digit where two would hide on which side of its target it is.
function exact(value, target) {
    return target != "-" && value > target - 0.01 && value < target + 0.01 ? \
        sprintf("%.3f", value) : ratio(value)
}

END {
    print ""
    for (i = 1; i <= skips; i++)
        tell("skipped:", skipped[i], 9)
    printf "%d of %d targets reached\n", targets - misses, targets
    for (i = 1; i <= misses; i++)
        print "  not: " missed[i]
}
