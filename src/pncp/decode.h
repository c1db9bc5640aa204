/* JSON object -> cells of one level of a schema. Between the files of pncp/ only; what it means is in rows.h. */
#ifndef PNCP_DECODE_H
#define PNCP_DECODE_H

#include "table/table.h"
#include "json/json.h"

/* A row of a file that is older than the table's schema: what its `extra` has of the fields that came later is decoded,
 * and nothing else. */
struct pncp_decode_older {
    unsigned version;              /* the file's */
    const struct pncp_table *rows; /* of the table's schema; of each struct at hand that has got fields, the first leaf
                                      as the file has it: it tells whether the struct is there */
    size_t slot;                   /* in them, of the record at hand */
};

struct pncp_decoder {
    struct pncp_table *table;              /* borrowed, inside a row */
    const struct pncp_decode_older *older; /* NULL: `object` is the API's */
    int64_t misfits;
    struct pncp_buf extra;                /* scratch: JSON text of the record under way */
    uint8_t hints[PNCP_SCHEMA_NODES_MAX]; /* per node's key position: the child that stood there in the last object */
};

void pncp_decoder_init(struct pncp_decoder *decoder, struct pncp_table *table);
void pncp_decoder_release(struct pncp_decoder *decoder);

/* Decode `object` (NULL or anything but an object: all null) as a record with the children of `node`, except those
 * flagged DERIVED, at repetition level `rep`. What has no place goes to the child that is flagged EXTRA, if there is
 * one. Of an older row (decoder->older) `object` is its extra, and only the fields that the file lacks, and extra, get
 * cells. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_decode_record(struct pncp_decoder *decoder, const struct pncp_node *node,
                                             yyjson_val *object, int16_t rep);
/* An older row has no such record, because its list is null or empty: the same cells get nulls at level `def`.
 * PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_decode_absent(struct pncp_decoder *decoder, const struct pncp_node *node, int16_t rep,
                                             int16_t def);

#endif
