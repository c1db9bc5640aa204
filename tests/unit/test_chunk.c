/* Column chunks written and read: pages where they should be, and no damage that is believed or read beyond. */
#include "base/mem.h"
#include "parquet/chunk_reader.h"
#include "parquet/chunk_writer.h"
#include "parquet/footer_int.h"
#include "sample.h"

#define PAGE_BYTES (256 * 1024)
#define SMALL_PAGE_BYTES (64 * 1024)

struct written {
    struct pncp_buf pages, entry;
    struct pncp_chunk chunk;
    uint64_t raw_bytes;
};

static void written_release(struct written *written)
{
    pncp_buf_release(&written->pages);
    pncp_buf_release(&written->entry);
}

static struct written write_with(const struct pncp_leaf_info *info, const struct pncp_leaf *leaf,
                                 struct pncp_encode_options options)
{
    struct written written = {0};
    struct pncp_chunk_writer writer = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    assert_int_equal(pncp_buf_text(&written.pages, "PAR1"), PNCP_OK);
    assert_int_equal(
        pncp_chunk_write(&writer, info, leaf, &options, 0, &written.pages, &written.entry, &written.raw_bytes, &err),
        PNCP_OK);
    pncp_chunk_writer_release(&writer);
    struct pncp_thrift_reader r = pncp_thrift_open(pncp_buf_view(&written.entry));
    pncp_footer_read_chunk(&r, &written.chunk);
    assert_false(r.failed);
    assert_int_equal(written.chunk.offset, 4);
    assert_int_equal(written.chunk.bytes, written.pages.len - 4);
    assert_int_equal(written.chunk.raw_bytes, written.raw_bytes);
    assert_int_equal(written.chunk.value_slots, leaf->level_count);
    return written;
}

static struct written write_chunk(const struct pncp_leaf_info *info, const struct pncp_leaf *leaf, bool plain)
{
    return write_with(info, leaf, (struct pncp_encode_options){.zstd_level = plain ? -5 : 3, .plain = plain});
}

static enum pncp_code read_chunk(const struct pncp_chunk *chunk, struct pncp_view bytes,
                                 const struct pncp_leaf_info *info, struct pncp_leaf *ret_leaf)
{
    struct pncp_chunk_reader reader = {0};
    const char *damage = NULL;
    pncp_leaf_init(ret_leaf, info);
    enum pncp_code rc = pncp_chunk_read(&reader, chunk, bytes, ret_leaf, &damage);
    assert_int_equal(rc == PNCP_E_PARSE, damage != NULL);
    pncp_chunk_reader_release(&reader);
    return rc;
}

static void check_same(const struct pncp_leaf *a, const struct pncp_leaf *b)
{
    assert_int_equal(a->level_count, b->level_count);
    assert_int_equal(a->value_count, b->value_count);
    assert_int_equal(a->values.len, b->values.len);
    if (a->values.len > 0)
        assert_memory_equal(a->values.data, b->values.data, a->values.len);
    if (a->type == PNCP_T_TEXT && a->value_count > 0)
        assert_memory_equal(a->ends, b->ends, a->value_count * sizeof(*a->ends));
    if (a->max_def > 0)
        assert_memory_equal(a->def, b->def, a->level_count * sizeof(*a->def));
    if (a->max_rep > 0)
        assert_memory_equal(a->rep, b->rep, a->level_count * sizeof(*a->rep));
}

/* Past a page: the slots that its header says, 0 for the dictionary's. */
static size_t next_page(struct pncp_thrift_reader *r)
{
    struct pncp_thrift_field field = {0}, inner = {0};
    int64_t bytes = 0, slots = 0;
    while (pncp_thrift_next(r, &field)) {
        if (field.id == 3)
            bytes = pncp_thrift_int(r, field.type);
        else if (field.id == 5 && pncp_thrift_next(r, &inner)) {
            slots = pncp_thrift_int(r, inner.type);
            while (pncp_thrift_next(r, &inner))
                pncp_thrift_skip(r, inner.type);
        } else
            pncp_thrift_skip(r, field.type);
    }
    assert_false(r->failed);
    r->at += bytes;
    return (size_t)slots;
}

/* Slots of each data page, one after the other; gives the number of pages. */
static size_t page_slots(const struct written *written, size_t ret_slots[64])
{
    size_t pages = 0;
    struct pncp_thrift_reader r = pncp_thrift_open(pncp_view_from(pncp_buf_view(&written->pages), 4));
    while (r.at < r.end) {
        size_t slots = next_page(&r);
        assert_true(pages < 64);
        if (slots > 0)
            ret_slots[pages++] = slots;
    }
    return pages;
}

static const struct pncp_col TEXT_COL = SAMPLE_COL("t", TEXT, SAMPLE_REQ);
static const struct pncp_col DICT_COL = SAMPLE_COL("d", TEXT, SAMPLE_DICT);
static const struct pncp_leaf_info TEXT = {.col = &TEXT_COL, .type = PNCP_T_TEXT, .path = "t"};
static const struct pncp_leaf_info LIST = {
    .col = &DICT_COL, .type = PNCP_T_TEXT, .max_def = 3, .max_rep = 1, .path = "l.list.element.d"};

static void check_pages_end_at(size_t page_bytes, bool small)
{
    static char text[1000];
    AUTO(pncp_leaf_release) struct pncp_leaf leaf, back;
    size_t slots[64], pages, all = 0;
    pncp_leaf_init(&leaf, &TEXT);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(pncp_leaf_put_text(&leaf, 0, (struct pncp_view){text, sizeof(text)}), PNCP_OK);
    AUTO(written_release)
    struct written written =
        write_with(&TEXT, &leaf, (struct pncp_encode_options){.zstd_level = -5, .plain = true, .small = small});
    pages = page_slots(&written, slots);
    assert_int_equal(pages, 1000 / (page_bytes / 1004 + 1) + 1);
    for (size_t i = 0; i < pages; i++) {
        assert_true(i + 1 == pages || slots[i] == page_bytes / 1004 + 1); /* with the text that passes it */
        all += slots[i];
    }
    assert_int_equal(all, 1000);
    assert_int_equal(read_chunk(&written.chunk, pncp_view_from(pncp_buf_view(&written.pages), 4), &TEXT, &back),
                     PNCP_OK);
    check_same(&back, &leaf);
}

static void test_pages_end_at_a_size(void **state)
{
    (void)state;
    check_pages_end_at(PAGE_BYTES, false);
    check_pages_end_at(SMALL_PAGE_BYTES, true);
}

/* 300,000 slots in lists of 1 to 1,000, most of them null: pages of 65,536 slots and what the last list has more. */
static void test_pages_begin_at_a_row(void **state)
{
    (void)state;
    AUTO(pncp_leaf_release) struct pncp_leaf leaf, back;
    size_t slots[64], at = 0;
    uint64_t seed = 1;
    pncp_leaf_init(&leaf, &LIST);
    while (leaf.level_count < 300000) {
        for (size_t i = 0, len = 1 + pncp_splitmix(&seed) % 1000; i < len; i++)
            assert_int_equal(pncp_splitmix(&seed) % 50 == 0 ? pncp_leaf_put_text(&leaf, i > 0, PNCP_VIEW_LIT("sim"))
                                                            : pncp_leaf_put_null(&leaf, i > 0, (int16_t)(i % 3)),
                             PNCP_OK);
    }
    for (int plain = 0; plain < 2; plain++) {
        AUTO(written_release) struct written written = write_chunk(&LIST, &leaf, plain != 0);
        size_t pages = page_slots(&written, slots);
        assert_int_equal(pages, 5);
        at = 0;
        for (size_t i = 0; i < pages; i++) {
            assert_int_equal(leaf.rep[at], 0);
            assert_true(i + 1 == pages || (slots[i] >= 65536 && slots[i] < 65536 + 1000));
            at += slots[i];
        }
        assert_int_equal(at, leaf.level_count);
        assert_int_equal(read_chunk(&written.chunk, pncp_view_from(pncp_buf_view(&written.pages), 4), &LIST, &back),
                         PNCP_OK);
        check_same(&back, &leaf);
        pncp_leaf_release(&back);
    }
    pncp_leaf_init(&back, &LIST);
}

static void check_codec(const struct pncp_leaf *leaf, bool plain, int32_t codec)
{
    AUTO(pncp_leaf_release) struct pncp_leaf back;
    AUTO(written_release) struct written written = write_chunk(&TEXT, leaf, plain);
    assert_int_equal(written.chunk.codec, codec);
    assert_int_equal(read_chunk(&written.chunk, pncp_view_from(pncp_buf_view(&written.pages), 4), &TEXT, &back),
                     PNCP_OK);
    check_same(&back, leaf);
}

/* Compressing it would cost more than it saves until the next fold: up to 512 bytes, and of one page. */
static void test_what_is_tiny_in_a_lot_is_stored(void **state)
{
    (void)state;
    AUTO(pncp_leaf_release) struct pncp_leaf leaf;
    pncp_leaf_init(&leaf, &TEXT);
    for (int i = 0; i < 64; i++) { /* 8 bytes each */
        assert_int_equal(pncp_leaf_put_text(&leaf, 0, PNCP_VIEW_LIT("sim!")), PNCP_OK);
        check_codec(&leaf, true, PNCP_PARQUET_UNCOMPRESSED);
        check_codec(&leaf, false, PNCP_PARQUET_ZSTD);
    }
    assert_int_equal(pncp_leaf_put_text(&leaf, 0, PNCP_VIEW_LIT("")), PNCP_OK);
    check_codec(&leaf, true, PNCP_PARQUET_ZSTD);
    /* tiny pages, but more than one: runs of nulls */
    AUTO(pncp_leaf_release) struct pncp_leaf nulls, back;
    pncp_leaf_init(&nulls, &LIST);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(pncp_leaf_put_null(&nulls, 0, 1), PNCP_OK);
    AUTO(written_release) struct written written = write_chunk(&LIST, &nulls, true);
    assert_int_equal(written.chunk.codec, PNCP_PARQUET_ZSTD);
    assert_int_equal(read_chunk(&written.chunk, pncp_view_from(pncp_buf_view(&written.pages), 4), &LIST, &back),
                     PNCP_OK);
    check_same(&back, &nulls);
}

static const struct pncp_col PLAIN_COL = SAMPLE_COL("p", TEXT, 0);
static const struct pncp_leaf_info PIECES = {
    .col = &PLAIN_COL, .type = PNCP_T_TEXT, .max_def = 3, .max_rep = 1, .path = "l.list.element.p"};

/* Lists of texts and nulls, a page and a half by their slots and several by their bytes, or less than one, given in
 * pieces of so many rows: the bytes are those of the whole, and never much more than a page is held. */
static void check_pieces(bool small)
{
    static const struct {
        size_t rows, slots_max, text_max;
    } columns[] = {{3, 3, 10}, {4000, 60, 2}, {3000, 4, 900}, {5, 2, 300000}};
    static const size_t pieces[] = {1, 7, 100, 2999, 5000};
    static char text[300000];
    const struct pncp_encode_options options = {.zstd_level = 1, .small = small};
    const size_t page_bytes = small ? SMALL_PAGE_BYTES : PAGE_BYTES;
    assert_true(pncp_chunk_takes_pieces(&PIECES, &options));
    assert_false(pncp_chunk_takes_pieces(&LIST, &options)); /* a dictionary looks at all values */
    memset(text, 'x', sizeof(text));
    for (size_t c = 0; c < PNCP_ARRAY_LEN(columns); c++) {
        AUTO(pncp_leaf_release) struct pncp_leaf leaf;
        AUTO(pncp_leaf_index_release) struct pncp_leaf_index index = {0};
        uint64_t seed = c;
        size_t row_bytes = columns[c].slots_max * (columns[c].text_max + 4);
        pncp_leaf_init(&leaf, &PIECES);
        for (size_t row = 0; row < columns[c].rows; row++) {
            for (size_t i = 0, len = 1 + pncp_splitmix(&seed) % columns[c].slots_max; i < len; i++) {
                struct pncp_view value = {text, pncp_splitmix(&seed) % (columns[c].text_max + 1)};
                assert_int_equal(pncp_splitmix(&seed) % 5 == 0 ? pncp_leaf_put_null(&leaf, i > 0, (int16_t)(i % 3))
                                                               : pncp_leaf_put_text(&leaf, i > 0, value),
                                 PNCP_OK);
            }
        }
        AUTO(pncp_chunk_writer_release) struct pncp_chunk_writer writer = {0};
        AUTO(written_release) struct written whole = {0};
        assert_int_equal(
            pncp_chunk_write(&writer, &PIECES, &leaf, &options, 9, &whole.pages, &whole.entry, &whole.raw_bytes, NULL),
            PNCP_OK);
        assert_int_equal(pncp_leaf_index_make(&leaf, &index), PNCP_OK);
        for (size_t p = 0; p < PNCP_ARRAY_LEN(pieces); p++) {
            AUTO(written_release) struct written written = {0};
            AUTO(pncp_leaf_release) struct pncp_leaf piece;
            struct pncp_chunk_begun begun;
            pncp_leaf_init(&piece, &PIECES);
            assert_int_equal(pncp_chunk_begin(&writer, &PIECES, &options, 9, &written.pages, &begun, NULL), PNCP_OK);
            for (size_t row = 0; row < columns[c].rows;) {
                for (size_t i = 0; i < pieces[p] && row < columns[c].rows; i++)
                    assert_int_equal(pncp_leaf_copy_row(&piece, &leaf, &index, row++), PNCP_OK);
                bool last = row == columns[c].rows;
                assert_int_equal(pncp_chunk_piece(&writer, &begun, &piece, last, NULL), PNCP_OK);
                assert_true(piece.values.len <= page_bytes + row_bytes);
                assert_true(!last || piece.level_count == 0);
            }
            assert_int_equal(pncp_chunk_end(&begun, &written.entry, &written.raw_bytes, NULL), PNCP_OK);
            assert_int_equal(written.raw_bytes, whole.raw_bytes);
            assert_true(pncp_view_eq(pncp_buf_view(&written.pages), pncp_buf_view(&whole.pages)));
            assert_true(pncp_view_eq(pncp_buf_view(&written.entry), pncp_buf_view(&whole.entry)));
        }
    }
}

static void test_pieces_are_the_whole(void **state)
{
    (void)state;
    check_pieces(false);
    check_pieces(true);
}

/* Every column of the sample, cut off anywhere: the copy has its exact length, so that the sanitizer sees a byte too
 * far. */
static void test_cut_off_anywhere(void **state)
{
    (void)state;
    AUTO(pncp_table_release) struct pncp_table table = sample_table(40, 3);
    for (size_t i = 0; i < table.schema->leaf_count; i++) {
        const struct pncp_leaf_info *info = &table.schema->leaves[i];
        AUTO(written_release) struct written written = write_chunk(info, &table.leaves[i], i % 2 == 0);
        size_t whole = written.pages.len - 4;
        for (size_t len = 0; len <= whole; len++) {
            AUTO(pncp_leaf_release) struct pncp_leaf back;
            char *exact = pncp_malloc(len + 1);
            assert_non_null(exact);
            memcpy(exact + 1, written.pages.data + 4, len);
            enum pncp_code rc = read_chunk(&written.chunk, (struct pncp_view){exact + 1, len}, info, &back);
            pncp_free(exact);
            assert_int_equal(rc, len == whole ? PNCP_OK : PNCP_E_PARSE);
            if (rc == PNCP_OK)
                check_same(&back, &table.leaves[i]);
        }
    }
}

static void test_too_many_slots(void **state)
{
    (void)state;
    AUTO(pncp_leaf_release) struct pncp_leaf leaf, back;
    pncp_leaf_init(&leaf, &LIST);
    assert_int_equal(pncp_leaf_put_null(&leaf, 0, 0), PNCP_OK);
    AUTO(written_release) struct written written = write_chunk(&LIST, &leaf, true);
    written.chunk.value_slots = PNCP_CHUNK_MAX_SLOTS + 1;
    assert_int_equal(read_chunk(&written.chunk, pncp_view_from(pncp_buf_view(&written.pages), 4), &LIST, &back),
                     PNCP_E_LIMIT);
    struct pncp_chunk_writer writer = {0};
    AUTO(pncp_buf_release) struct pncp_buf out = {0}, entry = {0};
    const struct pncp_encode_options options = {.zstd_level = 1};
    struct pncp_err err = PNCP_ERR_INIT;
    uint64_t raw = 0;
    struct pncp_leaf said = leaf; /* looked at before its levels are */
    said.level_count = PNCP_CHUNK_MAX_SLOTS + 1;
    assert_int_equal(pncp_chunk_write(&writer, &LIST, &said, &options, 0, &out, &entry, &raw, &err), PNCP_E_LIMIT);
    assert_int_equal(strncmp(err.msg, "column l.list.element.d: ", 25), 0);
    pncp_chunk_writer_release(&writer);
}

/* The ceiling of the output, and that of a row. */
static void test_limits_of_writing(void **state)
{
    (void)state;
    AUTO(pncp_leaf_release) struct pncp_leaf leaf;
    struct pncp_chunk_writer writer = {0};
    AUTO(pncp_buf_release) struct pncp_buf out = PNCP_BUF_INIT(1000), entry = {0};
    const struct pncp_encode_options options = {.zstd_level = 1};
    struct pncp_err err = PNCP_ERR_INIT;
    uint64_t raw = 0;
    pncp_leaf_init(&leaf, &TEXT);
    for (int i = 0; i < 100; i++)
        assert_int_equal(pncp_leaf_put_text(&leaf, 0, PNCP_VIEW_LIT("um texto")), PNCP_OK);
    assert_int_equal(pncp_chunk_write(&writer, &TEXT, &leaf, &options, 0, &out, &entry, &raw, &err), PNCP_E_LIMIT);
    assert_string_equal(err.msg, "column t: a row group of more than 1000 bytes");
    pncp_chunk_writer_release(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages_end_at_a_size),
        cmocka_unit_test(test_pages_begin_at_a_row),
        cmocka_unit_test(test_what_is_tiny_in_a_lot_is_stored),
        cmocka_unit_test(test_pieces_are_the_whole),
        cmocka_unit_test(test_cut_off_anywhere),
        cmocka_unit_test(test_too_many_slots),
        cmocka_unit_test(test_limits_of_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
