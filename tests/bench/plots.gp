# What all plots have in common. series is the folder of NAME.dat; the output is set.
set terminal svg size 760,460 dynamic font 'sans-serif,14' background rgb 'white'
set style line 1 lc rgb '#1b6ca8' lw 2 pt 7 ps 0.6
set style line 2 lc rgb '#1b6ca8' lw 2 pt 6 ps 0.6 dt 2
set style line 3 lc rgb '#c1440e' lw 2 pt 7 ps 0.6
set style line 4 lc rgb '#c1440e' lw 2 pt 6 ps 0.6 dt 2
set style line 5 lc rgb '#777777' lw 1.5 dt 3
set grid lc rgb '#dddddd' lw 1
set border 3 lc rgb '#444444'
set tics nomirror
file(name) = sprintf('%s/%s.dat', series, name)
