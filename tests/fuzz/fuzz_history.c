/*
 * The history in a file's metadata.
 * Input: how often what follows is repeated, less one · the text of a history.
 * True: parsed, formatted and parsed again it is the same; when it grows too long the newest entries stay whole and the
 * sums lose nothing.
 */
#include "day/data_int.h"
#include "fuzz.h"
#include "json/json.h"

/* Of a sum no sizes and times are kept. */
static bool same_entry(const struct pncp_history_entry *a, const struct pncp_history_entry *b)
{
    return strcmp(a->id, b->id) == 0 && strcmp(a->run, b->run) == 0 && a->rewrite == b->rewrite && a->sum == b->sum &&
           a->n == b->n && a->at_s == b->at_s && a->contratacoes == b->contratacoes && a->itens == b->itens &&
           a->arquivos == b->arquivos &&
           (a->sum || (a->bytes == b->bytes && a->ms_encode == b->ms_encode && a->ms_read == b->ms_read &&
                       a->ms_send == b->ms_send && a->ms_commit == b->ms_commit));
}

struct totals { /* modulo 2^64: a damaged history may say anything */
    uint64_t contratacoes, itens, arquivos, checkpoints;
};

static struct totals totals_of(const struct pncp_history_entry *entries, size_t count)
{
    struct totals totals = {0};
    for (size_t i = 0; i < count; i++) {
        if (entries[i].rewrite) /* no rows of its own */
            continue;
        totals.contratacoes += (uint64_t)entries[i].contratacoes;
        totals.itens += (uint64_t)entries[i].itens;
        totals.arquivos += (uint64_t)entries[i].arquivos;
        totals.checkpoints += entries[i].sum ? entries[i].n : 1;
    }
    return totals;
}

struct history {
    struct pncp_history_entry *entries;
    size_t count;
};

static void history_release(struct history *history)
{
    pncp_free(history->entries);
}

static struct history parse(struct pncp_view text)
{
    struct pncp_err err = PNCP_ERR_INIT;
    struct history history = {0};
    enum pncp_code rc = pncp_history_parse(text, &history.entries, &history.count, &err);
    FUZZ_CHECK(rc == PNCP_OK || (rc == PNCP_E_PARSE && fuzz_is_message(err.msg, sizeof(err.msg))));
    FUZZ_CHECK(rc == PNCP_OK || (history.entries == NULL && history.count == 0));
    return history;
}

/* Is every whole number of `formatted`, below too, the one that `given` has there? */
static void check_numbers(yyjson_val *formatted, yyjson_val *given)
{
    yyjson_obj_iter iter;
    yyjson_obj_iter_init(formatted, &iter);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;) {
        const char *name = yyjson_get_str(key); /* one of ours: no NUL within */
        yyjson_val *mine = yyjson_obj_iter_get_val(key), *theirs = pncp_json_get(given, name);
        int64_t number, expected;
        if (yyjson_is_obj(mine))
            check_numbers(mine, theirs);
        else if (pncp_json_int(mine, &number) && number != 0) /* 0 stands for what is not there or out of range */
            FUZZ_CHECK(pncp_json_int(theirs, &expected) && number == expected);
        else if (pncp_json_int(theirs, &expected))
            FUZZ_CHECK(expected <= 0 || expected > UINT32_MAX);
    }
}

/* A history that was not summed, against the text that it was parsed from. */
static void check_text(struct pncp_view formatted, struct pncp_view given)
{
    AUTO(pncp_json_release) struct pncp_json a = {0}, b = {0};
    FUZZ_CHECK(pncp_json_parse(formatted, &a, NULL, NULL) == PNCP_OK);
    FUZZ_CHECK(pncp_json_parse(given, &b, NULL, NULL) == PNCP_OK);
    FUZZ_CHECK(yyjson_arr_size(a.root) == yyjson_arr_size(b.root));
    for (size_t i = 0; i < yyjson_arr_size(a.root); i++)
        check_numbers(yyjson_arr_get(a.root, i), yyjson_arr_get(b.root, i));
}

static struct history repeated(const struct history *once, unsigned times)
{
    struct history many = {.entries = pncp_calloc(once->count * times + 1, sizeof(*many.entries))};
    FUZZ_CHECK(many.entries != NULL);
    for (unsigned i = 0; i < times; i++) {
        for (size_t k = 0; k < once->count; k++)
            many.entries[many.count++] = once->entries[k];
    }
    return many;
}

static void check_summed(const struct history *before, const struct history *after)
{
    size_t whole = PNCP_MIN(before->count, (size_t)PNCP_HISTORY_WHOLE);
    struct totals a = totals_of(before->entries, before->count), b = totals_of(after->entries, after->count);
    FUZZ_CHECK(a.contratacoes == b.contratacoes && a.itens == b.itens && a.arquivos == b.arquivos);
    FUZZ_CHECK((uint32_t)a.checkpoints == (uint32_t)b.checkpoints); /* n has 32 bits */
    FUZZ_CHECK(after->count >= whole);
    for (size_t i = 1; i <= whole; i++)
        FUZZ_CHECK(same_entry(&before->entries[before->count - i], &after->entries[after->count - i]));
    size_t rewrites = 0;
    for (size_t i = 0; i + whole < after->count; i++) {
        rewrites += after->entries[i].rewrite; /* the newest of the old ones may stay */
        FUZZ_CHECK(after->entries[i].rewrite || (after->entries[i].sum && after->entries[i].id[0] == '\0'));
    }
    FUZZ_CHECK(rewrites <= 1);
    const struct pncp_data old = {.history = before->entries, .history_count = before->count},
                           new = {.history = after->entries, .history_count = after->count};
    const struct pncp_day_totals c = pncp_data_totals(&old), d = pncp_data_totals(&new);
    FUZZ_CHECK(c.contratacoes == d.contratacoes && c.itens == d.itens && c.arquivos == d.arquivos);
}

/* `given`: the text it was parsed from, empty when it is not known. */
static void check_history(const struct history *history, struct pncp_view given)
{
    if (history->count == 0)
        return;
    size_t last = history->count - 1;
    const struct pncp_view unknown = {"", 0};
    AUTO(pncp_history_release) struct pncp_history written = {0}, before = {0}, again = {0};
    FUZZ_CHECK(pncp_history_add(history->entries, last, unknown, &history->entries[last], &written, NULL) == PNCP_OK);
    struct pncp_view text = pncp_buf_view(&written.text);
    AUTO(history_release) struct history parsed = parse(text);
    FUZZ_CHECK(parsed.entries != NULL);
    bool whole = parsed.count == history->count;
    for (size_t i = 0; whole && i < parsed.count; i++)
        whole = same_entry(&history->entries[i], &parsed.entries[i]);
    if (!whole) /* it was too long */
        check_summed(history, &parsed);
    else if (given.len > 0)
        check_text(text, given);
    /* one more to a text that is known, as the next checkpoint has it */
    if (last == 0 || text.len > PNCP_HISTORY_TEXT_MAX || !whole)
        return;
    FUZZ_CHECK(pncp_history_add(history->entries, last - 1, unknown, &history->entries[last - 1], &before, NULL) ==
               PNCP_OK);
    FUZZ_CHECK(pncp_history_add(before.entries, before.count, pncp_buf_view(&before.text), &history->entries[last],
                                &again, NULL) == PNCP_OK);
    FUZZ_CHECK(pncp_view_eq(text, pncp_buf_view(&again.text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_open(data, size);
    unsigned times = 1 + fuzz_byte(&in);
    struct pncp_view text = fuzz_rest(&in);
    AUTO(history_release) struct history once = parse(text);
    if (once.entries == NULL)
        return 0;
    AUTO(history_release) struct history many = repeated(&once, once.count > 64 ? 1 : times);
    check_history(&once, text);
    check_history(&many, (struct pncp_view){"", 0});
    return 0;
}
