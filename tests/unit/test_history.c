/* pncp.history: there and back, summed when it grows too long, refused when it is damaged. */
#include "base/mem.h"
#include "day/data_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define AT INT64_C(1761202923) /* 2025-10-23T07:02:03Z */

static struct pncp_history_entry entry(unsigned number, const char *run)
{
    struct pncp_history_entry e = {.n = number,
                                   .at_s = AT + number,
                                   .contratacoes = number,
                                   .itens = 10 * number,
                                   .arquivos = 100 * number,
                                   .bytes = 1000 * number,
                                   .ms_encode = 1,
                                   .ms_read = 2,
                                   .ms_send = 3,
                                   .ms_commit = 4};
    (void)snprintf(e.id, sizeof(e.id), "%032x", number);
    (void)snprintf(e.run, sizeof(e.run), "%s", run);
    return e;
}

static void assert_same(const struct pncp_history_entry *a, const struct pncp_history_entry *b)
{
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->run, b->run);
    assert_true(a->rewrite == b->rewrite && a->sum == b->sum && a->n == b->n && a->at_s == b->at_s);
    assert_int_equal(a->contratacoes, b->contratacoes);
    assert_int_equal(a->itens, b->itens);
    assert_int_equal(a->arquivos, b->arquivos);
    assert_int_equal(a->bytes, b->bytes);
    assert_true(a->ms_encode == b->ms_encode && a->ms_read == b->ms_read);
    assert_true(a->ms_send == b->ms_send && a->ms_commit == b->ms_commit);
}

static void parse(const struct pncp_buf *text, struct pncp_history_entry **entries, size_t *count)
{
    struct pncp_err err = PNCP_ERR_INIT;
    if (pncp_history_parse(pncp_buf_view(text), entries, count, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
}

/* The text of those and one more; NULL: the last of them is that one. */
static void format(const struct pncp_history_entry *entries, size_t count, const struct pncp_history_entry *added,
                   struct pncp_buf *ret_text)
{
    struct pncp_history history;
    struct pncp_err err = PNCP_ERR_INIT;
    count -= added == NULL;
    assert_int_equal(
        pncp_history_add(entries, count, PNCP_VIEW_LIT(""), added == NULL ? &entries[count] : added, &history, &err),
        PNCP_OK);
    pncp_buf_release(ret_text);
    *ret_text = pncp_buf_take(&history.text);
    pncp_history_release(&history);
}

static void it_reads_to_the_letter(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    struct pncp_history_entry entries[] = {entry(1, "run-1"), entry(2, "run-1")};
    entries[0].sum = true;
    entries[1].rewrite = true;
    const struct pncp_history_entry added = entry(3, "run-2");
    format(entries, 2, &added, &text);
    assert_int_equal(pncp_buf_append(&text, "", 1), PNCP_OK);
    assert_string_equal(
        text.data,
        "[{\"run\":\"run-1\",\"checkpoints\":1,\"at\":\"2025-10-23T07:02:04Z\",\"kind\":\"sum\",\"contratacoes\":1,"
        "\"itens\":10,\"arquivos\":100},"
        "{\"id\":\"00000000000000000000000000000002\",\"run\":\"run-1\",\"n\":2,\"at\":\"2025-10-23T07:02:05Z\","
        "\"kind\":\"rewrite\",\"contratacoes\":2,\"itens\":20,\"arquivos\":200,"
        "\"ms\":{\"encode\":1,\"read\":2,\"send\":3,\"commit\":4},\"bytes\":2000},"
        "{\"id\":\"00000000000000000000000000000003\",\"run\":\"run-2\",\"n\":3,\"at\":\"2025-10-23T07:02:06Z\","
        "\"kind\":\"append\",\"contratacoes\":3,\"itens\":30,\"arquivos\":300,"
        "\"ms\":{\"encode\":1,\"read\":2,\"send\":3,\"commit\":4},\"bytes\":3000}]");
}

static void there_and_back(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf text = {0}, again = {0};
    struct pncp_history_entry *entries, written[] = {entry(1, "run-1"), entry(2, "run-1"), entry(3, "run-2")};
    size_t count;
    written[0].sum = true;
    written[0].id[0] = '\0';
    written[0].bytes = 0;
    written[0].ms_encode = written[0].ms_read = written[0].ms_send = written[0].ms_commit = 0;
    written[1].rewrite = true;
    format(written, 3, NULL, &text);
    parse(&text, &entries, &count);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_same(&entries[i], &written[i]);
    format(entries, 3, NULL, &again);
    assert_true(pncp_view_eq(pncp_buf_view(&text), pncp_buf_view(&again)));
    pncp_free(entries);
    /* none at all */
    pncp_buf_clear(&text);
    assert_int_equal(pncp_buf_text(&text, "[]"), PNCP_OK);
    parse(&text, &entries, &count);
    assert_int_equal(count, 0);
    pncp_free(entries);
}

/* What stands there stays as it is, also what only a later version of this program understands. */
static void a_known_text_is_gone_on_with(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf known = {0}, whole = {0};
    const struct pncp_history_entry entries[] = {entry(1, "run-1"), entry(2, "run-1"), entry(3, "run-2")};
    struct pncp_err err = PNCP_ERR_INIT;
    format(entries, 3, NULL, &whole);
    static const char *const others[] = {"", "[]", "[ ]", "{}", "[{}] "}; /* not what we write: all is written anew */
    for (size_t i = 0; i <= PNCP_ARRAY_LEN(others); i++) {
        AUTO(pncp_history_release) struct pncp_history history = {0};
        format(entries, 2, NULL, &known);
        struct pncp_view text = i == 0 ? pncp_buf_view(&known) : pncp_view_of(others[i - 1]);
        assert_int_equal(pncp_history_add(entries, 2, text, &entries[2], &history, &err), PNCP_OK);
        assert_true(pncp_view_eq(pncp_buf_view(&history.text), pncp_buf_view(&whole)));
        assert_int_equal(history.count, 3);
        for (size_t k = 0; k < 3; k++)
            assert_same(&history.entries[k], &entries[k]);
    }
    AUTO(pncp_history_release) struct pncp_history history = {0};
    assert_int_equal(pncp_history_add(entries, 1, PNCP_VIEW_LIT("[{\"later\":[1]}]"), &entries[1], &history, &err),
                     PNCP_OK);
    assert_int_equal(strncmp(history.text.data, "[{\"later\":[1]},{\"id\":\"", 22), 0);
}

/* Runs one after the other, then two that take turns. */
static const char *run_of(unsigned number, const char *const runs[3])
{
    return number <= 300 ? runs[0] : runs[1 + number % 2];
}

/* Commit `number` of a day; every 50th is a rewrite, which adds no rows and renews some. *all: what the day has then.
 */
static struct pncp_history_entry day_entry(unsigned number, const char *const runs[3], struct pncp_day_totals *all)
{
    struct pncp_history_entry added = entry(number, run_of(number, runs));
    added.rewrite = number % 50 == 0;
    if (added.rewrite) {
        added.contratacoes = all->contratacoes;
        added.itens = all->itens += 7;
        added.arquivos = all->arquivos -= 3;
    } else {
        all->contratacoes += added.contratacoes;
        all->itens += added.itens;
        all->arquivos += added.arquivos;
    }
    return added;
}

/* Commit after commit, each from what the last one gave: like a day that grows. */
static void it_is_summed_beyond_64_kib(void **state)
{
    (void)state;
    static const char *const runs[] = {"20251023T060102Z-00000001", "20251023T060102Z-00000002",
                                       "20251023T060102Z-00000003"};
    struct pncp_history history = {0};
    struct pncp_history_entry *entries = NULL;
    size_t count = 0, longest = 0;
    struct pncp_day_totals all = {0};
    bool summed = false;
    for (unsigned i = 1; i <= 900; i++) {
        struct pncp_history_entry added = day_entry(i, runs, &all);
        struct pncp_history next;
        assert_int_equal(pncp_history_add(entries, count, pncp_buf_view(&history.text), &added, &next, NULL), PNCP_OK);
        pncp_history_release(&history);
        history = next;
        pncp_free(entries);
        parse(&history.text, &entries, &count);
        assert_int_equal(count, history.count);
        for (size_t k = 0; k < count; k++)
            assert_same(&entries[k], &history.entries[k]);
        longest = PNCP_MAX(longest, history.text.len);
        size_t sums = 0, whole = 0;
        int64_t n = 0;
        for (size_t k = 0; k < count; k++) {
            const struct pncp_history_entry *e = &entries[k];
            sums += e->sum;
            whole += !e->sum && !e->rewrite;
            assert_true(!e->sum || whole == 0); /* oldest first */
            n += e->rewrite ? 0 : e->sum ? e->n : 1;
        }
        assert_int_equal(n, i - i / 50);
        const struct pncp_data data = {.history = entries, .history_count = count};
        const struct pncp_day_totals totals = pncp_data_totals(&data);
        assert_memory_equal(&totals, &all, sizeof(all)); /* rewrites that renewed rows and all */
        assert_in_range(sums, 0,
                        6); /* one a run before the newest old rewrite and one after it, whoever was when in between */
        /* the newest 64 are whole, to the last field */
        for (size_t k = 0; k < 64 && k < i; k++) {
            const struct pncp_history_entry *e = &entries[count - 1 - k];
            struct pncp_history_entry want = entry(i - (unsigned)k, run_of(i - (unsigned)k, runs));
            want.rewrite = (i - k) % 50 == 0;
            if (want.rewrite) { /* its totals are checked above */
                want.contratacoes = e->contratacoes;
                want.itens = e->itens;
                want.arquivos = e->arquivos;
            }
            assert_same(e, &want);
        }
        summed = summed || sums > 0;
    }
    assert_true(summed);
    assert_in_range(longest, 60 * 1024, 64 * 1024);
    pncp_free(entries);
    pncp_history_release(&history);
}

static void ids_are_found(void **state)
{
    (void)state;
    struct pncp_history_entry entries[] = {entry(1, "run-1"), entry(2, "run-1"), entry(3, "run-1")};
    entries[0].sum = true; /* its id is gone in truth; here it shows that a sum answers for no id */
    const struct pncp_data data = {.history = entries, .history_count = 3};
    bool newest = true;
    assert_true(pncp_history_has(&data, entries[1].id, &newest));
    assert_false(newest);
    assert_true(pncp_history_has(&data, entries[2].id, &newest));
    assert_true(newest);
    assert_false(pncp_history_has(&data, entries[0].id, &newest));
    assert_false(pncp_history_has(&data, "ffffffffffffffffffffffffffffffff", &newest));
    assert_ptr_equal(pncp_data_newest(&data), &entries[2]);
    const struct pncp_data only_sum = {.history = entries, .history_count = 1}, none = {0};
    assert_null(pncp_data_newest(&only_sum));
    assert_null(pncp_data_newest(&none));
}

#define GOOD                                                                                                           \
    "\"id\":\"0123456789abcdef0123456789abcdef\",\"run\":\"r\",\"n\":1,\"at\":\"2025-10-23T06:02:03Z\","               \
    "\"kind\":\"append\",\"contratacoes\":1,\"itens\":2,\"arquivos\":3"

static void damage_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"[{" GOOD "}]", true},
        {"[{" GOOD ",\"later\":[1]}]", true}, /* fields are only ever added */
        {"[]", true},
        {"", false},
        {"[", false},
        {"{}", false},
        {"null", false},
        {"[{" GOOD "},]", false},
        {"[{" GOOD "},3]", false},
        {"[{}]", false},
        {"[{" GOOD ",\"n\":2}]", false}, /* a key twice */
        {"[{\"id\":\"0123\",\"run\":\"r\",\"n\":1,\"at\":\"2025-10-23T06:02:03Z\",\"kind\":\"append\","
         "\"contratacoes\":1,\"itens\":2,\"arquivos\":3}]",
         false}, /* a short id */
        {"[{\"run\":\"r\",\"n\":1,\"at\":\"2025-10-23T06:02:03Z\",\"kind\":\"append\",\"contratacoes\":1,\"itens\":2,"
         "\"arquivos\":3}]",
         false}, /* none */
        {"[{\"id\":\"0123456789abcdef0123456789abcdef0\",\"run\":\"r\",\"n\":1,\"at\":\"2025-10-23T06:02:03Z\","
         "\"kind\":\"append\",\"contratacoes\":1,\"itens\":2,\"arquivos\":3}]",
         false}, /* a long one */
        {"[{\"run\":\"r\",\"checkpoints\":4,\"at\":\"2025-10-23T06:02:03Z\",\"kind\":\"sum\",\"contratacoes\":1,"
         "\"itens\":2,\"arquivos\":3}]",
         true},
        {"[{\"run\":\"r\",\"checkpoints\":-4,\"at\":\"2025-10-23T06:02:03Z\",\"kind\":\"sum\",\"contratacoes\":1,"
         "\"itens\":2,\"arquivos\":3}]",
         false},
        {"[{\"run\":\"r\",\"checkpoints\":4294967296,\"at\":\"2025-10-23T06:02:03Z\",\"kind\":\"sum\","
         "\"contratacoes\":1,\"itens\":2,\"arquivos\":3}]",
         false},
        {"[{\"run\":\"r\",\"checkpoints\":4,\"at\":\"yesterday\",\"kind\":\"sum\",\"contratacoes\":1,\"itens\":2,"
         "\"arquivos\":3}]",
         false},
        {"[{\"run\":\"r\",\"checkpoints\":4,\"at\":\"2025-10-23T06:02:03Z\",\"kind\":\"undo\",\"contratacoes\":1,"
         "\"itens\":2,\"arquivos\":3}]",
         false},
        {"[{\"run\":\"r\",\"checkpoints\":4,\"at\":\"2025-10-23T06:02:03Z\",\"kind\":\"sum\",\"contratacoes\":1.5,"
         "\"itens\":2,\"arquivos\":3}]",
         false},
        {"[{\"run\":\"0123456789012345678901234567890123456789\",\"checkpoints\":4,\"at\":\"2025-10-23T06:02:03Z\","
         "\"kind\":\"sum\",\"contratacoes\":1,\"itens\":2,\"arquivos\":3}]",
         false}, /* a run id that is too long */
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct pncp_history_entry *entries;
        size_t count;
        struct pncp_err err = PNCP_ERR_INIT;
        enum pncp_code rc = pncp_history_parse(pncp_view_of(cases[i].text), &entries, &count, &err);
        if ((rc == PNCP_OK) != cases[i].good)
            fail_msg("%s: %s", cases[i].text, rc == PNCP_OK ? "accepted" : err.msg);
        if (rc == PNCP_OK) {
            pncp_free(entries);
        } else {
            assert_int_equal(rc, PNCP_E_PARSE);
            assert_non_null(strstr(err.msg, "pncp.history"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_reads_to_the_letter),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(a_known_text_is_gone_on_with),
        cmocka_unit_test(it_is_summed_beyond_64_kib),
        cmocka_unit_test(ids_are_found),
        cmocka_unit_test(damage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
