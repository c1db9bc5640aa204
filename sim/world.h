/*
 * What a client sees at this moment: the source's rows less those not yet published, plus strangers, with rows that
 * move while they are paged, parts that come late or never, and counts that disagree. /_truth tells the same.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "source.h"

enum sim_drift {
    SIM_DRIFT_NONE,
    SIM_DRIFT_INSERT, /* the first row of the list appears after page P was served: later rows move back one place */
    SIM_DRIFT_REMOVE, /* it vanishes: later rows move forward, a page-by-page reader skips one; its details are 404 then
                       */
    SIM_DRIFT_DUPLICATE, /* always: the last row of page P is also the first of page P + 1, and totalRegistros counts
                            both */
    SIM_DRIFT_DISPLACE,  /* always: the last row of page P stands in the place of the first of page P + 1 too, which is
                            on no page then; totalRegistros is right */
};

struct sim_world_config {
    uint32_t foreign_rows; /* rows of the next day at the end of each list */
    double visible;        /* 0..1: share of each list that has been published so far */
    bool has_last_day;     /* lists end with last_day although the source has one day more (for foreign_rows) */
    struct pncp_date last_day;
    enum sim_drift drift;
    uint32_t drift_page;           /* P, from 1; only lists of more than 50 * P rows drift */
    double absent_rate[SIM_PARTS]; /* the part is 404 for ever */
    double late_rate[SIM_PARTS];   /* the part is not there until it has arrived */
    bool late_404;                 /* until then 404, else no rows */
    bool late_arrived;
    uint32_t late_after_s;  /* arrives by itself that long after the start; 0: only when told */
    double quantidade_rate; /* share of lists whose /quantidade is off by quantidade_delta */
    int32_t quantidade_delta;
};

/* Lists (day, modalidade) that drift can be remembered for. */
#define SIM_DRIFTED_MAX 8192

struct sim_world {
    struct sim_source *source; /* borrowed */
    struct sim_world_config config;
    uint64_t seed;
    uint64_t start_ms;
    uint64_t drifted[SIM_DRIFTED_MAX]; /* lists whose page P was served */
    size_t drifted_len;
};

/* Rows of a list, and one of them. page_size: rows on a page as it is given, which drift by duplication and
 * displacement go by; 0: the list as it is, without displacement. */
uint32_t sim_world_count(const struct sim_world *world, enum sim_order order, struct pncp_date date,
                         uint32_t modalidade);
void sim_world_row(const struct sim_world *world, enum sim_order order, struct pncp_date date, uint32_t modalidade,
                   uint32_t position, uint32_t page_size, struct sim_row *ret_row);
/* A page of the list was served: drift may happen now. */
void sim_world_served(struct sim_world *world, struct pncp_date date, uint32_t modalidade, uint32_t page);
void sim_world_forget_drift(struct sim_world *world);
/* By key, as the detail API sees it. */
MUST_CHECK bool sim_world_find(const struct sim_world *world, struct pncp_view cnpj, uint32_t ano, uint32_t sequencial,
                               struct sim_row *ret_row);

struct sim_part_state {
    bool absent; /* 404 */
    uint32_t rows;
    uint32_t quantidade; /* what /quantidade says */
};
struct sim_part_state sim_world_part(const struct sim_world *world, const struct sim_row *row, enum sim_part part);

/* Hash of a contratação's key with the world's seed. */
uint64_t sim_world_key(const struct sim_world *world, const struct sim_row *row);

#endif
