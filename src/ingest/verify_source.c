/* `verify --source`: the saved rows against the API as it answers now. Nothing is written but a list in a staging file.
 */
#include "base/mem.h"
#include "day/layout.h"
#include "ingest/ingest.h"
#include "ingest/run.h"
#include "ingest/task.h"
#include "pncp/url.h"

#include <stdio.h>

#define DIFFERENCES_TOLD 100 /* of a day that is all different the rest says nothing new; all are counted */

/* One /quantidade asked. */
struct question {
    struct pncp_task task; /* first */
    struct pncp_fetch_request request;
    struct checking *checking;
    struct pncp_buf url;
    struct pncp_key key;
    enum pncp_part part;
    enum pncp_situacao situacao;
    int64_t saved; /* rows saved; -1: ausente */
    struct question *next, **link;
};

struct checking {
    struct pncp_run *run;
    struct pncp_source_check *check;
    size_t open;                /* questions asked and not answered */
    struct question *questions; /* these */
    int64_t differences;
};

static void tell(struct checking *checking, const struct pncp_key *key, const char *what)
{
    char text[PNCP_KEY_TEXT_BYTES];
    if (checking->differences++ >= DIFFERENCES_TOLD)
        return;
    pncp_key_format(key, text);
    pncp_event_log(checking->run->event, PNCP_LEVEL_WARNING, "verify", "%s: %s", text, what);
}

static void forget(struct question *q)
{
    *q->link = q->next;
    if (q->next != NULL)
        q->next->link = q->link;
    q->checking->open--;
    pncp_buf_release(&q->url);
    pncp_free(q);
}

static void answered(struct pncp_task *task, struct pncp_fetch_request *request, struct pncp_verdict *verdict,
                     struct pncp_buf *body)
{
    (void)request;
    (void)body;
    struct question *q = (struct question *)task;
    struct pncp_source_check *check = q->checking->check;
    char what[160];
    bool given = verdict->kind == PNCP_VERDICT_ROWS || verdict->kind == PNCP_VERDICT_NO_ROWS ||
                 verdict->kind == PNCP_VERDICT_ABSENT;
    int64_t count = verdict->kind == PNCP_VERDICT_ROWS ? verdict->count : 0;
    check->asked++;
    if (!given) {
        char reason[PNCP_REASON_TEXT_BYTES];
        pncp_reason_format(verdict->reason, verdict->http_status, reason);
        (void)snprintf(what, sizeof(what), "%s: /quantidade did not answer: %s", pncp_part_text(q->part), reason);
        check->unanswered++;
        tell(q->checking, &q->key, what);
    } else if (count != PNCP_MAX(q->saved, (int64_t)0)) {
        (void)snprintf(what, sizeof(what), "%" PRId64 " %s saved (%s), /quantidade says %" PRId64,
                       PNCP_MAX(q->saved, (int64_t)0), pncp_part_text(q->part), pncp_situacao_text(q->situacao), count);
        *(q->part == PNCP_PART_ITENS ? &check->itens_differ : &check->arquivos_differ) += 1;
        tell(q->checking, &q->key, what);
    }
    forget(q);
}

/* Wait while as many questions are open as the API gets at once; all: until none is. */
static enum pncp_code drain(struct checking *checking, bool all, struct pncp_err *err)
{
    struct pncp_fetch *fetch = checking->run->fetch;
    while (checking->open > (all ? 0 : 2 * pncp_fetch_limit(fetch, PNCP_API_DETAIL))) {
        enum pncp_code rc = pncp_fetch_poll(fetch, PNCP_POLL_MS, pncp_stop_fd(), err);
        if (rc == PNCP_OK && pncp_stop_signal() != 0)
            rc = pncp_err_set(err, PNCP_E_CANCELLED, "stopped by a signal");
        if (rc != PNCP_OK)
            return rc;
    }
    return PNCP_OK;
}

static enum pncp_code ask(struct checking *checking, const struct pncp_data_row *row, enum pncp_part part,
                          struct pncp_err *err)
{
    struct question *q = pncp_calloc(1, sizeof(*q));
    if (q == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "verify: out of memory");
    q->task.done = answered;
    q->checking = checking;
    q->key = row->key;
    q->part = part;
    q->situacao = part == PNCP_PART_ITENS ? row->itens : row->arquivos;
    q->saved = part == PNCP_PART_ITENS ? row->itens_total : row->arquivos_total;
    if (pncp_url_quantidade(&q->url, checking->run->options->detail_url, &q->key, part) != PNCP_OK) {
        pncp_buf_release(&q->url);
        pncp_free(q);
        return pncp_err_set(err, PNCP_E_NOMEM, "verify: out of memory");
    }
    q->request = (struct pncp_fetch_request){
        .api = PNCP_API_DETAIL, .kind = PNCP_KIND_COUNT, .url = q->url.data, .owner = &q->task};
    q->next = checking->questions;
    q->link = &checking->questions;
    if (q->next != NULL)
        q->next->link = &q->next;
    checking->questions = q;
    checking->open++;
    pncp_fetch_submit(checking->run->fetch, &q->request, false);
    return PNCP_OK;
}

static enum pncp_code check_row(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    struct checking *checking = ctx;
    if ((pncp_keyset_get(checking->run->keys, pncp_key_pack(&row->key)) & PNCP_KEY_LISTED) == 0) {
        checking->check->not_listed++;
        tell(checking, &row->key, "saved, but the listing does not have it (any more)");
    }
    enum pncp_code rc = drain(checking, false, err);
    for (int part = 0; rc == PNCP_OK && part < PNCP_PARTS; part++)
        rc = ask(checking, row, (enum pncp_part)part, err);
    return rc;
}

/* Rows of the fresh list that are not saved. */
static enum pncp_code check_listed(struct checking *checking, struct pncp_err *err)
{
    struct pncp_run *run = checking->run;
    AUTO(pncp_table_release) struct pncp_table table = {0};
    if (pncp_table_init(&table, pncp_list_schema()) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "list: out of memory");
    for (size_t group = 0; group < pncp_list_groups(&run->list); group++) {
        enum pncp_code rc = pncp_list_read_keys(&run->list, group, &table, err);
        for (size_t row = 0; rc == PNCP_OK && row < table.rows; row++) {
            struct pncp_key key;
            rc = pncp_list_row_key(&table, row, &key, err);
            if (rc == PNCP_OK && (pncp_keyset_get(run->keys, pncp_key_pack(&key)) & PNCP_KEY_SAVED) == 0) {
                checking->check->not_saved++;
                tell(checking, &key, "listed, not saved");
            }
        }
        if (rc != PNCP_OK)
            return rc;
    }
    return PNCP_OK;
}

static enum pncp_code compare(struct checking *checking, struct pncp_err *err)
{
    struct pncp_run *run = checking->run;
    enum pncp_code rc = pncp_run_open_day(run, err);
    if (rc == PNCP_OK)
        rc = pncp_run_start_fetcher(run, err);
    if (rc == PNCP_OK)
        rc = pncp_run_fetch_list(run, err);
    if (rc == PNCP_OK)
        rc = pncp_list_flush(&run->list, err);
    if (rc != PNCP_OK)
        return rc;
    struct pncp_listing_failure failures[PNCP_MODALIDADES_MAX];
    checking->check->modalidades_failed = (int64_t)pncp_listing_failures(run->listing, failures);
    rc = check_listed(checking, err);
    if (rc == PNCP_OK)
        rc = pncp_data_each_row(&run->data, &(struct pncp_row_walk){check_row, NULL, checking}, NULL, err);
    if (rc == PNCP_OK)
        rc = drain(checking, true, err);
    if (checking->differences > DIFFERENCES_TOLD)
        pncp_event_log(run->event, PNCP_LEVEL_WARNING, "verify", "… and %" PRId64 " more differences",
                       checking->differences - DIFFERENCES_TOLD);
    return rc;
}

enum pncp_code pncp_verify_source(const struct pncp_ingest_options *options, struct pncp_event *event,
                                  struct pncp_source_check *ret_check, struct pncp_err *err)
{
    struct pncp_run run;
    struct pncp_day_summary day = {.date = options->date}; /* the run's counts, which nobody asks for here */
    const struct pncp_began began = pncp_began_now();
    struct pncp_source_check check = {0};
    struct checking checking = {.run = &run, .check = &check};
    pncp_run_init(&run, &began, options, event, &day);
    const struct pncp_lake_options lake = {.run_id = run.run_id, .unsafe_store = options->unsafe_store};
    enum pncp_code rc = pncp_lake_open(options->lake_url, &lake, &run.lake, err);
    if (rc == PNCP_OK)
        rc = compare(&checking, err);
    pncp_run_release(&run); /* and with it the fetcher, which holds requests of these */
    while (checking.questions != NULL)
        forget(checking.questions);
    *ret_check = check;
    return rc;
}
