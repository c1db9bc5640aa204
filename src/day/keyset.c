#include "day/keyset.h"
#include "base/mem.h"
#include "base/random.h"

#include <assert.h>
#include <pthread.h>

#define FLAG_BITS PNCP_PACKED_KEY_FLAG_BITS
#define FLAGS_MASK ((UINT64_C(1) << FLAG_BITS) - 1)
#define SEQUENCIAL_MASK ((UINT64_C(1) << PNCP_PACKED_KEY_SEQUENCIAL_BITS) - 1)
#define CAPACITY_FIRST ((size_t)256)
#define ORGANS_FIRST ((size_t)64)
#define ORGANS_MAX ((size_t)1 << (64 - PNCP_PACKED_KEY_SEQUENCIAL_BITS - FLAG_BITS)) /* what a slot can name */

/* A day has many contratações of few organs (here: a cnpj and a year), so a slot names the organ by its number. */
struct pncp_keyset {
    pthread_mutex_t mutex;
    uint64_t *slots;                /* number of the organ, sequencial, flags; 0: free (sequencial is at least 1) */
    size_t count, cap;              /* caps are powers of two */
    struct pncp_packed_key *organs; /* by number: keys with sequencial 0; room_for(places_cap) of them */
    uint32_t *places;               /* hash table of them: number + 1; 0: free */
    size_t organ_count, places_cap;
};

static size_t room_for(size_t cap)
{
    return cap / 5 * 4; /* load 0.8 */
}

enum pncp_code pncp_keyset_new(struct pncp_keyset **ret_set)
{
    struct pncp_keyset *set = pncp_calloc(1, sizeof(*set));
    if (set == NULL)
        return PNCP_E_NOMEM;
    set->cap = CAPACITY_FIRST;
    set->places_cap = ORGANS_FIRST;
    set->slots = pncp_calloc(set->cap, sizeof(*set->slots));
    set->places = pncp_calloc(set->places_cap, sizeof(*set->places));
    set->organs = pncp_calloc(room_for(set->places_cap), sizeof(*set->organs));
    (void)pthread_mutex_init(&set->mutex, NULL);
    if (set->slots == NULL || set->places == NULL || set->organs == NULL) {
        pncp_keyset_free(set);
        return PNCP_E_NOMEM;
    }
    *ret_set = set;
    return PNCP_OK;
}

void pncp_keyset_free(struct pncp_keyset *set)
{
    if (set == NULL)
        return;
    (void)pthread_mutex_destroy(&set->mutex);
    pncp_free(set->slots);
    pncp_free(set->places);
    pncp_free(set->organs);
    pncp_free(set);
}

/* ---- organs ---------------------------------------------------------------------------------- */

static struct pncp_packed_key organ_of(struct pncp_packed_key key)
{
    return (struct pncp_packed_key){.hi = key.hi & (UINT64_MAX >> FLAG_BITS), .lo = key.lo & ~SEQUENCIAL_MASK};
}

/* Where the organ's number is, or the free place where it would go. */
static uint32_t *find_place(uint32_t *places, size_t cap, const struct pncp_packed_key *organs,
                            struct pncp_packed_key organ)
{
    for (size_t i = (size_t)pncp_hash64(&organ, sizeof(organ), 0) & (cap - 1);; i = (i + 1) & (cap - 1)) {
        if (places[i] == 0)
            return &places[i];
        const struct pncp_packed_key *at = &organs[places[i] - 1];
        if (at->lo == organ.lo && at->hi == organ.hi)
            return &places[i];
    }
}

static enum pncp_code grow_organs(struct pncp_keyset *set)
{
    size_t cap = set->places_cap * 2;
    struct pncp_packed_key *organs = pncp_realloc(set->organs, room_for(cap), sizeof(*organs));
    if (organs == NULL)
        return PNCP_E_NOMEM;
    set->organs = organs;
    uint32_t *places = pncp_calloc(cap, sizeof(*places));
    if (places == NULL)
        return PNCP_E_NOMEM;
    for (size_t i = 0; i < set->organ_count; i++)
        *find_place(places, cap, organs, organs[i]) = (uint32_t)i + 1;
    pncp_free(set->places);
    set->places = places;
    set->places_cap = cap;
    return PNCP_OK;
}

static enum pncp_code add_organ(struct pncp_keyset *set, struct pncp_packed_key organ)
{
    if (set->organ_count == ORGANS_MAX)
        return PNCP_E_LIMIT;
    if (set->organ_count == room_for(set->places_cap)) {
        enum pncp_code rc = grow_organs(set);
        if (rc != PNCP_OK)
            return rc;
    }
    uint32_t *place = find_place(set->places, set->places_cap, set->organs, organ);
    set->organs[set->organ_count] = organ;
    *place = (uint32_t)++set->organ_count;
    return PNCP_OK;
}

/* ---- slots ----------------------------------------------------------------------------------- */

/* Where `id`, a slot without its flags, is, or the free slot where it would go. */
static uint64_t *find_slot(uint64_t *slots, size_t cap, uint64_t id)
{
    uint64_t key = id >> FLAG_BITS;
    uint64_t hash = (key ^ key >> PNCP_PACKED_KEY_SEQUENCIAL_BITS) * UINT64_C(0xBF58476D1CE4E5B9);
    for (size_t i = (size_t)(hash >> 32) & (cap - 1);; i = (i + 1) & (cap - 1)) {
        if (slots[i] == 0 || (slots[i] & ~FLAGS_MASK) == id)
            return &slots[i];
    }
}

/* The key's slot without flags; 0 when its organ is unknown, and the key with it. */
static uint64_t id_of(const struct pncp_keyset *set, struct pncp_packed_key key)
{
    uint64_t number = *find_place(set->places, set->places_cap, set->organs, organ_of(key));
    if (number == 0)
        return 0;
    return ((number - 1) << PNCP_PACKED_KEY_SEQUENCIAL_BITS | (key.lo & SEQUENCIAL_MASK)) << FLAG_BITS;
}

/* The key's slot, NULL when it is not there. */
static uint64_t *find(struct pncp_keyset *set, struct pncp_packed_key key)
{
    uint64_t id = id_of(set, key);
    uint64_t *slot = id == 0 ? NULL : find_slot(set->slots, set->cap, id);
    return slot == NULL || *slot == 0 ? NULL : slot;
}

static enum pncp_code grow(struct pncp_keyset *set)
{
    size_t cap = set->cap * 2;
    uint64_t *slots = pncp_calloc(cap, sizeof(*slots));
    if (slots == NULL)
        return PNCP_E_NOMEM;
    for (size_t i = 0; i < set->cap; i++) {
        if (set->slots[i] != 0)
            *find_slot(slots, cap, set->slots[i] & ~FLAGS_MASK) = set->slots[i];
    }
    pncp_free(set->slots);
    set->slots = slots;
    set->cap = cap;
    return PNCP_OK;
}

static enum pncp_code set_locked(struct pncp_keyset *set, struct pncp_packed_key key, unsigned flags,
                                 unsigned *ret_before)
{
    enum pncp_code rc = PNCP_OK;
    assert((key.lo & SEQUENCIAL_MASK) != 0 && flags <= FLAGS_MASK);
    uint64_t id = id_of(set, key);
    if (id == 0) {
        rc = add_organ(set, organ_of(key));
        if (rc != PNCP_OK)
            return rc;
        id = id_of(set, key);
    }
    uint64_t *slot = find_slot(set->slots, set->cap, id);
    if (*slot == 0) {
        if (set->count == room_for(set->cap)) {
            rc = grow(set);
            if (rc != PNCP_OK)
                return rc;
            slot = find_slot(set->slots, set->cap, id);
        }
        *slot = id;
        set->count++;
    }
    if (ret_before != NULL)
        *ret_before = (unsigned)(*slot & FLAGS_MASK);
    *slot |= flags;
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
    uint64_t *slot = find(set, key);
    if (slot != NULL)
        *slot &= ~(uint64_t)flags;
    (void)pthread_mutex_unlock(&set->mutex);
}

void pncp_keyset_clear_all(struct pncp_keyset *set, unsigned flags)
{
    (void)pthread_mutex_lock(&set->mutex);
    for (size_t i = 0; i < set->cap; i++)
        set->slots[i] &= ~(uint64_t)flags;
    (void)pthread_mutex_unlock(&set->mutex);
}

void pncp_keyset_become(struct pncp_keyset *set, unsigned from, unsigned to)
{
    (void)pthread_mutex_lock(&set->mutex);
    for (size_t i = 0; i < set->cap; i++) {
        bool has = (set->slots[i] & from) != 0;
        set->slots[i] &= ~(uint64_t)(from | to);
        set->slots[i] |= has ? to : 0;
    }
    (void)pthread_mutex_unlock(&set->mutex);
}

unsigned pncp_keyset_get(struct pncp_keyset *set, struct pncp_packed_key key)
{
    (void)pthread_mutex_lock(&set->mutex);
    const uint64_t *slot = find(set, key);
    unsigned flags = slot == NULL ? 0 : (unsigned)(*slot & FLAGS_MASK);
    (void)pthread_mutex_unlock(&set->mutex);
    return flags;
}

size_t pncp_keyset_count(struct pncp_keyset *set, unsigned with, unsigned without)
{
    size_t count = 0;
    (void)pthread_mutex_lock(&set->mutex);
    for (size_t i = 0; i < set->cap; i++) {
        uint64_t slot = set->slots[i];
        count += slot != 0 && (slot & with) == with && (slot & without) == 0;
    }
    (void)pthread_mutex_unlock(&set->mutex);
    return count;
}
