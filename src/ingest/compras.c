#include "ingest/compras.h"
#include "base/mem.h"
#include "ingest/task.h"
#include "pncp/rows.h"
#include "pncp/url.h"

#include <assert.h>

struct compra {
    struct pncp_task task; /* first: what the fetcher gives back */
    struct pncp_fetch_request request;
    struct pncp_compras *compras;
    struct pncp_buf url;
    bool answered;
    enum pncp_reason reason; /* why not, unless `json` has it */
    long http_status;
    struct pncp_json json;
};

struct pncp_compras {
    struct pncp_compras_options options;
    struct pncp_fetch *fetch;
    struct pncp_packed_key *asks;
    size_t count, turn, next;                  /* keys: in all; the next to be released; to be asked for */
    size_t asking;                             /* handed to the fetcher */
    struct compra window[PNCP_COMPRAS_WINDOW]; /* key i is at i % PNCP_COMPRAS_WINDOW, for turn <= i < next */
    int64_t other_days;
    bool finished;
    struct pncp_err error;
};

static void fail(struct pncp_compras *compras, const struct pncp_err *err, enum pncp_code rc)
{
    compras->error = *err;
    compras->error.code = rc;
    compras->finished = true;
}

static struct compra *compra_at(struct pncp_compras *compras, size_t i)
{
    return &compras->window[i % PNCP_COMPRAS_WINDOW];
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void compra_done(struct pncp_task *task, struct pncp_fetch_request *request, struct pncp_verdict *verdict,
                        struct pncp_buf *body);

static void ask(struct pncp_compras *compras, size_t i)
{
    struct compra *compra = compra_at(compras, i);
    struct pncp_key key;
    struct pncp_err err = PNCP_ERR_INIT;
    pncp_key_unpack(compras->asks[i], &key);
    *compra = (struct compra){.task = {compra_done}, .compras = compras, .url = pncp_buf_take(&compra->url)};
    if (pncp_url_compra(&compra->url, compras->options.consulta_url, &key) != PNCP_OK) {
        fail(compras, &err, pncp_err_set(&err, PNCP_E_NOMEM, "contratacoes of --input: out of memory"));
        return;
    }
    compra->request = (struct pncp_fetch_request){
        .api = PNCP_API_CONSULTA, .kind = PNCP_KIND_OBJECT, .url = compra->url.data, .owner = &compra->task};
    compras->asking++;
    pncp_fetch_submit(compras->fetch, &compra->request, false);
}

static void ask_more(struct pncp_compras *compras)
{
    while (!compras->finished && compras->asking < PNCP_COMPRAS_ASKING && compras->next < compras->count &&
           compras->next - compras->turn < PNCP_COMPRAS_WINDOW)
        ask(compras, compras->next++);
}

/* ---- what came ------------------------------------------------------------------------------- */

/* The answer as a row of the list. *ret_reason: why it cannot be one; NONE: it is, or is of another day. */
static enum pncp_code add_row(struct pncp_compras *compras, const struct compra *compra, struct pncp_packed_key asked,
                              enum pncp_reason *ret_reason, struct pncp_err *err)
{
    struct pncp_key key;
    struct pncp_date date;
    *ret_reason = PNCP_REASON_NONE;
    if (pncp_rows_key(compra->json.root, &key, NULL) != PNCP_OK) {
        *ret_reason = PNCP_REASON_MALFORMED_KEY;
        return PNCP_OK;
    }
    if (pncp_packed_key_cmp(pncp_key_pack(&key), asked) != 0 || !pncp_rows_day(compra->json.root, &date)) {
        *ret_reason = PNCP_REASON_WRONG_KIND; /* another contratação than was asked for, or one never published */
        return PNCP_OK;
    }
    if (date.days != compras->options.list->date.days) {
        pncp_keyset_clear(compras->options.keys, asked, PNCP_KEY_LISTED);
        compras->other_days++;
        return PNCP_OK;
    }
    enum pncp_code rc =
        pncp_rows_put_known(pncp_list_pending(compras->options.list), &key, date, compra->json.root, err);
    return rc == PNCP_OK ? pncp_list_added(compras->options.list, err) : rc;
}

static enum pncp_code release(struct pncp_compras *compras, struct pncp_err *err)
{
    struct pncp_packed_key key = compras->asks[compras->turn];
    struct compra *compra = compra_at(compras, compras->turn++);
    enum pncp_reason reason = compra->reason;
    enum pncp_code rc = compra->json.root == NULL ? PNCP_OK : add_row(compras, compra, key, &reason, err);
    pncp_json_release(&compra->json);
    if (rc == PNCP_OK && reason != PNCP_REASON_NONE) {
        const struct pncp_work_failure failure = {.key = key,
                                                  .part = PNCP_FALHA_AMBAS,
                                                  .contratacao = true,
                                                  .reason = reason,
                                                  .http_status = compra->http_status};
        compras->options.failed(compras->options.ctx, &failure);
    }
    return rc;
}

/* Release what is there in turn, once it is worth a group or there is nothing to wait for. The first groups are small,
 * each twice the one before: details begin at once, and a run that has little time gets somewhere. */
static void advance(struct pncp_compras *compras)
{
    struct pncp_err err = PNCP_ERR_INIT;
    size_t worth = PNCP_MIN(compras->turn + 1, (size_t)PNCP_COMPRAS_ROWS);
    size_t ready = compras->turn;
    while (ready < compras->next && compra_at(compras, ready)->answered)
        ready++;
    if (ready - compras->turn >= worth || ready == compras->count) {
        while (compras->turn < ready) {
            enum pncp_code rc = release(compras, &err);
            if (rc != PNCP_OK) {
                fail(compras, &err, rc);
                return;
            }
        }
    }
    compras->finished = compras->turn == compras->count;
    ask_more(compras);
}

static void compra_done(struct pncp_task *task, struct pncp_fetch_request *request, struct pncp_verdict *verdict,
                        struct pncp_buf *body)
{
    (void)request;
    (void)body;
    struct compra *compra = (struct compra *)task;
    struct pncp_compras *compras = compra->compras;
    compras->asking--;
    compra->answered = true;
    if (verdict->kind == PNCP_VERDICT_ROWS) {
        compra->json = verdict->json;
        verdict->json = (struct pncp_json){0};
    } else { /* 204 has no reason of its own: it says nothing of a contratação that the path names */
        compra->reason = verdict->kind == PNCP_VERDICT_NO_ROWS ? PNCP_REASON_HTTP : verdict->reason;
        compra->http_status = verdict->http_status;
    }
    if (!compras->finished)
        advance(compras);
}

/* ---- public ---------------------------------------------------------------------------------- */

enum pncp_code pncp_compras_new(const struct pncp_compras_options *options, struct pncp_fetch *fetch,
                                struct pncp_packed_key *asks, size_t count, struct pncp_compras **ret_compras,
                                struct pncp_err *err)
{
    assert(count > 0);
    struct pncp_compras *compras = pncp_calloc(1, sizeof(*compras));
    if (compras == NULL) {
        pncp_free(asks);
        return pncp_err_set(err, PNCP_E_NOMEM, "contratacoes of --input: out of memory");
    }
    compras->options = *options;
    compras->fetch = fetch;
    compras->asks = asks;
    compras->count = count;
    ask_more(compras);
    *ret_compras = compras;
    return PNCP_OK;
}

void pncp_compras_free(struct pncp_compras *compras)
{
    if (compras == NULL)
        return;
    for (size_t i = 0; i < PNCP_COMPRAS_WINDOW; i++) {
        pncp_buf_release(&compras->window[i].url);
        pncp_json_release(&compras->window[i].json);
    }
    pncp_free(compras->asks);
    pncp_free(compras);
}

bool pncp_compras_finished(const struct pncp_compras *compras)
{
    return compras->finished;
}

void pncp_compras_stop(struct pncp_compras *compras)
{
    compras->finished = true;
}

enum pncp_code pncp_compras_error(const struct pncp_compras *compras, struct pncp_err *ret_err)
{
    if (compras->error.code != PNCP_OK && ret_err != NULL)
        *ret_err = compras->error;
    return compras->error.code;
}

int64_t pncp_compras_left(const struct pncp_compras *compras)
{
    return (int64_t)(compras->count - compras->turn);
}

int64_t pncp_compras_other_days(const struct pncp_compras *compras)
{
    return compras->other_days;
}
