/* JSON object -> cells of one level of a schema. Between the files of pncp/ only; what it means is in rows.h. */
#ifndef PNCP_DECODE_H
#define PNCP_DECODE_H

#include "table/table.h"
#include "json/json.h"

struct pncp_decoder {
    struct pncp_table *table; /* borrowed, inside a row */
    int64_t misfits;
    struct pncp_buf extra;                /* scratch: JSON text of the record under way */
    uint8_t hints[PNCP_SCHEMA_NODES_MAX]; /* per node's key position: the child that stood there in the last object */
};

void pncp_decoder_init(struct pncp_decoder *decoder, struct pncp_table *table);
void pncp_decoder_release(struct pncp_decoder *decoder);

/* Decode `object` (NULL or anything but an object: all null) as a record with the children of `node`, except those
 * flagged DERIVED, at repetition level `rep`. What has no place goes to the last child when that is flagged EXTRA.
 * PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_decode_record(struct pncp_decoder *decoder, const struct pncp_node *node,
                                             yyjson_val *object, int16_t rep);

#endif
