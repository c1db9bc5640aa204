#include "rows_fixture.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"
#include "parquet/parquet.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* NOLINTBEGIN(clang-analyzer-core.*): the analyzer does not know that cmocka's asserts end a test */

/* ---- a lake ---------------------------------------------------------------------------------- */

void rows_lake_open(struct rows_lake *lake)
{
    const char *base = getenv("TMPDIR");
    if (base == NULL) /* in memory where there is such a place: every commit waits for its fsync three times */
        base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    memset(lake, 0, sizeof(*lake));
    (void)snprintf(lake->folder, sizeof(lake->folder), "%s/pncp-rows-XXXXXX", base);
    assert_non_null(mkdtemp(lake->folder));
    assert_true(pncp_date_parse(PNCP_VIEW_LIT("20251022"), &lake->date));
    lake->lake = rows_lake_again(lake, ROWS_RUN);
}

struct pncp_lake *rows_lake_again(const struct rows_lake *lake, const char *run_id)
{
    const struct pncp_lake_options options = {.run_id = run_id};
    struct pncp_lake *again;
    struct pncp_err err = PNCP_ERR_INIT;
    if (pncp_lake_open(lake->folder, &options, &again, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    return again;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat, (void)type, (void)ftw;
    return remove(path);
}

void rows_lake_close(struct rows_lake *lake)
{
    pncp_lake_free(lake->lake);
    if (lake->folder[0] != '\0')
        (void)nftw(lake->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    memset(lake, 0, sizeof(*lake));
}

static void full_path(const struct rows_lake *lake, const char *path, char ret_path[600])
{
    (void)snprintf(ret_path, 600, "%s/%s", lake->folder, path);
}

void rows_file_put(const struct rows_lake *lake, const char *path, const void *data, size_t len)
{
    char full[600];
    full_path(lake, path, full);
    *strrchr(full, '/') = '\0';
    assert_int_equal(pncp_file_mkdirs(AT_FDCWD, full, NULL), PNCP_OK);
    full_path(lake, path, full);
    int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(pncp_file_write(fd, data, len, full, NULL), PNCP_OK);
    assert_int_equal(close(fd), 0);
}

bool rows_file_get(const struct rows_lake *lake, const char *path, struct pncp_buf *text)
{
    char full[600];
    full_path(lake, path, full);
    int fd = open(full, O_RDONLY | O_CLOEXEC);
    pncp_buf_clear(text);
    if (fd < 0)
        return false;
    assert_int_equal(pncp_file_slurp(fd, text, full, NULL), PNCP_OK);
    assert_int_equal(pncp_buf_append(text, "", 1), PNCP_OK); /* ends like a string, beyond its length */
    text->len--;
    return close(fd) == 0;
}

bool rows_file_exists(const struct rows_lake *lake, const char *path)
{
    char full[600];
    full_path(lake, path, full);
    return access(full, F_OK) == 0;
}

size_t rows_temp_count(const struct rows_lake *lake)
{
    char full[600];
    full_path(lake, "pncp_details/_state/tmp", full);
    DIR *folder = opendir(full);
    size_t count = 0;
    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        count++;
    (void)closedir(folder);
    return count - 2;
}

static uint64_t tree_hash;

static int hash_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)ftw;
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    if (type == FTW_F) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(pncp_file_slurp(fd, &text, path, NULL), PNCP_OK);
        (void)close(fd);
    }
    /* a sum, because the order of a folder's names is not fixed */
    tree_hash += pncp_hash64(path, strlen(path), (uint64_t)type) ^ pncp_hash64(text.data, text.len, stat->st_mode);
    return 0;
}

uint64_t rows_lake_hash(const struct rows_lake *lake)
{
    tree_hash = 0;
    assert_int_equal(nftw(lake->folder, hash_one, 16, FTW_PHYS), 0);
    return tree_hash;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static uint64_t mix(uint32_t number, uint64_t salt)
{
    uint64_t state = number * UINT64_C(1000003) + salt * UINT64_C(7919);
    return pncp_splitmix(&state);
}

struct pncp_key rows_key(uint32_t number)
{
    struct pncp_key key = {.ano = 2024 + (int32_t)(number % 2), .sequencial = (int32_t)number};
    (void)snprintf(key.cnpj, sizeof(key.cnpj), "%014" PRIu64, mix(number, 1) % 900 * 1000003);
    if (number % 7 == 0)
        memcpy(key.cnpj, "AZ9", 3);
    return key;
}

struct pncp_packed_key rows_packed(uint32_t number)
{
    struct pncp_key key = rows_key(number);
    return pncp_key_pack(&key);
}

static enum pncp_situacao situacao(uint32_t number, uint32_t empty, uint32_t absent)
{
    return number % absent == 0 ? PNCP_SITUACAO_AUSENTE : number % empty == 0 ? PNCP_SITUACAO_VAZIO : PNCP_SITUACAO_OK;
}

enum pncp_situacao rows_itens(uint32_t number)
{
    return situacao(number, 11, 13);
}

enum pncp_situacao rows_arquivos(uint32_t number)
{
    return situacao(number, 17, 19);
}

int64_t rows_itens_total(uint32_t number)
{
    return rows_itens(number) == PNCP_SITUACAO_OK ? 1 + number % 4 : 0;
}

int64_t rows_arquivos_total(uint32_t number)
{
    return rows_arquivos(number) == PNCP_SITUACAO_OK ? 1 + number % 3 : 0;
}

struct filler {
    struct pncp_table *table;
    uint32_t number;
    size_t text_bytes;
};

static void put_text(struct pncp_leaf *leaf, int16_t rep, const char *text)
{
    assert_int_equal(pncp_leaf_put_text(leaf, rep, pncp_view_of(text)), PNCP_OK);
}

static void put_int(struct pncp_leaf *leaf, int16_t rep, int64_t value)
{
    assert_int_equal(pncp_leaf_put_int(leaf, rep, value), PNCP_OK);
}

/* What an extra holds. */
#define JSON_TEXT "{\"outro\":\"%s ção %" PRIu64 "\"}"

/* A cell whose value follows from row, column and element. */
static void put_cell(const struct filler *f, const struct pncp_node *node, int16_t rep, uint32_t element)
{
    struct pncp_leaf *leaf = &f->table->leaves[node->leaf];
    uint64_t value = mix(f->number, 100U * node->leaf + element + 2);
    char text[160];
    if ((node->col->flags & PNCP_COL_REQUIRED) == 0 && value % 4 == 0) {
        assert_int_equal(pncp_table_put_null(f->table, node, rep), PNCP_OK);
        return;
    }
    switch (node->col->type) {
    case PNCP_T_BOOL:
        put_int(leaf, rep, value % 2);
        break;
    case PNCP_T_INT32:
    case PNCP_T_DATE:
        put_int(leaf, rep, (int64_t)(value % 2000) - 7);
        break;
    case PNCP_T_INT64:
    case PNCP_T_DEC18_4:
    case PNCP_T_LOCAL_US:
    case PNCP_T_UTC_US:
        put_int(leaf, rep, (int64_t)(value % UINT64_C(4000000000000000)) - 99);
        break;
    case PNCP_T_TEXT:
    case PNCP_T_STRUCT:
    case PNCP_T_LIST:
        (void)snprintf(text, sizeof(text), (node->col->flags & PNCP_COL_EXTRA) != 0 ? JSON_TEXT : "%s ção %" PRIu64,
                       node->col->name, (node->col->flags & PNCP_COL_DICT) != 0 ? value % 20 : value % 1000000);
        put_text(leaf, rep, text);
        break;
    }
}

static void put_node(const struct filler *f, const struct pncp_node *node, int16_t rep, uint32_t element);

static void put_children(const struct filler *f, const struct pncp_node *node, int16_t rep, uint32_t element)
{
    for (uint16_t i = 0; i < node->child_count; i++)
        put_node(f, &f->table->schema->nodes[node->first_child + i], rep, element);
}

static void put_list(const struct filler *f, const struct pncp_node *list, int16_t rep, enum pncp_situacao situacao,
                     int64_t count)
{
    if (situacao == PNCP_SITUACAO_AUSENTE)
        assert_int_equal(pncp_table_put_null(f->table, list, rep), PNCP_OK);
    else if (count == 0)
        assert_int_equal(pncp_table_put_empty(f->table, list, rep), PNCP_OK);
    for (int64_t i = 0; i < count; i++)
        put_children(f, list, i == 0 ? rep : list->rep, (uint32_t)i);
}

static void put_node(const struct filler *f, const struct pncp_node *node, int16_t rep, uint32_t element)
{
    uint64_t value = mix(f->number, 100U * node->leaf + element + 3);
    if (node->col->type == PNCP_T_STRUCT && value % 3 == 0)
        assert_int_equal(pncp_table_put_null(f->table, node, rep), PNCP_OK);
    else if (node->col->type == PNCP_T_STRUCT)
        put_children(f, node, rep, element);
    else if (node->col->type == PNCP_T_LIST)
        put_list(f, node, rep, value % 3 == 0 ? PNCP_SITUACAO_AUSENTE : PNCP_SITUACAO_OK, (int64_t)(value % 3));
    else
        put_cell(f, node, rep, element);
}

/* What the program itself fills in; false for a column of the API. */
static bool put_own(const struct filler *f, const struct pncp_node *node)
{
    const char *name = node->col->name;
    struct pncp_leaf *leaf = &f->table->leaves[node->leaf];
    struct pncp_key key = rows_key(f->number);
    enum pncp_situacao itens = rows_itens(f->number), arquivos = rows_arquivos(f->number);
    struct pncp_date date;
    if (!pncp_date_parse(PNCP_VIEW_LIT("20251022"), &date))
        return false;
    if (strcmp(name, "cnpj") == 0)
        put_text(leaf, 0, key.cnpj);
    else if (strcmp(name, "ano") == 0)
        put_int(leaf, 0, key.ano);
    else if (strcmp(name, "sequencial") == 0)
        put_int(leaf, 0, key.sequencial);
    else if (strcmp(name, "data_publicacao") == 0)
        put_int(leaf, 0, date.days);
    else if (strcmp(name, "itens") == 0)
        put_list(f, node, 0, itens, rows_itens_total(f->number));
    else if (strcmp(name, "arquivos") == 0)
        put_list(f, node, 0, arquivos, rows_arquivos_total(f->number));
    else if (strcmp(name, "itens_situacao") == 0)
        put_text(leaf, 0, pncp_situacao_text(itens));
    else if (strcmp(name, "arquivos_situacao") == 0)
        put_text(leaf, 0, pncp_situacao_text(arquivos));
    else if (strcmp(name, "itens_total") == 0 && itens != PNCP_SITUACAO_AUSENTE)
        put_int(leaf, 0, rows_itens_total(f->number));
    else if (strcmp(name, "arquivos_total") == 0 && arquivos != PNCP_SITUACAO_AUSENTE)
        put_int(leaf, 0, rows_arquivos_total(f->number));
    else if (strcmp(name, "itens_total") == 0 || strcmp(name, "arquivos_total") == 0)
        assert_int_equal(pncp_table_put_null(f->table, node, 0), PNCP_OK);
    else if (strcmp(name, "run_id") == 0)
        put_text(leaf, 0, ROWS_RUN);
    else if (strcmp(name, "objetoCompra") == 0 && f->text_bytes > 0) {
        AUTO(pncp_free_ptr) char *text = pncp_malloc(f->text_bytes + 1);
        assert_non_null(text);
        uint64_t state = f->number; /* digits that compress badly */
        for (size_t i = 0; i < f->text_bytes; i++)
            text[i] = (char)('!' + pncp_splitmix(&state) % 90);
        text[f->text_bytes] = '\0';
        put_text(leaf, 0, text);
    } else
        return false;
    return true;
}

void rows_put_wide(struct pncp_table *table, uint32_t number, size_t text_bytes)
{
    const struct filler f = {.table = table, .number = number, .text_bytes = text_bytes};
    const struct pncp_node *root = &table->schema->nodes[0];
    pncp_table_row_begin(table);
    for (uint16_t i = 0; i < root->child_count; i++) {
        const struct pncp_node *node = &table->schema->nodes[root->first_child + i];
        if (!put_own(&f, node))
            put_node(&f, node, 0, 0);
    }
    pncp_table_row_end(table);
}

void rows_put(struct pncp_table *table, uint32_t number)
{
    rows_put_wide(table, number, 0);
}

void rows_table(struct pncp_table *table, const struct pncp_schema *schema, uint32_t first, uint32_t count)
{
    assert_int_equal(pncp_table_init(table, schema), PNCP_OK);
    for (uint32_t i = 0; i < count; i++)
        rows_put(table, first + i);
}

/* ---- reading back ---------------------------------------------------------------------------- */

/* Mix the cells of one column into the rows' hashes. */
static void hash_leaf(const struct pncp_leaf *leaf, struct rows_read_row *rows, size_t count, uint64_t salt)
{
    struct pncp_leaf_index index;
    size_t width = pncp_type_width(leaf->type);
    assert_int_equal(pncp_leaf_rows(leaf), count);
    assert_int_equal(pncp_leaf_index_make(leaf, &index), PNCP_OK);
    for (size_t row = 0; row < count; row++) {
        uint64_t hash = rows[row].hash + salt;
        for (size_t slot = index.slot[row]; slot < index.slot[row + 1]; slot++) {
            int16_t levels[2] = {leaf->max_def == 0 ? 0 : leaf->def[slot], leaf->max_rep == 0 ? 0 : leaf->rep[slot]};
            hash = pncp_hash64(levels, sizeof(levels), hash);
        }
        for (size_t value = index.value[row]; value < index.value[row + 1]; value++) {
            struct pncp_view bytes =
                width == 0 ? pncp_leaf_text(leaf, value) : (struct pncp_view){leaf->values.data + value * width, width};
            hash = pncp_hash64(bytes.data, bytes.len, hash);
        }
        rows[row].hash = hash;
    }
    pncp_leaf_index_release(&index);
}

static void hash_table(const struct pncp_table *table, struct rows_read_row *rows)
{
    for (size_t leaf = 0; leaf < table->schema->leaf_count; leaf++)
        hash_leaf(&table->leaves[leaf], rows, table->rows, leaf);
}

static void read_keys(const struct pncp_leaf *cnpj, const struct pncp_leaf *ano, const struct pncp_leaf *sequencial,
                      struct rows_read *read)
{
    for (size_t row = 0; row < read->count; row++) {
        struct pncp_key key;
        assert_int_equal(pncp_key_make(pncp_leaf_text(cnpj, row), pncp_leaf_int(ano, row),
                                       pncp_leaf_int(sequencial, row), &key, NULL),
                         PNCP_OK);
        read->rows[row].key = pncp_key_pack(&key);
    }
}

static enum pncp_code read_leaves(const struct pncp_source *source, const struct pncp_footer *footer,
                                  const struct pncp_schema *schema, struct rows_read *read, struct pncp_err *err)
{
    static const char *const names[] = {"cnpj", "ano", "sequencial"};
    struct pncp_leaf keys[PNCP_ARRAY_LEN(names)];
    int at[PNCP_ARRAY_LEN(names)];
    enum pncp_code rc = PNCP_OK;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(names); i++) {
        at[i] = pncp_schema_find(schema, names[i]);
        pncp_leaf_init(&keys[i], &schema->leaves[at[i]]);
    }
    for (size_t leaf = 0; rc == PNCP_OK && leaf < schema->leaf_count; leaf++) {
        struct pncp_leaf column, *to = &column;
        pncp_leaf_init(&column, &schema->leaves[leaf]);
        for (size_t i = 0; i < PNCP_ARRAY_LEN(names); i++)
            to = at[i] == (int)leaf ? &keys[i] : to;
        if (footer->group_count > 0)
            rc = pncp_parquet_read_leaf(NULL, source, footer, leaf, 0, footer->group_count, to, err);
        if (rc == PNCP_OK)
            hash_leaf(to, read->rows, read->count, leaf);
        pncp_leaf_release(&column);
    }
    if (rc == PNCP_OK)
        read_keys(&keys[0], &keys[1], &keys[2], read);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(names); i++)
        pncp_leaf_release(&keys[i]);
    return rc;
}

enum pncp_code rows_try_read(struct pncp_lake *lake, const char *path, const struct pncp_schema *schema,
                             struct rows_read *ret_read, struct pncp_err *err)
{
    struct pncp_object object;
    struct pncp_footer footer;
    enum pncp_code rc = pncp_lake_open_object(lake, path, NULL, &object, err);
    if (rc != PNCP_OK)
        return rc;
    rc = pncp_footer_read(&object.source, &footer, err);
    if (rc == PNCP_OK) {
        struct rows_read read = {.count = (size_t)footer.rows, .groups = footer.group_count};
        read.rows = pncp_calloc(read.count, sizeof(*read.rows));
        read.group_rows = pncp_calloc(read.groups, sizeof(*read.group_rows));
        read.group_bytes = pncp_calloc(read.groups, sizeof(*read.group_bytes));
        assert_true(read.rows != NULL && read.group_rows != NULL && read.group_bytes != NULL);
        for (size_t i = 0; i < read.groups; i++) {
            read.group_rows[i] = footer.groups[i].rows;
            read.group_bytes[i] = footer.groups[i].bytes;
        }
        rc = read_leaves(&object.source, &footer, schema, &read, err);
        if (rc == PNCP_OK)
            *ret_read = read;
        else
            rows_read_release(&read);
        pncp_footer_release(&footer);
    }
    pncp_object_release(&object);
    return rc;
}

void rows_read(struct pncp_lake *lake, const char *path, const struct pncp_schema *schema, struct rows_read *ret_read)
{
    struct pncp_err err = PNCP_ERR_INIT;
    if (rows_try_read(lake, path, schema, ret_read, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
}

void rows_read_release(struct rows_read *read)
{
    pncp_free(read->rows);
    pncp_free(read->group_rows);
    pncp_free(read->group_bytes);
    *read = (struct rows_read){0};
}

void rows_assert_exactly(const struct rows_read *read, const struct pncp_schema *schema, uint32_t count)
{
    AUTO(pncp_free_ptr) bool *seen = pncp_calloc(count + 1, sizeof(*seen));
    struct pncp_table table;
    assert_non_null(seen);
    assert_int_equal(read->count, count);
    assert_int_equal(pncp_table_init(&table, schema), PNCP_OK);
    for (size_t row = 0; row < read->count; row++) {
        struct pncp_key key;
        pncp_key_unpack(read->rows[row].key, &key);
        uint32_t number = (uint32_t)key.sequencial;
        assert_in_range(number, 1, count);
        if (seen[number])
            fail_msg("row %u is there twice", number);
        seen[number] = true;
        struct rows_read_row expected = {.hash = 0};
        pncp_table_clear(&table);
        rows_put(&table, number);
        hash_table(&table, &expected);
        if (expected.hash != read->rows[row].hash)
            fail_msg("row %u is not what was put in", number);
    }
    pncp_table_release(&table);
}

bool rows_is_sorted(const struct rows_read *read)
{
    for (size_t i = 1; i < read->count; i++) {
        if (pncp_packed_key_cmp(read->rows[i - 1].key, read->rows[i].key) >= 0)
            return false;
    }
    return true;
}
/* NOLINTEND(clang-analyzer-core.*) */
