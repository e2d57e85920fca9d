set title 'Messages of 100 B answered, server and 8 clients on so many cores, RSA 2048'
set xlabel 'cores'
set ylabel 'messages/s'
stats file('cores') using ($1 == 1 ? $2 : NaN) nooutput
first = STATS_min
stats file('cores') using 1 nooutput
set xrange [0:STATS_max + 0.5]
set yrange [0:*]
set xtics 1
set key top left reverse Left
plot first * x with lines ls 5 title 'as many times one core', \
     file('cores') with linespoints ls 1 title 'measured'
