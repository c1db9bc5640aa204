/* The beginning and the end of a run: lake, lock, what is done, the day's list. */
#include "base/mem.h"
#include "base/random.h"
#include "day/layout.h"
#include "day/spool.h"
#include "ingest/input.h"
#include "ingest/run.h"
#include "ingest/task.h"
#include "pncp/url.h"
#include "json/json.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct pncp_began pncp_began_now(void)
{
    struct pncp_began began = {.at_us = pncp_clock_now_us(), .at_ms = pncp_clock_mono_ms()};
    char stamp[PNCP_STAMP_BASIC_BYTES], hex[PNCP_HEX_BYTES(4)];
    pncp_stamp_format_basic(began.at_us, stamp);
    pncp_random_hex(4, hex);
    (void)snprintf(began.run_id, sizeof(began.run_id), "%s-%s", stamp, hex);
    return began;
}

void pncp_run_init(struct pncp_run *run, const struct pncp_began *began, const struct pncp_ingest_options *options,
                   struct pncp_event *event, struct pncp_day_summary *day)
{
    *run = (struct pncp_run){.began = began,
                             .options = options,
                             .event = event,
                             .day = day,
                             .hold = PNCP_HOLD_INIT,
                             .announced = -1,
                             .started_us = pncp_clock_now_us(),
                             .started_ms = pncp_clock_mono_ms(),
                             .renewals = {.file = PNCP_GROUP_FILE_INIT},
                             .list = {.all = PNCP_GROUP_FILE_INIT, .part = PNCP_GROUP_FILE_INIT}};
    memcpy(run->run_id, began->run_id, sizeof(run->run_id));
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Who holds the day, for those who find it held. */
static enum pncp_code name_holder(const struct pncp_run *run, struct pncp_buf *ret_holder, struct pncp_err *err)
{
    char host[256] = "";
    (void)gethostname(host, sizeof(host) - 1);
    struct pncp_json_writer w;
    pncp_json_writer_init(&w, ret_holder);
    pncp_json_object_begin(&w);
    pncp_json_field_int(&w, "v", 1);
    pncp_json_field_text(&w, "run_id", pncp_view_of(run->run_id));
    pncp_json_field_text(&w, "host", pncp_view_of(host));
    pncp_json_field_int(&w, "pid", getpid());
    pncp_json_field_time(&w, "since", run->started_us);
    pncp_json_object_end(&w);
    if (pncp_json_writer_end(&w) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "hold the day: out of memory");
    return PNCP_OK;
}

#define HOLD_AGAIN_MS 200
#define LEASE_AGAIN_MS 2000 /* each look is a request */

/* Hold the day; while another run does, wait for it, for --wait-lease at most. */
static enum pncp_code hold_day(struct pncp_run *run, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf holder = {0};
    char path[PNCP_PLACE_BYTES];
    struct pollfd stop = {.fd = pncp_stop_fd(), .events = POLLIN};
    uint64_t end = pncp_clock_mono_ms() + run->options->wait_lease_ms;
    enum pncp_code rc = name_holder(run, &holder, err);
    if (rc != PNCP_OK)
        return rc;
    bool remote = pncp_lake_is_remote(run->lake);
    pncp_place_format(remote ? PNCP_PLACE_LEASE : PNCP_PLACE_RUN_LOCK, run->options->date, path);
    for (bool told = false;; told = true) {
        rc = pncp_lake_hold(run->lake, path, pncp_buf_view(&holder), &run->hold, err);
        if (rc != PNCP_E_BUSY || pncp_clock_mono_ms() >= end)
            return rc;
        if (!told)
            pncp_event_log(run->event, PNCP_LEVEL_INFO, "lease", "%s: waiting for it, %u s at most", err->msg,
                           run->options->wait_lease_ms / 1000);
        (void)poll(&stop, 1, remote ? LEASE_AGAIN_MS : HOLD_AGAIN_MS);
        if (pncp_stop_signal() != 0)
            return pncp_err_set(err, PNCP_E_CANCELLED, "stopped by a signal");
        *err = PNCP_ERR_INIT;
    }
}

static void tell_finding(void *ctx, const struct pncp_finding *finding)
{
    struct pncp_run *run = ctx;
    if (finding->level != PNCP_FINDING_GOOD)
        pncp_event_warning(run->event, "lake %s: %s: %s", pncp_lake_url(run->lake), finding->what, finding->text);
}

/* A store that loses commits is refused, unless told otherwise. */
static enum pncp_code check_store(struct pncp_run *run, struct pncp_err *err)
{
    enum pncp_code rc = pncp_lake_check(run->lake, tell_finding, run, err);
    if (rc != PNCP_E_UNSUPPORTED || !run->options->unsafe_store)
        return rc;
    *err = PNCP_ERR_INIT;
    return PNCP_OK;
}

static enum pncp_code open_lake(struct pncp_run *run, bool create, struct pncp_err *err)
{
    const struct pncp_lake_options options = {
        .run_id = run->run_id, .create = create, .writable = true, .unsafe_store = run->options->unsafe_store};
    enum pncp_code rc = pncp_lake_open(run->options->lake_url, &options, &run->lake, err);
    if (rc != PNCP_OK)
        return rc;
    pncp_lake_sweep(run->lake);
    rc = check_store(run, err);
    return rc == PNCP_OK ? hold_day(run, err) : rc;
}

enum pncp_code pncp_run_open_lake(struct pncp_run *run, struct pncp_err *err)
{
    return open_lake(run, true, err);
}

enum pncp_code pncp_run_on_old_lake(const struct pncp_ingest_options *options, struct pncp_event *event,
                                    enum pncp_code (*job)(struct pncp_run *run, void *ctx, struct pncp_err *err),
                                    void *ctx, struct pncp_err *err)
{
    struct pncp_run run;
    struct pncp_day_summary day = {.date = options->date}; /* which nobody asks for here */
    const struct pncp_began began = pncp_began_now();
    pncp_run_init(&run, &began, options, event, &day);
    enum pncp_code rc = open_lake(&run, false, err);
    if (rc == PNCP_OK)
        rc = job(&run, ctx, err);
    pncp_run_release(&run);
    return rc;
}

/* Is a part of that row to be asked again: absent or empty, and due? */
static bool part_is_due(const struct pncp_run *run, const struct pncp_data_row *row, enum pncp_falha_part part)
{
    const struct pncp_again *again = &run->options->again;
    enum pncp_situacao situacao = part == PNCP_FALHA_ITENS ? row->itens : row->arquivos;
    int64_t now_s = run->started_us / 1000000;
    if (situacao == PNCP_SITUACAO_OK || (again->parts & part) == 0)
        return false;
    const struct pncp_falha *entry = pncp_falhas_part(&run->falhas_before, pncp_key_pack(&row->key), part);
    if (again->not_due)
        return true;
    return entry != NULL ? pncp_falha_is_due(entry, now_s)
                         : pncp_falha_would_be_due(row->obtido_em_us / 1000000, now_s);
}

static enum pncp_code look_at_row(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    struct pncp_run *run = ctx;
    unsigned flags = PNCP_KEY_OLD;
    enum pncp_code rc = PNCP_OK;
    if (!run->has_known && row->itens == PNCP_SITUACAO_OK) {
        run->known = row->key;
        run->has_known = true;
    }
    if (run->options->again.everything || part_is_due(run, row, PNCP_FALHA_ITENS) ||
        part_is_due(run, row, PNCP_FALHA_ARQUIVOS)) {
        rc = pncp_renewals_saw(&run->renewals, row);
        flags |= PNCP_KEY_DUE;
    }
    if (rc == PNCP_OK)
        rc = pncp_keyset_set(run->keys, pncp_key_pack(&row->key), flags, NULL);
    return rc == PNCP_OK ? PNCP_OK : pncp_err_set(err, rc, "keys: out of memory");
}

static void look_anew(void *ctx)
{
    struct pncp_run *run = ctx;
    pncp_renewals_release(&run->renewals);
    pncp_keyset_clear_all(run->keys, PNCP_KEY_OLD | PNCP_KEY_DUE);
    run->has_known = false;
}

static enum pncp_code look_at_failed(struct pncp_run *run, const struct pncp_falha *entry, struct pncp_err *err)
{
    const struct pncp_again *again = &run->options->again;
    bool due = again->everything || ((again->parts & entry->part) != 0 &&
                                     (again->not_due || pncp_falha_is_due(entry, run->started_us / 1000000)));
    if (entry->kind != PNCP_FALHA_FAILED || (pncp_keyset_get(run->keys, entry->key) & PNCP_KEY_SAVED) != 0)
        return PNCP_OK;
    enum pncp_code rc =
        pncp_keyset_set(run->keys, entry->key, PNCP_KEY_FAILED | (due ? (unsigned)PNCP_KEY_DUE : 0U), NULL);
    return rc == PNCP_OK ? PNCP_OK : pncp_err_set(err, rc, "keys: out of memory");
}

static void told_of_spool(void *ctx, const char *name, int64_t contratacoes, const struct pncp_err *problem)
{
    struct pncp_run *run = ctx;
    if (problem == NULL)
        pncp_event_log(run->event, PNCP_LEVEL_INFO, "spool",
                       "%" PRId64 " contratacoes that an earlier run could not save are committed: %s", contratacoes,
                       name);
    else
        pncp_event_warning(run->event, "spool: %s: %s", name, problem->msg);
}

/* falhas first and the data after it: what is asked again goes by the rows, which are not older than the entries. */
enum pncp_code pncp_run_open_day(struct pncp_run *run, struct pncp_err *err)
{
    bool rebuilt = false;
    if (pncp_keyset_new(&run->keys) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "keys: out of memory");
    enum pncp_code rc = pncp_falhas_load(run->lake, run->options->date, &run->falhas_before, &rebuilt, err);
    if (rc == PNCP_OK)
        rc = pncp_falhas_load(run->lake, run->options->date, &run->falhas, NULL, err);
    if (rebuilt)
        pncp_event_warning(run->event, "falhas of the day was damaged: rebuilt from the data");
    if (rc == PNCP_OK)
        rc = pncp_data_open(run->lake, run->options->date, run->keys, &run->data, err);
    if (rc == PNCP_OK && run->options->spool != NULL)
        rc = pncp_spool_take(run->options->spool, &run->data, told_of_spool, run, err);
    if (rc == PNCP_OK)
        rc = pncp_data_each_row(&run->data, &(struct pncp_row_walk){look_at_row, look_anew, run}, NULL, err);
    pncp_renewals_seal(&run->renewals);
    for (size_t i = 0; rc == PNCP_OK && i < run->falhas_before.count; i++)
        rc = look_at_failed(run, &run->falhas_before.entries[i], err);
    return rc;
}

/* Mark the keys of a list at hand (the first rows_max of them). */
static enum pncp_code mark_listed(struct pncp_run *run, int64_t rows_max, struct pncp_err *err)
{
    struct pncp_table table;
    if (pncp_table_init(&table, pncp_list_schema()) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "list: out of memory");
    enum pncp_code rc = PNCP_OK;
    int64_t seen = 0;
    for (size_t group = 0; rc == PNCP_OK && group < pncp_list_groups(&run->list); group++) {
        rc = pncp_list_read_keys(&run->list, group, &table, err);
        for (size_t row = 0; rc == PNCP_OK && row < table.rows && (rows_max == 0 || seen < rows_max); row++, seen++) {
            struct pncp_key key;
            rc = pncp_list_row_key(&table, row, &key, err);
            if (rc == PNCP_OK && pncp_keyset_set(run->keys, pncp_key_pack(&key), PNCP_KEY_LISTED, NULL) != PNCP_OK)
                rc = pncp_err_set(err, PNCP_E_NOMEM, "list: out of memory");
        }
    }
    pncp_table_release(&table);
    return rc;
}

static bool day_is_final(const struct pncp_ingest_options *options, int64_t at_us)
{
    return at_us >= pncp_date_end_utc_us(options->date) + options->final_after_s * 1000000;
}

enum pncp_code pncp_run_begin_listing(struct pncp_run *run, struct pncp_err *err)
{
    enum pncp_code rc = pncp_list_create(run->lake, run->options->date, &run->list, err);
    if (rc != PNCP_OK)
        return rc;
    run->list.info.list_at_s = run->started_us / 1000000;
    run->list.info.final = day_is_final(run->options, run->started_us);
    const struct pncp_listing_options options = {.consulta_url = run->options->consulta_url,
                                                 .date = run->options->date,
                                                 .final_day = run->list.info.final,
                                                 .keep_parts =
                                                     run->list.info.final && run->options->max_contratacoes == 0,
                                                 .rows_max = run->options->max_contratacoes};
    return pncp_listing_new(&options, run->fetch, &run->list, run->keys, &run->listing, err);
}

static enum pncp_code ask_for_compras(struct pncp_run *run, struct pncp_input *input, struct pncp_err *err)
{
    const struct pncp_compras_options options = {.consulta_url = run->options->consulta_url,
                                                 .list = &run->list,
                                                 .keys = run->keys,
                                                 .failed = run->works.failed,
                                                 .ctx = run->works.ctx};
    struct pncp_packed_key *asks = input->asks;
    size_t count = input->ask_count;
    input->asks = NULL;
    return pncp_compras_new(&options, run->fetch, asks, count, &run->compras, err);
}

static void warn_other_days(struct pncp_run *run, const char *where, int64_t rows)
{
    if (rows > 0)
        pncp_event_warning(run->event, "%s%s%" PRId64 " rows of another publication day left out", where,
                           where[0] == '\0' ? "" : ": ", rows);
}

/* The rows of the files given with --input as the day's list. It is as old as the oldest of them: one written while the
 * day was open does not make the day complete. */
static enum pncp_code take_input(struct pncp_run *run, struct pncp_err *err)
{
    const struct pncp_ingest_options *o = run->options;
    AUTO(pncp_input_release)
    struct pncp_input input = {.list = &run->list,
                               .keys = run->keys,
                               .rows_max = o->max_contratacoes,
                               .malformed = pncp_report_malformed,
                               .ctx = run};
    enum pncp_code rc = pncp_list_create(run->lake, o->date, &run->list, err);
    if (rc == PNCP_OK)
        rc = pncp_input_load(&input, o->input, err);
    if (rc != PNCP_OK)
        return rc;
    run->list.info.list_at_s = input.list_at_s;
    run->list.info.final = day_is_final(o, input.list_at_s * 1000000);
    warn_other_days(run, o->input, input.other_days);
    pncp_report_malformed_end(run);
    return input.ask_count > 0 ? ask_for_compras(run, &input, err) : PNCP_OK;
}

enum pncp_code pncp_run_open_saved_list(struct pncp_run *run, struct pncp_err *err)
{
    enum pncp_code rc = pncp_list_open(run->lake, run->options->date, &run->list, err);
    if (rc == PNCP_OK && !run->list.info.final) { /* taken while the day was open: it served that run only */
        pncp_list_release(&run->list);
        return PNCP_E_NOTFOUND;
    }
    if (rc == PNCP_E_PARSE) { /* it can be fetched again: nothing is lost */
        pncp_event_warning(run->event, "%s: listing again", err->msg);
        return PNCP_E_NOTFOUND;
    }
    return rc;
}

static enum pncp_code take_saved_list(struct pncp_run *run, struct pncp_err *err)
{
    enum pncp_code rc = pncp_run_open_saved_list(run, err);
    return rc == PNCP_OK ? mark_listed(run, run->options->max_contratacoes, err) : rc;
}

enum pncp_code pncp_run_open_list(struct pncp_run *run, struct pncp_err *err)
{
    enum pncp_code rc = run->options->input != NULL ? take_input(run, err) : take_saved_list(run, err);
    if (rc == PNCP_E_NOTFOUND && run->options->input == NULL)
        return pncp_run_begin_listing(run, err);
    if (rc != PNCP_OK)
        return rc;
    run->list_whole = run->malformed == 0 &&
                      (run->options->max_contratacoes == 0 || run->list.rows <= run->options->max_contratacoes);
    if (run->compras != NULL) /* the list grows */
        return PNCP_OK;
    run->phase = PNCP_PHASE_FETCHING;
    pncp_plan_list_complete(&run->plan);
    return PNCP_OK;
}

static enum pncp_code end_compras(struct pncp_run *run, struct pncp_err *err)
{
    enum pncp_code rc = pncp_compras_error(run->compras, err);
    if (rc != PNCP_OK)
        return rc;
    warn_other_days(run, run->options->input, pncp_compras_other_days(run->compras));
    return pncp_list_flush(&run->list, err);
}

enum pncp_code pncp_run_end_listing(struct pncp_run *run, struct pncp_err *err)
{
    if (run->compras != NULL)
        return end_compras(run, err);
    enum pncp_code rc = pncp_listing_error(run->listing, err);
    if (rc != PNCP_OK)
        return rc;
    warn_other_days(run, "", pncp_listing_other_days(run->listing));
    if (pncp_listing_repeated(run->listing) > 0)
        pncp_event_warning(run->event, "%" PRId64 " rows stand more than once in the listing, taken once",
                           pncp_listing_repeated(run->listing));
    struct pncp_listing_failure failures[PNCP_MODALIDADES_MAX];
    bool early = pncp_listing_stopped_early(run->listing);
    run->list_whole = !early && pncp_listing_failures(run->listing, failures) == 0;
    rc = pncp_list_flush(&run->list, err);
    if (rc == PNCP_OK && run->list_whole && run->list.rows > 0)
        rc = pncp_list_save(&run->list, err);
    return rc;
}

enum pncp_code pncp_run_fetch_list(struct pncp_run *run, struct pncp_err *err)
{
    enum pncp_code rc = pncp_run_begin_listing(run, err);
    while (rc == PNCP_OK && !pncp_listing_finished(run->listing)) {
        pncp_report_tick(run);
        rc = pncp_fetch_poll(run->fetch, PNCP_POLL_MS, pncp_stop_fd(), err);
        if (rc == PNCP_OK && pncp_stop_signal() != 0)
            rc = pncp_err_set(err, PNCP_E_CANCELLED, "stopped by a signal");
    }
    return rc == PNCP_OK ? pncp_listing_error(run->listing, err) : rc;
}

enum pncp_code pncp_run_start_fetcher(struct pncp_run *run, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf url = {0};
    enum pncp_code rc =
        pncp_fetch_new(&run->options->fetch, pncp_task_dispatch, pncp_report_note, run, &run->fetch, err);
    if (rc != PNCP_OK || !run->has_known)
        return rc;
    if (pncp_url_quantidade(&url, run->options->detail_url, &run->known, PNCP_PART_ITENS) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "fetch: out of memory");
    pncp_fetch_set_probe(run->fetch, PNCP_API_DETAIL, PNCP_KIND_COUNT, url.data);
    return PNCP_OK;
}

/* ---- the end ---------------------------------------------------------------------------------- */

void pncp_run_release(struct pncp_run *run)
{
    pncp_saver_release(&run->saver);
    pncp_fetch_free(run->fetch);
    pncp_listing_free(run->listing);
    pncp_compras_free(run->compras);
    pncp_works_release(&run->works);
    pncp_plan_release(&run->plan);
    for (int kind = 0; kind < PNCP_LOTS; kind++)
        pncp_filled_lot_release(&run->lots[kind]);
    pncp_renewals_release(&run->renewals);
    pncp_list_release(&run->list);
    pncp_falhas_release(&run->falhas);
    pncp_falhas_release(&run->falhas_before);
    pncp_data_release(&run->data);
    pncp_keyset_free(run->keys);
    pncp_hold_release(&run->hold);
    pncp_lake_free(run->lake);
}
