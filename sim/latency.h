/* How long the API thinks before it answers: none, a fixed time, or one of two measured profiles. */
#ifndef SIM_LATENCY_H
#define SIM_LATENCY_H

#include "base/view.h"
#include "request.h"

enum sim_profile {
    SIM_FIXED,
    SIM_JUNE_2026, /* listing p50 1.4 s, p99 7.6 s; detail p50 0.08 s, p95 0.12 s (446 and 400 requests, 2026-06-16 and
                      17) */
    SIM_SEPTEMBER_2026, /* listing p50 0.6 s; detail mean 8.5 s, p95 16 s, rarely 33 s (114 requests, 2026-09-15; single
                           reports) */
};

struct sim_latency {
    enum sim_profile profile;
    double ms;    /* SIM_FIXED */
    double scale; /* of a profile */
};

#define SIM_LATENCY_MAX_MS 3600000.0

/* "5" (ms), "june2026", "september2026*0.01". */
MUST_CHECK bool sim_latency_parse(struct pncp_view text, struct sim_latency *ret_latency);
/* Milliseconds for a request; `hash` makes the choice. */
uint32_t sim_latency_draw(const struct sim_latency *latency, enum sim_api api, uint64_t hash);

#endif
