/* The two APIs as pure functions: request and world in, answer out. No network, no faults. */
#ifndef SIM_API_H
#define SIM_API_H

#include "answer.h"
#include "request.h"
#include "world.h"

/* What the service calls its own paths in error bodies. */
#define SIM_CONSULTA_INNER "/pncp-consulta"
#define SIM_DETAIL_INNER "/pncp-api"

enum sim_cut_mode { SIM_CUT_GIVEN, SIM_CUT_ASKED };

/* The switches between behaviours that reports disagree on, and silent cuts of the page size. */
struct sim_policy {
    int past_last_page;   /* listing: 204, 400 or 200 (an envelope with empty data) */
    int past_end;         /* detail lists: 200 ([]) or 204 */
    int empty_part;       /* a list without any row: 204 or 200 ([]) */
    bool refuse_14;       /* modalidade 14: 422, else no rows */
    uint32_t cut;         /* rows a detail page holds at most; 0: 1,000 */
    uint32_t cut_listing; /* same for the listing; 0: 50 */
    enum sim_cut_mode
        cut_mode; /* page offsets from the size given (cut) or from the size asked (rows between are never seen) */
};

/* Largest page of a detail list that reports saw honoured. */
#define SIM_DETAIL_PAGE_MAX 1000u

/* Listings and one contratação. page_served is told to the world. */
void sim_consulta_answer(struct sim_world *world, const struct sim_policy *policy, const struct sim_request *request,
                         struct sim_answer *answer);
/* Itens, arquivos, their counts, and the moved path. `host` is the Host header, for the Location of a 301. */
void sim_detail_answer(const struct sim_world *world, const struct sim_policy *policy,
                       const struct sim_request *request, const char *host, struct sim_answer *answer);

#endif
