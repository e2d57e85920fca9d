# Figures out of rounds. Each line is one round:
#
#     id  words  target  unit  ours  limit
#
# with tabs between; a target of - is none. Times (us) and sizes (KiB) are to be small, rates (/s) to
# be large. Prints a line for each id as figure_tell of figure.c does: medians, and the quartiles of
# the ratios.
BEGIN { FS = OFS = "\t" }

!($1 in rounds) { order[++count] = $1 }

{
    i = ++rounds[$1]
    words[$1] = $2
    target[$1] = $3
    unit[$1] = $4
    ours[$1, i] = $5
    limit[$1, i] = $6
    ratio[$1, i] = $4 ~ /\/s$/ ? $5 / $6 : $6 / $5
}

# The value that so much of an id's values lie below.
function quantile(values, id, below,    n, i, j, sorted, least, at, upper) {
    n = rounds[id]
    for (i = 1; i <= n; i++) {
        least = values[id, i]
        for (j = i - 1; j >= 1 && sorted[j] > least; j--)
            sorted[j + 1] = sorted[j]
        sorted[j + 1] = least
    }
    at = 1 + below * (n - 1)
    i = int(at)
    upper = i < n ? i + 1 : i
    return sorted[i] + (at - i) * (sorted[upper] - sorted[i])
}

function told(value, in_unit) {
    if (in_unit == "KiB")
        return sprintf("%.1f MiB", value / 1024)
    if (in_unit != "us")
        return sprintf("%.0f %s", value, in_unit)
    return value < 1000 ? sprintf("%.1f us", value) : sprintf("%.2f ms", value / 1000)
}

END {
    for (k = 1; k <= count; k++) {
        id = order[k]
        print "figure", id, words[id], sprintf("%.3f", quantile(ratio, id, 0.5)), \
            sprintf("%.3f", quantile(ratio, id, 0.25)), sprintf("%.3f", quantile(ratio, id, 0.75)), \
            target[id], told(quantile(ours, id, 0.5), unit[id]), \
            told(quantile(limit, id, 0.5), unit[id]), rounds[id]
    }
}
