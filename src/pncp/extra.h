/*
 * The `extra` of a record while it is written: an object that is opened by the first thing that goes there; what
 * belongs to a nested object stands under that object's name. Between the files of pncp/ only.
 */
#ifndef PNCP_EXTRA_H
#define PNCP_EXTRA_H

#include "json/json.h"

struct pncp_extra {
    struct pncp_json_writer *writer; /* borrowed */
    struct pncp_extra *parent;       /* NULL: of the record itself */
    const char *name;                /* there */
    bool open;
};

/* Something is about to be written there. */
void pncp_extra_open(struct pncp_extra *extra);
void pncp_extra_close(struct pncp_extra *extra);
void pncp_extra_put(struct pncp_extra *extra, struct pncp_view key, yyjson_val *val);

#endif
