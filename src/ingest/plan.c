#include "ingest/plan.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

void pncp_rows_chunk_drop(struct pncp_rows_chunk *chunk)
{
    if (chunk == NULL || --chunk->uses > 0)
        return;
    pncp_table_release(&chunk->rows);
    pncp_free(chunk);
}

void pncp_plan_init(struct pncp_plan *plan, struct pncp_list *list, struct pncp_keyset *keys,
                    const struct pncp_falhas *falhas)
{
    *plan = (struct pncp_plan){.list = list, .keys = keys, .falhas = falhas};
}

void pncp_plan_release(struct pncp_plan *plan)
{
    pncp_rows_chunk_drop(plan->chunk);
    pncp_free(plan->again);
    *plan = (struct pncp_plan){0};
}

void pncp_plan_list_complete(struct pncp_plan *plan)
{
    plan->list_complete = true;
}

/* Make `group` the plan's chunk. */
static enum pncp_code load(struct pncp_plan *plan, size_t group, struct pncp_err *err)
{
    pncp_rows_chunk_drop(plan->chunk);
    plan->chunk = NULL;
    struct pncp_rows_chunk *chunk = pncp_calloc(1, sizeof(*chunk));
    if (chunk == NULL || pncp_table_init(&chunk->rows, pncp_list_schema()) != PNCP_OK) {
        pncp_free(chunk);
        return pncp_err_set(err, PNCP_E_NOMEM, "plan: out of memory");
    }
    chunk->uses = 1;
    enum pncp_code rc = pncp_list_read_group(plan->list, group, &chunk->rows, err);
    if (rc != PNCP_OK) {
        pncp_rows_chunk_drop(chunk);
        return rc;
    }
    plan->chunk = chunk;
    return PNCP_OK;
}

/* When it was asked last, 0: unknown, and so long ago. */
static int64_t last_asked(const struct pncp_plan *plan, struct pncp_packed_key key)
{
    const struct pncp_falha *const entries[] = {pncp_falhas_failed(plan->falhas, key),
                                                pncp_falhas_part(plan->falhas, key, PNCP_FALHA_ITENS),
                                                pncp_falhas_part(plan->falhas, key, PNCP_FALHA_ARQUIVOS)};
    int64_t last_s = 0;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(entries); i++) {
        if (entries[i] != NULL)
            last_s = PNCP_MAX(last_s, entries[i]->last_at_s);
    }
    return last_s;
}

static enum pncp_code remember_again(struct pncp_plan *plan, struct pncp_packed_key key, bool renew,
                                     struct pncp_err *err)
{
    if (plan->again_count == plan->again_cap) {
        size_t cap = pncp_grow(plan->again_cap, plan->again_count + 1);
        struct again *again = pncp_realloc(plan->again, cap, sizeof(*again));
        if (again == NULL)
            return pncp_err_set(err, PNCP_E_NOMEM, "plan: out of memory");
        plan->again = again;
        plan->again_cap = cap;
    }
    plan->again[plan->again_count++] = (struct again){
        .renew = renew, .last_at_s = last_asked(plan, key), .group = (uint32_t)plan->group, .row = (uint32_t)plan->row};
    return PNCP_OK;
}

static int by_age(const void *a, const void *b)
{
    const struct again *x = a, *y = b;
    if (x->renew != y->renew)
        return x->renew ? 1 : -1;
    if (x->last_at_s != y->last_at_s)
        return x->last_at_s < y->last_at_s ? -1 : 1;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static enum pncp_code give(struct pncp_plan *plan, struct pncp_packed_key key, size_t row, bool again, bool renew,
                           struct pncp_plan_item *ret_item, struct pncp_err *err)
{
    enum pncp_code rc = pncp_keyset_set(plan->keys, key, PNCP_KEY_TAKEN, NULL);
    if (rc != PNCP_OK)
        return pncp_err_set(err, rc, "plan: out of memory");
    assert(plan->chunk != NULL);
    plan->chunk->uses++;
    plan->taken++;
    *ret_item =
        (struct pncp_plan_item){.key = key, .chunk = plan->chunk, .row = (uint32_t)row, .again = again, .renew = renew};
    return PNCP_OK;
}

static enum pncp_code next_again(struct pncp_plan *plan, enum pncp_plan_state *ret_state,
                                 struct pncp_plan_item *ret_item, struct pncp_err *err)
{
    if (!plan->again_sorted) {
        if (plan->again_count > 0)
            qsort(plan->again, plan->again_count, sizeof(*plan->again), by_age);
        plan->again_sorted = true;
        plan->group = SIZE_MAX; /* which group the chunk holds, from here on */
    }
    if (plan->again_next == plan->again_count) {
        *ret_state = PNCP_PLAN_END;
        return PNCP_OK;
    }
    const struct again *again = &plan->again[plan->again_next++];
    struct pncp_key key;
    enum pncp_code rc = PNCP_OK;
    if (plan->group != again->group) {
        rc = load(plan, again->group, err);
        plan->group = rc == PNCP_OK ? again->group : SIZE_MAX;
    }
    if (rc == PNCP_OK)
        rc = pncp_list_row_key(&plan->chunk->rows, again->row, &key, err);
    if (rc == PNCP_OK)
        rc = give(plan, pncp_key_pack(&key), again->row, true, again->renew, ret_item, err);
    *ret_state = PNCP_PLAN_ITEM;
    return rc;
}

/* Have a row of the list at (group, row): load what is flushed, flush what is not; false when there is none (yet). */
static enum pncp_code have_row(struct pncp_plan *plan, bool *ret_have, struct pncp_err *err)
{
    *ret_have = true;
    for (;;) {
        if (plan->chunk != NULL && plan->row < plan->chunk->rows.rows)
            return PNCP_OK;
        if (plan->chunk != NULL) {
            pncp_rows_chunk_drop(plan->chunk);
            plan->chunk = NULL;
            plan->group++;
            plan->row = 0;
        }
        if (plan->group == pncp_list_groups(plan->list) && plan->list->writing) {
            enum pncp_code rc =
                pncp_list_flush(plan->list, err); /* the plan is ahead of the listing: take what there is */
            if (rc != PNCP_OK)
                return rc;
        }
        if (plan->group == pncp_list_groups(plan->list)) {
            *ret_have = false;
            return PNCP_OK;
        }
        enum pncp_code rc = load(plan, plan->group, err);
        if (rc != PNCP_OK)
            return rc;
    }
}

enum when { NOW, LATER, NEVER };

/* LATER: after all that were never tried. */
static enum when when_to_ask(const struct pncp_plan *plan, unsigned flags)
{
    bool asked_before = (flags & (PNCP_KEY_SAVED | PNCP_KEY_FAILED)) != 0;
    bool saved_by_others = (flags & (PNCP_KEY_SAVED | PNCP_KEY_OLD)) == PNCP_KEY_SAVED; /* since this run began */
    if ((flags & PNCP_KEY_TAKEN) != 0 || saved_by_others)
        return NEVER;
    if (!asked_before)
        return plan->order.only ? NEVER : NOW;
    if ((flags & PNCP_KEY_DUE) == 0)
        return NEVER;
    return plan->order.everything ? NOW : LATER;
}

enum pncp_code pncp_plan_next(struct pncp_plan *plan, enum pncp_plan_state *ret_state, struct pncp_plan_item *ret_item,
                              struct pncp_err *err)
{
    *ret_state = PNCP_PLAN_END;
    if (plan->take_max > 0 && plan->taken >= plan->take_max)
        return PNCP_OK;
    while (!plan->again_sorted && (plan->rows_max == 0 || plan->rows_seen < plan->rows_max)) {
        bool have;
        struct pncp_key key;
        enum pncp_code rc = have_row(plan, &have, err);
        if (rc != PNCP_OK)
            return rc;
        if (!have && !plan->list_complete) {
            *ret_state = PNCP_PLAN_WAIT;
            return PNCP_OK;
        }
        if (!have)
            break;
        rc = pncp_list_row_key(&plan->chunk->rows, plan->row, &key, err);
        if (rc != PNCP_OK)
            return rc;
        struct pncp_packed_key packed = pncp_key_pack(&key);
        unsigned flags = pncp_keyset_get(plan->keys, packed);
        size_t row = plan->row;
        enum when when = when_to_ask(plan, flags);
        bool renew = (flags & PNCP_KEY_SAVED) != 0;
        if (when == LATER)
            rc = remember_again(plan, packed, renew, err);
        plan->row++;
        plan->rows_seen++;
        if (rc != PNCP_OK)
            return rc;
        if (when == NOW) {
            *ret_state = PNCP_PLAN_ITEM;
            return give(plan, packed, row, false, renew, ret_item, err);
        }
    }
    return next_again(plan, ret_state, ret_item, err);
}
