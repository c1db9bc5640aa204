/*
 * A column chunk that may be damaged anywhere.
 * Input: which column (one byte), how many slots the footer said (one byte: 16 of them each), codec (the byte's lowest
 * bit: ZSTD), then the pages.
 * True of one that is accepted: its levels are in range and as many values stand there as they say; written again, it
 * reads back the same.
 */
#include "fuzz.h"
#include "parquet/chunk_reader.h"
#include "parquet/chunk_writer.h"
#include "parquet/footer_int.h"

#include <string.h>

#define RAW_MAX ((uint64_t)1024 * 1024) /* as the footer says: the same for all, so that an input is not slow */

#define KIND(pncp_type, def, rep, col_flags)                                                                           \
    {                                                                                                                  \
        .col = &(const struct pncp_col){.name = "c", .type = (pncp_type), .flags = (col_flags)}, .type = (pncp_type),  \
        .max_def = (def), .max_rep = (rep), .path = "c"                                                                \
    }

static const struct pncp_leaf_info KINDS[] = {
    KIND(PNCP_T_INT32, 0, 0, PNCP_COL_REQUIRED | PNCP_COL_STATS),
    KIND(PNCP_T_TEXT, 1, 0, PNCP_COL_DICT | PNCP_COL_STATS),
    KIND(PNCP_T_BOOL, 1, 0, 0),
    KIND(PNCP_T_INT64, 2, 0, PNCP_COL_DICT),
    KIND(PNCP_T_TEXT, 4, 1, PNCP_COL_DICT),
    KIND(PNCP_T_DEC18_4, 5, 1, PNCP_COL_STATS),
};

static void check_sound(const struct pncp_leaf *leaf)
{
    size_t values = 0;
    for (size_t i = 0; i < leaf->level_count; i++) {
        FUZZ_CHECK(leaf->max_def == 0 || (leaf->def[i] >= 0 && leaf->def[i] <= leaf->max_def));
        FUZZ_CHECK(leaf->max_rep == 0 || (leaf->rep[i] >= 0 && leaf->rep[i] <= leaf->max_rep));
        values += leaf->max_def == 0 || leaf->def[i] == leaf->max_def;
    }
    FUZZ_CHECK(values == leaf->value_count);
    if (leaf->type != PNCP_T_TEXT)
        FUZZ_CHECK(leaf->values.len == values * pncp_type_width(leaf->type));
    else if (values > 0)
        FUZZ_CHECK(leaf->ends[values - 1] == leaf->values.len);
}

static bool same_bytes(const void *a, const void *b, size_t len)
{
    return len == 0 || memcmp(a, b, len) == 0;
}

static void check_again(const struct pncp_leaf_info *info, const struct pncp_leaf *leaf)
{
    const struct pncp_encode_options options = {.zstd_level = 1};
    AUTO(pncp_chunk_writer_release) struct pncp_chunk_writer writer = {0};
    AUTO(pncp_chunk_reader_release) struct pncp_chunk_reader reader = {0};
    AUTO(pncp_buf_release) struct pncp_buf pages = {0}, entry = {0};
    AUTO(pncp_leaf_release) struct pncp_leaf back;
    struct pncp_err err = PNCP_ERR_INIT;
    struct pncp_chunk chunk;
    const char *damage;
    uint64_t raw = 0;
    FUZZ_CHECK(pncp_chunk_write(&writer, info, leaf, &options, 0, &pages, &entry, &raw, &err) == PNCP_OK);
    struct pncp_thrift_reader r = pncp_thrift_open(pncp_buf_view(&entry));
    pncp_footer_read_chunk(&r, &chunk);
    FUZZ_CHECK(!r.failed && chunk.bytes == pages.len && chunk.value_slots == leaf->level_count);
    pncp_leaf_init(&back, info);
    FUZZ_CHECK(pncp_chunk_read(&reader, &chunk, pncp_buf_view(&pages), &back, &damage) == PNCP_OK);
    FUZZ_CHECK(back.level_count == leaf->level_count && back.value_count == leaf->value_count &&
               back.values.len == leaf->values.len);
    FUZZ_CHECK(same_bytes(back.values.data, leaf->values.data, leaf->values.len));
    FUZZ_CHECK(leaf->type != PNCP_T_TEXT || same_bytes(back.ends, leaf->ends, leaf->value_count * sizeof(*leaf->ends)));
    FUZZ_CHECK(leaf->max_def == 0 || same_bytes(back.def, leaf->def, leaf->level_count * sizeof(*leaf->def)));
    FUZZ_CHECK(leaf->max_rep == 0 || same_bytes(back.rep, leaf->rep, leaf->level_count * sizeof(*leaf->rep)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    const struct pncp_leaf_info *info = &KINDS[data[0] % PNCP_ARRAY_LEN(KINDS)];
    struct pncp_view bytes = {(const char *)data + 3, size - 3};
    const struct pncp_chunk chunk = {.bytes = bytes.len,
                                     .raw_bytes = RAW_MAX,
                                     .value_slots = (uint64_t)data[1] * 16,
                                     .codec = (data[2] & 1) != 0 ? PNCP_PARQUET_ZSTD : PNCP_PARQUET_UNCOMPRESSED};
    AUTO(pncp_chunk_reader_release) struct pncp_chunk_reader reader = {0};
    AUTO(pncp_leaf_release) struct pncp_leaf leaf;
    const char *damage = NULL;
    pncp_leaf_init(&leaf, info);
    enum pncp_code rc = pncp_chunk_read(&reader, &chunk, bytes, &leaf, &damage);
    FUZZ_CHECK(rc == PNCP_OK || rc == PNCP_E_PARSE || rc == PNCP_E_LIMIT);
    FUZZ_CHECK((rc == PNCP_E_PARSE) == (damage != NULL));
    if (rc == PNCP_OK) {
        FUZZ_CHECK(leaf.level_count == chunk.value_slots);
        check_sound(&leaf);
        if (leaf.level_count > 0)
            check_again(info, &leaf);
    }
    return 0;
}
