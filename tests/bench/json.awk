# The lines of a run (docs/performance.md) as JSON: one array of objects, of the kinds machine,
# warning, skipped, figure and series.
BEGIN {
    FS = "\t"
    names["machine"] = "name value"
    names["warning"] = "words"
    names["skipped"] = "words why"
    names["figure"] = "id words ratio low high target ours against rounds"
    names["series"] = "name x y unit"
    split("ratio low high target rounds x y", numbers, " ")
    for (i in numbers)
        is_number[numbers[i]] = 1
    printf "["
}

function quoted(text,    i, letter, out) {
    for (i = 1; i <= length(text); i++) {
        letter = substr(text, i, 1)
        if (letter == "\"" || letter == "\\")
            letter = "\\" letter
        else if (letter < " ")
            letter = " "
        out = out letter
    }
    return "\"" out "\""
}

function told(name, text) {
    if (!(name in is_number))
        return quoted(text)
    return text ~ /^-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?$/ ? text : "null"
}

$1 in names {
    printf "%s\n  {\"kind\": %s", lines++ ? "," : "", quoted($1)
    n = split(names[$1], name, " ")
    for (i = 1; i <= n; i++)
        printf ", \"%s\": %s", name[i], told(name[i], $(i + 1))
    if ($1 == "figure")
        printf ", \"reached\": %s", ($7 == "-" ? "null" : ($4 + 0 >= $7 + 0) ? "true" : "false")
    printf "}"
}

END { print "\n]" }
