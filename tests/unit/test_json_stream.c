/*
 * Rows out of JSON texts: every form, cut into reads of every size, and what must not pass for a whole text. Linked
 * with
 * --wrap for the read, which gives as few bytes as a test wants, and fails.
 */
#include "base/mem.h"
#include "base/sys.h"
#include "ingest/json_stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- the file --------------------------------------------------------------------------------- */

static struct {
    struct pncp_view text;
    size_t at, step;
    int interrupts;  /* EINTR, so many times before each read that gives something */
    size_t fails_at; /* EIO when the file position is there; SIZE_MAX: never */
    int interrupted;
} file;

ssize_t __wrap_pncp_sys_read(int fd, void *data, size_t len);

ssize_t __wrap_pncp_sys_read(int fd, void *data, size_t len)
{
    assert_int_equal(fd, 42);
    if (file.interrupted < file.interrupts) {
        file.interrupted++;
        errno = EINTR;
        return -1;
    }
    file.interrupted = 0;
    if (file.at >= file.fails_at) {
        errno = EIO;
        return -1;
    }
    size_t give = PNCP_MIN(PNCP_MIN(len, file.step), file.text.len - file.at);
    memcpy(data, file.text.data + file.at, give);
    file.at += give;
    return (ssize_t)give;
}

static void file_is(struct pncp_view text, size_t step)
{
    file.text = text;
    file.step = step;
    file.at = 0;
    file.interrupted = file.interrupts = 0;
    file.fails_at = SIZE_MAX;
}

/* All rows, each behind a '|'. */
static enum pncp_code read_rows(struct pncp_buf *rows, struct pncp_err *err)
{
    AUTO(pncp_json_stream_release) struct pncp_json_stream stream;
    pncp_json_stream_init(&stream, 42);
    pncp_buf_clear(rows);
    for (;;) {
        struct pncp_view row;
        enum pncp_code rc = pncp_json_stream_next(&stream, &row, err);
        if (rc != PNCP_OK || row.len == 0)
            return rc;
        assert_int_equal(pncp_buf_text(rows, "|"), PNCP_OK);
        assert_int_equal(pncp_buf_append(rows, row.data, row.len), PNCP_OK);
    }
}

/* ---- forms ------------------------------------------------------------------------------------ */

struct form {
    const char *name;
    struct pncp_view text;
    const char *rows;  /* what is read, up to the error when there is one */
    const char *error; /* NULL: none; else in the message */
};

#define TEXT(literal)                                                                                                  \
    {                                                                                                                  \
        (literal), sizeof(literal) - 1                                                                                 \
    }

static const struct form FORMS[] = {
    {"nothing", TEXT(""), "", NULL},
    {"blanks", TEXT(" \n\r\n\t"), "", NULL},
    {"one row", TEXT("{\"a\":1}"), "|{\"a\":1}", NULL},
    {"an empty array", TEXT("[ ]"), "", NULL},
    {"an array", TEXT("[{\"a\":1},{\"a\":2}]"), "|{\"a\":1}|{\"a\":2}", NULL},
    {"an array with blanks", TEXT(" [\r\n {\"a\":1} \n,\t{} ] \n"), "|{\"a\":1}|{}", NULL},
    {"NDJSON", TEXT("{\"a\":1}\n{\"a\":2}\n"), "|{\"a\":1}|{\"a\":2}", NULL},
    {"NDJSON without a last line end", TEXT("{\"a\":1}\n{\"a\":2}"), "|{\"a\":1}|{\"a\":2}", NULL},
    {"NDJSON of DOS, with blank lines", TEXT("\r\n{\"a\":1}\r\n\r\n \r\n{\"a\":2}\r\n"), "|{\"a\":1}|{\"a\":2}", NULL},
    {"a byte order mark", TEXT("\xEF\xBB\xBF[{}]"), "|{}", NULL},
    {"nothing but a byte order mark", TEXT("\xEF\xBB\xBF"), "", NULL},
    {"an envelope", TEXT("{\"data\":[{\"a\":1},{\"a\":2}],\"totalRegistros\":2}"), "|{\"a\":1}|{\"a\":2}", NULL},
    {"an envelope without rows", TEXT("{\"data\":[],\"empty\":true}"), "", NULL},
    {"only data", TEXT("{\"data\":[]}"), "", NULL},
    {"data is not its first key",
     TEXT("{\"totalRegistros\":2,\"links\":{\"data\":[{\"no\":1}],\"x\":[1,{}]},\"s\":\"data\", \"data\" : [{\"a\":1}] "
          "}"),
     "|{\"a\":1}", NULL},
    {"data is its last key", TEXT("{\"a\":[1],\"data\":[{}]}"), "|{}", NULL},
    {"brackets and quotes in an envelope's texts",
     TEXT("{\"x\":\"]}\\\"[{\",\"data\":[{\"a\":\"}]\"}],\"y\":\"]}\\\\\"}"), "|{\"a\":\"}]\"}", NULL},
    {"pages, one a line", TEXT("{\"data\":[{\"a\":1}]}\n{\"data\":[]}\n{\"n\":3,\"data\":[{\"a\":2}]}\n"),
     "|{\"a\":1}|{\"a\":2}", NULL},
    {"pages as arrays", TEXT("[{\"a\":1}]\n[{\"a\":2}]"), "|{\"a\":1}|{\"a\":2}", NULL},
    {"a row with a field data that is no array", TEXT("{\"data\":\"x\",\"b\":[{}]}"), "|{\"data\":\"x\",\"b\":[{}]}",
     NULL},
    {"a row whose data is an object", TEXT("{\"data\":{\"x\":[{}]},\"b\":1}"), "|{\"data\":{\"x\":[{}]},\"b\":1}",
     NULL},
    {"a row in an array may have an array data", TEXT("[{\"data\":[{}]}]"), "|{\"data\":[{}]}", NULL},
    {"escapes", TEXT("[{\"a\":\"\\\\\"},{\"b\":\"\\\"}\"},{\"c\\\"\":\"\\u007d\\\\\\\"\"}]"),
     "|{\"a\":\"\\\\\"}|{\"b\":\"\\\"}\"}|{\"c\\\"\":\"\\u007d\\\\\\\"\"}", NULL},
    {"nested", TEXT("[{\"a\":{\"b\":[{\"c\":[]},[1,[2]]]}},{}]"), "|{\"a\":{\"b\":[{\"c\":[]},[1,[2]]]}}|{}", NULL},
    {"a text of commas and colons", TEXT("{\"a,:b\":\"data\",\"c\":[1]}"), "|{\"a,:b\":\"data\",\"c\":[1]}", NULL},
    /* what is in an object is for the parser, even when it is no JSON */
    {"not JSON inside", TEXT("{a}{\"x\":[}}"), "|{a}|{\"x\":[}}", NULL},
    /* no rows, or not whole */
    {"a number", TEXT("12"), "", "byte 0: expected an object or an array, found '1'"},
    {"null", TEXT(" null"), "", "byte 1: expected an object or an array, found 'n'"},
    {"a text", TEXT("\"a\""), "", "byte 0: expected an object or an array, found '\"'"},
    {"a page of HTML", TEXT("<html>"), "", "found '<'"},
    {"UTF-16", TEXT("\xFF\xFE{\0"), "", "byte 0: expected an object or an array, found 0xFF"},
    {"a NUL", TEXT("{}\0"), "|{}", "byte 2: expected an object or an array, found 0x00"},
    {"half a byte order mark", TEXT("\xEF\xBB"), "", "found 0xEF"},
    {"a byte order mark in the middle", TEXT("{}\xEF\xBB\xBF{}"), "|{}", "byte 2: "},
    {"numbers in an array", TEXT("[1,2]"), "", "byte 1: expected an object, found '1'"},
    {"a number among the rows", TEXT("[{},2]"), "|{}", "byte 4: expected an object, found '2'"},
    {"an array in an array", TEXT("[[{}]]"), "", "byte 1: expected an object, found '['"},
    {"a comma too many", TEXT("[{},]"), "|{}", "byte 4: expected an object, found ']'"},
    {"two commas", TEXT("[{},,{}]"), "|{}", "byte 4: expected an object, found ','"},
    {"a comma first", TEXT("[,{}]"), "", "byte 1: "},
    {"no comma", TEXT("[{} {}]"), "|{}", "byte 4: expected ',' or ']', found '{'"},
    {"commas between lines", TEXT("{},\n{}"), "|{}", "byte 2: expected an object or an array, found ','"},
    {"something behind an array", TEXT("[{}] x"), "|{}", "byte 5: expected an object or an array, found 'x'"},
    {"a bracket too many", TEXT("[{}]]"), "|{}", "byte 4: "},
    {"something behind an envelope", TEXT("{\"data\":[{}]}}"), "|{}", "byte 13: "},
    {"cut off in a row", TEXT("[{},{\"a\":"), "|{}", "byte 9: the file ends inside an object"},
    {"cut off in a text", TEXT("{\"a\":\"}"), "", "ends inside an object"},
    {"cut off behind a backslash", TEXT("{\"a\":\"\\\\\\"), "", "ends inside an object"},
    {"cut off between rows", TEXT("[{}"), "|{}", "byte 3: the file ends inside an array"},
    {"cut off behind a comma", TEXT("[{},"), "|{}", "ends inside an array"},
    {"cut off before the first row", TEXT("["), "", "ends inside an array"},
    {"cut off before the data", TEXT("{\"n\":1,\"data\""), "", "ends inside an object"},
    {"cut off in the data", TEXT("{\"data\":[{}"), "|{}", "ends inside an array"},
    {"cut off behind the data", TEXT("{\"data\":[{}]"), "|{}", "ends inside an object"},
    {"cut off in the rest", TEXT("{\"data\":[{}],\"totalReg"), "|{}", "ends inside an object"},
    {"an envelope that is no JSON behind", TEXT("{\"data\":[{}] x}"), "|{}", "the envelope around \"data\""},
    {"an envelope that is no JSON before", TEXT("{\"n\":01,\"data\":[{}]}"), "|{}", "the envelope around \"data\""},
    {"an envelope with a wrong bracket", TEXT("{\"data\":[{}]]"), "|{}", "the envelope around \"data\""},
    {"an envelope with two data", TEXT("{\"data\":[{}],\"data\":[{}]}"), "|{}", "a key twice"},
    {"an envelope without a comma", TEXT("{\"data\":[{}]\"n\":1}"), "|{}", "which ends at byte 18"},
};

static void check_form(const struct form *form, size_t step, struct pncp_buf *rows)
{
    struct pncp_err err = PNCP_ERR_INIT;
    file_is(form->text, step);
    file.interrupts = step == 7 ? 2 : 0;
    enum pncp_code rc = read_rows(rows, &err);
    if (rc != (form->error == NULL ? PNCP_OK : PNCP_E_PARSE))
        fail_msg("%s, %zu bytes at a time: %s %s", form->name, step, pncp_code_name(rc), err.msg);
    if (form->error != NULL && strstr(err.msg, form->error) == NULL)
        fail_msg("%s, %zu bytes at a time: %s", form->name, step, err.msg);
    if (!pncp_view_eq_text(pncp_buf_view(rows), form->rows))
        fail_msg("%s, %zu bytes at a time: " PNCP_VIEW_FMT, form->name, step, PNCP_VIEW_ARG(pncp_buf_view(rows)));
}

static void test_every_form_in_reads_of_every_size(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 2, 3, 5, 7, 1024};
    AUTO(pncp_buf_release) struct pncp_buf rows = {0};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(FORMS); i++) {
        for (size_t k = 0; k < PNCP_ARRAY_LEN(steps); k++)
            check_form(&FORMS[i], steps[k], &rows);
    }
}

/* ---- size --------------------------------------------------------------------------------------- */

/* {"a":"xxx…"} of `bytes` bytes, between `before` and `behind`. */
static struct pncp_buf large(const char *before, size_t bytes, const char *behind)
{
    struct pncp_buf text = {0};
    assert_int_equal(pncp_buf_reserve(&text, strlen(before) + bytes + strlen(behind)), PNCP_OK);
    assert_int_equal(pncp_buf_format(&text, "%s{\"a\":\"", before), PNCP_OK);
    memset(text.data + text.len, 'x', bytes - 8);
    text.len += bytes - 8;
    assert_int_equal(pncp_buf_format(&text, "\"}%s", behind), PNCP_OK);
    return text;
}

static void test_objects_across_reads(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf text = {0}, rows = {0}, expected = {0};
    assert_int_equal(pncp_buf_text(&text, "{\"n\":0,\"data\":["), PNCP_OK);
    for (int i = 0; i < 40; i++) { /* of many sizes, 1.6 MB in all */
        char head[24];
        (void)snprintf(head, sizeof(head), "%s", i == 0 ? "" : ",\n");
        AUTO(pncp_buf_release) struct pncp_buf one = large("", 20 + (size_t)i * i * 77, "");
        assert_int_equal(pncp_buf_format(&text, "%s", head), PNCP_OK);
        assert_int_equal(pncp_buf_append(&text, one.data, one.len), PNCP_OK);
        assert_int_equal(pncp_buf_text(&expected, "|"), PNCP_OK);
        assert_int_equal(pncp_buf_append(&expected, one.data, one.len), PNCP_OK);
    }
    assert_int_equal(pncp_buf_text(&text, "],\"empty\":false}\n"), PNCP_OK);
    static const size_t steps[] = {13, 4096, 65536, SIZE_MAX};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(steps); i++) {
        struct pncp_err err = PNCP_ERR_INIT;
        file_is(pncp_buf_view(&text), steps[i]);
        assert_int_equal(read_rows(&rows, &err), PNCP_OK);
        assert_true(pncp_view_eq(pncp_buf_view(&rows), pncp_buf_view(&expected)));
    }
}

static void test_objects_have_a_ceiling(void **state)
{
    (void)state;
    static const struct {
        const char *before, *behind;
        size_t bytes;
        enum pncp_code code;
    } cases[] = {
        {"[{},", ",{}]", PNCP_JSON_STREAM_OBJECT_MAX, PNCP_OK},
        {"[{},", ",{}]", PNCP_JSON_STREAM_OBJECT_MAX + 1, PNCP_E_LIMIT},
        {"", "\n", 2 * PNCP_JSON_STREAM_OBJECT_MAX, PNCP_E_LIMIT},
        {"{\"x\":", ",\"data\":[]}", PNCP_JSON_STREAM_OBJECT_MAX - 40, PNCP_OK}, /* an envelope may be as large */
        {"{\"x\":", ",\"data\":[]}", PNCP_JSON_STREAM_OBJECT_MAX, PNCP_E_LIMIT},
        {"{\"data\":[],\"x\":", "}", PNCP_JSON_STREAM_OBJECT_MAX, PNCP_E_LIMIT},
    };
    static const size_t steps[] = {1000, 65536};
    AUTO(pncp_buf_release) struct pncp_buf rows = {0};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_buf_release) struct pncp_buf text = large(cases[i].before, cases[i].bytes, cases[i].behind);
        for (size_t k = 0; k < PNCP_ARRAY_LEN(steps); k++) {
            struct pncp_err err = PNCP_ERR_INIT;
            file_is(pncp_buf_view(&text), steps[k]);
            enum pncp_code rc = read_rows(&rows, &err);
            if (rc != cases[i].code)
                fail_msg("case %zu, %zu bytes at a time: %s %s", i, steps[k], pncp_code_name(rc), err.msg);
            if (rc == PNCP_E_LIMIT)
                assert_string_equal(err.msg, "an object of more than 4194304 bytes");
            assert_in_range(file.at, 0, PNCP_JSON_STREAM_OBJECT_MAX + 2 * 65536); /* it is not read to its end first */
        }
    }
}

/* Memory is an object and a read, whatever the file's size. */
static void test_memory_does_not_grow(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    for (int i = 0; i < 100000; i++)
        assert_int_equal(pncp_buf_format(&text, "{\"numero\":%d}\n", i), PNCP_OK);
    AUTO(pncp_json_stream_release) struct pncp_json_stream stream;
    file_is(pncp_buf_view(&text), SIZE_MAX);
    pncp_json_stream_init(&stream, 42);
    int rows = 0;
    for (struct pncp_view row = {"", 1}; row.len > 0; rows += row.len > 0)
        assert_int_equal(pncp_json_stream_next(&stream, &row, NULL), PNCP_OK);
    assert_int_equal(rows, 100000);
    assert_in_range(stream.text.cap, 1, 4 * 64 * 1024);
}

static void test_reading_fails(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf rows = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    file_is(PNCP_VIEW_LIT("[{\"a\":1},{\"a\":2}]"), 4);
    file.fails_at = 12;
    assert_int_equal(read_rows(&rows, &err), PNCP_E_IO);
    assert_int_equal(err.os_errno, EIO);
    assert_true(pncp_view_eq_text(pncp_buf_view(&rows), "|{\"a\":1}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_form_in_reads_of_every_size),
        cmocka_unit_test(test_objects_across_reads),
        cmocka_unit_test(test_objects_have_a_ceiling),
        cmocka_unit_test(test_memory_does_not_grow),
        cmocka_unit_test(test_reading_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
