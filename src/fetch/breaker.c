#include "fetch/breaker.h"

void pncp_breaker_init(struct pncp_breaker *breaker, uint32_t first_wait_ms, uint32_t outage_wait_ms)
{
    *breaker = (struct pncp_breaker){.first_wait_ms = first_wait_ms, .outage_wait_ms = outage_wait_ms};
}

bool pncp_breaker_good(struct pncp_breaker *breaker, uint64_t sent_ms)
{
    bool was_out = breaker->state == PNCP_BREAKER_OUTAGE;
    breaker->state = PNCP_BREAKER_CLOSED;
    breaker->bad = breaker->probes = 0;
    breaker->silent = false;
    breaker->proven_ms = PNCP_MAX(breaker->proven_ms, sent_ms);
    return was_out;
}

static void begin_silence(struct pncp_breaker *breaker, uint64_t now_ms)
{
    if (!breaker->silent)
        breaker->silent_since_ms = now_ms;
    breaker->silent = true;
}

void pncp_breaker_suspect(struct pncp_breaker *breaker, uint64_t now_ms)
{
    begin_silence(breaker, now_ms);
    if (breaker->state != PNCP_BREAKER_CLOSED)
        return;
    breaker->state = PNCP_BREAKER_PROBING;
    breaker->probe_at_ms = now_ms;
    breaker->probe_wait_ms = breaker->first_wait_ms;
}

bool pncp_breaker_bad(struct pncp_breaker *breaker, uint64_t now_ms)
{
    begin_silence(breaker, now_ms);
    if (++breaker->bad < PNCP_BREAKER_TRIP || breaker->state != PNCP_BREAKER_CLOSED)
        return false;
    pncp_breaker_suspect(breaker, now_ms);
    return true;
}

void pncp_breaker_braked(struct pncp_breaker *breaker, uint64_t now_ms)
{
    begin_silence(breaker, now_ms);
}

bool pncp_breaker_probe_failed(struct pncp_breaker *breaker, uint64_t now_ms)
{
    begin_silence(breaker, now_ms);
    breaker->probe_at_ms = now_ms + breaker->probe_wait_ms;
    breaker->probe_wait_ms = PNCP_MIN(breaker->probe_wait_ms * 2, (uint64_t)PNCP_PROBE_LONGEST_MS);
    if (++breaker->probes < PNCP_BREAKER_PROBES || breaker->state == PNCP_BREAKER_OUTAGE)
        return false;
    breaker->state = PNCP_BREAKER_OUTAGE;
    return true;
}

uint64_t pncp_breaker_silent_ms(const struct pncp_breaker *breaker, uint64_t now_ms)
{
    return breaker->silent && now_ms > breaker->silent_since_ms ? now_ms - breaker->silent_since_ms : 0;
}

bool pncp_breaker_long_silent(const struct pncp_breaker *breaker, uint64_t now_ms)
{
    return breaker->silent && pncp_breaker_silent_ms(breaker, now_ms) >= breaker->outage_wait_ms / 2;
}

bool pncp_breaker_over(const struct pncp_breaker *breaker, uint64_t now_ms)
{
    return breaker->silent && pncp_breaker_silent_ms(breaker, now_ms) >= breaker->outage_wait_ms;
}
