/*
 * No more than so many requests a second, as a token bucket that holds a twentieth of a second's worth, two at least:
 * what a late wake-up missed is made good, a pause is not followed by a burst. Pure.
 */
#ifndef PNCP_RATE_H
#define PNCP_RATE_H

#include "base/base.h"

#define PNCP_RATE_MAX 10000 /* per second */

struct pncp_rate {
    uint64_t per_second; /* 0: no limit */
    uint64_t tokens;     /* thousandths */
    uint64_t at_ms;
};
void pncp_rate_init(struct pncp_rate *rate, unsigned per_second, uint64_t now_ms);
/* May one be sent now? It is counted then. */
bool pncp_rate_take(struct pncp_rate *rate, uint64_t now_ms);
/* When the next one may be, after a take that was refused; UINT64_MAX when it was not: the rate is not what is waited
 * for. */
uint64_t pncp_rate_next_ms(const struct pncp_rate *rate);

#endif
