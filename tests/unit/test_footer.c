/* Footers of files as they are, cut at every byte, with bytes changed, and with lies of every kind. */
#include "sample_parquet.h"

static struct sample_file two_groups(void)
{
    static const struct pncp_kv_pair kvs[] = {SAMPLE_KV("pncp.format", "details 1"),
                                              SAMPLE_KV("pncp.commit", "00112233445566778899aabbccddeeff")};
    AUTO(sample_file_release) struct sample_file first = sample_group(20, 1), second = sample_group(7, 2);
    return sample_append(&first, 1, &second, kvs, PNCP_ARRAY_LEN(kvs));
}

static void test_what_a_footer_tells(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = two_groups();
    AUTO(pncp_footer_release) struct pncp_footer footer = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    sample_ok(sample_read(&file.bytes, &footer, &err), &err);
    assert_int_equal(footer.file_bytes, file.bytes.len);
    assert_int_equal(footer.rows, 27);
    assert_int_equal(footer.group_count, 2);
    assert_int_equal(footer.groups[0].rows, 20);
    assert_int_equal(footer.groups[1].rows, 7);
    assert_int_equal(footer.groups[0].offset, 4);
    assert_int_equal(footer.groups[1].offset, 4 + footer.groups[0].bytes);
    assert_int_equal(footer.data_end, footer.groups[1].offset + footer.groups[1].bytes);
    assert_int_equal(footer.data_end + footer.raw.len + 8, file.bytes.len);
    assert_int_equal(footer.leaf_count, sample_schema()->leaf_count);
    assert_int_equal(footer.version, 2);
    assert_int_equal(footer.kv_count, 2);
    for (size_t g = 0; g < 2; g++) { /* chunks follow each other without a gap */
        uint64_t at = footer.groups[g].offset;
        for (size_t i = 0; i < footer.leaf_count; i++) {
            struct pncp_chunk chunk;
            assert_int_equal(pncp_footer_chunk(&footer, g, i, &chunk, NULL), PNCP_OK);
            assert_int_equal(chunk.offset, at);
            assert_true(chunk.bytes > 0 && chunk.raw_bytes > 0);
            assert_true(chunk.value_slots >= footer.groups[g].rows);
            at += chunk.bytes;
        }
        assert_int_equal(at, footer.groups[g].offset + footer.groups[g].bytes);
    }
    struct pncp_chunk chunk;
    assert_int_equal(pncp_footer_chunk(&footer, 2, 0, &chunk, &err), PNCP_E_PARSE);
    assert_int_equal(pncp_footer_chunk(&footer, 0, footer.leaf_count, &chunk, &err), PNCP_E_PARSE);
    assert_string_equal(err.msg, "damaged parquet footer: no such column");
}

static void test_key_values(void **state)
{
    (void)state;
    static const struct pncp_kv_pair kvs[] = {SAMPLE_KV("a", "1"), SAMPLE_KV("b", "x\0y"), SAMPLE_KV("a", "2"),
                                              SAMPLE_KV("", "none"), SAMPLE_KV("empty", "")};
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    AUTO(pncp_footer_release) struct pncp_footer footer = {0};
    struct pncp_view value;
    assert_int_equal(pncp_parquet_empty(sample_schema(), kvs, PNCP_ARRAY_LEN(kvs), &bytes, NULL), PNCP_OK);
    assert_int_equal(sample_read(&bytes, &footer, NULL), PNCP_OK);
    assert_int_equal(footer.group_count, 0);
    assert_int_equal(footer.rows, 0);
    assert_int_equal(footer.data_end, 4);
    assert_int_equal(footer.kv_count, 5);
    assert_true(pncp_footer_kv(&footer, "a", &value) && pncp_view_eq_text(value, "2")); /* the last one counts */
    assert_true(pncp_footer_kv(&footer, "b", &value) && pncp_view_eq(value, PNCP_VIEW_LIT("x\0y")));
    assert_true(pncp_footer_kv(&footer, "empty", &value) && value.len == 0);
    assert_false(pncp_footer_kv(&footer, "c", &value));
}

/* ---- damage of the whole file ---------------------------------------------------------------- */

static void test_every_truncation(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = two_groups();
    for (size_t len = 0; len < file.bytes.len; len++) {
        struct pncp_buf cut = {.data = file.bytes.data, .len = len};
        struct pncp_footer footer;
        struct pncp_err err = PNCP_ERR_INIT;
        if (sample_read(&cut, &footer, &err) != PNCP_E_PARSE || err.msg[0] == '\0')
            fail_msg("cut to %zu bytes: %s", len, err.msg);
    }
    for (size_t len = 0; len < file.footer.raw.len; len++) { /* the footer alone, its length right again */
        struct pncp_buf cut = {0};
        struct pncp_footer footer;
        struct pncp_err err = PNCP_ERR_INIT;
        assert_int_equal(pncp_buf_append(&cut, file.footer.raw.data, len), PNCP_OK);
        if (pncp_footer_parse(&cut, file.bytes.len, &footer, &err) != PNCP_E_PARSE || cut.data != NULL)
            fail_msg("footer cut to %zu bytes: %s", len, err.msg);
    }
}

static void test_ends_of_the_file(void **state)
{
    (void)state;
    static const struct {
        size_t from_end; /* 0: at the start */
        const char *bytes;
        const char *msg;
    } cases[] = {
        {0, "PARE", "not a parquet file: it does not begin with PAR1"}, /* encrypted footer: PARE at both ends */
        {4, "PARE", "not a whole parquet file: it does not end with PAR1"},
        {8, "\xFF\xFF\xFF\xFF", "damaged parquet footer: its length is beyond the file"},
        {8, "\xFF\xFF\xFF\x7F", "damaged parquet footer: its length is beyond the file"},
        {8, "\xFF\xFF\x01\x01", "damaged parquet footer: its length is beyond the file"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(sample_file_release) struct sample_file file = two_groups();
        struct pncp_footer footer;
        struct pncp_err err = PNCP_ERR_INIT;
        memcpy(file.bytes.data + (cases[i].from_end == 0 ? 0 : file.bytes.len - cases[i].from_end), cases[i].bytes, 4);
        assert_int_equal(sample_read(&file.bytes, &footer, &err), PNCP_E_PARSE);
        assert_string_equal(err.msg, cases[i].msg);
    }
}

/* Every length but the right one: too short or too long by some bytes. */
static void test_wrong_length(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = two_groups();
    size_t right = file.footer.raw.len, most = file.bytes.len - 12;
    for (size_t len = 0; len <= most; len++) {
        unsigned char *at = (unsigned char *)file.bytes.data + file.bytes.len - 8;
        struct pncp_footer footer;
        for (int i = 0; i < 4; i++)
            at[i] = (unsigned char)(len >> 8 * i);
        enum pncp_code rc = sample_read(&file.bytes, &footer, NULL);
        if (len != right)
            assert_int_equal(rc, PNCP_E_PARSE);
        else
            pncp_footer_release(&footer);
    }
}

static enum pncp_code fails_at(void *ctx, uint64_t offset, void *data, size_t len, struct pncp_err *err)
{
    unsigned *left = ctx;
    (void)offset;
    if ((*left)-- == 0)
        return pncp_err_set(err, PNCP_E_CONFLICT, "another version");
    memcpy(data, len == 8 ? "\x10\x00\x00\x00PAR1" : "PAR1", len);
    return PNCP_OK;
}

static void test_errors_of_the_source_come_through(void **state)
{
    (void)state;
    for (unsigned reads = 0; reads < 3; reads++) {
        unsigned left = reads;
        struct pncp_source source = {.read_at = fails_at, .ctx = &left, .size = 1000};
        struct pncp_footer footer;
        struct pncp_err err = PNCP_ERR_INIT;
        assert_int_equal(pncp_footer_read(&source, &footer, &err), PNCP_E_CONFLICT);
        assert_string_equal(err.msg, "another version");
    }
}

/* ---- changed bytes --------------------------------------------------------------------------- */

/* What a reader may rely on once a footer was accepted. */
static void check_sound(const struct pncp_footer *footer)
{
    uint64_t rows = 0, end = 4;
    for (size_t g = 0; g < footer->group_count; g++) {
        const struct pncp_group *group = &footer->groups[g];
        assert_true(group->offset >= end && group->bytes <= footer->file_bytes);
        end = group->offset + group->bytes;
        assert_true(end <= footer->file_bytes - 8 - footer->raw.len);
        assert_true(group->footer_offset + group->footer_bytes <= footer->raw.len);
        assert_true(rows + group->rows >= rows);
        rows += group->rows;
        for (size_t i = 0; i < footer->leaf_count; i++) {
            struct pncp_chunk chunk;
            assert_int_equal(pncp_footer_chunk(footer, g, i, &chunk, NULL), PNCP_OK);
            assert_true(chunk.offset >= group->offset && chunk.offset + chunk.bytes <= end);
        }
    }
    assert_true(footer->rows == rows);
    assert_true(footer->data_end == end);
}

/* Merging and reading a column of it give a result or an error. */
static void use(const struct pncp_footer *footer, const struct pncp_source *source, size_t leaf)
{
    AUTO(pncp_leaf_release) struct pncp_leaf column;
    AUTO(pncp_buf_release) struct pncp_buf tail = {0};
    static const struct pncp_kv_pair kv = SAMPLE_KV("k", "v");
    struct pncp_footer merged;
    pncp_leaf_init(&column, &sample_schema()->leaves[leaf]);
    if (pncp_parquet_read_leaf(NULL, source, footer, leaf, 0, footer->group_count, &column, NULL) == PNCP_OK)
        assert_int_equal(pncp_leaf_rows(&column), footer->rows);
    if (footer->group_count == 2 &&
        pncp_footer_build(&(struct pncp_footer_piece){footer, 1, 1, 4}, 1, &kv, 1, &tail, &merged, NULL) == PNCP_OK) {
        check_sound(&merged);
        pncp_footer_release(&merged);
    }
}

static void test_3000_mutations(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = two_groups();
    uint64_t seed = 20261123;
    unsigned accepted = 0, refused = 0;
    size_t from = file.footer.data_end, bytes = file.bytes.len - from;
    for (unsigned round = 0; round < 3000; round++) {
        AUTO(pncp_buf_release) struct pncp_buf mutated = {0}; /* exact in size: the sanitizer sees a step beyond */
        assert_int_equal(pncp_buf_append(&mutated, file.bytes.data, file.bytes.len), PNCP_OK);
        for (uint64_t changes = 1 + pncp_splitmix(&seed) % 3; mutated.data != NULL && changes > 0; changes--) {
            uint64_t dice = pncp_splitmix(&seed);
            mutated.data[from + (dice >> 16) % bytes] ^= (char)(1U << (dice & 7) | (dice % 3 == 0 ? dice >> 8 : 0));
        }
        struct pncp_view view = pncp_buf_view(&mutated);
        struct pncp_source source = pncp_source_of_view(&view);
        struct pncp_footer footer;
        struct pncp_err err = PNCP_ERR_INIT;
        enum pncp_code rc = pncp_footer_read(&source, &footer, &err);
        if (rc != PNCP_OK) {
            assert_true((rc == PNCP_E_PARSE || rc == PNCP_E_LIMIT) && err.msg[0] != '\0');
            refused++;
            continue;
        }
        accepted++;
        check_sound(&footer);
        if (footer.leaf_count == sample_schema()->leaf_count)
            use(&footer, &source, round % footer.leaf_count);
        pncp_footer_release(&footer);
    }
    assert_true(accepted > 300 && refused > 300); /* names and statistics may change unseen */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_footer_tells), cmocka_unit_test(test_key_values),
        cmocka_unit_test(test_every_truncation),    cmocka_unit_test(test_ends_of_the_file),
        cmocka_unit_test(test_wrong_length),        cmocka_unit_test(test_errors_of_the_source_come_through),
        cmocka_unit_test(test_3000_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
