#include "fetch/rate.h"

#define ONE 1000 /* a token */

void pncp_rate_init(struct pncp_rate *rate, unsigned per_second, uint64_t now_ms)
{
    *rate = (struct pncp_rate){.per_second = per_second, .tokens = ONE, .at_ms = now_ms};
}

bool pncp_rate_take(struct pncp_rate *rate, uint64_t now_ms)
{
    if (rate->per_second == 0)
        return true;
    uint64_t full = PNCP_MAX(rate->per_second * ONE / 20, (uint64_t)2 * ONE);
    uint64_t passed = PNCP_MIN(now_ms - rate->at_ms, (uint64_t)1000 * 1000); /* fills it at any rate */
    rate->tokens = PNCP_MIN(rate->tokens + passed * rate->per_second, full);
    rate->at_ms = now_ms;
    if (rate->tokens < ONE)
        return false;
    rate->tokens -= ONE;
    return true;
}

uint64_t pncp_rate_next_ms(const struct pncp_rate *rate)
{
    if (rate->per_second == 0 || rate->tokens >= ONE)
        return UINT64_MAX;
    return rate->at_ms + (ONE - rate->tokens + rate->per_second - 1) / rate->per_second;
}
