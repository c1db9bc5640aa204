#include "day/keyset.h"
#include "base/mem.h"

#include <pthread.h>

#define FLAG_SHIFT (64 - PNCP_PACKED_KEY_FLAG_BITS)
#define KEY_MASK (UINT64_MAX >> PNCP_PACKED_KEY_FLAG_BITS)
#define CAPACITY_FIRST ((size_t)256)

struct pncp_keyset {
    pthread_mutex_t mutex;
    struct pncp_packed_key *slots; /* {0, 0}: free (no key packs to it: sequencial is at least 1) */
    size_t count, cap;             /* cap is a power of two */
};

enum pncp_code pncp_keyset_new(struct pncp_keyset **ret_set)
{
    struct pncp_keyset *set = pncp_calloc(1, sizeof(*set));
    if (set == NULL)
        return PNCP_E_NOMEM;
    set->cap = CAPACITY_FIRST;
    set->slots = pncp_calloc(set->cap, sizeof(*set->slots));
    if (set->slots == NULL) {
        pncp_free(set);
        return PNCP_E_NOMEM;
    }
    (void)pthread_mutex_init(&set->mutex, NULL);
    *ret_set = set;
    return PNCP_OK;
}

void pncp_keyset_free(struct pncp_keyset *set)
{
    if (set == NULL)
        return;
    (void)pthread_mutex_destroy(&set->mutex);
    pncp_free(set->slots);
    pncp_free(set);
}

/* Where the key is, or the free slot where it would go. */
static struct pncp_packed_key *find(struct pncp_packed_key *slots, size_t cap, struct pncp_packed_key key)
{
    uint64_t hi = key.hi & KEY_MASK;
    uint64_t hash = (hi ^ key.lo * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xBF58476D1CE4E5B9);
    for (size_t i = (size_t)(hash >> 32) & (cap - 1);; i = (i + 1) & (cap - 1)) {
        struct pncp_packed_key *slot = &slots[i];
        if ((slot->lo == key.lo && (slot->hi & KEY_MASK) == hi) || (slot->lo == 0 && slot->hi == 0))
            return slot;
    }
}

static bool is_free(const struct pncp_packed_key *slot)
{
    return slot->lo == 0 && slot->hi == 0;
}

static enum pncp_code grow(struct pncp_keyset *set)
{
    size_t cap = set->cap * 2;
    struct pncp_packed_key *slots = pncp_calloc(cap, sizeof(*slots));
    if (slots == NULL)
        return PNCP_E_NOMEM;
    for (size_t i = 0; i < set->cap; i++) {
        if (!is_free(&set->slots[i]))
            *find(slots, cap, set->slots[i]) = set->slots[i];
    }
    pncp_free(set->slots);
    set->slots = slots;
    set->cap = cap;
    return PNCP_OK;
}

static enum pncp_code set_locked(struct pncp_keyset *set, struct pncp_packed_key key, unsigned flags,
                                 unsigned *ret_before)
{
    struct pncp_packed_key *slot = find(set->slots, set->cap, key);
    if (is_free(slot)) {
        if ((set->count + 1) * 5 > set->cap * 4) { /* load 0.8 */
            enum pncp_code rc = grow(set);
            if (rc != PNCP_OK)
                return rc;
            slot = find(set->slots, set->cap, key);
        }
        *slot = (struct pncp_packed_key){.hi = key.hi & KEY_MASK, .lo = key.lo};
        set->count++;
    }
    if (ret_before != NULL)
        *ret_before = (unsigned)(slot->hi >> FLAG_SHIFT);
    slot->hi |= (uint64_t)flags << FLAG_SHIFT;
    return PNCP_OK;
}

enum pncp_code pncp_keyset_set(struct pncp_keyset *set, struct pncp_packed_key key, unsigned flags,
                               unsigned *ret_before)
{
    (void)pthread_mutex_lock(&set->mutex);
    enum pncp_code rc = set_locked(set, key, flags, ret_before);
    (void)pthread_mutex_unlock(&set->mutex);
    return rc;
}

void pncp_keyset_clear(struct pncp_keyset *set, struct pncp_packed_key key, unsigned flags)
{
    (void)pthread_mutex_lock(&set->mutex);
    struct pncp_packed_key *slot = find(set->slots, set->cap, key);
    if (!is_free(slot))
        slot->hi &= ~((uint64_t)flags << FLAG_SHIFT);
    (void)pthread_mutex_unlock(&set->mutex);
}

void pncp_keyset_clear_all(struct pncp_keyset *set, unsigned flags)
{
    (void)pthread_mutex_lock(&set->mutex);
    for (size_t i = 0; i < set->cap; i++)
        set->slots[i].hi &= ~((uint64_t)flags << FLAG_SHIFT);
    (void)pthread_mutex_unlock(&set->mutex);
}

void pncp_keyset_become(struct pncp_keyset *set, unsigned from, unsigned to)
{
    (void)pthread_mutex_lock(&set->mutex);
    for (size_t i = 0; i < set->cap; i++) {
        bool has = (set->slots[i].hi & (uint64_t)from << FLAG_SHIFT) != 0;
        set->slots[i].hi &= ~((uint64_t)(from | to) << FLAG_SHIFT);
        set->slots[i].hi |= has ? (uint64_t)to << FLAG_SHIFT : 0;
    }
    (void)pthread_mutex_unlock(&set->mutex);
}

unsigned pncp_keyset_get(struct pncp_keyset *set, struct pncp_packed_key key)
{
    (void)pthread_mutex_lock(&set->mutex);
    unsigned flags = (unsigned)(find(set->slots, set->cap, key)->hi >> FLAG_SHIFT);
    (void)pthread_mutex_unlock(&set->mutex);
    return flags;
}

size_t pncp_keyset_count(struct pncp_keyset *set, unsigned with, unsigned without)
{
    size_t count = 0;
    (void)pthread_mutex_lock(&set->mutex);
    for (size_t i = 0; i < set->cap; i++) {
        unsigned flags = (unsigned)(set->slots[i].hi >> FLAG_SHIFT);
        count += !is_free(&set->slots[i]) && (flags & with) == with && (flags & without) == 0;
    }
    (void)pthread_mutex_unlock(&set->mutex);
    return count;
}
