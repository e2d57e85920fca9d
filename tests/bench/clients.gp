set title 'Messages of 100 B answered by one server, RSA 2048, kept connections'
set xlabel 'clients at once'
set ylabel 'messages/s'
set logscale x
set yrange [0:*]
set xtics (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
plot file('clients') with linespoints ls 1 notitle
