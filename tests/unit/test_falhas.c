/* falhas: when to ask again, what stays and what goes, merging with others, and damage. */
#include "base/mem.h"
#include "day/falhas.h"
#include "lake/race.h"
#include "rows_fixture.h"
#include "torn_reads.h"
#include "json/json.h"

#include <stdio.h>
#include <string.h>

#define FALHAS "pncp_details/_state/falhas/pncp_details_20251022.json"
#define NOW INT64_C(1761199323) /* 2025-10-23T06:02:03Z */
#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)

static void note(struct pncp_falhas *falhas, uint32_t number, enum pncp_falha_part part, enum pncp_falha_kind kind,
                 int64_t now_s)
{
    bool failed = kind == PNCP_FALHA_FAILED;
    assert_int_equal(pncp_falhas_note(falhas, rows_packed(number), part, kind,
                                      kind == PNCP_FALHA_VAZIO ? PNCP_REASON_NONE : PNCP_REASON_HTTP,
                                      failed                     ? 503
                                      : kind == PNCP_FALHA_VAZIO ? 0
                                                                 : 404,
                                      now_s),
                     PNCP_OK);
}

/* noipa: gcc must not see that NULL may come of it, the tests dereference what must be there. */
__attribute__((noipa)) static const struct pncp_falha *find(const struct pncp_falhas *falhas, uint32_t number,
                                                            enum pncp_falha_kind kind)
{
    if (kind == PNCP_FALHA_FAILED)
        return pncp_falhas_failed(falhas, rows_packed(number));
    for (int part = PNCP_FALHA_ITENS; part <= PNCP_FALHA_AMBAS; part++) {
        const struct pncp_falha *entry = pncp_falhas_part(falhas, rows_packed(number), (enum pncp_falha_part)part);
        if (entry != NULL && (enum pncp_falha_kind)entry->kind == kind)
            return entry;
    }
    return NULL;
}

/* ---- when ------------------------------------------------------------------------------------ */

static void failures_wait_ten_minutes_doubling_to_six_hours(void **state)
{
    (void)state;
    static const int64_t waits[] = {600, 1200, 2400, 4800, 9600, 19200, 21600, 21600, 21600};
    struct pncp_falhas falhas = {0};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(waits); i++) {
        int64_t now = NOW + (int64_t)i * DAY;
        note(&falhas, 1, PNCP_FALHA_ITENS, PNCP_FALHA_FAILED, now);
        const struct pncp_falha *f = find(&falhas, 1, PNCP_FALHA_FAILED);
        assert_non_null(f);
        assert_int_equal(falhas.count, 1);
        assert_int_equal(f->attempts, i + 1);
        assert_int_equal(f->not_before_s, now + waits[i]);
        assert_int_equal(f->first_at_s, NOW);
        assert_int_equal(f->last_at_s, now);
        assert_false(f->closed);
    }
    for (int i = 0; i < 70; i++) /* far beyond any shift */
        note(&falhas, 1, PNCP_FALHA_ITENS, PNCP_FALHA_FAILED, NOW);
    assert_int_equal(find(&falhas, 1, PNCP_FALHA_FAILED)->not_before_s, NOW + 6 * HOUR);
    assert_true(falhas.dirty && falhas.urgent);
    pncp_falhas_release(&falhas);
}

static void absent_parts_wait_an_hour_then_a_day_for_seven_days(void **state)
{
    (void)state;
    for (int kind = PNCP_FALHA_AUSENTE; kind <= PNCP_FALHA_VAZIO; kind++) {
        struct pncp_falhas falhas = {0};
        int64_t now = NOW;
        for (unsigned i = 1; i <= 9; i++) {
            note(&falhas, 1, PNCP_FALHA_ARQUIVOS, (enum pncp_falha_kind)kind, now);
            const struct pncp_falha *f = find(&falhas, 1, (enum pncp_falha_kind)kind);
            assert_non_null(f);
            assert_int_equal(f->attempts, i);
            assert_int_equal(f->not_before_s, now + (i == 1 ? HOUR : DAY));
            assert_int_equal(f->closed, now - NOW >= 7 * DAY);
            now = f->not_before_s;
        }
        assert_true(falhas.dirty);
        assert_false(falhas.urgent); /* the rows tell it too */
        pncp_falhas_release(&falhas);
    }
}

/* Five failures, then the answer that there is nothing: how long it is absent counts from now. */
static void failures_do_not_count_as_absence(void **state)
{
    (void)state;
    struct pncp_falhas falhas = {0};
    for (int i = 0; i < 5; i++)
        note(&falhas, 1, PNCP_FALHA_ITENS, PNCP_FALHA_FAILED, NOW - 8 * DAY + i);
    note(&falhas, 1, PNCP_FALHA_ITENS, PNCP_FALHA_AUSENTE, NOW);
    const struct pncp_falha *f = find(&falhas, 1, PNCP_FALHA_AUSENTE);
    assert_non_null(f);
    assert_int_equal(f->attempts, 1);
    assert_int_equal(f->first_at_s, NOW);
    assert_int_equal(f->not_before_s, NOW + HOUR);
    assert_false(f->closed);
    /* and absent, then empty, is one waiting */
    note(&falhas, 1, PNCP_FALHA_ITENS, PNCP_FALHA_VAZIO, NOW + 7 * DAY);
    f = find(&falhas, 1, PNCP_FALHA_VAZIO);
    assert_non_null(f);
    assert_int_equal(f->attempts, 2);
    assert_true(f->closed);
    pncp_falhas_release(&falhas);
}

/* ---- what stays ------------------------------------------------------------------------------ */

static void a_contratacao_has_one_failed_entry(void **state)
{
    (void)state;
    struct pncp_falhas falhas = {0};
    note(&falhas, 1, PNCP_FALHA_AMBAS, PNCP_FALHA_FAILED, NOW);
    note(&falhas, 1, PNCP_FALHA_ARQUIVOS, PNCP_FALHA_FAILED, NOW + 1);
    assert_int_equal(falhas.count, 1);
    assert_int_equal(falhas.entries[0].part, PNCP_FALHA_ARQUIVOS);
    assert_int_equal(falhas.entries[0].attempts, 2);
    assert_int_equal(falhas.entries[0].first_at_s, NOW);
    /* the row came: the failure goes, what is absent of it stays */
    note(&falhas, 1, PNCP_FALHA_ITENS, PNCP_FALHA_VAZIO, NOW + 2);
    note(&falhas, 2, PNCP_FALHA_ITENS, PNCP_FALHA_FAILED, NOW + 2);
    pncp_falhas_resolve(&falhas, rows_packed(1));
    assert_null(find(&falhas, 1, PNCP_FALHA_FAILED));
    assert_non_null(find(&falhas, 1, PNCP_FALHA_VAZIO));
    assert_non_null(find(&falhas, 2, PNCP_FALHA_FAILED));
    assert_int_equal(falhas.count, 2);
    pncp_falhas_resolve(&falhas, rows_packed(3)); /* none */
    assert_int_equal(falhas.count, 2);
    pncp_falhas_release(&falhas);
    pncp_falhas_release(&falhas);
}

static void entries_are_found_among_many(void **state)
{
    (void)state;
    struct pncp_falhas falhas = {0};
    for (uint32_t i = 1; i <= 500; i++)
        note(&falhas, 1 + i * 77 % 500, i % 2 == 0 ? PNCP_FALHA_ITENS : PNCP_FALHA_ARQUIVOS, PNCP_FALHA_FAILED,
             NOW + i);
    assert_int_equal(falhas.count, 500);
    for (size_t i = 1; i < falhas.count; i++)
        assert_true(pncp_packed_key_cmp(falhas.entries[i - 1].key, falhas.entries[i].key) < 0);
    for (uint32_t i = 1; i <= 500; i++)
        assert_int_equal(find(&falhas, 1 + i * 77 % 500, PNCP_FALHA_FAILED)->last_at_s, NOW + i);
    for (uint32_t i = 1; i <= 500; i += 2)
        pncp_falhas_resolve(&falhas, rows_packed(i));
    assert_int_equal(falhas.count, 250);
    for (uint32_t i = 1; i <= 500; i++)
        assert_int_equal(find(&falhas, i, PNCP_FALHA_FAILED) != NULL, i % 2 == 0);
    pncp_falhas_release(&falhas);
}

/* ---- the file -------------------------------------------------------------------------------- */

static void load(const struct rows_lake *lake, struct pncp_falhas *falhas)
{
    struct pncp_err err = PNCP_ERR_INIT;
    bool rebuilt = true;
    if (pncp_falhas_load(lake->lake, lake->date, falhas, &rebuilt, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    assert_false(rebuilt);
}

static void save(const struct rows_lake *lake, struct pncp_falhas *falhas, struct pncp_keyset *keys)
{
    struct pncp_err err = PNCP_ERR_INIT;
    if (pncp_falhas_save(lake->lake, lake->date, falhas, keys, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    assert_false(falhas->dirty || falhas->urgent);
}

static void the_file_to_the_letter_and_back(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_keyset *keys;
    struct pncp_falhas falhas, again;
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    char key[PNCP_KEY_TEXT_BYTES], want[900];
    struct pncp_key unpacked = rows_key(1);
    rows_lake_open(&lake);
    assert_int_equal(pncp_keyset_new(&keys), PNCP_OK);
    load(&lake, &falhas); /* no file: empty, and nothing to write */
    assert_int_equal(falhas.count, 0);
    save(&lake, &falhas, keys);
    assert_false(rows_file_exists(&lake, FALHAS));
    note(&falhas, 1, PNCP_FALHA_AMBAS, PNCP_FALHA_FAILED, NOW);
    note(&falhas, 1, PNCP_FALHA_ITENS, PNCP_FALHA_VAZIO, NOW - 8 * DAY);
    note(&falhas, 1, PNCP_FALHA_ITENS, PNCP_FALHA_VAZIO, NOW);
    save(&lake, &falhas, keys);
    pncp_key_format(&unpacked, key);
    (void)snprintf(want, sizeof(want),
                   "{\"v\":1,\"date\":\"20251022\",\"entries\":["
                   "{\"key\":\"%s\",\"part\":\"itens\",\"kind\":\"vazio\",\"attempts\":2,"
                   "\"first_at\":\"2025-10-15T06:02:03Z\",\"last_at\":\"2025-10-23T06:02:03Z\","
                   "\"not_before\":\"2025-10-24T06:02:03Z\",\"closed\":true},"
                   "{\"key\":\"%s\",\"part\":\"ambas\",\"kind\":\"failed\",\"reason\":\"http_503\",\"http_status\":503,"
                   "\"attempts\":1,\"first_at\":\"2025-10-23T06:02:03Z\",\"last_at\":\"2025-10-23T06:02:03Z\","
                   "\"not_before\":\"2025-10-23T06:12:03Z\"}],\"id\":\"",
                   key, key);
    assert_true(rows_file_get(&lake, FALHAS, &text));
    assert_memory_equal(text.data, want, strlen(want));
    assert_int_equal(text.len, strlen(want) + 32 + strlen("\"}"));
    load(&lake, &again);
    assert_int_equal(again.count, 2);
    assert_false(again.dirty);
    assert_string_equal(again.version.text, falhas.version.text);
    for (size_t i = 0; i < 2; i++) {
        const struct pncp_falha *a = &falhas.entries[i], *b = &again.entries[i];
        assert_int_equal(pncp_packed_key_cmp(a->key, b->key), 0);
        assert_true(a->part == b->part && a->kind == b->kind && a->reason == b->reason && a->closed == b->closed);
        assert_true(a->http_status == b->http_status && a->attempts == b->attempts);
        assert_true(a->first_at_s == b->first_at_s && a->last_at_s == b->last_at_s);
        assert_int_equal(a->not_before_s, b->not_before_s);
    }
    pncp_falhas_release(&again);
    pncp_falhas_release(&falhas);
    pncp_keyset_free(keys);
    rows_lake_close(&lake);
}

/* A failed one goes when its row is in the file; an absent one does not go because we have not heard of its row. */
static void what_the_file_keeps(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_keyset *keys;
    struct pncp_falhas falhas = {0}, again;
    rows_lake_open(&lake);
    assert_int_equal(pncp_keyset_new(&keys), PNCP_OK);
    for (uint32_t i = 1; i <= 4; i++)
        note(&falhas, i, PNCP_FALHA_ITENS, i % 2 == 0 ? PNCP_FALHA_FAILED : PNCP_FALHA_AUSENTE, NOW);
    assert_int_equal(pncp_keyset_set(keys, rows_packed(1), PNCP_KEY_SAVED, NULL), PNCP_OK);
    assert_int_equal(pncp_keyset_set(keys, rows_packed(2), PNCP_KEY_SAVED, NULL), PNCP_OK);
    save(&lake, &falhas, keys);
    load(&lake, &again);
    assert_int_equal(again.count, 3);
    assert_non_null(find(&again, 1, PNCP_FALHA_AUSENTE));
    assert_null(find(&again, 2, PNCP_FALHA_FAILED));
    assert_non_null(find(&again, 3, PNCP_FALHA_AUSENTE)); /* saved by a run whose commit we have not read */
    assert_non_null(find(&again, 4, PNCP_FALHA_FAILED));
    pncp_falhas_release(&again);
    pncp_falhas_release(&falhas);
    pncp_keyset_free(keys);
    rows_lake_close(&lake);
}

/* Two runs: of each (key, part) the newest word wins, and nobody's entries are lost. */
static void two_runs_are_merged(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_keyset *keys;
    struct pncp_falhas a, b, seen;
    rows_lake_open(&lake);
    assert_int_equal(pncp_keyset_new(&keys), PNCP_OK);
    load(&lake, &a);
    load(&lake, &b);
    note(&a, 1, PNCP_FALHA_ITENS, PNCP_FALHA_FAILED, NOW);
    note(&a, 2, PNCP_FALHA_ITENS, PNCP_FALHA_FAILED, NOW + 10);
    save(&lake, &a, keys);
    note(&b, 1, PNCP_FALHA_ITENS, PNCP_FALHA_FAILED, NOW + 5);
    note(&b, 2, PNCP_FALHA_ITENS, PNCP_FALHA_FAILED, NOW + 5);
    note(&b, 3, PNCP_FALHA_ITENS, PNCP_FALHA_FAILED, NOW + 5);
    save(&lake, &b, keys); /* lost the version once */
    load(&lake, &seen);
    assert_int_equal(seen.count, 3);
    assert_int_equal(find(&seen, 1, PNCP_FALHA_FAILED)->last_at_s, NOW + 5);
    assert_int_equal(find(&seen, 2, PNCP_FALHA_FAILED)->last_at_s, NOW + 10);
    assert_int_equal(find(&b, 2, PNCP_FALHA_FAILED)->last_at_s, NOW + 10);
    /* what one resolved because the row is there does not come back from the other */
    assert_int_equal(pncp_keyset_set(keys, rows_packed(1), PNCP_KEY_SAVED, NULL), PNCP_OK);
    pncp_falhas_resolve(&a, rows_packed(1));
    save(&lake, &a, keys);
    pncp_falhas_release(&seen);
    load(&lake, &seen);
    assert_null(find(&seen, 1, PNCP_FALHA_FAILED));
    assert_int_equal(seen.count, 2);
    pncp_falhas_release(&seen);
    pncp_falhas_release(&a);
    pncp_falhas_release(&b);
    pncp_keyset_free(keys);
    rows_lake_close(&lake);
}

/* A file of more than 64 KiB in which only an early entry changes, as long as before: still another version. */
static void a_change_far_from_the_end_is_noticed(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_keyset *keys;
    struct pncp_falhas a = {0}, b, seen;
    rows_lake_open(&lake);
    assert_int_equal(pncp_keyset_new(&keys), PNCP_OK);
    for (uint32_t i = 1; i <= 800; i++)
        note(&a, i, PNCP_FALHA_ITENS, PNCP_FALHA_FAILED, NOW);
    save(&lake, &a, keys);
    load(&lake, &b);
    struct pncp_key first;
    pncp_key_unpack(a.entries[0].key, &first);
    uint32_t early = (uint32_t)first.sequencial, late = early == 1 ? 2 : 1;
    note(&a, early, PNCP_FALHA_ITENS, PNCP_FALHA_FAILED, NOW + 7);
    save(&lake, &a, keys);
    note(&b, late, PNCP_FALHA_ITENS, PNCP_FALHA_FAILED, NOW + 9);
    save(&lake, &b, keys);
    load(&lake, &seen);
    assert_int_equal(find(&seen, early, PNCP_FALHA_FAILED)->attempts, 2);
    assert_int_equal(find(&seen, early, PNCP_FALHA_FAILED)->last_at_s, NOW + 7);
    assert_int_equal(find(&seen, late, PNCP_FALHA_FAILED)->attempts, 2);
    pncp_falhas_release(&seen);
    pncp_falhas_release(&a);
    pncp_falhas_release(&b);
    pncp_keyset_free(keys);
    rows_lake_close(&lake);
}

/* ---- damage ---------------------------------------------------------------------------------- */

#define ENTRY(fields) "{\"v\":1,\"date\":\"20251022\",\"entries\":[{" fields "}]}"
#define KEY "\"key\":\"83102277000152|2025|423\",\"part\":\"itens\",\"kind\":\"failed\","
#define TIMES                                                                                                          \
    "\"first_at\":\"2025-10-23T06:02:03Z\",\"last_at\":\"2025-10-23T06:02:03Z\",\"not_before\":\"2025-10-23T06:02:"    \
    "03Z\""

static void the_text_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum pncp_code code;
    } cases[] = {
        {ENTRY(KEY "\"reason\":\"http_503\",\"attempts\":1," TIMES), PNCP_OK},
        {ENTRY(KEY "\"attempts\":1," TIMES ",\"later\":{}"), PNCP_OK},
        {"{\"v\":1,\"entries\":[]}", PNCP_OK},
        {"{\"v\":2,\"entries\":[]}", PNCP_E_NEWER},
        {"{\"v\":2}", PNCP_E_NEWER},
        {"{\"entries\":[]}", PNCP_E_PARSE},
        {"{\"v\":1}", PNCP_E_PARSE},
        {"{\"v\":1,\"entries\":{}}", PNCP_E_PARSE},
        {"", PNCP_E_PARSE},
        {"[]", PNCP_E_PARSE},
        {"{\"v\":1,\"entries\":[7]}", PNCP_E_PARSE},
        {ENTRY(KEY "\"attempts\":1.5," TIMES), PNCP_E_PARSE},
        {ENTRY(KEY "\"attempts\":-1," TIMES), PNCP_E_PARSE},
        {ENTRY(KEY "\"attempts\":4294967296," TIMES), PNCP_E_PARSE},
        {ENTRY(KEY "\"attempts\":1,\"http_status\":1000," TIMES), PNCP_E_PARSE},
        {ENTRY(KEY "\"reason\":\"tired\",\"attempts\":1," TIMES), PNCP_E_PARSE},
        {ENTRY(KEY "\"attempts\":1"), PNCP_E_PARSE},
        {ENTRY("\"key\":\"83102277000152|2025\",\"part\":\"itens\",\"kind\":\"failed\",\"attempts\":1," TIMES),
         PNCP_E_PARSE},
        {ENTRY("\"key\":\"83102277000152|2025|1\",\"part\":\"none\",\"kind\":\"failed\",\"attempts\":1," TIMES),
         PNCP_E_PARSE},
        {ENTRY("\"key\":\"83102277000152|2025|1\",\"part\":\"itens\",\"kind\":\"odd\",\"attempts\":1," TIMES),
         PNCP_E_PARSE},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct pncp_falhas falhas = {0};
        struct pncp_err err = PNCP_ERR_INIT;
        enum pncp_code rc = pncp_falhas_parse(pncp_view_of(cases[i].text), &falhas, &err);
        if (rc != cases[i].code)
            fail_msg("%s: %s", cases[i].text, pncp_code_name(rc));
        pncp_falhas_release(&falhas);
    }
}

#define PART_AT(part, attempts, last)                                                                                  \
    "{\"key\":\"83102277000152|2025|1\",\"part\":\"" part "\",\"kind\":\"failed\",\"attempts\":" attempts              \
    ",\"first_at\":\"2025-10-23T06:00:00Z\",\"last_at\":\"2025-10-23T" last                                            \
    "Z\",\"not_before\":\"2025-10-24T06:00:00Z\"}"

static void of_one_key_and_part_the_later_attempt_is_kept(void **state)
{
    (void)state;
    static const struct {
        const char *entries;
        size_t count;
        uint32_t attempts[2];
        bool dirty;
    } cases[] = {
        {PART_AT("itens", "1", "07:00:00") "," PART_AT("itens", "2", "08:00:00"), 1, {2}, true},
        {PART_AT("itens", "2", "08:00:00") "," PART_AT("itens", "1", "07:00:00"), 1, {2}, true},
        {PART_AT("itens", "9", "07:00:00") "," PART_AT("itens", "3", "07:00:01"), 1, {3}, true},
        {PART_AT("itens", "5", "07:00:00") "," PART_AT("itens", "4", "07:00:00"), 1, {5}, true},
        {PART_AT("itens", "1", "07:00:00") "," PART_AT("itens", "3", "09:00:00") "," PART_AT("itens", "2", "08:00:00"),
         1,
         {3},
         true},
        {PART_AT("arquivos", "2", "08:00:00") "," PART_AT("itens", "1", "07:00:00"), 2, {1, 2}, false},
        {PART_AT("arquivos", "2", "08:00:00") "," PART_AT("itens", "1", "07:00:00") "," PART_AT("arquivos", "4",
                                                                                                "09:00:00"),
         2,
         {1, 4},
         true},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_buf_release) struct pncp_buf text = {0};
        struct pncp_falhas falhas = {0};
        assert_int_equal(pncp_buf_format(&text, "{\"v\":1,\"entries\":[%s]}", cases[i].entries), PNCP_OK);
        assert_int_equal(pncp_falhas_parse(pncp_buf_view(&text), &falhas, NULL), PNCP_OK);
        assert_int_equal(falhas.count, cases[i].count);
        for (size_t k = 0; k < falhas.count; k++)
            assert_int_equal(falhas.entries[k].attempts, cases[i].attempts[k]);
        assert_true(falhas.dirty == cases[i].dirty);
        pncp_falhas_release(&falhas);
    }
}

static void damage_is_set_aside_and_newer_is_refused(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_keyset *keys;
    struct pncp_falhas falhas;
    struct pncp_err err = PNCP_ERR_INIT;
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    bool rebuilt = false;
    rows_lake_open(&lake);
    assert_int_equal(pncp_keyset_new(&keys), PNCP_OK);
    rows_file_put(&lake, FALHAS, "{\"v\":1,\"entr", 12);
    assert_int_equal(pncp_falhas_load(lake.lake, lake.date, &falhas, &rebuilt, &err), PNCP_OK);
    assert_true(rebuilt && falhas.dirty);
    assert_int_equal(falhas.count, 0);
    assert_true(rows_file_get(&lake, FALHAS ".damaged", &text));
    assert_string_equal(text.data, "{\"v\":1,\"entr");
    note(&falhas, 1, PNCP_FALHA_ITENS, PNCP_FALHA_FAILED, NOW);
    save(&lake, &falhas, keys);
    pncp_falhas_release(&falhas);
    load(&lake, &falhas);
    assert_int_equal(falhas.count, 1);
    pncp_falhas_release(&falhas);
    /* of a newer program: left alone */
    rows_file_put(&lake, FALHAS, "{\"v\":2,\"new\":1}", 15);
    uint64_t before = rows_lake_hash(&lake);
    assert_int_equal(pncp_falhas_load(lake.lake, lake.date, &falhas, &rebuilt, &err), PNCP_E_NEWER);
    assert_non_null(strstr(err.msg, FALHAS));
    assert_true(rows_lake_hash(&lake) == before);
    pncp_keyset_free(keys);
    rows_lake_close(&lake);
}

/* Other runs write it while it is read: what is taken is one version, whole. */
static void a_file_replaced_while_it_is_read_is_read_anew(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct torn_reads reads;
    struct pncp_falhas falhas = {0}, back;
    struct pncp_keyset *keys;
    struct pncp_err err = PNCP_ERR_INIT;
    rows_lake_open(&lake);
    assert_int_equal(pncp_keyset_new(&keys), PNCP_OK);
    note(&falhas, 1, PNCP_FALHA_ITENS, PNCP_FALHA_FAILED, NOW);
    assert_int_equal(pncp_falhas_write(lake.lake, lake.date, &falhas, keys, NULL), PNCP_OK);
    torn_reads_begin(&reads, lake.lake, FALHAS, PNCP_RACE_TRIES - 1);
    if (pncp_falhas_load(lake.lake, lake.date, &back, NULL, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    assert_int_equal(reads.left, 0);
    assert_int_equal(back.count, 1);
    pncp_falhas_release(&back);
    reads.left = 1000; /* but not for ever */
    assert_int_equal(pncp_falhas_load(lake.lake, lake.date, &back, NULL, &err), PNCP_E_CONFLICT);
    assert_true(err.transient);
    torn_reads_end(&reads);
    pncp_falhas_release(&back);
    pncp_falhas_release(&falhas);
    pncp_keyset_free(keys);
    rows_lake_close(&lake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_wait_ten_minutes_doubling_to_six_hours),
        cmocka_unit_test(absent_parts_wait_an_hour_then_a_day_for_seven_days),
        cmocka_unit_test(failures_do_not_count_as_absence),
        cmocka_unit_test(a_contratacao_has_one_failed_entry),
        cmocka_unit_test(entries_are_found_among_many),
        cmocka_unit_test(the_file_to_the_letter_and_back),
        cmocka_unit_test(what_the_file_keeps),
        cmocka_unit_test(two_runs_are_merged),
        cmocka_unit_test(a_change_far_from_the_end_is_noticed),
        cmocka_unit_test(the_text_is_checked),
        cmocka_unit_test(of_one_key_and_part_the_later_attempt_is_kept),
        cmocka_unit_test(damage_is_set_aside_and_newer_is_refused),
        cmocka_unit_test(a_file_replaced_while_it_is_read_is_read_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
