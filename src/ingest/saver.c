#include "ingest/saver.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "day/state.h"
#include "model/model.h"

#include <assert.h>
#include <errno.h>

#define RETRY_FIRST_MS 100
#define TRIM_EVERY_ROWS 200 /* of lots: the holes that they leave in the allocator's arenas go back then */
#define RETRY_LONGEST_MS 5000
#define SPARE_MAX_BYTES ((size_t)768 * 1024) /* an ordinary lot of 100 has some 500 KiB */

enum pncp_code pncp_filled_lot_note(struct pncp_filled_lot *lot, const struct pncp_saver_note *note)
{
    if (lot->note_count == lot->note_cap) {
        size_t cap = pncp_grow(lot->note_cap, lot->note_count + 1);
        struct pncp_saver_note *notes = pncp_realloc(lot->notes, cap, sizeof(*notes));
        if (notes == NULL)
            return PNCP_E_NOMEM;
        lot->notes = notes;
        lot->note_cap = cap;
    }
    lot->notes[lot->note_count++] = *note;
    return PNCP_OK;
}

void pncp_filled_lot_release(struct pncp_filled_lot *lot)
{
    if (lot->table.schema != NULL)
        pncp_table_release(&lot->table);
    pncp_free(lot->notes);
    *lot = (struct pncp_filled_lot){0};
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Wait before another try; false when there is to be none. */
static bool pause_before_retry(struct pncp_saver *saver, uint64_t since_ms, uint32_t *wait_ms)
{
    uint64_t waited = pncp_clock_mono_ms() - since_ms;
    if (atomic_load(&saver->hurry) || waited >= saver->retry_ms)
        return false;
    uint64_t left = PNCP_MIN((uint64_t)*wait_ms, saver->retry_ms - waited);
    for (uint64_t end = pncp_clock_mono_ms() + left; !atomic_load(&saver->hurry) && pncp_clock_mono_ms() < end;) {
        pncp_clock_sleep_us(20 * 1000);
    }
    *wait_ms = PNCP_MIN(*wait_ms * 2, (uint32_t)RETRY_LONGEST_MS);
    return true;
}

static enum pncp_code note_falhas(struct pncp_saver *saver, const struct pncp_filled_lot *lot, struct pncp_err *err)
{
    int64_t now_s = pncp_clock_now_us() / 1000000;
    for (size_t i = 0; i < lot->note_count; i++) {
        const struct pncp_saver_note *note = &lot->notes[i];
        if (pncp_falhas_note(saver->falhas, note->key, note->part, note->kind, note->reason, note->http_status,
                             now_s) != PNCP_OK)
            return pncp_err_set(err, PNCP_E_NOMEM, "falhas: out of memory");
    }
    const struct pncp_details_leaves *leaf = pncp_details_leaves();
    for (size_t row = 0; !lot->renewed && row < lot->table.rows; row++) {
        struct pncp_key key;
        const struct pncp_leaf *leaves = lot->table.leaves;
        if (pncp_key_make(pncp_leaf_text(&leaves[leaf->cnpj], row), pncp_leaf_int(&leaves[leaf->ano], row),
                          pncp_leaf_int(&leaves[leaf->sequencial], row), &key, NULL) == PNCP_OK)
            pncp_falhas_resolve(saver->falhas, pncp_key_pack(&key));
    }
    return PNCP_OK;
}

static enum pncp_code put_away(struct pncp_saver *saver, struct pncp_filled_lot *lot, struct pncp_saved *saved,
                               struct pncp_err *err)
{
    if (lot->renewed)
        return pncp_renewals_add(saver->renewals, saver->data->lake, &lot->table, err);
    const struct pncp_lot rows = {.table = &lot->table, .run_id = saver->run_id, .n = lot->n};
    return pncp_data_append(saver->data, &rows, &saved->commit, err);
}

static enum pncp_code save_rows(struct pncp_saver *saver, struct pncp_filled_lot *lot, struct pncp_saved *saved,
                                struct pncp_err *err)
{
    uint64_t begun = pncp_clock_mono_ms();
    uint32_t wait_ms = RETRY_FIRST_MS;
    enum pncp_code rc;
    if (lot->table.rows == 0)
        return PNCP_OK;
    do {
        *err = PNCP_ERR_INIT;
        rc = put_away(saver, lot, saved, err);
    } while (rc != PNCP_OK && err->transient && pause_before_retry(saver, begun, &wait_ms));
    if (rc == PNCP_OK && lot->renewed)
        saved->renewed = lot->table.rows;
    saved->committed = rc == PNCP_OK && saved->commit.contratacoes > 0;
    return rc;
}

/* The data first, then falhas, then state: a crash between them repeats work and loses nothing. */
static enum pncp_code save(struct pncp_saver *saver, struct pncp_filled_lot *lot, struct pncp_saved *ret_saved,
                           struct pncp_err *err)
{
    *ret_saved = (struct pncp_saved){.n = lot->n, .by_size = lot->by_size, .last = lot->last};
    enum pncp_code rc = save_rows(saver, lot, ret_saved, err);
    if (rc == PNCP_OK)
        rc = note_falhas(saver, lot, err);
    if (rc != PNCP_OK)
        return rc;
    /* what the data tells too (rows absent or empty, key lists) waits for its turn; it is rebuilt at the end, or by the
     * next run */
    bool due = pncp_clock_mono_ms() - saver->state_at_ms >= saver->state_every_ms;
    uint64_t begun = pncp_clock_mono_ms();
    uint32_t wait_ms = RETRY_FIRST_MS;
    if (due || saver->falhas->urgent) {
        do {
            *err = PNCP_ERR_INIT;
            rc = pncp_falhas_save(saver->data->lake, saver->data->date, saver->falhas, saver->data->keys, err);
        } while (rc != PNCP_OK && err->transient && pause_before_retry(saver, begun, &wait_ms));
        if (rc != PNCP_OK)
            return pncp_err_wrap(err, rc, "the rows are saved, falhas is not");
    }
    if (due && pncp_state_save(saver->data, NULL) == PNCP_OK)
        saver->state_at_ms = pncp_clock_mono_ms();
    return PNCP_OK;
}

/* The table of a saved lot, emptied; of an unusually large one nothing. */
static struct pncp_table take_spare(struct pncp_filled_lot *lot)
{
    size_t bytes = 0;
    for (size_t i = 0; lot->table.leaves != NULL && i < lot->table.schema->leaf_count; i++)
        bytes += pncp_leaf_bytes(&lot->table.leaves[i]);
    if (bytes == 0 || bytes > SPARE_MAX_BYTES)
        return (struct pncp_table){0};
    pncp_table_clear(&lot->table);
    return pncp_table_take(&lot->table);
}

static void *run(void *arg)
{
    struct pncp_saver *saver = arg;
    size_t rows = 0; /* since memory was given back */
    (void)pthread_mutex_lock(&saver->mutex);
    for (;;) {
        while (!saver->busy && !saver->quit)
            (void)pthread_cond_wait(&saver->changed, &saver->mutex);
        if (!saver->busy)
            break;
        struct pncp_filled_lot lot = saver->lot;
        saver->lot = (struct pncp_filled_lot){0};
        rows += lot.table.rows;
        (void)pthread_mutex_unlock(&saver->mutex);
        struct pncp_err err = PNCP_ERR_INIT;
        struct pncp_saved saved;
        enum pncp_code rc = save(saver, &lot, &saved, &err);
        bool unsaved = rc != PNCP_OK && !saved.committed && saved.renewed == 0;
        struct pncp_table spare = unsaved ? (struct pncp_table){0} : take_spare(&lot);
        if (!unsaved)
            pncp_filled_lot_release(&lot);
        if (rows >= TRIM_EVERY_ROWS) {
            pncp_mem_trim();
            rows = 0;
        }
        uint64_t cpu_us = pncp_clock_cpu_us();
        (void)pthread_mutex_lock(&saver->mutex);
        if (unsaved)
            saver->lot = lot;
        saver->spare = spare; /* the one before went with the lot that was given */
        saver->busy = false;
        saver->cpu_us = cpu_us;
        if (rc == PNCP_OK || saved.committed) {
            saver->result = saved;
            saver->has_result = true;
        }
        if (rc != PNCP_OK) {
            saver->error = err;
            saver->error.code = rc;
        }
        (void)pthread_cond_broadcast(&saver->changed);
        (void)pthread_mutex_unlock(&saver->mutex);
        saver->wake(saver->wake_ctx);
        (void)pthread_mutex_lock(&saver->mutex);
    }
    (void)pthread_mutex_unlock(&saver->mutex);
    return NULL;
}

/* ---- the owner's side ------------------------------------------------------------------------ */

enum pncp_code pncp_saver_start(struct pncp_saver *saver, struct pncp_err *err)
{
    (void)pthread_mutex_init(&saver->mutex, NULL);
    pncp_cond_init(&saver->changed);
    saver->state_at_ms = pncp_clock_mono_ms();
    int failed = pncp_thread_start(&saver->thread, run, saver);
    if (failed != 0)
        return pncp_err_sys(err, failed, "start the saver thread");
    saver->started = true;
    return PNCP_OK;
}

bool pncp_saver_idle(struct pncp_saver *saver)
{
    (void)pthread_mutex_lock(&saver->mutex);
    bool idle = !saver->busy && saver->error.code == PNCP_OK;
    (void)pthread_mutex_unlock(&saver->mutex);
    return idle;
}

void pncp_saver_give(struct pncp_saver *saver, struct pncp_filled_lot *lot)
{
    (void)pthread_mutex_lock(&saver->mutex);
    assert(!saver->busy && !saver->has_result);
    saver->lot = *lot;
    saver->busy = true;
    *lot = (struct pncp_filled_lot){.table = saver->spare};
    saver->spare = (struct pncp_table){0};
    (void)pthread_cond_broadcast(&saver->changed);
    (void)pthread_mutex_unlock(&saver->mutex);
}

bool pncp_saver_result(struct pncp_saver *saver, struct pncp_saved *ret_saved)
{
    (void)pthread_mutex_lock(&saver->mutex);
    bool has = saver->has_result;
    if (has)
        *ret_saved = saver->result;
    saver->has_result = false;
    (void)pthread_mutex_unlock(&saver->mutex);
    return has;
}

bool pncp_saver_take_failed(struct pncp_saver *saver, struct pncp_filled_lot *ret_lot)
{
    if (!saver->ended || saver->lot.table.rows == 0)
        return false;
    *ret_lot = saver->lot;
    saver->lot = (struct pncp_filled_lot){0};
    return true;
}

enum pncp_code pncp_saver_error(struct pncp_saver *saver, struct pncp_err *ret_err)
{
    (void)pthread_mutex_lock(&saver->mutex);
    enum pncp_code rc = saver->error.code;
    if (rc != PNCP_OK && ret_err != NULL)
        *ret_err = saver->error;
    (void)pthread_mutex_unlock(&saver->mutex);
    return rc;
}

void pncp_saver_hurry(struct pncp_saver *saver)
{
    atomic_store(&saver->hurry, true);
}

bool pncp_saver_wait(struct pncp_saver *saver, uint32_t timeout_ms)
{
    const struct timespec until = pncp_deadline(timeout_ms);
    (void)pthread_mutex_lock(&saver->mutex);
    while (saver->busy && pthread_cond_timedwait(&saver->changed, &saver->mutex, &until) != ETIMEDOUT)
        ;
    bool idle = !saver->busy;
    (void)pthread_mutex_unlock(&saver->mutex);
    return idle;
}

void pncp_saver_finish(struct pncp_saver *saver)
{
    if (!saver->started || saver->ended)
        return;
    (void)pthread_mutex_lock(&saver->mutex);
    saver->quit = true;
    (void)pthread_cond_broadcast(&saver->changed);
    (void)pthread_mutex_unlock(&saver->mutex);
    (void)pthread_join(saver->thread, NULL);
    saver->ended = true;
    if (saver->spare.schema != NULL)
        pncp_table_release(&saver->spare);
}

void pncp_saver_release(struct pncp_saver *saver)
{
    pncp_saver_finish(saver);
    if (!saver->started)
        return;
    pncp_filled_lot_release(&saver->lot);
    (void)pthread_mutex_destroy(&saver->mutex);
    (void)pthread_cond_destroy(&saver->changed);
    saver->started = false;
}
