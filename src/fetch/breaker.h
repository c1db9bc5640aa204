/*
 * Is an API there at all? Failures count against a request only while others succeed (design section 6, Outage). So a
 * request that has no attempts left is not failed before an answer proves that the API is alive, and when nothing good
 * comes the API is asked by one request at a time until it answers again or the outage has lasted too long. Pure.
 *
 *   closed --suspect--> probing --probes fail---> outage
 *      ^                   |                        |
 *      +------ good -------+---------- good --------+
 */
#ifndef PNCP_BREAKER_H
#define PNCP_BREAKER_H

#include "base/base.h"

/* Failures in a row that make an API suspect: with one answer in ten failing by itself, once in 10^8 answers. */
#define PNCP_BREAKER_TRIP 8
#define PNCP_BREAKER_PROBES 3       /* that must fail one after the other: each of them may fail by itself */
#define PNCP_PROBE_LONGEST_MS 30000 /* between two probes, at most */

enum pncp_breaker_state { PNCP_BREAKER_CLOSED, PNCP_BREAKER_PROBING, PNCP_BREAKER_OUTAGE };

struct pncp_breaker {
    enum pncp_breaker_state state;
    uint32_t first_wait_ms, outage_wait_ms;
    unsigned bad;       /* failures since the last good answer */
    unsigned probes;    /* that have failed since then */
    uint64_t proven_ms; /* the latest time at which a request was sent that was answered well */
    bool silent;        /* something went wrong and nothing good came since */
    uint64_t silent_since_ms;
    uint64_t probe_at_ms; /* the next probe, while it is not closed */
    uint64_t probe_wait_ms;
};

/* outage_wait_ms: how long an API may answer nothing good. The first pause between probes is first_wait_ms, doubling to
 * PNCP_PROBE_LONGEST_MS. */
void pncp_breaker_init(struct pncp_breaker *breaker, uint32_t first_wait_ms, uint32_t outage_wait_ms);
/* A good answer to what was sent at sent_ms. True: an outage is over. */
bool pncp_breaker_good(struct pncp_breaker *breaker, uint64_t sent_ms);
/* A failure. True: the API has become suspect, a probe is due. */
bool pncp_breaker_bad(struct pncp_breaker *breaker, uint64_t now_ms);
/* An answer that is neither: 429 says that the API is there, but nothing comes. */
void pncp_breaker_braked(struct pncp_breaker *breaker, uint64_t now_ms);
/* Something needs a proof, or nothing good has come for long: a probe is due. */
void pncp_breaker_suspect(struct pncp_breaker *breaker, uint64_t now_ms);
/* A probe failed as well. True: this is when the outage begins. */
bool pncp_breaker_probe_failed(struct pncp_breaker *breaker, uint64_t now_ms);
/* Has nothing good come for half of outage_wait_ms, for all of it? */
bool pncp_breaker_long_silent(const struct pncp_breaker *breaker, uint64_t now_ms);
bool pncp_breaker_over(const struct pncp_breaker *breaker, uint64_t now_ms);
/* How long nothing good has come. */
uint64_t pncp_breaker_silent_ms(const struct pncp_breaker *breaker, uint64_t now_ms);

#endif
