/* Thrift compact protocol: the bytes of its specification, both ways, and readers that never pass the end. */
#include "base/random.h"
#include "parquet/thrift.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text)                                                                                                    \
    {                                                                                                                  \
        (text), sizeof(text) - 1                                                                                       \
    }

static void check_written(const struct pncp_buf *out, struct pncp_view want)
{
    assert_int_equal(out->len, want.len);
    assert_memory_equal(out->data, want.data, want.len);
}

/* ---- integers -------------------------------------------------------------------------------- */

static const struct {
    int64_t value;
    struct pncp_view bytes;
} INTS[] = {
    {0, BYTES("\x00")},
    {-1, BYTES("\x01")},
    {1, BYTES("\x02")},
    {63, BYTES("\x7E")},
    {-64, BYTES("\x7F")},
    {64, BYTES("\x80\x01")},
    {150, BYTES("\xAC\x02")},
    {INT16_MAX, BYTES("\xFE\xFF\x03")},
    {INT16_MIN, BYTES("\xFF\xFF\x03")},
    {INT32_MAX, BYTES("\xFE\xFF\xFF\xFF\x0F")},
    {INT32_MIN, BYTES("\xFF\xFF\xFF\xFF\x0F")},
    {INT64_MAX, BYTES("\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01")},
    {INT64_MIN, BYTES("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01")},
};

static void test_integers_both_ways(void **state)
{
    (void)state;
    static const struct {
        enum pncp_thrift_type type;
        int64_t least, most;
    } types[] = {{PNCP_THRIFT_I16, INT16_MIN, INT16_MAX},
                 {PNCP_THRIFT_I32, INT32_MIN, INT32_MAX},
                 {PNCP_THRIFT_I64, INT64_MIN, INT64_MAX}};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(INTS); i++) {
        AUTO(pncp_buf_release) struct pncp_buf out = {0};
        struct pncp_thrift_writer w = {.out = &out};
        pncp_thrift_put_int(&w, INTS[i].value);
        check_written(&out, INTS[i].bytes);
        for (size_t k = 0; k < PNCP_ARRAY_LEN(types); k++) {
            struct pncp_thrift_reader r = pncp_thrift_open(INTS[i].bytes);
            bool fits = INTS[i].value >= types[k].least && INTS[i].value <= types[k].most;
            assert_true(pncp_thrift_int(&r, types[k].type) == (fits ? INTS[i].value : 0));
            assert_int_equal(r.failed, !fits);
            assert_ptr_equal(r.at, r.end);
        }
        for (size_t len = 0; len < INTS[i].bytes.len; len++) {
            struct pncp_thrift_reader r = pncp_thrift_open((struct pncp_view){INTS[i].bytes.data, len});
            assert_int_equal(pncp_thrift_int(&r, PNCP_THRIFT_I64), 0);
            assert_true(r.failed);
        }
    }
}

static void test_integers_that_are_none(void **state)
{
    (void)state;
    static const struct pncp_view cases[] = {
        BYTES("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"),     /* 65 bits */
        BYTES("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x81\x00"), /* eleven bytes */
        BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct pncp_thrift_reader r = pncp_thrift_open(cases[i]);
        assert_int_equal(pncp_thrift_int(&r, PNCP_THRIFT_I64), 0);
        assert_true(r.failed);
    }
    struct pncp_view zero = BYTES("\x00");
    struct pncp_thrift_reader r = pncp_thrift_open(zero); /* a BOOL or BINARY is no integer, whatever its bytes */
    assert_int_equal(pncp_thrift_int(&r, PNCP_THRIFT_BINARY), 0);
    assert_true(r.failed);
}

/* ---- structs --------------------------------------------------------------------------------- */

static void test_fields_both_ways(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf out = {0};
    struct pncp_thrift_writer w = {.out = &out};
    pncp_thrift_put_int_field(&w, 1, PNCP_THRIFT_I32, 2);
    pncp_thrift_put_field(&w, 2, PNCP_THRIFT_TRUE);
    pncp_thrift_put_field(&w, 17, PNCP_THRIFT_STRUCT); /* 15 further: the last short form */
    int16_t outer = pncp_thrift_struct_begin(&w);
    pncp_thrift_put_field(&w, 16, PNCP_THRIFT_FALSE); /* 16 from the start: the long form */
    pncp_thrift_struct_end(&w, outer);
    pncp_thrift_put_field(&w, 18, PNCP_THRIFT_BINARY);
    pncp_thrift_put_binary(&w, PNCP_VIEW_LIT("id"));
    pncp_thrift_put_field(&w, INT16_MAX, PNCP_THRIFT_I16);
    pncp_thrift_put_int(&w, -1);
    pncp_thrift_struct_end(&w, 0);
    assert_int_equal(w.rc, PNCP_OK);
    struct pncp_view want = BYTES("\x15\x04\x11\xFC\x02\x20\x00\x18\x02id\x04\xFE\xFF\x03\x01\x00");
    check_written(&out, want);

    struct pncp_thrift_reader r = pncp_thrift_open(want);
    struct pncp_thrift_field field = {0};
    static const struct pncp_thrift_field fields[] = {{1, PNCP_THRIFT_I32, NULL},
                                                      {2, PNCP_THRIFT_TRUE, NULL},
                                                      {17, PNCP_THRIFT_STRUCT, NULL},
                                                      {18, PNCP_THRIFT_BINARY, NULL},
                                                      {INT16_MAX, PNCP_THRIFT_I16, NULL}};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(fields); i++) {
        const char *header = r.at;
        assert_true(pncp_thrift_next(&r, &field));
        assert_int_equal(field.id, fields[i].id);
        assert_int_equal(field.type, fields[i].type);
        assert_ptr_equal(field.header, header);
        pncp_thrift_skip(&r, field.type);
    }
    assert_false(pncp_thrift_next(&r, &field));
    assert_false(r.failed);
    assert_ptr_equal(r.at, r.end);
}

static void test_headers_that_are_none(void **state)
{
    (void)state;
    static const struct pncp_view cases[] = {
        BYTES(""),
        BYTES("\x1D"),             /* type 13 */
        BYTES("\x1F"),             /* type 15 */
        BYTES("\x05"),             /* the long form without its id */
        BYTES("\x05\x00"),         /* id 0 */
        BYTES("\x05\x01"),         /* id -1 */
        BYTES("\x05\x80\x80\x04"), /* id 32768 */
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct pncp_thrift_reader r = pncp_thrift_open(cases[i]);
        struct pncp_thrift_field field = {0};
        assert_false(pncp_thrift_next(&r, &field));
        assert_true(r.failed);
        assert_false(pncp_thrift_next(&r, &field)); /* it stays so */
    }
    struct pncp_view same_again = BYTES("\x25\x02\x05\x04\x00"); /* field 2, then field 2 */
    struct pncp_thrift_reader r = pncp_thrift_open(same_again);
    struct pncp_thrift_field field = {0};
    assert_true(pncp_thrift_next(&r, &field));
    assert_int_equal(pncp_thrift_int(&r, field.type), 1);
    assert_false(pncp_thrift_next(&r, &field));
    assert_true(r.failed);
}

/* ---- binaries and lists ---------------------------------------------------------------------- */

static void test_binaries(void **state)
{
    (void)state;
    struct pncp_view bytes = BYTES("\x05 a\0b ");
    struct pncp_thrift_reader r = pncp_thrift_open(bytes);
    struct pncp_view text = pncp_thrift_binary(&r);
    assert_int_equal(text.len, 5);
    assert_memory_equal(text.data, " a\0b ", 5);
    assert_false(r.failed);
    static const struct pncp_view cases[] = {BYTES(""), BYTES("\x05 abc"), BYTES("\x80"),
                                             BYTES("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01x")};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        r = pncp_thrift_open(cases[i]);
        assert_int_equal(pncp_thrift_binary(&r).len, 0);
        assert_true(r.failed);
        assert_int_equal(pncp_thrift_binary(&r).len, 0);
    }
}

static void test_list_headers(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        struct pncp_view header;
    } cases[] = {{0, BYTES("\x0C")},
                 {1, BYTES("\x1C")},
                 {14, BYTES("\xEC")},
                 {15, BYTES("\xFC\x0F")},
                 {300, BYTES("\xFC\xAC\x02")}};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_buf_release) struct pncp_buf out = {0};
        struct pncp_thrift_writer w = {.out = &out};
        pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, cases[i].count);
        check_written(&out, cases[i].header);
        for (size_t k = 0; k < cases[i].count; k++)
            pncp_thrift_struct_end(&w, 0);
        struct pncp_thrift_reader r = pncp_thrift_open(pncp_buf_view(&out));
        enum pncp_thrift_type element;
        assert_int_equal(pncp_thrift_list(&r, &element), cases[i].count);
        assert_int_equal(element, PNCP_THRIFT_STRUCT);
        assert_false(r.failed);
        if (cases[i].count == 0)
            continue;
        out.len--; /* more elements than bytes left: a lie */
        r = pncp_thrift_open(pncp_buf_view(&out));
        assert_int_equal(pncp_thrift_list(&r, &element), 0);
        assert_true(r.failed);
    }
}

/* ---- passing over ---------------------------------------------------------------------------- */

static void test_skip(void **state)
{
    (void)state;
    static const struct {
        enum pncp_thrift_type type;
        struct pncp_view bytes;
        bool sound;
    } cases[] = {
        {PNCP_THRIFT_TRUE, BYTES(""), true},
        {PNCP_THRIFT_FALSE, BYTES(""), true},
        {PNCP_THRIFT_BYTE, BYTES("\xFF"), true},
        {PNCP_THRIFT_I16, BYTES("\xAC\x02"), true},
        {PNCP_THRIFT_I32, BYTES("\xAC\x02"), true},
        {PNCP_THRIFT_I64, BYTES("\xAC\x02"), true},
        {PNCP_THRIFT_DOUBLE, BYTES("12345678"), true},
        {PNCP_THRIFT_BINARY, BYTES("\x03xyz"), true},
        {PNCP_THRIFT_LIST, BYTES("\x31\x01\x02\x01"), true}, /* booleans in a list have a byte */
        {PNCP_THRIFT_SET, BYTES("\x28\x01x\x02yz"), true},
        {PNCP_THRIFT_LIST, BYTES("\x29\x13\x07\x0C"), true},
        {PNCP_THRIFT_STRUCT, BYTES("\x18\x01x\x1C\x11\x00\x00"), true},
        {PNCP_THRIFT_LIST, BYTES("\x00"), true},
        {PNCP_THRIFT_LIST, BYTES("\x10\x00"), false}, /* elements of type STOP */
        {PNCP_THRIFT_LIST, BYTES("\x1F\x00"), false},
        {PNCP_THRIFT_STOP, BYTES(""), false},
        {PNCP_THRIFT_MAP, BYTES("\x00"), false},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct pncp_thrift_reader r = pncp_thrift_open(cases[i].bytes);
        pncp_thrift_skip(&r, cases[i].type);
        if (r.failed == cases[i].sound || (cases[i].sound && r.at != r.end))
            fail_msg("case %zu", i);
        for (size_t len = 0; cases[i].sound && len < cases[i].bytes.len; len++) {
            r = pncp_thrift_open((struct pncp_view){cases[i].bytes.data, len});
            pncp_thrift_skip(&r, cases[i].type);
            assert_true(r.failed);
        }
    }
}

static void test_nesting_has_an_end(void **state)
{
    (void)state;
    for (size_t depth = 1; depth <= 100000; depth = depth < 40 ? depth + 1 : depth * 10) {
        AUTO(pncp_buf_release) struct pncp_buf lists = {0}, structs = {0};
        for (size_t i = 1; i < depth; i++) {
            assert_int_equal(pncp_buf_append(&lists, "\x19", 1), PNCP_OK);
            assert_int_equal(pncp_buf_append(&structs, "\x1C", 1), PNCP_OK);
        }
        assert_int_equal(pncp_buf_append(&lists, "\x09", 1), PNCP_OK);
        for (size_t i = 0; i < depth; i++)
            assert_int_equal(pncp_buf_append(&structs, "\x00", 1), PNCP_OK);
        struct pncp_thrift_reader r = pncp_thrift_open(pncp_buf_view(&lists));
        pncp_thrift_skip(&r, PNCP_THRIFT_LIST);
        assert_int_equal(r.failed, depth > PNCP_THRIFT_DEPTH_MAX);
        r = pncp_thrift_open(pncp_buf_view(&structs));
        pncp_thrift_skip(&r, PNCP_THRIFT_STRUCT);
        assert_int_equal(r.failed, depth > PNCP_THRIFT_DEPTH_MAX);
    }
}

/* Whatever the bytes, a reader stays within them and comes to an end. */
static void test_noise(void **state)
{
    (void)state;
    uint64_t seed = 20251022;
    for (unsigned round = 0; round < 20000; round++) {
        char *bytes = test_malloc(64); /* on the heap: the sanitizer sees a step beyond */
        size_t len = pncp_splitmix(&seed) % 65;
        for (size_t i = 0; i < len; i++) {
            uint64_t dice = pncp_splitmix(&seed);
            bytes[64 - len + i] = (char)(dice % 3 == 0 ? 0x1C - (dice >> 8) % 20 : dice >> 16);
        }
        struct pncp_thrift_reader r = pncp_thrift_open((struct pncp_view){bytes + 64 - len, len});
        pncp_thrift_skip(&r, PNCP_THRIFT_STRUCT);
        assert_true(r.at >= r.begin && r.at <= r.end);
        test_free(bytes);
    }
}

static void test_writer_that_failed_stays_so(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf out = PNCP_BUF_INIT(3);
    struct pncp_thrift_writer w = {.out = &out};
    pncp_thrift_put_int_field(&w, 1, PNCP_THRIFT_I32, 1);
    pncp_thrift_put_int_field(&w, 2, PNCP_THRIFT_I32, 1000);
    assert_int_equal(w.rc, PNCP_E_LIMIT);
    size_t len = out.len;
    pncp_thrift_struct_end(&w, 0);
    pncp_thrift_put_raw(&w, (struct pncp_view){"", 0});
    assert_int_equal(w.rc, PNCP_E_LIMIT);
    assert_int_equal(out.len, len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers_both_ways),
        cmocka_unit_test(test_integers_that_are_none),
        cmocka_unit_test(test_fields_both_ways),
        cmocka_unit_test(test_headers_that_are_none),
        cmocka_unit_test(test_binaries),
        cmocka_unit_test(test_list_headers),
        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_nesting_has_an_end),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_writer_that_failed_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
