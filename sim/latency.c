#include "latency.h"

#include <stdlib.h>
#include <string.h>

#include "mix.h"

struct quantile {
    double q, ms;
};

#define QUANTILES_MAX 9
/* By profile and API; between two points the time is linear. */
static const struct quantile CURVES[3][SIM_APIS][QUANTILES_MAX] =
    {
        [SIM_JUNE_2026] =
            {
                [SIM_API_LISTING] =
                    {{0, 350}, {0.1, 900}, {0.5, 1430}, {0.9, 2800}, {0.95, 3500}, {0.99, 7600}, {1, 17600}},
                [SIM_API_DETAIL] = {{0, 55}, {0.5, 81}, {0.95, 118}, {0.99, 300}, {1, 1100}},
            },
        [SIM_SEPTEMBER_2026] =
            {
                [SIM_API_LISTING] = {{0, 250}, {0.5, 600}, {0.9, 1500}, {0.99, 6000}, {1, 20000}},
                [SIM_API_DETAIL] =
                    {{0, 2500}, {0.25, 5800}, {0.5, 8100}, {0.75, 10500}, {0.95, 16000}, {0.995, 20000}, {1, 33000}},
            },
};

bool sim_latency_parse(struct pncp_view text, struct sim_latency *ret_latency)
{
    char copy[64], *end;
    struct sim_latency latency = {.profile = SIM_FIXED, .scale = 1};
    static const char *const NAMES[] = {NULL, "june2026", "september2026"};

    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';

    for (int i = SIM_JUNE_2026; i <= SIM_SEPTEMBER_2026; i++) {
        size_t len = strlen(NAMES[i]);
        if (strncmp(copy, NAMES[i], len) != 0)
            continue;
        latency.profile = (enum sim_profile)i;
        if (copy[len] == '*') {
            latency.scale = strtod(copy + len + 1, &end);
            if (end == copy + len + 1 || *end != '\0' || !(latency.scale >= 0 && latency.scale <= 100))
                return false;
        } else if (copy[len] != '\0') {
            return false;
        }
        *ret_latency = latency;
        return true;
    }
    latency.ms = strtod(copy, &end);
    if (*end != '\0' || !(latency.ms >= 0 && latency.ms <= SIM_LATENCY_MAX_MS))
        return false;
    *ret_latency = latency;
    return true;
}

uint32_t sim_latency_draw(const struct sim_latency *latency, enum sim_api api, uint64_t hash)
{
    if (latency->profile == SIM_FIXED)
        return (uint32_t)(latency->ms + 0.5);

    const struct quantile *curve = CURVES[latency->profile][api];
    double u = sim_unit(hash);
    size_t i = 1;
    while (u >= curve[i].q)
        i++;
    double part = (u - curve[i - 1].q) / (curve[i].q - curve[i - 1].q);
    return (uint32_t)((curve[i - 1].ms + part * (curve[i].ms - curve[i - 1].ms)) * latency->scale + 0.5);
}
