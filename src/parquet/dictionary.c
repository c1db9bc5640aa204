#include "parquet/dictionary.h"
#include "base/random.h"
#include "parquet/plain.h"
#include "parquet/rle.h"

#include <assert.h>
#include <string.h>

/* Values that share a place in the table, at most: data made to collide gets no dictionary instead of time. */
#define PROBES_MAX 64

struct entry {
    uint32_t hash;
    uint32_t at, len; /* in the page, without a text's length */
};

void pncp_dictionary_release(struct pncp_dictionary *dictionary)
{
    pncp_buf_release(&dictionary->page);
    pncp_buf_release(&dictionary->entries);
    pncp_buf_release(&dictionary->table);
    pncp_buf_release(&dictionary->indexes);
}

const uint16_t *pncp_dictionary_indexes(const struct pncp_dictionary *dictionary)
{
    return (const uint16_t *)(const void *)dictionary->indexes.data;
}

/* Room for the indexes of `values` values, and an empty table, at most half full at the end; *ret_slots is its size. */
static enum pncp_code begin(struct pncp_dictionary *dictionary, size_t values, size_t *ret_slots)
{
    size_t distinct = PNCP_MIN(values, PNCP_DICTIONARY_MAX_VALUES), slots = 16;
    while (slots < 2 * distinct)
        slots *= 2;
    pncp_buf_clear(&dictionary->page);
    pncp_buf_clear(&dictionary->entries);
    pncp_buf_clear(&dictionary->indexes);
    pncp_buf_clear(&dictionary->table);
    dictionary->count = 0;
    if (pncp_buf_reserve(&dictionary->indexes, values * sizeof(uint16_t)) != PNCP_OK ||
        pncp_buf_reserve(&dictionary->entries, distinct * sizeof(struct entry)) != PNCP_OK ||
        pncp_buf_reserve(&dictionary->table, slots * sizeof(uint16_t)) != PNCP_OK)
        return PNCP_E_NOMEM;
    memset(dictionary->table.data, 0, slots * sizeof(uint16_t));
    *ret_slots = slots;
    return PNCP_OK;
}

/* Numbers, most of what comes here, are not worth a call. */
static bool is_same(const char *a, const char *b, size_t len)
{
    return len == sizeof(uint64_t)   ? memcmp(a, b, sizeof(uint64_t)) == 0
           : len == sizeof(uint32_t) ? memcmp(a, b, sizeof(uint32_t)) == 0
                                     : memcmp(a, b, len) == 0;
}

/* The place of a value, which is added when it is new; *ret_place is PNCP_DICTIONARY_MAX_VALUES when there is none for
 * it. */
static enum pncp_code place_of(struct pncp_dictionary *dictionary, const struct pncp_leaf *leaf, struct pncp_view value,
                               size_t slots, size_t *ret_place)
{
    struct entry *entries = (struct entry *)(void *)dictionary->entries.data;
    uint16_t *table = (uint16_t *)(void *)dictionary->table.data; /* place + 1; 0: free */
    uint32_t hash = (uint32_t)pncp_hash64(value.data, value.len, 0);
    size_t slot = hash & (slots - 1);
    *ret_place = PNCP_DICTIONARY_MAX_VALUES;
    for (unsigned probe = 0; table[slot] != 0; slot = (slot + 1) & (slots - 1)) {
        const struct entry *entry = &entries[table[slot] - 1];
        if (entry->hash == hash && entry->len == value.len &&
            is_same(dictionary->page.data + entry->at, value.data, value.len)) {
            *ret_place = table[slot] - 1u;
            return PNCP_OK;
        }
        if (++probe == PROBES_MAX)
            return PNCP_OK;
    }
    size_t prefix = leaf->type == PNCP_T_TEXT ? PNCP_PLAIN_LENGTH_BYTES : 0;
    if (dictionary->count == PNCP_DICTIONARY_MAX_VALUES ||
        dictionary->page.len + prefix + value.len > PNCP_DICTIONARY_MAX_BYTES)
        return PNCP_OK;
    if (pncp_buf_reserve(&dictionary->page, prefix + value.len) != PNCP_OK)
        return PNCP_E_NOMEM;
    if (prefix > 0)
        pncp_plain_put_length(&dictionary->page, value.len);
    entries[dictionary->count] =
        (struct entry){.hash = hash, .at = (uint32_t)dictionary->page.len, .len = (uint32_t)value.len};
    if (value.len > 0)
        memcpy(dictionary->page.data + dictionary->page.len, value.data, value.len);
    dictionary->page.len += value.len;
    *ret_place = dictionary->count++;
    table[slot] = (uint16_t)dictionary->count;
    return PNCP_OK;
}

enum pncp_code pncp_dictionary_make(struct pncp_dictionary *dictionary, const struct pncp_leaf *leaf, bool *ret_pays)
{
    size_t slots = 0;
    assert(leaf->type != PNCP_T_BOOL);
    *ret_pays = false;
    if (leaf->value_count == 0)
        return PNCP_OK;
    enum pncp_code rc = begin(dictionary, leaf->value_count, &slots);
    if (rc != PNCP_OK)
        return rc;
    uint16_t *indexes = (uint16_t *)(void *)dictionary->indexes.data;
    struct pncp_view last = {0};
    size_t place = 0;
    for (size_t i = 0; i < leaf->value_count; i++) {
        struct pncp_view value = pncp_leaf_value(leaf, i);
        /* most columns have runs: the itens of one contratação resemble each other */
        if (i == 0 || value.len != last.len || !is_same(value.data, last.data, value.len))
            rc = place_of(dictionary, leaf, value, slots, &place);
        if (rc != PNCP_OK || place == PNCP_DICTIONARY_MAX_VALUES)
            return rc;
        indexes[i] = (uint16_t)place;
        last = value;
    }
    size_t index_bytes = (leaf->value_count * pncp_rle_width(dictionary->count - 1) + 7) / 8;
    *ret_pays = dictionary->page.len + index_bytes < pncp_plain_bytes(leaf, 0, leaf->value_count);
    return PNCP_OK;
}
