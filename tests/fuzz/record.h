/*
 * Is everything of a JSON object in its row? The cells of a table are walked in step with the object that they were
 * made from: a member that a column names is in that column, exactly, or in `extra`; every other member is in `extra`;
 * nothing else is. So that nothing is lost, changed or invented, whatever the API sends.
 */
#ifndef PNCP_FUZZ_RECORD_H
#define PNCP_FUZZ_RECORD_H

#include "table/table.h"
#include "json/json.h"

/* Where the walk is: the next slot and value of each leaf. Starts at zero, with the table's first row. */
struct record_walk {
    const struct pncp_table *table;
    size_t slot[PNCP_SCHEMA_LEAVES_MAX], value[PNCP_SCHEMA_LEAVES_MAX];
    int64_t misfits; /* found in extra though a column names them */
};

/* The cells of one record of `node` (all children that are not the program's own) against `object`; FUZZ_CHECKs. */
void record_check(struct record_walk *walk, const struct pncp_node *node, yyjson_val *object, int16_t rep);
/* The cells of a list against its elements. */
void record_check_list(struct record_walk *walk, const struct pncp_node *list, yyjson_val *const *elements,
                       size_t count);
/* Has the walk come to the end of every leaf below `node`? */
bool record_ended(const struct record_walk *walk, const struct pncp_node *node);
/* Are two JSON values the same, number text and order of members included? */
bool record_same_json(yyjson_val *a, yyjson_val *b);

#endif
