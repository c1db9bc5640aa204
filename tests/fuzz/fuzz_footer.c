/*
 * Parquet files that may be damaged anywhere.
 * Input: a whole file.
 * True of a footer that is accepted: its groups lie in the file, one behind the other, and add up. The file appended to
 * itself, as an append does it, has everything twice: the new footer reads back, copies what may be read from other
 * places, and every column that reads from the old file reads the same from each half of the new one.
 */
#include "fuzz.h"
#include "model/model.h"
#include "parquet/footer_int.h"

#define READS_MAX 24 /* column chunks of one input that are read: each costs a millisecond */

#define LEAF(name, type)                                                                                               \
    {                                                                                                                  \
        (name), PNCP_T_##type, 0, NULL, 0, "fuzz"                                                                      \
    }

/* The columns of the seeds that make_corpus.py writes: every type, a list. */
static const struct pncp_col ITEM[] = {LEAF("numero", INT64), LEAF("texto", TEXT)};
static const struct pncp_col COLS[] = {
    LEAF("id", INT32),
    LEAF("nome", TEXT),
    LEAF("sim", BOOL),
    LEAF("valor", DEC18_4),
    LEAF("dia", DATE),
    LEAF("quando", UTC_US),
    {"itens", PNCP_T_LIST, 0, ITEM, PNCP_ARRAY_LEN(ITEM), "fuzz"},
};

static const struct pncp_schema *small_schema(void)
{
    static struct pncp_schema schema;
    if (schema.node_count == 0)
        FUZZ_CHECK(pncp_schema_init(&schema, COLS, PNCP_ARRAY_LEN(COLS), NULL) == PNCP_OK);
    return &schema;
}

/* The schema to read a file's columns with: types that do not fit must be refused, not believed. */
static const struct pncp_schema *schema_for(const struct pncp_footer *footer)
{
    return footer->leaf_count == pncp_details_schema()->leaf_count ? pncp_details_schema() : small_schema();
}

static void check_refusal(enum pncp_code rc, const struct pncp_err *err)
{
    FUZZ_CHECK(rc == PNCP_E_PARSE || rc == PNCP_E_LIMIT || rc == PNCP_E_UNSUPPORTED || rc == PNCP_E_NOMEM);
    FUZZ_CHECK(err->code == rc && err->msg[0] != '\0');
}

/* ---- what a footer says ---------------------------------------------------------------------- */

static bool within(struct pncp_view part, const struct pncp_buf *whole)
{
    return part.len == 0 || (part.data >= whole->data && part.data + part.len <= whole->data + whole->len);
}

static void check_chunks(const struct pncp_footer *footer, size_t group)
{
    const struct pncp_group *g = &footer->groups[group];
    uint64_t bytes = 0;
    for (size_t leaf = 0; leaf < footer->leaf_count; leaf++) {
        struct pncp_chunk chunk;
        FUZZ_CHECK(pncp_footer_chunk(footer, group, leaf, &chunk, NULL) == PNCP_OK);
        if (chunk.bytes == 0 && chunk.value_slots == 0) /* of a group without rows: it lies nowhere */
            continue;
        FUZZ_CHECK(chunk.offset >= g->offset && chunk.offset - g->offset <= g->bytes &&
                   chunk.bytes <= g->bytes - (chunk.offset - g->offset));
        bytes += chunk.bytes;
    }
    FUZZ_CHECK(bytes <= g->bytes);
}

static void check_footer(const struct pncp_footer *footer, size_t file_bytes)
{
    uint64_t end = 4, rows = 0;
    FUZZ_CHECK(footer->file_bytes == file_bytes && footer->raw.len + 12 <= file_bytes);
    for (size_t i = 0; i < footer->group_count; i++) {
        const struct pncp_group *group = &footer->groups[i];
        FUZZ_CHECK(group->offset >= end && group->bytes <= file_bytes - group->offset);
        FUZZ_CHECK((uint64_t)group->footer_offset + group->footer_bytes <= footer->raw.len);
        end = group->offset + group->bytes;
        rows += group->rows;
        check_chunks(footer, i);
    }
    FUZZ_CHECK(footer->rows == rows && footer->data_end == end && end <= file_bytes - 8 - footer->raw.len);
    for (size_t i = 0; i < footer->kv_count; i++)
        FUZZ_CHECK(within(footer->kvs[i].key, &footer->raw) && within(footer->kvs[i].value, &footer->raw));
    FUZZ_CHECK(within(footer->schema, &footer->raw) && within(footer->created_by, &footer->raw) &&
               within(footer->column_orders, &footer->raw));
}

/* ---- the file behind itself ------------------------------------------------------------------ */

static const struct pncp_kv_pair KVS[] = {{"pncp.format", {"fuzz 1", 6}}, {"pncp.commit", {"0", 1}}};

/* file = old file up to the end of its data, its data again, a footer over both. false: refused. */
static bool double_up(struct pncp_view old, const struct pncp_footer *footer, struct pncp_buf *ret_file,
                      struct pncp_footer *ret_footer)
{
    struct pncp_err err = PNCP_ERR_INIT;
    size_t from = footer->group_count == 0 ? (size_t)footer->data_end : (size_t)footer->groups[0].offset;
    size_t end = (size_t)footer->data_end;
    FUZZ_CHECK(pncp_buf_append(ret_file, old.data, end) == PNCP_OK);
    FUZZ_CHECK(pncp_buf_append(ret_file, old.data + from, end - from) == PNCP_OK);
    enum pncp_code rc = pncp_footer_merge(footer, footer->group_count, footer, end, KVS, PNCP_ARRAY_LEN(KVS), ret_file,
                                          ret_footer, &err);
    if (rc == PNCP_OK)
        return true;
    check_refusal(rc, &err);
    FUZZ_CHECK(pncp_view_starts(pncp_view_of(err.msg), "merging")); /* what was written would have read back */
    FUZZ_CHECK(ret_file->len == end + end - from);                  /* as it was */
    return false;
}

/* Field `id` of a RowGroup, -1 when it has none of its type: 5 is its offset in the file, 7 its number. */
static int64_t group_field(const struct pncp_footer *footer, size_t group, int16_t id)
{
    const enum pncp_thrift_type type = id == 5 ? PNCP_THRIFT_I64 : PNCP_THRIFT_I16;
    struct pncp_thrift_reader r = pncp_thrift_open(pncp_footer_group_bytes(footer, group));
    struct pncp_thrift_field field = {0};
    int64_t value = -1;
    while (pncp_thrift_next(&r, &field)) {
        if (field.id == id && field.type == type)
            value = pncp_thrift_int(&r, field.type);
        else
            pncp_thrift_skip(&r, field.type);
    }
    return value;
}

static void check_doubled(const struct pncp_footer *old, const struct pncp_footer *doubled)
{
    struct pncp_view value;
    FUZZ_CHECK(doubled->group_count == 2 * old->group_count && doubled->rows == 2 * old->rows);
    FUZZ_CHECK(doubled->leaf_count == old->leaf_count && pncp_view_eq(doubled->schema, old->schema));
    FUZZ_CHECK(pncp_view_eq(doubled->created_by, old->created_by));
    FUZZ_CHECK(doubled->kv_count == PNCP_ARRAY_LEN(KVS) && pncp_footer_kv(doubled, "pncp.commit", &value));
    for (size_t i = 0; i < old->group_count; i++) {
        const struct pncp_group *first = &doubled->groups[i], *second = &doubled->groups[old->group_count + i];
        uint64_t shift = old->data_end - old->groups[0].offset;
        FUZZ_CHECK(first->offset == old->groups[i].offset && first->bytes == old->groups[i].bytes);
        FUZZ_CHECK(second->offset == first->offset + shift && second->bytes == first->bytes);
        FUZZ_CHECK(second->rows == first->rows && first->rows == old->groups[i].rows);
        int64_t offset = group_field(doubled, i, 5), number = group_field(doubled, i, 7);
        FUZZ_CHECK(group_field(doubled, old->group_count + i, 5) == (offset > 0 ? offset + (int64_t)shift : offset));
        FUZZ_CHECK(group_field(doubled, old->group_count + i, 7) ==
                   (number == -1 ? -1 : (int64_t)(old->group_count + i)));
    }
}

/* ---- with groups left in the file ------------------------------------------------------------ */

/* The groups as they are under other key-values: with half of them left in the file the same bytes come out, or the
 * same refusal; and those can be read again. */
static void check_left(struct pncp_view old, const struct pncp_footer *footer)
{
    AUTO(pncp_footer_release) struct pncp_footer holed = {0}, made = {0}, want = {0};
    struct pncp_source source = pncp_source_of_view(&old);
    FUZZ_CHECK(pncp_footer_read(&source, &holed, NULL) == PNCP_OK);
    size_t left = (footer->group_count + 1) / 2;
    pncp_footer_leave(&holed, left);
    FUZZ_CHECK(holed.left.groups == left && holed.raw.len + holed.left.bytes == footer->raw.len);
    uint64_t at = footer->group_count == 0 ? footer->data_end : footer->groups[0].offset;
    const struct pncp_footer_piece with = {&holed, 0, holed.group_count, at},
                                   without = {footer, 0, footer->group_count, at};
    enum pncp_code rc = pncp_footer_make(&without, 1, KVS, PNCP_ARRAY_LEN(KVS), &want, NULL);
    FUZZ_CHECK(pncp_footer_make(&with, 1, KVS, PNCP_ARRAY_LEN(KVS), &made, NULL) == rc);
    if (rc == PNCP_OK) {
        struct pncp_footer_tail tail = pncp_footer_tail(&made, &holed);
        struct pncp_view whole = pncp_footer_tail(&want, footer).rest;
        FUZZ_CHECK(tail.head.len + tail.left_bytes + tail.rest.len == whole.len);
        const struct pncp_view parts[] = {tail.head, {old.data + tail.left_at, (size_t)tail.left_bytes}, tail.rest};
        const char *behind = whole.data;
        for (size_t i = 0; i < PNCP_ARRAY_LEN(parts); behind += parts[i].len, i++)
            FUZZ_CHECK(parts[i].len == 0 || memcmp(behind, parts[i].data, parts[i].len) == 0);
    }
    for (size_t i = 0; i < left; i++) {
        AUTO(pncp_footer_release) struct pncp_footer recalled = {0};
        const struct pncp_footer *one = &holed;
        size_t group = i;
        FUZZ_CHECK(pncp_footer_recall(&one, &group, &source, &recalled, NULL) == PNCP_OK);
        FUZZ_CHECK(pncp_view_eq(pncp_footer_group_bytes(one, group), pncp_footer_group_bytes(footer, i)));
    }
}

/* ---- columns --------------------------------------------------------------------------------- */

static bool read_leaf(struct pncp_view file, const struct pncp_footer *footer, size_t leaf, size_t group,
                      struct pncp_leaf *ret_leaf)
{
    struct pncp_source source = pncp_source_of_view(&file);
    struct pncp_err err = PNCP_ERR_INIT;
    pncp_leaf_init(ret_leaf, &schema_for(footer)->leaves[leaf]);
    enum pncp_code rc = pncp_parquet_read_leaf(NULL, &source, footer, leaf, group, 1, ret_leaf, &err);
    if (rc == PNCP_OK)
        FUZZ_CHECK(pncp_leaf_rows(ret_leaf) == footer->groups[group].rows);
    else
        check_refusal(rc, &err);
    return rc == PNCP_OK;
}

/* A fixed-width leaf's bytes may be unused ones of a bool: compared as numbers. */
static bool same_leaf(const struct pncp_leaf *a, const struct pncp_leaf *b)
{
    if (a->level_count != b->level_count || a->value_count != b->value_count ||
        (a->max_def > 0 && a->level_count > 0 && memcmp(a->def, b->def, a->level_count * sizeof(*a->def)) != 0) ||
        (a->max_rep > 0 && a->level_count > 0 && memcmp(a->rep, b->rep, a->level_count * sizeof(*a->rep)) != 0))
        return false;
    for (size_t i = 0; i < a->value_count; i++) {
        if (a->type == PNCP_T_TEXT ? !pncp_view_eq(pncp_leaf_text(a, i), pncp_leaf_text(b, i))
                                   : pncp_leaf_int(a, i) != pncp_leaf_int(b, i))
            return false;
    }
    return true;
}

static void check_leaf(struct pncp_view old, const struct pncp_footer *footer, struct pncp_view file,
                       const struct pncp_footer *doubled, size_t leaf, size_t group)
{
    AUTO(pncp_leaf_release) struct pncp_leaf one = {0}, first = {0}, second = {0};
    if (!read_leaf(old, footer, leaf, group, &one))
        return;
    FUZZ_CHECK(read_leaf(file, doubled, leaf, group, &first) && same_leaf(&one, &first));
    FUZZ_CHECK(read_leaf(file, doubled, leaf, footer->group_count + group, &second) && same_leaf(&one, &second));
}

/* All chunks, or READS_MAX of them spread over the file. `doubled` may be NULL: there is no such file. */
static void check_columns(struct pncp_view old, const struct pncp_footer *footer, struct pncp_view file,
                          const struct pncp_footer *doubled)
{
    size_t leaves = PNCP_MIN(footer->leaf_count, schema_for(footer)->leaf_count);
    size_t chunks = footer->group_count * leaves, step = (chunks + READS_MAX - 1) / READS_MAX;
    for (size_t i = 0; i < chunks; i += step) {
        AUTO(pncp_leaf_release) struct pncp_leaf alone = {0};
        if (doubled != NULL)
            check_leaf(old, footer, file, doubled, i % leaves, i / leaves);
        else
            (void)read_leaf(old, footer, i % leaves, i / leaves, &alone);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_open(data, size);
    struct pncp_view old = fuzz_rest(&in);
    struct pncp_source source = pncp_source_of_view(&old);
    struct pncp_err err = PNCP_ERR_INIT;
    AUTO(pncp_footer_release) struct pncp_footer footer = {0}, doubled = {0};
    AUTO(pncp_buf_release) struct pncp_buf file = {0};
    enum pncp_code rc = pncp_footer_read(&source, &footer, &err);
    if (rc != PNCP_OK) {
        check_refusal(rc, &err);
        return 0;
    }
    check_footer(&footer, size);
    bool is_doubled = double_up(old, &footer, &file, &doubled);
    if (is_doubled)
        check_doubled(&footer, &doubled);
    check_left(old, &footer);
    check_columns(old, &footer, pncp_buf_view(&file), is_doubled ? &doubled : NULL);
    return 0;
}
