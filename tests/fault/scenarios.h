/*
 * What is done while something fails: real operations on a folder lake. A new one is a row in scenarios.c and a
 * function.
 */
#ifndef SCENARIOS_H
#define SCENARIOS_H

#include "base/clock.h"
#include "lake/lake.h"
#include "table/table.h"

#define LOT_FIRST 1001 /* the number of its first row (rows_fixture.h): no fixture puts it */
#define RIVAL_FIRST 2001

struct work {
    struct pncp_lake *lake;
    struct pncp_date date;
    struct pncp_table *lot;    /* details schema */
    struct pncp_table *listed; /* list schema: the same rows */
    struct pncp_table *rival;  /* details schema: two rows for another run */
    bool again;                /* somebody tried before, and may have got somewhere */
    const char *untrue;        /* for the operation to set: something that it was told and that is not so */
};
/* What it does begins with what is in the lake, and releases all that it made. Done again it changes nothing more. */
typedef enum pncp_code operation_fn(struct work *work, struct pncp_err *err);

struct scenario {
    const char *name;
    operation_fn *fixture; /* makes the lake before; NULL: nothing is there */
    operation_fn *operation;
    uint32_t rows; /* of lot and of listed */
    bool changes;  /* it leaves something in the lake, locks aside */
};
extern const struct scenario SCENARIOS[];
extern const size_t SCENARIO_COUNT;

#endif
