#include "base/mem.h"
#include "day/data_int.h"
#include "json/json.h"

#include <stdio.h>
#include <string.h>

/* ---- reading --------------------------------------------------------------------------------- */

static bool copy_text(yyjson_val *val, char *to, size_t bytes)
{
    struct pncp_view text = pncp_json_text(val);
    if (text.len >= bytes)
        return false;
    memcpy(to, text.data, text.len);
    to[text.len] = '\0';
    return true;
}

static uint32_t milliseconds(yyjson_val *ms, const char *name)
{
    int64_t value;
    return pncp_json_int(pncp_json_get(ms, name), &value) && value >= 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

/* Below 2^40, so that sums of them stay far from overflow. */
static bool is_count(int64_t value)
{
    return value >= 0 && value < INT64_C(1) << 40;
}

static bool read_entry(yyjson_val *object, struct pncp_history_entry *ret_entry)
{
    struct pncp_history_entry e = {0};
    int64_t n, at_us;
    struct pncp_view kind = pncp_json_text(pncp_json_get(object, "kind"));
    e.sum = pncp_view_eq_text(kind, "sum");
    e.rewrite = pncp_view_eq_text(kind, "rewrite");
    if (!e.sum && !e.rewrite && !pncp_view_eq_text(kind, "append"))
        return false;
    bool sound =
        copy_text(pncp_json_get(object, "run"), e.run, sizeof(e.run)) &&
        (e.sum || (copy_text(pncp_json_get(object, "id"), e.id, sizeof(e.id)) && strlen(e.id) + 1 == sizeof(e.id))) &&
        pncp_json_int(pncp_json_get(object, e.sum ? "checkpoints" : "n"), &n) && n >= 0 && n <= UINT32_MAX &&
        pncp_datetime_parse(pncp_json_text(pncp_json_get(object, "at")), &at_us) &&
        pncp_json_int(pncp_json_get(object, "contratacoes"), &e.contratacoes) &&
        pncp_json_int(pncp_json_get(object, "itens"), &e.itens) &&
        pncp_json_int(pncp_json_get(object, "arquivos"), &e.arquivos);
    if (!sound)
        return false;
    if (!is_count(e.contratacoes) || !is_count(e.itens) || !is_count(e.arquivos))
        return false;
    yyjson_val *ms = pncp_json_get(object, "ms");
    e.n = (uint32_t)n;
    e.at_s = at_us / 1000000;
    if (!pncp_json_int(pncp_json_get(object, "bytes"), &e.bytes))
        e.bytes = 0;
    e.ms_encode = milliseconds(ms, "encode");
    e.ms_read = milliseconds(ms, "read");
    e.ms_send = milliseconds(ms, "send");
    e.ms_commit = milliseconds(ms, "commit");
    *ret_entry = e;
    return true;
}

enum pncp_code pncp_history_parse(struct pncp_view text, struct pncp_history_entry **ret_entries, size_t *ret_count,
                                  struct pncp_err *err)
{
    AUTO(pncp_json_release) struct pncp_json json = {0};
    enum pncp_code rc = pncp_json_parse(text, &json, NULL, err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "pncp.history");
    if (!yyjson_is_arr(json.root))
        return pncp_err_set(err, PNCP_E_PARSE, "pncp.history is not an array");
    size_t count = 0;
    AUTO(pncp_free_ptr) struct pncp_history_entry *entries = pncp_calloc(yyjson_arr_size(json.root), sizeof(*entries));
    if (entries == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "pncp.history: out of memory");
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(json.root, &iter);
    for (yyjson_val *object; (object = yyjson_arr_iter_next(&iter)) != NULL;) {
        if (!read_entry(object, &entries[count++]))
            return pncp_err_set(err, PNCP_E_PARSE, "pncp.history: entry %zu is damaged", count - 1);
    }
    *ret_entries = entries;
    *ret_count = count;
    entries = NULL;
    return PNCP_OK;
}

bool pncp_history_has(const struct pncp_data *data, const char *id, bool *ret_newest)
{
    for (size_t i = data->history_count; i-- > 0;) {
        if (!data->history[i].sum && strcmp(data->history[i].id, id) == 0) {
            *ret_newest = i + 1 == data->history_count;
            return true;
        }
    }
    return false;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void put_entry(struct pncp_json_writer *w, const struct pncp_history_entry *e)
{
    pncp_json_object_begin(w);
    if (!e->sum)
        pncp_json_field_text(w, "id", pncp_view_of(e->id));
    pncp_json_field_text(w, "run", pncp_view_of(e->run));
    pncp_json_field_int(w, e->sum ? "checkpoints" : "n", e->n);
    pncp_json_field_time(w, "at", e->at_s * 1000000);
    pncp_json_field_text(w, "kind", pncp_view_of(e->sum ? "sum" : e->rewrite ? "rewrite" : "append"));
    pncp_json_field_int(w, "contratacoes", e->contratacoes);
    pncp_json_field_int(w, "itens", e->itens);
    pncp_json_field_int(w, "arquivos", e->arquivos);
    if (!e->sum) {
        pncp_json_key(w, "ms");
        pncp_json_object_begin(w);
        pncp_json_field_int(w, "encode", e->ms_encode);
        pncp_json_field_int(w, "read", e->ms_read);
        pncp_json_field_int(w, "send", e->ms_send);
        pncp_json_field_int(w, "commit", e->ms_commit);
        pncp_json_object_end(w);
        pncp_json_field_int(w, "bytes", e->bytes);
    }
    pncp_json_object_end(w);
}

/* `known`: what comes before the entries, as it stands in a history without its brackets. */
static enum pncp_code put_entries(struct pncp_view known, const struct pncp_history_entry *entries, size_t count,
                                  struct pncp_buf *text)
{
    struct pncp_json_writer w;
    pncp_buf_clear(text);
    pncp_json_writer_init(&w, text);
    pncp_json_array_begin(&w);
    if (known.len > 0)
        pncp_json_put_raw(&w, known);
    for (size_t i = 0; i < count; i++)
        put_entry(&w, &entries[i]);
    pncp_json_array_end(&w);
    return pncp_json_writer_end(&w);
}

/* Add `e`, summed, to entries[from, kept); gives the new kept. Two runs may have taken turns. */
static size_t sum_entry(struct pncp_history_entry *entries, size_t from, size_t kept, struct pncp_history_entry e)
{
    size_t same = from;
    if (!e.sum)
        e.n = 1;
    e.sum = true;
    e.id[0] = '\0'; /* nor has it sizes and times */
    e.bytes = 0;
    e.ms_encode = e.ms_read = e.ms_send = e.ms_commit = 0;
    while (same < kept && strcmp(entries[same].run, e.run) != 0)
        same++;
    if (same == kept) {
        entries[kept] = e;
        return kept + 1;
    }
    struct pncp_history_entry *sum = &entries[same];
    sum->n += e.n;
    sum->at_s = e.at_s;
    sum->contratacoes += e.contratacoes;
    sum->itens += e.itens;
    sum->arquivos += e.arquivos;
    return kept;
}

/* Sum all but the newest per run, in place. Of the rewrites among the old ones the newest stays, whole, between what
 * was before it and what came after (it counts all rows of its time, pncp_data_totals); the others are forgotten: they
 * added no rows. Gives the new count. */
static size_t sum_old(struct pncp_history_entry *entries, size_t count)
{
    size_t whole = PNCP_MIN(count, (size_t)PNCP_HISTORY_WHOLE), old = count - whole, kept = 0, from = 0, rewrite = old;
    for (size_t i = 0; i < old; i++) {
        if (entries[i].rewrite)
            rewrite = i;
    }
    for (size_t i = 0; i < old; i++) {
        const struct pncp_history_entry e = entries[i];
        if (i == rewrite) {
            entries[kept++] = e;
            from = kept;
        } else if (!e.rewrite) {
            kept = sum_entry(entries, from, kept, e);
        }
    }
    memmove(&entries[kept], &entries[old], whole * sizeof(*entries));
    return kept + whole;
}

/* The text of the entries, of which some are summed when it is too long. `known`: that of all but the newest, if it is
 * one that we wrote. */
static enum pncp_code write_text(struct pncp_history *history, struct pncp_view known)
{
    const struct pncp_view none = {"", 0};
    bool goes_on = history->count > 1 && pncp_view_starts(known, "[{") && pncp_view_ends(known, "}]");
    size_t first = goes_on ? history->count - 1 : 0;
    struct pncp_view inner = goes_on ? (struct pncp_view){known.data + 1, known.len - 2} : none;
    enum pncp_code rc = put_entries(inner, history->entries + first, history->count - first, &history->text);
    if (rc != PNCP_OK || history->text.len <= PNCP_HISTORY_TEXT_MAX)
        return rc;
    history->count = sum_old(history->entries, history->count);
    return put_entries(none, history->entries, history->count, &history->text);
}

void pncp_history_release(struct pncp_history *history)
{
    pncp_free(history->entries);
    pncp_buf_release(&history->text);
    *history = (struct pncp_history){0};
}

enum pncp_code pncp_history_add(const struct pncp_history_entry *entries, size_t count, struct pncp_view text,
                                const struct pncp_history_entry *added, struct pncp_history *ret_history,
                                struct pncp_err *err)
{
    struct pncp_history history = {.entries = pncp_calloc(count + 1, sizeof(*entries)), .count = count + 1};
    enum pncp_code rc = history.entries == NULL ? PNCP_E_NOMEM : PNCP_OK;
    if (rc == PNCP_OK) {
        if (count > 0)
            memcpy(history.entries, entries, count * sizeof(*entries));
        history.entries[count] = *added;
        rc = write_text(&history, text);
    }
    if (rc != PNCP_OK) {
        pncp_history_release(&history);
        return pncp_err_set(err, rc, "pncp.history: out of memory");
    }
    *ret_history = history;
    return PNCP_OK;
}

enum pncp_code pncp_data_next_history(const struct pncp_data *data, const struct pncp_history_entry *added,
                                      struct pncp_history *ret_history, struct pncp_err *err)
{
    struct pncp_view text = {"", 0};
    if (data->exists)
        (void)pncp_footer_kv(&data->footer, "pncp.history", &text);
    return pncp_history_add(data->history, data->history_count, text, added, ret_history, err);
}
