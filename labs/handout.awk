# Whether lines of a solution, this program's input, stand in a file of the archive: one line of a file
# of answers, or three in a row of a program. What the lab gives its students anyway (the stub, the flawed
# variant, the interface, the library that does it right) does not count. lab is the solution's file name, files lists the archive.

# Without blanks, however it is quoted or commented out; "" for what anybody would write.
function essence(line) {
    sub(/^[ \t>|*\/]+/, "", line)
    gsub(/[ \t\r`]+/, "", line)
    if (single) sub(/\|+$/, "", line)
    if (single) gsub(/\|/, "=", line)
    return line ~ /^[{}();#]*$|^#include/ ? "" : line
}

# The last lines of a file up to this one, "" while there are too few.
function window(line,    all) {
    line = essence(line)
    if (line == "") return ""
    before2 = before1; before1 = before0; before0 = line
    if (single) return line
    all = before2 "\n" before1 "\n" before0
    return before2 == "" || length(all) < IDIOM ? "" : all
}

function forget() { before0 = before1 = before2 = "" }

function given(file,    line, seen) {
    forget()
    while ((getline line <file) > 0)
        if ((seen = window(line)) != "") allowed[seen] = 1
    close(file)
}

BEGIN {
    IDIOM = 75 # three lines in fewer characters are what anybody would write
    single = lab ~ /\.txt$/
    name = lab
    sub(/\.[a-z]+$/, "", name)
    given("labs/stubs/" lab)
    if (!single) {
        given("labs/" name "/flawed.c")
        while ((getline file <files) > 0)
            if (index(file, "./shared/") == 1 ||
                (index(file, "./labs/" name "/") == 1 && file ~ /\.h$/)) given(file)
        close(files)
    }
    forget()
}

{
    seen = window($0)
    if (seen != "" && !(seen in allowed)) { secret[seen] = 1; secrets++ }
}

END {
    if (secrets < 5) {
        print "handout: " lab " holds too little to compare" >"/dev/stderr"
        exit 1
    }
    while ((getline file <files) > 0) {
        forget()
        while ((getline line <file) > 0) {
            seen = window(line)
            if (seen != "" && seen in secret) {
                print "handout: " file " holds of the solution " lab ": " seen >"/dev/stderr"
                failed = 1
            }
        }
        close(file)
    }
    exit failed
}
