#include "table/packed.h"

#include <assert.h>
#include <string.h>

#define ALIGNMENT sizeof(uint32_t)
#define LEAVES_MAX 128 /* of one list; itens have about 40 */

/* Of one leaf. Behind it: ends (text only), values, def, rep, and what aligns the next. */
struct header {
    uint32_t slots, values, bytes;
    pncp_level def; /* of every slot, when one_def */
    bool one_def;   /* a column that is full, or null throughout: most are */
    bool same_rep;  /* as the leaf before has: the fields of one list have */
};

static bool all_the_same(const pncp_level *levels, size_t count)
{
    return count > 0 && memcmp(levels, levels + 1, (count - 1) * sizeof(*levels)) == 0;
}

static struct header header_of(const struct pncp_leaf *leaf, const struct pncp_leaf *before)
{
    struct header header = {.slots = (uint32_t)leaf->level_count,
                            .values = (uint32_t)leaf->value_count,
                            .bytes = (uint32_t)leaf->values.len};
    header.one_def = leaf->max_def > 0 && all_the_same(leaf->def, leaf->level_count);
    header.def = header.one_def ? leaf->def[0] : 0;
    header.same_rep = before != NULL && leaf->max_rep > 0 && before->max_rep > 0 && leaf->level_count > 0 &&
                      leaf->level_count == before->level_count &&
                      memcmp(leaf->rep, before->rep, leaf->level_count * sizeof(*leaf->rep)) == 0;
    return header;
}

static size_t ends_bytes(const struct pncp_leaf *leaf, const struct header *header)
{
    return leaf->type == PNCP_T_TEXT ? header->values * sizeof(*leaf->ends) : 0;
}

static size_t def_bytes(const struct pncp_leaf *leaf, const struct header *header)
{
    return leaf->max_def == 0 || header->one_def ? 0 : header->slots * sizeof(*leaf->def);
}

static size_t rep_bytes(const struct pncp_leaf *leaf, const struct header *header)
{
    return leaf->max_rep == 0 || header->same_rep ? 0 : header->slots * sizeof(*leaf->rep);
}

static size_t packed_bytes(const struct pncp_leaf *leaf, const struct header *header)
{
    size_t bytes =
        sizeof(*header) + ends_bytes(leaf, header) + header->bytes + def_bytes(leaf, header) + rep_bytes(leaf, header);
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void put(struct pncp_buf *out, const void *data, size_t len) /* there is room */
{
    if (len > 0)
        memcpy(out->data + out->len, data, len);
    out->len += len;
}

enum pncp_code pncp_packed_put(struct pncp_buf *out, const struct pncp_leaf *leaves, size_t count)
{
    struct header headers[LEAVES_MAX];
    size_t bytes = 0;
    assert(count <= LEAVES_MAX);
    for (size_t i = 0; i < count; i++) {
        headers[i] = header_of(&leaves[i], i == 0 ? NULL : &leaves[i - 1]);
        bytes += packed_bytes(&leaves[i], &headers[i]);
    }
    enum pncp_code rc = pncp_buf_reserve(out, bytes); /* once: a block has no room to spare */
    if (rc != PNCP_OK)
        return rc;
    for (size_t i = 0; i < count; i++) {
        const struct pncp_leaf *leaf = &leaves[i];
        const struct header *header = &headers[i];
        size_t end = out->len + packed_bytes(leaf, header);
        put(out, header, sizeof(*header));
        put(out, leaf->ends, ends_bytes(leaf, header));
        put(out, leaf->values.data, header->bytes);
        put(out, leaf->def, def_bytes(leaf, header));
        put(out, leaf->rep, rep_bytes(leaf, header));
        put(out, (const char[ALIGNMENT]){0}, end - out->len);
    }
    return PNCP_OK;
}

/* The leaf packed at `at`, of the type and levels of `leaf`, to its end. *rep: the leaf before's, then its own. */
static enum pncp_code append(struct pncp_leaf *leaf, const struct header *header, const char *at,
                             const pncp_level **rep)
{
    enum pncp_code rc = pncp_leaf_reserve(leaf, header->slots, header->values, header->bytes);
    if (rc != PNCP_OK)
        return rc;
    const uint32_t *ends = (const uint32_t *)(const void *)(at + sizeof(*header));
    const char *values = at + sizeof(*header) + ends_bytes(leaf, header);
    const pncp_level *def = (const pncp_level *)(values + header->bytes);
    if (!header->same_rep)
        *rep = def + def_bytes(leaf, header);
    for (size_t i = 0; leaf->type == PNCP_T_TEXT && i < header->values; i++)
        leaf->ends[leaf->value_count + i] = (uint32_t)leaf->values.len + ends[i];
    put(&leaf->values, values, header->bytes);
    if (header->one_def)
        memset(leaf->def + leaf->level_count, header->def, header->slots);
    else if (leaf->max_def > 0 && header->slots > 0)
        memcpy(leaf->def + leaf->level_count, def, header->slots * sizeof(*def));
    assert(*rep != NULL); /* the first leaf is not the same as one before */
    if (leaf->max_rep > 0 && header->slots > 0)
        memcpy(leaf->rep + leaf->level_count, *rep, header->slots * sizeof(**rep));
    leaf->value_count += header->values;
    leaf->level_count += header->slots;
    return PNCP_OK;
}

enum pncp_code pncp_packed_append(const struct pncp_buf *packed, size_t *at, struct pncp_leaf *leaves, size_t count)
{
    const pncp_level *rep = NULL;
    for (size_t i = 0; i < count; i++) {
        struct header header;
        memcpy(&header, packed->data + *at, sizeof(header));
        enum pncp_code rc = append(&leaves[i], &header, packed->data + *at, &rep);
        if (rc != PNCP_OK)
            return rc;
        *at += packed_bytes(&leaves[i], &header);
    }
    return PNCP_OK;
}
