/* The distinct values of a column, for Parquet's dictionary encoding (Encodings.md, "Dictionary Encoding"). */
#ifndef PNCP_DICTIONARY_H
#define PNCP_DICTIONARY_H

#include "table/table.h"

#define PNCP_DICTIONARY_MAX_BYTES ((size_t)128 * 1024) /* of its page */
#define PNCP_DICTIONARY_MAX_VALUES ((size_t)32768)

struct pncp_dictionary {  /* zeroed: empty; its memory is kept from one column to the next */
    struct pncp_buf page; /* distinct values in PLAIN form, in the order they first came */
    struct pncp_buf entries, table, indexes;
    size_t count; /* of distinct values */
};

/* Make it of the values of `leaf` (not boolean). *ret_pays is false, and the rest without meaning, when a dictionary
 * and its indexes would not be smaller than the values. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_dictionary_make(struct pncp_dictionary *dictionary, const struct pncp_leaf *leaf,
                                               bool *ret_pays);
void pncp_dictionary_release(struct pncp_dictionary *dictionary);
/* Per value of the leaf, its place in the dictionary. */
const uint16_t *pncp_dictionary_indexes(const struct pncp_dictionary *dictionary);

#endif
