/* A lake of which one object is replaced while it is read, as in a bucket: a folder's reader keeps the version it has.
 */
#ifndef TORN_READS_H
#define TORN_READS_H

#include "lake/lake_int.h"

struct torn_reads {
    unsigned left;    /* so many readers find another version after their first answer (PNCP_E_CONFLICT) */
    const char *path; /* of that object; borrowed */
    struct pncp_lake *lake;
    const struct pncp_lake_backend *backend;
    struct pncp_lake_backend torn;
};
/* One lake at a time, until torn_reads_end. */
void torn_reads_begin(struct torn_reads *reads, struct pncp_lake *lake, const char *path, unsigned times);
void torn_reads_end(struct torn_reads *reads);

#endif
