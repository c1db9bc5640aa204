/* Footers written: what a copied column chunk keeps, how its offsets move, and the ends of a file. */
#include "sample_parquet.h"

#include <stdlib.h>

/* ---- one column chunk ------------------------------------------------------------------------ */

/* Fields of a struct in words, "1=2 5=z 7=t": f and t are booleans, digits an I64, anything else a text. */
static void put_words(struct pncp_thrift_writer *w, const char *words)
{
    while (*words != '\0') {
        char *value;
        int16_t id = (int16_t)strtol(words, &value, 10);
        struct pncp_view text = {value + 1, strcspn(value + 1, " ")};
        int64_t number;
        if (pncp_view_eq_text(text, "t") || pncp_view_eq_text(text, "f")) {
            pncp_thrift_put_field(w, id, text.data[0] == 't' ? PNCP_THRIFT_TRUE : PNCP_THRIFT_FALSE);
        } else if (pncp_view_i64(text, &number)) {
            pncp_thrift_put_int_field(w, id, PNCP_THRIFT_I64, number);
        } else {
            pncp_thrift_put_field(w, id, PNCP_THRIFT_BINARY);
            pncp_thrift_put_binary(w, text);
        }
        words = text.data + text.len;
        words += *words == ' ';
    }
}

/* ColumnChunk: its own fields before and after the metadata, the metadata's before and after the statistics. */
struct chunk_words {
    const char *before, *metadata, *statistics, *more_metadata, *after;
};

static void put_chunk(struct pncp_buf *out, const struct chunk_words *words)
{
    struct pncp_thrift_writer w = {.out = out};
    put_words(&w, words->before);
    pncp_thrift_put_field(&w, 3, PNCP_THRIFT_STRUCT);
    int16_t chunk = pncp_thrift_struct_begin(&w);
    put_words(&w, words->metadata);
    if (words->statistics != NULL) {
        pncp_thrift_put_field(&w, 12, PNCP_THRIFT_STRUCT);
        int16_t metadata = pncp_thrift_struct_begin(&w);
        put_words(&w, words->statistics);
        pncp_thrift_struct_end(&w, metadata);
    }
    put_words(&w, words->more_metadata);
    pncp_thrift_struct_end(&w, chunk);
    put_words(&w, words->after);
    pncp_thrift_struct_end(&w, 0);
    assert_int_equal(w.rc, PNCP_OK);
}

/* Copied with `shift`, `have` becomes `want`; a NULL want->metadata: it is refused. */
static void check_copy(const struct chunk_words *have, int64_t shift, const struct chunk_words *want, size_t number)
{
    AUTO(pncp_buf_release) struct pncp_buf in = {0}, out = {0}, wanted = {0};
    put_chunk(&in, have);
    struct pncp_thrift_reader r = pncp_thrift_open(pncp_buf_view(&in));
    enum pncp_code rc = pncp_footer_copy_chunk(&r, shift, &out);
    if (want->metadata == NULL) {
        if (rc != PNCP_E_PARSE)
            fail_msg("case %zu: %s", number, pncp_code_name(rc));
        return;
    }
    put_chunk(&wanted, want);
    if (rc != PNCP_OK || r.at != r.end || !pncp_view_eq(pncp_buf_view(&out), pncp_buf_view(&wanted)))
        fail_msg("case %zu: %s", number, pncp_code_name(rc));
}

static void test_what_a_copied_chunk_keeps(void **state)
{
    (void)state;
    const struct chunk_words have = {"2=104", "1=2 2=enc 3=path 4=6 5=20 6=300 7=200 8=kv 9=204 10=150 11=104", "3=5",
                                     "13=encodings 14=900 15=64 16=sizes 17=geo", "4=1000 5=70 6=1100 7=80 9=crypt"};
    const struct chunk_words want = {"2=1104", "1=2 2=enc 3=path 4=6 5=20 6=300 7=200 9=1204 11=1104", "3=5", "", ""};
    check_copy(&have, 1000, &want, 0);
}

static void test_offsets_move(void **state)
{
    (void)state;
    static const struct {
        int64_t shift;
        struct chunk_words have, want; /* want.metadata NULL: refused */
    } cases[] = {
        {0, {"2=4", "9=4", NULL, "", ""}, {"2=4", "9=4", NULL, "", ""}},
        {-96, {"2=100", "9=200 11=100", NULL, "", ""}, {"2=4", "9=104 11=4", NULL, "", ""}},
        {96, {"2=0", "9=4 11=0", NULL, "", ""}, {"2=0", "9=100 11=0", NULL, "", ""}}, /* 0 means that there is none */
        {-101, {"2=100", "9=200", NULL, "", ""}, {0}},
        {-150, {"2=0", "9=200 11=100", NULL, "", ""}, {0}},
        {-201, {"2=0", "9=200", NULL, "", ""}, {0}},
        {0, {"2=-1", "9=200", NULL, "", ""}, {0}},
        {0, {"2=0", "9=-1", NULL, "", ""}, {0}},
        {INT64_MAX, {"2=0", "9=1", NULL, "", ""}, {0}},
        {1, {"2=9223372036854775807", "9=200", NULL, "", ""}, {0}},
        {0, {"2=text", "9=200", NULL, "", ""}, {0}},
        {0, {"2=0", "9=text", NULL, "", ""}, {0}},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++)
        check_copy(&cases[i].have, cases[i].shift, &cases[i].want, i);
}

/* 1, 2: deprecated bounds · 3: null count · 4: distinct count · 5, 6: bounds · 7, 8: are they exact */
static void test_statistics_kept_only_when_exact(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"3=5 5=z 6=a", "3=5 5=z 6=a 7=t 8=t"}, /* not said: exact, as before format 2.10 */
        {"3=5 5=z 6=a 7=t 8=t", "3=5 5=z 6=a 7=t 8=t"},
        {"3=5 5=z 6=a 7=f 8=t", "3=5"},
        {"3=5 5=z 6=a 7=t 8=f", "3=5"},
        {"5=z 6=a 8=f", NULL},
        {"3=5", "3=5"},
        {"3=5 5=z", "3=5"},
        {"3=5 6=a", "3=5"},
        {"1=z 2=a 3=5 4=3 5=z 6=a", "3=5 5=z 6=a 7=t 8=t"},
        {"1=z 2=a", NULL},
        {"5= 6=", "5= 6= 7=t 8=t"}, /* an empty text is a bound too */
        {"", NULL},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        const struct chunk_words have = {"2=4", "9=4", cases[i][0], "", ""}, want = {"2=4", "9=4", cases[i][1], "", ""};
        check_copy(&have, 0, &want, i);
    }
}

static void test_chunk_cut_off(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf in = {0};
    const struct chunk_words have = {"2=104", "1=2 3=path 5=20 9=204 11=104", "3=5 5=z 6=a", "", ""};
    put_chunk(&in, &have);
    for (size_t len = 0; len < in.len; len++) {
        AUTO(pncp_buf_release) struct pncp_buf out = {0};
        struct pncp_thrift_reader r = pncp_thrift_open((struct pncp_view){in.data, len});
        assert_int_equal(pncp_footer_copy_chunk(&r, 10, &out), PNCP_E_PARSE);
    }
}

static void test_no_room_for_a_chunk(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf in = {0};
    const struct chunk_words have = {"2=104", "1=2 3=path 5=20 9=204 11=104", "3=5 5=z 6=a", "", ""};
    put_chunk(&in, &have);
    for (size_t room = 1; room < in.len; room++) {
        AUTO(pncp_buf_release) struct pncp_buf out = PNCP_BUF_INIT(room);
        struct pncp_thrift_reader r = pncp_thrift_open(pncp_buf_view(&in));
        assert_int_equal(pncp_footer_copy_chunk(&r, 10, &out), PNCP_E_LIMIT);
    }
}

/* ---- the rest of a footer -------------------------------------------------------------------- */

static void test_key_values_keep_their_order(void **state)
{
    (void)state;
    static const struct pncp_kv_pair kvs[] = {SAMPLE_KV("pncp.format", "details 1"), SAMPLE_KV("pncp.history", "[]"),
                                              SAMPLE_KV("pncp.history", "[1]"), SAMPLE_KV("z", ""),
                                              SAMPLE_KV("pncp.commit", "00112233445566778899aabbccddeeff")};
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    AUTO(pncp_footer_release) struct pncp_footer footer = {0};
    assert_int_equal(pncp_parquet_empty(sample_schema(), kvs, PNCP_ARRAY_LEN(kvs), &bytes, NULL), PNCP_OK);
    assert_int_equal(sample_read(&bytes, &footer, NULL), PNCP_OK);
    assert_int_equal(footer.kv_count, PNCP_ARRAY_LEN(kvs));
    for (size_t i = 0; i < PNCP_ARRAY_LEN(kvs); i++) {
        assert_true(pncp_view_eq_text(footer.kvs[i].key, kvs[i].key));
        assert_true(pncp_view_eq(footer.kvs[i].value, kvs[i].value));
    }
    /* in the bytes too: the commit id is the last of them, so that the file's tail tells two commits apart */
    const char *commit = footer.kvs[4].value.data;
    assert_true(commit + 32 > footer.raw.data + footer.raw.len - 32 - 200);
}

static void test_trailer(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf out = {0};
    const struct pncp_footer_foot foot = {.kv_count = 0};
    assert_int_equal(pncp_buf_text(&out, "data"), PNCP_OK);
    const struct pncp_footer_head head = {.version = 2, .schema = {"\x1C\x48\x01r\x00", 5}};
    assert_int_equal(pncp_footer_put_head(&out, &head), PNCP_OK);
    assert_int_equal(pncp_footer_put_foot(&out, 4, &foot), PNCP_OK);
    static const char want[] = "data\x15\x04\x19\x1C\x48\x01r\x00\x16\x00\x19\x0C\x00\x0D\x00\x00\x00PAR1";
    assert_int_equal(out.len, sizeof(want) - 1);
    assert_memory_equal(out.data, want, sizeof(want) - 1);
}

static void test_largest_footer(void **state)
{
    (void)state;
    size_t most = PNCP_FOOTER_MAX_BYTES - 24; /* less what is around the value */
    char *value = test_calloc(1, most + 2);
    for (size_t more = 0; more <= 2; more += 2) {
        AUTO(pncp_buf_release) struct pncp_buf out = {0};
        const struct pncp_footer_head head = {.version = 2, .schema = {"\x1C\x48\x01r\x00", 5}};
        const struct pncp_kv_pair kv = {"k", {value, most + more}};
        const struct pncp_footer_foot foot = {.kvs = &kv, .kv_count = 1};
        assert_int_equal(pncp_footer_put_head(&out, &head), PNCP_OK);
        assert_int_equal(pncp_footer_put_foot(&out, 0, &foot), more == 0 ? PNCP_OK : PNCP_E_LIMIT);
    }
    test_free(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_copied_chunk_keeps),
        cmocka_unit_test(test_offsets_move),
        cmocka_unit_test(test_statistics_kept_only_when_exact),
        cmocka_unit_test(test_chunk_cut_off),
        cmocka_unit_test(test_no_room_for_a_chunk),
        cmocka_unit_test(test_key_values_keep_their_order),
        cmocka_unit_test(test_trailer),
        cmocka_unit_test(test_largest_footer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
