# The counts on record (first file) beside those of now (second file).
function away(now, before) { return 100 * (now - before) / before }
function is_far(percent) { return percent > 3 || percent < -3 }

NR == 1 {
    printf "%-22s %12s %7s %9s %7s\n", "instructions", "in all", "change", "our own", "change"
    next
}
NR == FNR { all[$1] = $2; own[$1] = $3; known++; next }
!($1 in all) { print $1 ": not on record"; failed = 1; next }
{
    seen++
    if ($3 == 0)
        print $1 ": none of our own instructions were found"
    of_all = away($2, all[$1]); of_own = away($3, own[$1])
    printf "%-22s %12d %+6.1f%% %9d %+6.1f%%\n", $1, $2, of_all, $3, of_own
    if (is_far(of_all) || is_far(of_own)) {
        print "  more than 3 % from the record"
        failed = 1
    }
}
END {
    if (seen != known) {
        print "some counts on record were not taken"
        failed = 1
    }
    if (!judged)
        print "told, not judged: the record has another compiler, libcrypto or processor"
    else if (failed)
        print "failed; where the change is meant: make perf-check RECORD=1, and commit the record"
    else
        print "all within 3 % of the record"
    exit judged && failed
}
