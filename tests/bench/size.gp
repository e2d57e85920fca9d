set title 'Time to seal and to open, RSA 3072'
set xlabel 'message'
set ylabel 'time'
set logscale xy
set xtics ('1 B' 1, '16 B' 16, '256 B' 256, '4 KiB' 4096, '64 KiB' 65536, '1 MiB' 1048576, \
    '16 MiB' 16777216)
set ytics ('1 ms' 1e3, '2 ms' 2e3, '5 ms' 5e3, '10 ms' 1e4, '20 ms' 2e4, '50 ms' 5e4, \
    '100 ms' 1e5, '200 ms' 2e5)
set key top left reverse Left
plot file('seal_mode1') with linespoints ls 3 title 'mode 1, seal', \
     file('open_mode1') with linespoints ls 4 title 'mode 1, open', \
     file('seal_mode2') with linespoints ls 1 title 'mode 2, seal', \
     file('open_mode2') with linespoints ls 2 title 'mode 2, open'
