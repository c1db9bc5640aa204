/*
 * falhas of a day.
 * Input: the text of such a file.
 * True: what is accepted is in order and well formed; saved and loaded again it is the same, less what the data says is
 * settled; a failure noted now is found, due later and within a day.
 */
#include "day/falhas.h"
#include "day/layout.h"
#include "fuzz.h"
#include "memory_lake.h"

#define NOW_S INT64_C(1761199262) /* 2025-10-23T06:01:02Z */
#define DAY_S 86400

static int compare(const void *a, const void *b)
{
    const struct pncp_falha *x = a, *y = b;
    int order = pncp_packed_key_cmp(x->key, y->key);
#define THEN(field) order = order != 0 ? order : (x->field > y->field) - (x->field < y->field)
    THEN(part);
    THEN(kind);
    THEN(reason);
    THEN(closed);
    THEN(http_status);
    THEN(attempts);
    THEN(first_at_s);
    THEN(last_at_s);
    THEN(not_before_s);
#undef THEN
    return order;
}

static void check_entries(const struct pncp_falhas *falhas)
{
    for (size_t i = 0; i < falhas->count; i++) {
        const struct pncp_falha *entry = &falhas->entries[i];
        FUZZ_CHECK(entry->part >= PNCP_FALHA_ITENS && entry->part <= PNCP_FALHA_AMBAS);
        FUZZ_CHECK(entry->kind <= PNCP_FALHA_VAZIO && entry->reason <= PNCP_REASON_MALFORMED_KEY);
        FUZZ_CHECK(entry->http_status >= 0 && entry->http_status <= 999);
        FUZZ_CHECK((entry->kind == PNCP_FALHA_FAILED
                        ? pncp_falhas_failed(falhas, entry->key)
                        : pncp_falhas_part(falhas, entry->key, (enum pncp_falha_part)entry->part)) != NULL);
        if (i == 0)
            continue;
        int order = pncp_packed_key_cmp(entry[-1].key, entry->key);
        FUZZ_CHECK(order < 0 || (order == 0 && entry[-1].part < entry->part));
    }
}

/* Keys whose row is in the data: those that falhas says are absent or empty. */
static struct pncp_keyset *saved_keys(const struct pncp_falhas *falhas)
{
    struct pncp_keyset *keys;
    FUZZ_CHECK(pncp_keyset_new(&keys) == PNCP_OK);
    for (size_t i = 0; i < falhas->count; i++) {
        if (falhas->entries[i].kind != PNCP_FALHA_FAILED)
            FUZZ_CHECK(pncp_keyset_set(keys, falhas->entries[i].key, PNCP_KEY_SAVED, NULL) == PNCP_OK);
    }
    return keys;
}

static void check_round_trip(struct pncp_falhas *falhas)
{
    AUTO(pncp_falhas_release) struct pncp_falhas again = {0};
    struct pncp_keyset *keys = saved_keys(falhas);
    char path[PNCP_PLACE_BYTES];
    bool rebuilt;
    size_t kept = 0;
    pncp_place_format(PNCP_PLACE_FALHAS, memory_lake_date(), path);
    FUZZ_CHECK(pncp_lake_remove(memory_lake(), path, NULL) == PNCP_OK);
    falhas->dirty = true;
    FUZZ_CHECK(pncp_falhas_save(memory_lake(), memory_lake_date(), falhas, keys, NULL) == PNCP_OK && !falhas->dirty);
    FUZZ_CHECK(pncp_falhas_load(memory_lake(), memory_lake_date(), &again, &rebuilt, NULL) == PNCP_OK && !rebuilt);
    for (size_t i = 0; i < falhas->count; i++) { /* what must have been left out goes here too */
        bool saved = (pncp_keyset_get(keys, falhas->entries[i].key) & PNCP_KEY_SAVED) != 0;
        if (saved != (falhas->entries[i].kind == PNCP_FALHA_FAILED))
            falhas->entries[kept++] = falhas->entries[i];
    }
    falhas->count = kept;
    FUZZ_CHECK(again.count == kept);
    if (kept > 0) {
        qsort(falhas->entries, kept, sizeof(*falhas->entries), compare);
        qsort(again.entries, kept, sizeof(*again.entries), compare);
    }
    for (size_t i = 0; i < kept; i++)
        FUZZ_CHECK(compare(&falhas->entries[i], &again.entries[i]) == 0);
    pncp_keyset_free(keys);
}

/* A failure of the first key; then its row is in the data. */
static void check_note(struct pncp_falhas *falhas)
{
    struct pncp_falha first = falhas->entries[0];
    FUZZ_CHECK(pncp_falhas_note(falhas, first.key, (enum pncp_falha_part)first.part, PNCP_FALHA_FAILED,
                                PNCP_REASON_HTTP, 503, NOW_S) == PNCP_OK);
    const struct pncp_falha *noted = pncp_falhas_failed(falhas, first.key);
    FUZZ_CHECK(noted != NULL && noted->part == first.part && noted->last_at_s == NOW_S && !noted->closed);
    FUZZ_CHECK(noted->not_before_s > NOW_S && noted->not_before_s <= NOW_S + DAY_S);
    FUZZ_CHECK(falhas->dirty && falhas->urgent);
    check_entries(falhas);
    pncp_falhas_resolve(falhas, first.key);
    FUZZ_CHECK(pncp_falhas_failed(falhas, first.key) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_open(data, size);
    struct pncp_err err = PNCP_ERR_INIT;
    AUTO(pncp_falhas_release) struct pncp_falhas falhas = {0};
    enum pncp_code rc = pncp_falhas_parse(fuzz_rest(&in), &falhas, &err);
    if (rc != PNCP_OK) {
        FUZZ_CHECK((rc == PNCP_E_PARSE || rc == PNCP_E_NEWER) && fuzz_is_message(err.msg, sizeof(err.msg)));
        return 0;
    }
    check_entries(&falhas);
    check_round_trip(&falhas);
    if (falhas.count > 0)
        check_note(&falhas);
    return 0;
}
