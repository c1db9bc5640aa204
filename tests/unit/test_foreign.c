/*
 * Rows of Parquet files: what went in as JSON comes out as the same JSON; long text columns; files that lie or are cut
 * off. Files of other writers are in tests/interop.
 */
#include "base/file.h"
#include "base/mem.h"
#include "parquet/foreign.h"
#include "parquet/foreign_carquet.h"
#include "pncp/decode.h"
#include "sample_parquet.h"
#include "json/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- files ----------------------------------------------------------------------------------- */

static int file_of(struct pncp_view bytes)
{
    struct pncp_err err = PNCP_ERR_INIT;
    int fd = memfd_create("foreign", MFD_CLOEXEC);
    assert_true(fd >= 0);
    sample_ok(pncp_file_write(fd, bytes.data, bytes.len, "test file", &err), &err);
    return fd;
}

/* All rows of a file, one a line. */
static enum pncp_code read_rows(int fd, struct pncp_buf *text, struct pncp_err *err)
{
    struct pncp_foreign *foreign = NULL;
    enum pncp_code rc = pncp_foreign_open(fd, &foreign, err);
    for (bool more = rc == PNCP_OK; rc == PNCP_OK && more;) {
        struct pncp_view row;
        rc = pncp_foreign_next(foreign, &row, err);
        more = rc == PNCP_OK && row.len > 0;
        if (more) {
            assert_int_equal(pncp_buf_append(text, row.data, row.len), PNCP_OK);
            assert_int_equal(pncp_buf_text(text, "\n"), PNCP_OK);
        }
    }
    pncp_foreign_free(foreign);
    return rc;
}

static enum pncp_code read_bytes(struct pncp_view bytes, struct pncp_buf *text, struct pncp_err *err)
{
    AUTO(pncp_fd_close) int fd = file_of(bytes);
    return read_rows(fd, text, err);
}

/* ---- JSON in, JSON out ------------------------------------------------------------------------ */

static const struct pncp_col LUGAR[] = {SAMPLE_COL("codigo", INT64, 0), SAMPLE_COL("nome", TEXT, SAMPLE_DICT)};
static const struct pncp_col FONTE[] = {
    SAMPLE_COL("codigo", INT32, SAMPLE_DICT),
    SAMPLE_TREE("lugar", STRUCT, LUGAR),
    SAMPLE_COL("nome", TEXT, 0),
    SAMPLE_COL("extra", TEXT, PNCP_COL_EXTRA | PNCP_COL_DERIVED),
};
static const struct pncp_col COLS[] = {
    SAMPLE_COL("id", INT32, SAMPLE_REQ),     SAMPLE_COL("nome", TEXT, 0),         SAMPLE_COL("sim", BOOL, 0),
    SAMPLE_COL("grande", INT64, 0),          SAMPLE_COL("valor", DEC18_4, 0),     SAMPLE_COL("quando", LOCAL_US, 0),
    SAMPLE_COL("o.cnpj", TEXT, SAMPLE_DICT), SAMPLE_TREE("lugar", STRUCT, LUGAR), SAMPLE_COL("o.uf.sigla", TEXT, 0),
    SAMPLE_TREE("fontes", LIST, FONTE),      SAMPLE_COL("fim", INT32, 0),
};

/* As the decoder reads them; in the output o.cnpj and o.uf.sigla are an object, and what is null is not there. */
static const char *const ROWS_IN[] = {
    "{\"id\":1,\"nome\":\"p\xC3\xA3o \\\"1\\\"\",\"sim\":true,\"grande\":-9223372036854775807,\"valor\":100720.00,"
    "\"quando\":\"2025-10-22T08:41:33\",\"o.cnpj\":\"39215827000158\",\"lugar\":{\"codigo\":7,\"nome\":\"x\"},"
    "\"o.uf.sigla\":\"ES\",\"fontes\":[{\"codigo\":1,\"lugar\":{\"codigo\":2,\"nome\":\"y\"},\"nome\":\"z\"},"
    "{\"codigo\":null,\"lugar\":null,\"nome\":null},{\"codigo\":3,\"lugar\":{},\"nome\":\"\"}],\"fim\":1}",
    "{\"id\":2}",
    "{\"id\":3,\"fontes\":[],\"lugar\":{},\"o.uf.sigla\":\"SP\",\"valor\":-0.0545,\"quando\":\"2025-10-22T00:00:00."
    "250\"}",
    "{\"id\":4,\"fontes\":[{\"codigo\":9}],\"sim\":false,\"fim\":4,\"o.cnpj\":\"\"}",
};
static const char *const ROWS_OUT[] = {
    "{\"id\":1,\"nome\":\"p\xC3\xA3o \\\"1\\\"\",\"sim\":true,\"grande\":-9223372036854775807,\"valor\":100720,"
    "\"quando\":\"2025-10-22T08:41:33\",\"o\":{\"cnpj\":\"39215827000158\",\"uf\":{\"sigla\":\"ES\"}},"
    "\"lugar\":{\"codigo\":7,\"nome\":\"x\"},\"fontes\":[{\"codigo\":1,\"lugar\":{\"codigo\":2,\"nome\":\"y\"},"
    "\"nome\":\"z\"},{},{\"codigo\":3,\"lugar\":{},\"nome\":\"\"}],\"fim\":1}",
    "{\"id\":2}",
    "{\"id\":3,\"valor\":-0.0545,\"quando\":\"2025-10-22T00:00:00.25\",\"o\":{\"uf\":{\"sigla\":\"SP\"}},\"lugar\":{},"
    "\"fontes\":[]}",
    "{\"id\":4,\"sim\":false,\"o\":{\"cnpj\":\"\"},\"fontes\":[{\"codigo\":9}],\"fim\":4}",
};

static void add_row(struct pncp_table *table, const char *text)
{
    AUTO(pncp_json_release) struct pncp_json json = {0};
    AUTO(pncp_decoder_release) struct pncp_decoder decoder;
    assert_int_equal(pncp_json_parse(pncp_view_of(text), &json, NULL, NULL), PNCP_OK);
    pncp_table_row_begin(table);
    pncp_decoder_init(&decoder, table);
    assert_int_equal(pncp_decode_record(&decoder, &table->schema->nodes[0], json.root, 0), PNCP_OK);
    assert_int_equal(decoder.misfits, 0);
    pncp_table_row_end(table);
}

static const struct pncp_schema *schema(void)
{
    static struct pncp_schema made;
    if (made.node_count == 0)
        assert_int_equal(pncp_schema_init(&made, COLS, PNCP_ARRAY_LEN(COLS), NULL), PNCP_OK);
    return &made;
}

/* Rows [first, first + count) of ROWS_IN, over and over. */
static struct sample_file group_of(size_t first, size_t count)
{
    AUTO(pncp_table_release) struct pncp_table table;
    assert_int_equal(pncp_table_init(&table, schema()), PNCP_OK);
    for (size_t i = first; i < first + count; i++)
        add_row(&table, ROWS_IN[i % PNCP_ARRAY_LEN(ROWS_IN)]);
    return sample_encode(&table);
}

static void expect_rows(struct pncp_view text, size_t count)
{
    AUTO(pncp_buf_release) struct pncp_buf expected = {0};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pncp_buf_format(&expected, "%s\n", ROWS_OUT[i % PNCP_ARRAY_LEN(ROWS_OUT)]), PNCP_OK);
    size_t at = 0;
    while (at < PNCP_MIN(expected.len, text.len) && expected.data[at] == text.data[at])
        at++;
    if (at != expected.len || at != text.len)
        fail_msg("%zu bytes, not %zu; they differ at %zu: %.*s", text.len, expected.len, at,
                 (int)PNCP_MIN(text.len - at, (size_t)200), text.data + at);
}

static void test_json_comes_back(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 3, 4, PNCP_FOREIGN_BATCH_SLOTS, PNCP_FOREIGN_BATCH_SLOTS + 1, 3001};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(counts); i++) {
        AUTO(sample_file_release) struct sample_file file = group_of(0, counts[i]);
        AUTO(pncp_buf_release) struct pncp_buf text = {0};
        struct pncp_err err = PNCP_ERR_INIT;
        sample_ok(read_bytes(pncp_buf_view(&file.bytes), &text, &err), &err);
        expect_rows(pncp_buf_view(&text), counts[i]);
    }
}

static void test_row_groups_follow_each_other(void **state)
{
    (void)state;
    struct sample_file file = group_of(0, 300);
    for (size_t i = 300; i < 305; i++) {
        AUTO(sample_file_release) struct sample_file one = group_of(i, 1), before = file;
        file = sample_append(&before, before.footer.group_count, &one, NULL, 0);
    }
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    sample_ok(read_bytes(pncp_buf_view(&file.bytes), &text, &err), &err);
    expect_rows(pncp_buf_view(&text), 305);
    sample_file_release(&file);
}

static void test_no_rows(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0}, text = {0};
    const struct pncp_kv_pair kv = SAMPLE_KV("pncp.format", "contratacoes 1");
    struct pncp_err err = PNCP_ERR_INIT;
    sample_ok(pncp_parquet_empty(schema(), &kv, 1, &bytes, &err), &err);
    AUTO(pncp_fd_close) int fd = file_of(pncp_buf_view(&bytes));
    struct pncp_foreign *foreign;
    struct pncp_view row = {"x", 1}, format;
    sample_ok(pncp_foreign_open(fd, &foreign, &err), &err);
    assert_true(pncp_footer_kv(pncp_foreign_footer(foreign), "pncp.format", &format));
    assert_true(pncp_view_eq_text(format, "contratacoes 1"));
    for (int i = 0; i < 2; i++) { /* and again */
        sample_ok(pncp_foreign_next(foreign, &row, &err), &err);
        assert_int_equal(row.len, 0);
    }
    pncp_foreign_free(foreign);
    pncp_foreign_free(NULL);
}

/* ---- files that only carquet's own writer makes ------------------------------------------------- */

struct making {
    carquet_schema_t *schema;
    carquet_writer_options_t options;
    carquet_writer_t *writer;
    FILE *stream;
    char *data;
    size_t len;
};

static void make_begin(struct making *making)
{
    assert_int_equal(pncp_carquet_prepare(NULL), PNCP_OK);
    *making = (struct making){0};
    making->schema = carquet_schema_create(NULL);
    assert_non_null(making->schema);
    carquet_writer_options_init(&making->options);
    making->options.async_io = false;
    making->options.write_statistics = false;
}

static void make_text_column(struct making *making, const char *name)
{
    assert_int_equal(carquet_schema_add_column(making->schema, name, CARQUET_PHYSICAL_BYTE_ARRAY, NULL,
                                               CARQUET_REPETITION_REQUIRED, 0, 0),
                     CARQUET_OK);
}

static void make_open(struct making *making)
{
    making->stream = open_memstream(&making->data, &making->len);
    assert_non_null(making->stream);
    making->writer = carquet_writer_create_file(making->stream, making->schema, &making->options, NULL);
    assert_non_null(making->writer);
}

/* The file; the caller closes it. */
static int make_end(struct making *making)
{
    assert_int_equal(carquet_writer_close(making->writer), CARQUET_OK);
    assert_int_equal(fclose(making->stream), 0);
    int fd = file_of((struct pncp_view){making->data, making->len});
    carquet_schema_free(making->schema);
    free(making->data);
    return fd;
}

static carquet_byte_array_t bytes_of(const char *text, size_t len)
{
    return (carquet_byte_array_t){(uint8_t *)(uintptr_t)text, (int32_t)len};
}

/* carquet keeps all text pages of a column until its reader is freed; the column is opened anew behind them. */
static void test_long_text_columns(void **state)
{
    (void)state;
    enum { ROWS = 4000, LETTERS = 2000 };
    static char text[LETTERS + 1];
    struct making making;
    make_begin(&making);
    make_text_column(&making, "longo");
    make_text_column(&making, "curto");
    making.options.page_size = 16 * 1024;
    making.options.compression = CARQUET_COMPRESSION_ZSTD;
    make_open(&making);
    for (int column = 0; column < 2; column++) {
        for (int i = 0; i < ROWS; i++) {
            memset(text, 'a' + i % 26, LETTERS);
            int len = snprintf(text, sizeof(text), "%d", i);
            text[len] = ' ';
            carquet_byte_array_t value = bytes_of(text, column == 0 ? LETTERS : (size_t)len);
            assert_int_equal(carquet_writer_write_batch(making.writer, column, &value, 1, NULL, NULL), CARQUET_OK);
        }
    }
    AUTO(pncp_fd_close) int fd = make_end(&making);
    struct pncp_foreign *foreign;
    struct pncp_view row;
    struct pncp_err err = PNCP_ERR_INIT;
    sample_ok(pncp_foreign_open(fd, &foreign, &err), &err);
    for (int i = 0; i < ROWS; i++) {
        char begin[40], end[40];
        sample_ok(pncp_foreign_next(foreign, &row, &err), &err);
        int len = snprintf(begin, sizeof(begin), "{\"longo\":\"%d %c", i, 'a' + i % 26);
        int end_len = snprintf(end, sizeof(end), "%c\",\"curto\":\"%d\"}", 'a' + i % 26, i);
        assert_true(len > 0 && end_len > 0);
        if (!pncp_view_starts(row, begin) || !pncp_view_ends(row, end))
            fail_msg("row %d: %.*s", i + 1, 40, row.data);
    }
    sample_ok(pncp_foreign_next(foreign, &row, &err), &err);
    assert_int_equal(row.len, 0);
    pncp_foreign_free(foreign);
}

static void test_text_that_cannot_be_shown(void **state)
{
    (void)state;
    static char large[PNCP_FOREIGN_ROW_MAX_BYTES]; /* with its name and quotes it is beyond the ceiling */
    memset(large, 'x', sizeof(large));
    const struct {
        struct pncp_view text;
        enum pncp_code code;
        const char *message;
    } cases[] = {
        {PNCP_VIEW_LIT("caf\xC3\xA9"), PNCP_OK, ""},
        {PNCP_VIEW_LIT("caf\xE9"), PNCP_E_PARSE, "row 3: column nome: text that is not UTF-8"},
        {{large, sizeof(large) - 64}, PNCP_OK, ""},
        {{large, sizeof(large) - 4}, PNCP_E_LIMIT, "row 3: a row of more than 4194304 bytes"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct making making;
        make_begin(&making);
        make_text_column(&making, "nome");
        make_text_column(&making, "fim");
        make_open(&making);
        const carquet_byte_array_t values[] = {bytes_of("a", 1), bytes_of("b", 1),
                                               bytes_of(cases[i].text.data, cases[i].text.len)};
        const carquet_byte_array_t others[] = {bytes_of("", 0), bytes_of("", 0), bytes_of("", 0)};
        assert_int_equal(carquet_writer_write_batch(making.writer, 0, values, 3, NULL, NULL), CARQUET_OK);
        assert_int_equal(carquet_writer_write_batch(making.writer, 1, others, 3, NULL, NULL), CARQUET_OK);
        AUTO(pncp_fd_close) int fd = make_end(&making);
        AUTO(pncp_buf_release) struct pncp_buf text = {0};
        struct pncp_err err = PNCP_ERR_INIT;
        assert_int_equal(read_rows(fd, &text, &err), cases[i].code);
        assert_string_equal(err.msg, cases[i].message);
    }
}

/* A list of {a, b} in two rows, [1,2] and [3]: one of the two columns has the levels given, the other is right. */
static enum pncp_code read_list(int wrong, const int16_t *def, const int16_t *rep, int slots, struct pncp_err *err)
{
    static const int16_t right_def[] = {3, 3, 3}, right_rep[] = {0, 1, 0};
    static const int32_t values[] = {1, 2, 3, 4, 5};
    struct making making;
    make_begin(&making);
    int32_t list = carquet_schema_add_list_group(making.schema, "l", CARQUET_REPETITION_OPTIONAL, 0);
    int32_t element = carquet_schema_add_group(making.schema, "element", CARQUET_REPETITION_OPTIONAL, list);
    for (int i = 0; i < 2; i++)
        assert_int_equal(carquet_schema_add_column(making.schema, i == 0 ? "a" : "b", CARQUET_PHYSICAL_INT32, NULL,
                                                   CARQUET_REPETITION_REQUIRED, 0, element),
                         CARQUET_OK);
    make_open(&making);
    for (int i = 0; i < 2; i++)
        assert_int_equal(carquet_writer_write_batch(making.writer, i, values, i == wrong ? slots : 3,
                                                    i == wrong ? def : right_def, i == wrong ? rep : right_rep),
                         CARQUET_OK);
    AUTO(pncp_fd_close) int fd = make_end(&making);
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    enum pncp_code rc = read_rows(fd, &text, err);
    if (rc == PNCP_OK && !pncp_view_eq_text(pncp_buf_view(&text), "{\"l\":[{\"a\":1,\"b\":1},{\"a\":2,\"b\":2}]}\n"
                                                                  "{\"l\":[{\"a\":3,\"b\":3}]}\n"))
        fail_msg(PNCP_VIEW_FMT, PNCP_VIEW_ARG(pncp_buf_view(&text)));
    return rc;
}

static void test_columns_of_a_list_must_agree(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int slots;
        int16_t def[5], rep[5];
        bool sound;
    } cases[] = {
        {"as the other", 3, {3, 3, 3}, {0, 1, 0}, true},
        {"an element less", 2, {3, 3}, {0, 0}, false},
        {"an element more in the first row", 4, {3, 3, 3, 3}, {0, 1, 1, 0}, false},
        {"an element more in the last row", 4, {3, 3, 3, 3}, {0, 1, 0, 1}, false},
        {"a row less", 2, {3, 3}, {0, 1}, false},
        {"a row more", 4, {3, 3, 3, 3}, {0, 1, 0, 0}, false},
        {"an empty list", 2, {1, 3}, {0, 0}, false},
        {"a null list", 3, {3, 3, 0}, {0, 1, 0}, false},
        {"a null element", 3, {3, 2, 3}, {0, 1, 0}, false},
        {"begins within a row", 3, {3, 3, 3}, {1, 1, 0}, false},
    };
    for (size_t i = 0; i < 2 * PNCP_ARRAY_LEN(cases); i++) {
        const size_t k = i / 2;
        struct pncp_err err = PNCP_ERR_INIT;
        enum pncp_code rc = read_list((int)(i % 2), cases[k].def, cases[k].rep, cases[k].slots, &err);
        if (rc != (cases[k].sound ? PNCP_OK : PNCP_E_PARSE))
            fail_msg("%s, column %zu: %s: %s", cases[k].name, i % 2, pncp_code_name(rc), err.msg);
        if (!cases[k].sound && strstr(err.msg, "column l.list.element.") == NULL)
            fail_msg("%s: %s", cases[k].name, err.msg);
    }
}

/* ---- damage ----------------------------------------------------------------------------------- */

static void test_every_cut_is_seen(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = group_of(0, 4);
    for (size_t len = 0; len < file.bytes.len; len++) {
        AUTO(pncp_buf_release) struct pncp_buf text = {0};
        struct pncp_err err = PNCP_ERR_INIT;
        enum pncp_code rc = read_bytes((struct pncp_view){file.bytes.data, len}, &text, &err);
        if (rc != PNCP_E_PARSE || err.msg[0] == '\0')
            fail_msg("%zu bytes: %s: %s", len, pncp_code_name(rc), err.msg);
    }
}

static void test_damaged_bytes(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = group_of(0, 40);
    uint64_t seed = 11;
    int refused = 0;
    for (int round = 0; round < 1500; round++) {
        AUTO(pncp_buf_release) struct pncp_buf bytes = {0}, text = {0};
        struct pncp_err err = PNCP_ERR_INIT;
        assert_int_equal(pncp_buf_append(&bytes, file.bytes.data, file.bytes.len), PNCP_OK);
        uint64_t changes = 1 + pncp_splitmix(&seed) % 3;
        for (uint64_t i = 0; i < changes; i++) {
            uint64_t dice = pncp_splitmix(&seed);
            size_t from = dice % 2 == 0 ? file.footer.data_end : 0; /* the footer as often as the pages */
            if (bytes.len > from)
                bytes.data[from + (dice >> 8) % (bytes.len - from)] = (char)(dice >> 2);
        }
        enum pncp_code rc = read_bytes(pncp_buf_view(&bytes), &text, &err);
        assert_int_equal(rc == PNCP_OK, err.msg[0] == '\0');
        refused += rc != PNCP_OK;
    }
    assert_in_range(refused, 1200, 1500); /* pages have a checksum; what is left is unused footer fields */
}

/* ---- the world -------------------------------------------------------------------------------- */

static void test_the_descriptor_stays_as_it_is(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = group_of(0, 4);
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    AUTO(pncp_fd_close) int fd = file_of(pncp_buf_view(&file.bytes));
    assert_int_equal(lseek(fd, 17, SEEK_SET), 17);
    assert_int_equal(read_rows(fd, &text, NULL), PNCP_OK);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 17);
}

static void test_reading_fails(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = group_of(0, 400);
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    struct pncp_foreign *foreign;
    struct pncp_view row;
    AUTO(pncp_fd_close) int folder = open("/", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    assert_int_equal(read_rows(-1, &text, &err), PNCP_E_IO);
    assert_int_equal(err.os_errno, EBADF);
    assert_int_not_equal(read_rows(folder, &text, &err), PNCP_OK);
    /* someone cuts the file while it is read */
    AUTO(pncp_fd_close) int fd = file_of(pncp_buf_view(&file.bytes));
    sample_ok(pncp_foreign_open(fd, &foreign, &err), &err);
    assert_int_equal(ftruncate(fd, 100), 0);
    assert_int_equal(pncp_foreign_next(foreign, &row, &err), PNCP_E_PARSE);
    if (strstr(err.msg, "ends") == NULL || strstr(err.msg, "early") == NULL)
        fail_msg("%s", err.msg);
    pncp_foreign_free(foreign);
    /* or the disk does not give it */
    int other = file_of(pncp_buf_view(&file.bytes));
    sample_ok(pncp_foreign_open(other, &foreign, &err), &err);
    assert_int_equal(close(other), 0);
    assert_int_equal(pncp_foreign_next(foreign, &row, &err), PNCP_E_IO);
    assert_int_equal(err.os_errno, EBADF);
    pncp_foreign_free(foreign);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_comes_back),
        cmocka_unit_test(test_row_groups_follow_each_other),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_long_text_columns),
        cmocka_unit_test(test_text_that_cannot_be_shown),
        cmocka_unit_test(test_columns_of_a_list_must_agree),
        cmocka_unit_test(test_every_cut_is_seen),
        cmocka_unit_test(test_damaged_bytes),
        cmocka_unit_test(test_the_descriptor_stays_as_it_is),
        cmocka_unit_test(test_reading_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
