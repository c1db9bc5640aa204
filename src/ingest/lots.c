/* Finished contratações on their way to the saver: in two lots, of rows that are new and of rows fetched again. */
#include "base/clock.h"
#include "day/spool.h"
#include "ingest/run.h"
#include "pncp/rows.h"

static bool lot_full(const struct pncp_run *run, enum pncp_lot_kind kind)
{
    size_t rows = run->lots[kind].table.rows;
    return rows > 0 && (rows >= run->checkpoint_every || run->lot_bytes[kind] >= PNCP_LOT_BYTES_MAX);
}

bool pncp_lots_any_full(const struct pncp_run *run)
{
    return lot_full(run, PNCP_LOT_NEW) || lot_full(run, PNCP_LOT_RENEWED);
}

bool pncp_lots_empty(const struct pncp_run *run, enum pncp_lot_kind kind)
{
    return run->lots[kind].table.rows == 0 && run->lots[kind].note_count == 0;
}

static enum pncp_code lot_begin(struct pncp_run *run, enum pncp_lot_kind kind, struct pncp_err *err)
{
    struct pncp_filled_lot *lot = &run->lots[kind];
    if (lot->n != 0)
        return PNCP_OK;
    lot->n = run->lots_closed + 1;
    lot->renewed = kind == PNCP_LOT_RENEWED;
    run->lot_bytes[kind] = 0;
    if (lot->table.leaves == NULL && pncp_table_init(&lot->table, pncp_details_schema()) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "lot: out of memory");
    return PNCP_OK;
}

static enum pncp_code note_part(struct pncp_run *run, enum pncp_lot_kind kind, struct pncp_packed_key key,
                                enum pncp_part part, enum pncp_situacao situacao, struct pncp_err *err)
{
    bool absent = situacao == PNCP_SITUACAO_AUSENTE;
    if (situacao == PNCP_SITUACAO_OK)
        return PNCP_OK;
    run->day->ausente += absent;
    run->day->vazio += !absent;
    const struct pncp_saver_note note = {.key = key,
                                         .part = part == PNCP_PART_ITENS ? PNCP_FALHA_ITENS : PNCP_FALHA_ARQUIVOS,
                                         .kind = absent ? PNCP_FALHA_AUSENTE : PNCP_FALHA_VAZIO,
                                         .reason = absent ? PNCP_REASON_HTTP : PNCP_REASON_NONE,
                                         .http_status = absent ? 404 : 0};
    if (pncp_filled_lot_note(&run->lots[kind], &note) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "lot: out of memory");
    return PNCP_OK;
}

static enum pncp_code note_parts(struct pncp_run *run, enum pncp_lot_kind kind, struct pncp_packed_key key,
                                 enum pncp_situacao itens, enum pncp_situacao arquivos, struct pncp_err *err)
{
    enum pncp_code rc = note_part(run, kind, key, PNCP_PART_ITENS, itens, err);
    return rc == PNCP_OK ? note_part(run, kind, key, PNCP_PART_ARQUIVOS, arquivos, err) : rc;
}

static enum pncp_code put_row(struct pncp_run *run, enum pncp_lot_kind kind, const struct pncp_work *work,
                              struct pncp_err *err)
{
    struct pncp_filled_lot *lot = &run->lots[kind];
    struct pncp_row_counts counts;
    const struct pncp_part_fetch parts[PNCP_PARTS] = {work->sides[0].fetch, work->sides[1].fetch}; /* read only */
    enum pncp_code rc = lot_begin(run, kind, err); /* gives the lot its number */
    const struct pncp_row_stamp stamp = {
        .obtido_em_us = work->obtained_us, .run_id = pncp_view_of(run->run_id), .checkpoint = (int32_t)lot->n};
    if (rc == PNCP_OK)
        rc = pncp_rows_put_details(&lot->table, &work->item.chunk->rows, work->item.row, parts, &stamp, &counts, err);
    if (rc != PNCP_OK)
        return rc;
    run->day->values_out_of_type += counts.misfits;
    run->lot_bytes[kind] = pncp_table_bytes(&lot->table);
    return PNCP_OK;
}

/* A finished contratação becomes a row of a lot; one that was fetched again and is no better than the row that is there
 * only a note of when it was asked. */
static enum pncp_code add_to_lot(struct pncp_run *run, const struct pncp_work *work, struct pncp_err *err)
{
    bool measure = run->options->fetch.measure_cpu;
    uint64_t cpu = measure ? pncp_clock_cpu_us() : 0;
    const struct pncp_renewal *seen = work->item.renew ? pncp_renewals_find(&run->renewals, work->item.key) : NULL;
    enum pncp_lot_kind kind = seen == NULL ? PNCP_LOT_NEW : PNCP_LOT_RENEWED;
    enum pncp_situacao itens = work->sides[PNCP_PART_ITENS].fetch.situacao,
                       arquivos = work->sides[PNCP_PART_ARQUIVOS].fetch.situacao;
    for (size_t i = 0; i < PNCP_PARTS; i++)
        run->day->quantidade_differs += work->sides[i].fetch.differs;
    enum pncp_code rc = PNCP_OK;
    if (seen == NULL || run->options->again.everything || pncp_renewal_is_better(seen, itens, arquivos)) {
        rc = put_row(run, kind, work, err);
    } else {
        itens = (enum pncp_situacao)seen->itens;
        arquivos = (enum pncp_situacao)seen->arquivos;
    }
    if (rc == PNCP_OK)
        rc = note_parts(run, kind, work->item.key, itens, arquivos, err);
    run->cpu_rows_us += measure ? pncp_clock_cpu_us() - cpu : 0;
    return rc;
}

void pncp_lots_collect(struct pncp_run *run)
{
    struct pncp_saved saved;
    if (pncp_saver_result(&run->saver, &saved)) {
        if (run->announced < 0) /* the listing is slower than a whole lot: the number so far */
            pncp_report_total(run);
        run->renewed += (int64_t)saved.renewed;
        pncp_report_saved(run, &saved);
    }
    if (pncp_saver_idle(&run->saver))
        run->saving_bytes = 0;
}

void pncp_lots_hand_over(struct pncp_run *run, enum pncp_lot_kind kind, bool last)
{
    struct pncp_filled_lot *lot = &run->lots[kind];
    pncp_lots_collect(run);
    lot->last = last;
    lot->by_size = lot->table.rows > 0 && lot->table.rows < run->checkpoint_every && !last;
    run->lots_closed += lot->table.rows > 0 && kind == PNCP_LOT_NEW;
    run->saving_bytes = run->lot_bytes[kind];
    run->lot_bytes[kind] = 0;
    pncp_saver_give(&run->saver, lot);
}

enum pncp_code pncp_lots_fill(struct pncp_run *run, bool everything, struct pncp_err *err)
{
    for (;;) {
        for (int kind = 0; kind < PNCP_LOTS && !everything; kind++) {
            if (!lot_full(run, (enum pncp_lot_kind)kind))
                continue;
            if (!pncp_saver_idle(&run->saver))
                return PNCP_OK;
            pncp_lots_hand_over(run, (enum pncp_lot_kind)kind, false);
        }
        struct pncp_work *work = pncp_works_take(&run->works);
        if (work == NULL)
            return PNCP_OK;
        enum pncp_code rc = add_to_lot(run, work, err);
        pncp_work_free(work);
        if (rc != PNCP_OK)
            return rc;
    }
}

/* ---- what could not be fetched ---------------------------------------------------------------- */

/* A row that could not be fetched again stays; when it was asked is noted with the parts that are asked for. */
static enum pncp_code note_not_renewed(struct pncp_run *run, const struct pncp_work_failure *failure)
{
    const struct pncp_renewal *seen = pncp_renewals_find(&run->renewals, failure->key);
    run->not_renewed += run->options->again.everything;
    if (seen == NULL)
        return PNCP_OK;
    return note_parts(run, PNCP_LOT_RENEWED, failure->key, (enum pncp_situacao)seen->itens,
                      (enum pncp_situacao)seen->arquivos, NULL);
}

static enum pncp_code note_failed(struct pncp_run *run, const struct pncp_work_failure *failure)
{
    const struct pncp_saver_note note = {.key = failure->key,
                                         .part = failure->part,
                                         .kind = PNCP_FALHA_FAILED,
                                         .reason = failure->reason,
                                         .http_status = failure->http_status};
    enum pncp_code rc = pncp_filled_lot_note(&run->lots[PNCP_LOT_NEW], &note);
    return rc == PNCP_OK ? pncp_keyset_set(run->keys, failure->key, PNCP_KEY_FAILED, NULL) : rc;
}

void pncp_lots_note_failure(void *ctx, const struct pncp_work_failure *failure)
{
    struct pncp_run *run = ctx;
    if ((failure->renew ? note_not_renewed(run, failure) : note_failed(run, failure)) != PNCP_OK)
        (void)pncp_err_set(&run->works.error, PNCP_E_NOMEM, "falhas: out of memory");
    pncp_report_failure(run, failure);
}

/* ---- what could not be saved ----------------------------------------------------------------- */

static void spool_lot(struct pncp_run *run, struct pncp_filled_lot *lot)
{
    struct pncp_err err = PNCP_ERR_INIT;
    const struct pncp_lot rows = {.table = &lot->table, .run_id = run->run_id, .n = lot->n};
    if (lot->table.rows == 0 || run->options->spool == NULL)
        return;
    if (pncp_spool_put(run->options->spool, &run->data, &rows, &err) != PNCP_OK) {
        pncp_event_warning(run->event, "%zu contratacoes are lost to the next run, which asks for them again: %s",
                           lot->table.rows, err.msg);
        return;
    }
    run->day->spooled += (int64_t)lot->table.rows;
    pncp_event_log(run->event, PNCP_LEVEL_WARNING, "spool",
                   "%zu contratacoes wait in %s: the next run of the day commits them", lot->table.rows,
                   run->options->spool);
}

void pncp_lots_spool(struct pncp_run *run)
{
    struct pncp_filled_lot failed;
    struct pncp_err err = PNCP_ERR_INIT;
    if (pncp_saver_take_failed(&run->saver, &failed)) {
        if (!failed.renewed)
            spool_lot(run, &failed);
        pncp_filled_lot_release(&failed);
    }
    if (pncp_lots_fill(run, true, &err) == PNCP_OK)
        spool_lot(run, &run->lots[PNCP_LOT_NEW]);
}
