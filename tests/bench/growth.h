/* How times and rates grow with sizes, clients and cores: series for plots. */
#ifndef SAM_BENCH_GROWTH_H
#define SAM_BENCH_GROWTH_H

void growth_group(void);

#endif
