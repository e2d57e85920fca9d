#!/bin/sh
# Draws the series of a run: size.svg, clients.svg and cores.svg.
#
#     plots.sh RESULTS FOLDER
#
# A series that the run does not have is not drawn. Needs gnuplot.
set -eu

here=$(dirname "$0")
results=$1 folder=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/plots.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

awk -F '\t' -v "work=$work" '$1 == "series" { print $3, $4 > (work "/" $2 ".dat") }' "$results"
for plot in size clients cores; do
    needed=$plot
    [ $plot != size ] || needed=seal_mode2
    [ -s "$work/$needed.dat" ] || continue
    gnuplot -e "series = '$work'; set output '$work/$plot.svg'" "$here/plots.gp" "$here/$plot.gp"
    mv "$work/$plot.svg" "$folder/$plot.svg"
done
