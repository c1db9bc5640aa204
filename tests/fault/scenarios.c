#include "scenarios.h"
#include "day/complete.h"
#include "day/falhas_rows.h"
#include "day/layout.h"
#include "day/list.h"
#include "day/progress.h"
#include "day/renewals.h"
#include "day/run_record.h"
#include "day/spool.h"
#include "day/state.h"
#include "day/status.h"
#include "day/verify.h"
#include "rows_fixture.h"
#include "steady.h"

#include <stdio.h>
#include <string.h>

#define RUN "20251023T070102Z-0000000a"
#define MODALIDADE 6
#define INSIST_TIMES 20
#define READS false
#define CHANGES true

/* For what gives a code and no message. */
static enum pncp_code told(enum pncp_code rc, struct pncp_err *err)
{
    return rc == PNCP_OK ? rc : pncp_err_set(err, rc, "no message at this level");
}

struct day {
    struct pncp_keyset *keys;
    struct pncp_data data;
};

static void day_release(struct day *day)
{
    pncp_data_release(&day->data);
    pncp_keyset_free(day->keys);
}

static enum pncp_code day_open(const struct work *work, struct day *day, struct pncp_err *err)
{
    enum pncp_code rc = told(pncp_keyset_new(&day->keys), err);
    return rc == PNCP_OK ? pncp_data_open(work->lake, work->date, day->keys, &day->data, err) : rc;
}

/* ---- fixtures -------------------------------------------------------------------------------- */

static enum pncp_code put_lots(struct work *work, uint32_t lots, const uint32_t *rows, struct pncp_err *err)
{
    AUTO(day_release) struct day day = {0};
    enum pncp_code rc = day_open(work, &day, err);
    for (uint32_t i = 0; rc == PNCP_OK && i < lots; i++) {
        struct pncp_table table;
        struct pncp_commit_result result;
        rows_table(&table, pncp_details_schema(), 1 + (uint32_t)day.data.rows, rows[i]);
        const struct pncp_lot lot = {.table = &table, .run_id = "fixture", .n = i + 1};
        rc = pncp_data_append(&day.data, &lot, &result, err);
        pncp_table_release(&table);
    }
    return rc;
}

static enum pncp_code two_lots(struct work *work, struct pncp_err *err)
{
    return put_lots(work, 2, (const uint32_t[]){3, 2}, err);
}

/* The next group makes sixteen: they are folded. */
static enum pncp_code one_short_of_a_fold(struct work *work, struct pncp_err *err)
{
    return put_lots(work, 15, (const uint32_t[]){1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, err);
}

/* Its first group is settled, the footer's part for it is copied from file to file. */
static enum pncp_code one_lot_settled(struct work *work, struct pncp_err *err)
{
    return put_lots(work, 2, (const uint32_t[]){260, 3}, err);
}

/* Row 11 has no itens, those of row 13 are absent. */
static enum pncp_code parts_missing(struct work *work, struct pncp_err *err)
{
    return put_lots(work, 1, (const uint32_t[]){13}, err);
}

static enum pncp_code note_and_save(struct work *work, struct pncp_falhas *falhas, uint32_t first, uint32_t count,
                                    struct pncp_err *err);

static enum pncp_code some_falhas(struct work *work, struct pncp_err *err)
{
    AUTO(pncp_falhas_release) struct pncp_falhas falhas = {0};
    return note_and_save(work, &falhas, 1, 3, err);
}

static enum pncp_code damaged_falhas(struct work *work, struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES];
    const struct pncp_body body = {.bytes = PNCP_VIEW_LIT("{\"v\":1,\"entries\":[{\"key\":1}]}")};
    pncp_place_format(PNCP_PLACE_FALHAS, work->date, path);
    return pncp_lake_put(work->lake, path, &body, err);
}

/* ---- the day's file -------------------------------------------------------------------------- */

/* All rows, or none when an earlier try has put them. */
static enum pncp_code append_rows(struct work *work, struct pncp_table *rows, struct day *day, struct pncp_err *err)
{
    struct pncp_commit_result result;
    const struct pncp_lot lot = {.table = rows, .run_id = RUN, .n = 1};
    enum pncp_code rc = pncp_data_append(&day->data, &lot, &result, err);
    if (rc == PNCP_OK && result.contratacoes != (int64_t)rows->rows && !(work->again && result.contratacoes == 0))
        work->untrue = "the number of contratações appended";
    return rc;
}

static enum pncp_code open_day(struct work *work, struct pncp_err *err)
{
    AUTO(day_release) struct day day = {0};
    enum pncp_code rc = day_open(work, &day, err);
    if (rc == PNCP_OK && pncp_keyset_count(day.keys, PNCP_KEY_SAVED, 0) != 5)
        work->untrue = "the keys of the day";
    return rc;
}

static enum pncp_code append(struct work *work, struct pncp_err *err)
{
    AUTO(day_release) struct day day = {0};
    enum pncp_code rc = day_open(work, &day, err);
    return rc == PNCP_OK ? append_rows(work, work->lot, &day, err) : rc;
}

/* As a run does it: the same lot again and again, by the one that knows how the first try ended. */
static enum pncp_code append_insisting(struct work *work, struct pncp_err *err)
{
    AUTO(day_release) struct day day = {0};
    enum pncp_code rc = day_open(work, &day, err);
    if (rc != PNCP_OK)
        return rc;
    rc = append_rows(work, work->lot, &day, err);
    for (int i = 0; rc != PNCP_OK && i < INSIST_TIMES; i++)
        rc = append_rows(work, work->lot, &day, err);
    if (rc != PNCP_OK)
        work->untrue = "that the same lot may succeed later";
    return rc;
}

/* Seen before somebody else appended to it: the version is another, all is to be read and made anew. */
static enum pncp_code day_open_overtaken(struct work *work, struct day *day, struct pncp_err *err)
{
    AUTO(day_release) struct day other = {0};
    enum pncp_code rc = day_open(work, day, err);
    if (rc == PNCP_OK)
        rc = day_open(work, &other, err);
    return rc == PNCP_OK ? append_rows(work, work->rival, &other, err) : rc;
}

static enum pncp_code append_overtaken(struct work *work, struct pncp_err *err)
{
    AUTO(day_release) struct day day = {0};
    enum pncp_code rc = day_open_overtaken(work, &day, err);
    return rc == PNCP_OK ? append_rows(work, work->lot, &day, err) : rc;
}

static enum pncp_code compact_day(struct work *work, struct day *day, struct pncp_err *err)
{
    static const volatile bool stop = false;
    bool done = false;
    struct pncp_commit_result result = {0};
    const struct pncp_rewrite how = {.run_id = RUN, .stop = &stop};
    enum pncp_code rc = pncp_data_rewrite(&day->data, &how, &done, &result, err);
    if (rc == PNCP_OK && !done && !work->again)
        work->untrue = "that there was nothing to compact";
    if (rc == PNCP_OK && done && result.contratacoes != day->data.rows)
        work->untrue = "the number of contratações rewritten";
    return rc;
}

static enum pncp_code compact(struct work *work, struct pncp_err *err)
{
    AUTO(day_release) struct day day = {0};
    enum pncp_code rc = day_open(work, &day, err);
    return rc == PNCP_OK ? compact_day(work, &day, err) : rc;
}

/* And its columns go through a temporary file. */
static enum pncp_code compact_overtaken(struct work *work, struct pncp_err *err)
{
    AUTO(day_release) struct day day = {0};
    enum pncp_code rc = day_open_overtaken(work, &day, err);
    steady_large_columns(true);
    if (rc == PNCP_OK)
        rc = compact_day(work, &day, err);
    steady_large_columns(false);
    return rc;
}

/* ---- rows fetched again ---------------------------------------------------------------------- */

#define LATER_US INT64_C(3600000000)
#define RENEWED_ROWS 2

static int64_t first_obtained_us[RENEWED_ROWS]; /* of the lot's rows, as the fixture puts them */

static struct pncp_leaf *obtained_of(struct pncp_table *lot)
{
    return &lot->leaves[pncp_details_leaves()->obtido_em];
}

/* The lot's rows are in the day's file. */
static enum pncp_code lot_is_there(struct work *work, struct pncp_err *err)
{
    AUTO(day_release) struct day day = {0};
    for (size_t i = 0; i < RENEWED_ROWS; i++)
        first_obtained_us[i] = pncp_leaf_int(obtained_of(work->lot), i);
    enum pncp_code rc = put_lots(work, 1, (const uint32_t[]){3}, err);
    if (rc == PNCP_OK)
        rc = day_open(work, &day, err);
    return rc == PNCP_OK ? append_rows(work, work->lot, &day, err) : rc;
}

/* The lot's rows as they are an hour later. */
static void fetch_again(struct pncp_table *lot)
{
    for (size_t i = 0; i < RENEWED_ROWS; i++) {
        int64_t at = first_obtained_us[i] + LATER_US;
        memcpy(obtained_of(lot)->values.data + i * sizeof(at), &at, sizeof(at));
    }
}

/* Those of the lot that no earlier try has renewed. */
static enum pncp_code see_row(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    for (uint32_t i = 0; i < RENEWED_ROWS; i++) {
        if (pncp_packed_key_cmp(pncp_key_pack(&row->key), rows_packed(LOT_FIRST + i)) == 0 &&
            row->obtido_em_us == first_obtained_us[i])
            return told(pncp_renewals_saw(ctx, row), err);
    }
    return PNCP_OK;
}

static enum pncp_code renew_day(struct work *work, struct day *day, struct pncp_err *err)
{
    static const volatile bool stop = false;
    AUTO(pncp_renewals_release) struct pncp_renewals renewals;
    struct pncp_commit_result result = {0};
    bool done = false;
    pncp_renewals_init(&renewals);
    enum pncp_code rc = pncp_data_each_row(&day->data, &(struct pncp_row_walk){see_row, NULL, &renewals}, NULL, err);
    if (rc == PNCP_OK && renewals.count == 0 && !work->again)
        work->untrue = "that the rows are not there";
    if (rc != PNCP_OK || renewals.count == 0)
        return rc;
    pncp_renewals_seal(&renewals);
    fetch_again(work->lot);
    rc = pncp_renewals_add(&renewals, work->lake, work->lot, err);
    const struct pncp_rewrite how = {.run_id = RUN, .stop = &stop, .renewals = &renewals};
    if (rc == PNCP_OK)
        rc = pncp_data_rewrite(&day->data, &how, &done, &result, err);
    if (rc == PNCP_OK && done && result.renewed != RENEWED_ROWS)
        work->untrue = "the number of contratações renewed";
    return rc;
}

static enum pncp_code renew(struct work *work, struct pncp_err *err)
{
    AUTO(day_release) struct day day = {0};
    enum pncp_code rc = day_open(work, &day, err);
    return rc == PNCP_OK ? renew_day(work, &day, err) : rc;
}

static enum pncp_code renew_overtaken(struct work *work, struct pncp_err *err)
{
    AUTO(day_release) struct day day = {0};
    enum pncp_code rc = day_open_overtaken(work, &day, err);
    steady_large_columns(true);
    if (rc == PNCP_OK)
        rc = renew_day(work, &day, err);
    steady_large_columns(false);
    return rc;
}

/* ---- the spool ------------------------------------------------------------------------------- */

/* ctx: the error of a lot that waits on, because it cannot be read now. */
static void keep_problem(void *ctx, const char *name, int64_t contratacoes, const struct pncp_err *problem)
{
    (void)name, (void)contratacoes;
    if (problem != NULL)
        *(struct pncp_err *)ctx = *problem;
}

static bool lot_is_saved(const struct work *work, const struct day *day)
{
    for (uint32_t i = 0; i < work->lot->rows; i++) {
        if ((pncp_keyset_get(day->keys, rows_packed(LOT_FIRST + i)) & PNCP_KEY_SAVED) == 0)
            return false;
    }
    return true;
}

/* A lot waits, and is committed by the next run: what an earlier try has left first. */
static enum pncp_code spool(struct work *work, struct pncp_err *err)
{
    AUTO(day_release) struct day day = {0};
    char folder[400];
    struct pncp_err problem = PNCP_ERR_INIT;
    const struct pncp_lot lot = {.table = work->lot, .run_id = RUN, .n = 1};
    (void)snprintf(folder, sizeof(folder), "%s/spool", pncp_lake_url(work->lake));
    enum pncp_code rc = day_open(work, &day, err);
    if (rc == PNCP_OK)
        rc = pncp_spool_take(folder, &day.data, keep_problem, &problem, err);
    if (rc == PNCP_OK && !lot_is_saved(work, &day)) {
        rc = pncp_spool_put(folder, &day.data, &lot, err);
        if (rc == PNCP_OK)
            rc = pncp_spool_take(folder, &day.data, keep_problem, &problem, err);
    }
    if (rc == PNCP_OK && !lot_is_saved(work, &day)) {
        *err = problem;
        rc = problem.code;
    }
    return rc;
}

/* ---- what is made from it -------------------------------------------------------------------- */

static enum pncp_code save_state(struct work *work, struct pncp_err *err)
{
    AUTO(day_release) struct day day = {0};
    enum pncp_code rc = day_open(work, &day, err);
    if (rc == PNCP_OK)
        rc = pncp_state_save(&day.data, err);
    for (int part = 0; rc == PNCP_OK && part < PNCP_PARTS; part++) {
        enum pncp_state_health health;
        char what[PNCP_STATE_WHAT_BYTES];
        rc = pncp_state_check(&day.data, (enum pncp_part)part, &health, what, err);
        if (rc == PNCP_OK && health != PNCP_STATE_SOUND)
            work->untrue = "the state that was just saved, or that it is not sound";
    }
    return rc;
}

static enum pncp_code complete(struct work *work, struct pncp_err *err)
{
    AUTO(day_release) struct day day = {0};
    const struct pncp_complete what = {.contratacoes = 5, .itens = 7, .arquivos = 9, .list_at_s = STEADY_NOW_S};
    bool there = false;
    enum pncp_code rc = day_open(work, &day, err);
    if (rc == PNCP_OK)
        rc = pncp_complete_write(&day.data, &what, err);
    if (rc == PNCP_OK)
        rc = pncp_complete_check(&day.data, &there, err);
    if (rc == PNCP_OK && !there)
        work->untrue = "that the day is not complete";
    return rc;
}

/* A day with all that belongs to it. */
static enum pncp_code whole_day(struct work *work, struct pncp_err *err)
{
    enum pncp_code rc = two_lots(work, err);
    if (rc == PNCP_OK)
        rc = save_state(work, err);
    return rc == PNCP_OK ? complete(work, err) : rc;
}

static enum pncp_code not_complete(struct work *work, struct pncp_err *err)
{
    return pncp_complete_remove(work->lake, work->date, err);
}

static void note_problem(void *ctx, const char *text)
{
    struct work *work = ctx;
    (void)text;
    work->untrue = "that the day has a problem";
}

static enum pncp_code verify(struct work *work, struct pncp_err *err)
{
    struct pncp_verify verify = {.problem = note_problem, .ctx = work};
    enum pncp_code rc = pncp_verify_day(work->lake, work->date, &verify, err);
    if (rc == PNCP_OK && verify.rows != 5)
        work->untrue = "the number of rows";
    return rc;
}

static enum pncp_code status(struct work *work, struct pncp_err *err)
{
    AUTO(pncp_day_status_release) struct pncp_day_status status = {0};
    enum pncp_code rc = pncp_day_status_read(work->lake, work->date, &status, err);
    if (rc == PNCP_OK && (!status.has_data || status.done != 5 || !status.complete))
        work->untrue = "how far the day is";
    return rc;
}

static enum pncp_code reports(struct work *work, struct pncp_err *err)
{
    const struct pncp_progress progress = {.run_id = RUN, .phase = "fetching", .total = 9, .eta_s = 4, .rate = 1.5};
    static const char *const argv[] = {"pncp-details", "--date", "20251022"};
    const struct pncp_run_record record = {.run_id = RUN,
                                           .version = "0",
                                           .host = "host",
                                           .consulta_url = "https://a",
                                           .detail_url = "https://b",
                                           .argc = PNCP_ARRAY_LEN(argv),
                                           .argv = argv,
                                           .summary = PNCP_VIEW_LIT("{\"v\":1}")};
    enum pncp_code rc = pncp_progress_save(work->lake, work->date, &progress, err);
    return rc == PNCP_OK ? pncp_run_record_save(work->lake, &record, err) : rc;
}

/* ---- falhas ---------------------------------------------------------------------------------- */

static enum pncp_code note_and_save(struct work *work, struct pncp_falhas *falhas, uint32_t first, uint32_t count,
                                    struct pncp_err *err)
{
    struct pncp_keyset *keys;
    enum pncp_code rc = told(pncp_keyset_new(&keys), err);
    if (rc != PNCP_OK)
        return rc;
    for (uint32_t i = first; rc == PNCP_OK && i < first + count; i++) {
        struct pncp_packed_key key = rows_packed(i);
        if (pncp_falhas_failed(falhas, key) == NULL) /* a second attempt would be another falha */
            rc = told(pncp_falhas_note(falhas, key, PNCP_FALHA_AMBAS, PNCP_FALHA_FAILED, PNCP_REASON_HTTP, 500,
                                       STEADY_NOW_S + i),
                      err);
    }
    if (rc == PNCP_OK)
        rc = pncp_falhas_save(work->lake, work->date, falhas, keys, err);
    pncp_keyset_free(keys);
    return rc;
}

static enum pncp_code save_falhas(struct work *work, struct pncp_err *err)
{
    AUTO(pncp_falhas_release) struct pncp_falhas falhas = {0};
    enum pncp_code rc = pncp_falhas_load(work->lake, work->date, &falhas, NULL, err);
    return rc == PNCP_OK ? note_and_save(work, &falhas, 3, 3, err) : rc;
}

/* By a run that has not seen the file which is there. */
static enum pncp_code merge_falhas(struct work *work, struct pncp_err *err)
{
    AUTO(pncp_falhas_release) struct pncp_falhas falhas = {0};
    enum pncp_code rc = note_and_save(work, &falhas, 3, 3, err);
    if (rc == PNCP_OK && falhas.count != 5)
        work->untrue = "that all falhas are saved";
    return rc;
}

static enum pncp_code falhas_from_rows(struct work *work, struct pncp_err *err)
{
    AUTO(day_release) struct day day = {0};
    AUTO(pncp_falhas_release) struct pncp_falhas falhas = {0};
    enum pncp_code rc = day_open(work, &day, err);
    if (rc == PNCP_OK)
        rc = pncp_falhas_load(work->lake, work->date, &falhas, NULL, err);
    return rc == PNCP_OK ? pncp_falhas_settle(&falhas, &day.data, err) : rc;
}

/* ---- the list -------------------------------------------------------------------------------- */

static enum pncp_code list_rows(struct work *work, struct pncp_list *list, int modalidade, struct pncp_err *err)
{
    enum pncp_code rc = pncp_list_part_begin(list, modalidade, err);
    struct pncp_table *pending = pncp_list_pending(list);
    for (size_t i = 0; rc == PNCP_OK && i < pending->schema->leaf_count; i++)
        rc = told(pncp_leaf_append(&pending->leaves[i], &work->listed->leaves[i]), err);
    if (rc != PNCP_OK)
        return rc;
    for (size_t i = 0; rc == PNCP_OK && i < work->listed->rows; i++) {
        pending->rows++;
        rc = pncp_list_added(list, err);
    }
    return rc == PNCP_OK ? pncp_list_part_end(list, (int64_t)work->listed->rows, true, err) : rc;
}

/* Every row of it, by its key. */
static enum pncp_code read_list(struct work *work, struct pncp_list *list, size_t groups, struct pncp_err *err)
{
    AUTO(pncp_table_release) struct pncp_table table;
    enum pncp_code rc = told(pncp_table_init(&table, pncp_list_schema()), err);
    for (size_t group = 0; rc == PNCP_OK && group < groups; group++) {
        rc = pncp_list_read_group(list, group, &table, err);
        for (size_t row = 0; rc == PNCP_OK && row < table.rows; row++) {
            struct pncp_key key, expected = rows_key((uint32_t)(LOT_FIRST + row));
            rc = pncp_list_row_key(&table, row, &key, err);
            if (rc == PNCP_OK && !pncp_key_eq(&key, &expected))
                work->untrue = "a key of the list";
        }
    }
    if (rc == PNCP_OK && pncp_list_groups(list) != groups)
        work->untrue = "the number of groups of the list";
    return rc;
}

static enum pncp_code save_a_list(struct work *work, struct pncp_err *err)
{
    AUTO(pncp_list_release)
    struct pncp_list list = {.all = PNCP_GROUP_FILE_INIT, .part = PNCP_GROUP_FILE_INIT};
    enum pncp_code rc = pncp_list_create(work->lake, work->date, &list, err);
    list.info.final = true;
    if (rc == PNCP_OK)
        rc = list_rows(work, &list, MODALIDADE, err);
    if (rc == PNCP_OK)
        rc = list_rows(work, &list, MODALIDADE + 1, err);
    if (rc == PNCP_OK)
        rc = read_list(work, &list, 2, err); /* while it is made, from its stage */
    if (rc == PNCP_OK)
        rc = pncp_list_save(&list, err);
    return rc == PNCP_OK ? read_list(work, &list, 2, err) : rc;
}

/* A listing that comes no further than its first modalidade. */
static enum pncp_code save_a_part(struct work *work, struct pncp_err *err)
{
    AUTO(pncp_list_release)
    struct pncp_list list = {.all = PNCP_GROUP_FILE_INIT, .part = PNCP_GROUP_FILE_INIT};
    enum pncp_code rc = pncp_list_create(work->lake, work->date, &list, err);
    list.info.final = true;
    return rc == PNCP_OK ? list_rows(work, &list, MODALIDADE, err) : rc;
}

static enum pncp_code open_a_list(struct work *work, struct pncp_err *err)
{
    AUTO(pncp_list_release)
    struct pncp_list list = {.all = PNCP_GROUP_FILE_INIT, .part = PNCP_GROUP_FILE_INIT};
    enum pncp_code rc = pncp_list_open(work->lake, work->date, &list, err);
    return rc == PNCP_OK ? read_list(work, &list, 2, err) : rc;
}

static enum pncp_code open_a_part(struct work *work, struct pncp_err *err)
{
    AUTO(pncp_list_release)
    struct pncp_list list = {.all = PNCP_GROUP_FILE_INIT, .part = PNCP_GROUP_FILE_INIT};
    enum pncp_code rc = pncp_list_part_open(work->lake, work->date, MODALIDADE, &list, err);
    return rc == PNCP_OK ? read_list(work, &list, 1, err) : rc;
}

/* ---- the lake -------------------------------------------------------------------------------- */

/* As a run begins: the lake opened and swept, the day held. */
static enum pncp_code begin_a_run(struct work *work, struct pncp_err *err)
{
    const struct pncp_lake_options options = {.run_id = RUN, .create = true, .writable = true};
    struct pncp_lake *lake;
    struct pncp_hold hold = PNCP_HOLD_INIT;
    char path[PNCP_PLACE_BYTES];
    pncp_place_format(PNCP_PLACE_RUN_LOCK, work->date, path);
    enum pncp_code rc = pncp_lake_open(pncp_lake_url(work->lake), &options, &lake, err);
    if (rc != PNCP_OK)
        return rc;
    pncp_lake_sweep(lake);
    rc = pncp_lake_hold(lake, path, PNCP_VIEW_LIT("{\"run_id\":\"" RUN "\"}"), &hold, err);
    pncp_hold_release(&hold);
    pncp_lake_free(lake);
    return rc;
}

const struct scenario SCENARIOS[] = {
    {"open", two_lots, open_day, 1, READS},
    {"append-first", NULL, append, 3, CHANGES},
    {"append", two_lots, append, 3, CHANGES},
    {"append-insisting", two_lots, append_insisting, 3, CHANGES},
    {"append-overtaken", two_lots, append_overtaken, 2, CHANGES},
    {"append-settled", one_lot_settled, append, 2, CHANGES},
    {"fold", one_short_of_a_fold, append, 1, CHANGES},
    {"compact", two_lots, compact, 1, CHANGES},
    {"compact-overtaken", two_lots, compact_overtaken, 2, CHANGES},
    {"renew", lot_is_there, renew, 2, CHANGES},
    {"renew-overtaken", lot_is_there, renew_overtaken, 2, CHANGES},
    {"spool", two_lots, spool, 2, CHANGES},
    {"state", two_lots, save_state, 1, CHANGES},
    {"complete", two_lots, complete, 1, CHANGES},
    {"not-complete", whole_day, not_complete, 1, CHANGES},
    {"verify", whole_day, verify, 1, READS},
    {"status", whole_day, status, 1, READS},
    {"reports", NULL, reports, 1, CHANGES},
    {"falhas-first", NULL, save_falhas, 1, CHANGES},
    {"falhas", some_falhas, save_falhas, 1, CHANGES},
    {"falhas-merge", some_falhas, merge_falhas, 1, CHANGES},
    {"falhas-damaged", damaged_falhas, save_falhas, 1, CHANGES},
    {"falhas-rows", parts_missing, falhas_from_rows, 1, CHANGES},
    {"list", save_a_part, save_a_list, 4, CHANGES},
    {"list-open", save_a_list, open_a_list, 4, READS},
    {"list-part", save_a_part, open_a_part, 4, READS},
    {"begin", two_lots, begin_a_run, 1, READS},
};
const size_t SCENARIO_COUNT = PNCP_ARRAY_LEN(SCENARIOS);
