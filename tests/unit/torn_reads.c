#include "torn_reads.h"

#include <string.h>

static struct torn_reads *current;

static enum pncp_code another_version(void *ctx, uint64_t offset, void *data, size_t len, struct pncp_err *err)
{
    (void)ctx;
    (void)offset;
    memset(data, 0, len);
    return pncp_err_set(err, PNCP_E_CONFLICT, "%s was changed by someone else", current->path);
}

static enum pncp_code open_object(struct pncp_lake *lake, const char *path, const char *lock,
                                  struct pncp_object *ret_object, struct pncp_err *err)
{
    enum pncp_code rc = current->backend->open_object(lake, path, lock, ret_object, err);
    if (rc != PNCP_OK || current->left == 0 || strcmp(path, current->path) != 0)
        return rc;
    current->left--;
    ret_object->source.read_at = another_version;
    return PNCP_OK;
}

void torn_reads_begin(struct torn_reads *reads, struct pncp_lake *lake, const char *path, unsigned times)
{
    *reads = (struct torn_reads){
        .left = times, .path = path, .lake = lake, .backend = lake->backend, .torn = *lake->backend};
    reads->torn.open_object = open_object;
    lake->backend = &reads->torn;
    current = reads;
}

void torn_reads_end(struct torn_reads *reads)
{
    reads->lake->backend = reads->backend;
    current = NULL;
}
