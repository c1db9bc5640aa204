/*
 * Itens and arquivos as the API sends them -> a row of details -> Parquet -> the same row.
 * Input: the pages of itens · 0x1E · the pages of arquivos; pages are separated by 0x1F, which JSON text never has. No
 * text at all: the part is absent. Only inputs whose bytes add up to a multiple of 16 go through Parquet, which takes
 * fifty times as long as all the rest.
 * True: every element once, every member of it in a column or in `extra`, unchanged; the counts say what is there; the
 * encoded group passes the check of its own footer and reads back cell by cell; it is encoded to the same bytes again.
 */
#include "fuzz.h"
#include "parquet/parquet.h"
#include "pncp/rows.h"
#include "record.h"

#define PAGE_MARK '\x1F'
#define PART_MARK '\x1E'
#define PAGES_MAX 4
#define PARQUET_EVERY 16
#define OBTIDO_EM_US INT64_C(1761199262000000)
#define RUN_ID "20251023T060102Z-4f1c9a20"

static const char CONTRATACAO[] = /* the same for every input */
    "{\"orgaoEntidade\":{\"cnpj\":\"83102277000152\",\"razaoSocial\":\"\"},\"anoCompra\":2025,\"sequencialCompra\":423,"
    "\"dataPublicacaoPncp\":\"2025-10-22T08:41:33\",\"valorTotalEstimado\":100720.00,\"novo\":1,"
    "\"fontesOrcamentarias\":[{\"codigo\":1},{}]}";

/* ---- a part from its pages ------------------------------------------------------------------- */

struct part { /* and the pages that it was made from, as they were parsed */
    struct pncp_part_fetch fetch;
    struct pncp_json pages[PAGES_MAX];
    size_t page_count;
};

/* A page with rows, as the fetcher accepts it; false: it is none. */
static bool take_page(struct pncp_view text, struct pncp_json *ret_json)
{
    struct pncp_answer answer = {.status = 200, .body = text};
    struct pncp_verdict verdict;
    pncp_verdict_make(PNCP_KIND_LIST, &answer, 0, &verdict);
    if (verdict.kind == PNCP_VERDICT_ROWS)
        *ret_json = verdict.json;
    else
        pncp_json_release(&verdict.json);
    return verdict.kind == PNCP_VERDICT_ROWS;
}

/* A part as pncp_part_answer leaves it. Made by hand: which pages the bytes have is not to depend on a conversation. */
static void make_part(enum pncp_part which, struct pncp_view text, struct part *ret_part)
{
    static struct pncp_part_scratch scratch;
    struct fuzz_input in = {text.data, text.data + text.len};
    *ret_part = (struct part){.page_count = 0};
    struct pncp_part_fetch *fetch = &ret_part->fetch;
    if (scratch.table.schema == NULL)
        FUZZ_CHECK(pncp_part_scratch_init(&scratch) == PNCP_OK);
    pncp_part_init(fetch, which, PNCP_CONFIRM_AUTO);
    fetch->state = PNCP_PART_DONE;
    while (!fuzz_empty(&in) && ret_part->page_count < PAGES_MAX) {
        struct pncp_json *page = &ret_part->pages[ret_part->page_count];
        int64_t fresh;
        if (!take_page(fuzz_until(&in, PAGE_MARK), page))
            continue;
        FUZZ_CHECK(pncp_part_rows_add(&fetch->rows, &scratch, page->root, &fresh) == PNCP_OK);
        ret_part->page_count++;
    }
    fetch->situacao = ret_part->page_count > 0 ? PNCP_SITUACAO_OK
                      : text.len > 0           ? PNCP_SITUACAO_VAZIO
                                               : PNCP_SITUACAO_AUSENTE;
    fetch->quantidade = (int64_t)ret_part->page_count - 1; /* -1: not asked */
}

static void release_part(struct part *part)
{
    pncp_part_release(&part->fetch);
    for (size_t i = 0; i < part->page_count; i++)
        pncp_json_release(&part->pages[i]);
}

/* ---- the row --------------------------------------------------------------------------------- */

struct elements {
    yyjson_val **each; /* those that count, in order; an id that came before does not */
    size_t count;
};

static void elements_release(struct elements *elements)
{
    pncp_free(elements->each);
}

static bool came_before(const struct elements *elements, yyjson_val *row, const char *field)
{
    int64_t id, other;
    bool found = false;
    if (!pncp_json_int(pncp_json_get(row, field), &id))
        return false;
    for (size_t i = 0; i < elements->count && !found; i++)
        found = pncp_json_int(pncp_json_get(elements->each[i], field), &other) && other == id;
    return found;
}

static struct elements elements_of(const struct part *part)
{
    struct elements elements = {.count = 0};
    const char *field = part->fetch.part == PNCP_PART_ITENS ? "numeroItem" : "sequencialDocumento";
    size_t cap = 0;
    for (size_t i = 0; i < part->page_count; i++)
        cap += yyjson_arr_size(part->pages[i].root);
    elements.each = pncp_calloc(cap + 1, sizeof(yyjson_val *));
    FUZZ_CHECK(elements.each != NULL);
    for (size_t i = 0; i < part->page_count; i++) {
        yyjson_arr_iter iter;
        yyjson_arr_iter_init(part->pages[i].root, &iter);
        for (yyjson_val *row; (row = yyjson_arr_iter_next(&iter)) != NULL;) {
            if (!came_before(&elements, row, field))
                elements.each[elements.count++] = row;
        }
    }
    return elements;
}

/* The one value of a column without lists; false: null. */
static bool cell(const struct pncp_table *table, int leaf_no, int64_t *ret_value)
{
    const struct pncp_leaf *leaf = &table->leaves[leaf_no];
    FUZZ_CHECK(leaf->level_count == 1 && leaf->value_count <= 1);
    if (leaf->value_count == 1)
        *ret_value = pncp_leaf_int(leaf, 0);
    return leaf->value_count == 1;
}

static int64_t check_part(const struct pncp_table *details, const struct part *made, int64_t appended)
{
    const struct pncp_part_fetch *part = &made->fetch;
    const struct pncp_details_leaves *at = pncp_details_leaves();
    bool itens = part->part == PNCP_PART_ITENS;
    const struct pncp_node *node = &details->schema->nodes[itens ? at->itens_node : at->arquivos_node];
    AUTO(elements_release) struct elements elements = elements_of(made);
    struct record_walk walk = {.table = details};
    int64_t total = -1, quantidade = -1;
    FUZZ_CHECK((size_t)appended == elements.count);
    if (elements.count > 0) {
        record_check_list(&walk, node, elements.each, elements.count);
        FUZZ_CHECK(record_ended(&walk, node));
    } else { /* one slot that says null or [] */
        const struct pncp_leaf *first = &details->leaves[node->leaf];
        FUZZ_CHECK(first->level_count == 1);
        FUZZ_CHECK(first->def[0] == (part->situacao == PNCP_SITUACAO_VAZIO ? node->def_present : node->def_null));
    }
    bool has_total = cell(details, itens ? at->itens_total : at->arquivos_total, &total);
    FUZZ_CHECK(has_total == (part->situacao != PNCP_SITUACAO_AUSENTE) && (!has_total || total == appended));
    (void)cell(details, itens ? at->itens_quantidade : at->arquivos_quantidade, &quantidade);
    FUZZ_CHECK(quantidade == part->quantidade);
    const struct pncp_leaf *situacao = &details->leaves[itens ? at->itens_situacao : at->arquivos_situacao];
    FUZZ_CHECK(pncp_view_eq_text(pncp_leaf_text(situacao, 0), pncp_situacao_text(part->situacao)));
    return walk.misfits;
}

/* ---- and back -------------------------------------------------------------------------------- */

static void check_leaf(const struct pncp_leaf *a, const struct pncp_leaf *b)
{
    FUZZ_CHECK(a->level_count == b->level_count && a->value_count == b->value_count);
    FUZZ_CHECK(a->max_def == 0 || memcmp(a->def, b->def, a->level_count * sizeof(*a->def)) == 0);
    FUZZ_CHECK(a->max_rep == 0 || memcmp(a->rep, b->rep, a->level_count * sizeof(*a->rep)) == 0);
    FUZZ_CHECK(pncp_view_eq(pncp_buf_view(&a->values), pncp_buf_view(&b->values)));
    for (size_t i = 0; a->type == PNCP_T_TEXT && i < a->value_count; i++)
        FUZZ_CHECK(a->ends[i] == b->ends[i]);
}

static struct pncp_buf encoded(const struct pncp_table *table, struct pncp_footer *ret_footer)
{
    static const struct pncp_encode_options options = {.zstd_level = 1};
    struct pncp_buf file = {0};
    FUZZ_CHECK(pncp_group_encode(table, &options, &file, ret_footer, NULL) == PNCP_OK);
    return file;
}

static void check_parquet(const struct pncp_table *table)
{
    AUTO(pncp_footer_release) struct pncp_footer footer = {0}, read = {0}, ignored = {0};
    AUTO(pncp_buf_release) struct pncp_buf file = encoded(table, &footer), again = {0};
    struct pncp_view bytes = pncp_buf_view(&file);
    struct pncp_source source = pncp_source_of_view(&bytes);
    FUZZ_CHECK(pncp_footer_read(&source, &read, NULL) == PNCP_OK);
    FUZZ_CHECK(pncp_view_eq(pncp_buf_view(&footer.raw), pncp_buf_view(&read.raw)));
    FUZZ_CHECK(read.rows == table->rows && read.group_count == 1);
    FUZZ_CHECK(pncp_footer_check_schema(&read, table->schema, NULL) == PNCP_OK);
    AUTO(pncp_table_release) struct pncp_table back;
    FUZZ_CHECK(pncp_table_init(&back, table->schema) == PNCP_OK);
    for (size_t i = 0; i < table->schema->leaf_count; i++) {
        FUZZ_CHECK(pncp_parquet_read_leaf(NULL, &source, &read, i, 0, 1, &back.leaves[i], NULL) == PNCP_OK);
        check_leaf(&table->leaves[i], &back.leaves[i]);
    }
    back.rows = table->rows;
    again = encoded(&back, &ignored);
    FUZZ_CHECK(pncp_view_eq(bytes, pncp_buf_view(&again)));
}

static void put_details(struct pncp_table *details, const struct pncp_part_fetch parts[PNCP_PARTS],
                        struct pncp_row_counts *ret_counts)
{
    const struct pncp_row_stamp stamp = {
        .obtido_em_us = OBTIDO_EM_US, .run_id = PNCP_VIEW_LIT(RUN_ID), .checkpoint = 3};
    AUTO(pncp_json_release) struct pncp_json json = {0};
    AUTO(pncp_table_release) struct pncp_table list;
    struct record_walk walk = {.table = details};
    FUZZ_CHECK(pncp_json_parse(PNCP_VIEW_LIT(CONTRATACAO), &json, NULL, NULL) == PNCP_OK);
    FUZZ_CHECK(pncp_table_init(&list, pncp_list_schema()) == PNCP_OK);
    FUZZ_CHECK(pncp_rows_put_contratacao(&list, json.root, NULL) == PNCP_OK);
    FUZZ_CHECK(pncp_rows_put_details(details, &list, 0, parts, &stamp, ret_counts, NULL) == PNCP_OK);
    FUZZ_CHECK(details->rows == 1);
    record_check(&walk, &details->schema->nodes[0], json.root, 0);
}

static unsigned byte_sum(const uint8_t *data, size_t size)
{
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += data[i];
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_open(data, size);
    AUTO(release_part) struct part itens, arquivos;
    make_part(PNCP_PART_ITENS, fuzz_until(&in, PART_MARK), &itens);
    make_part(PNCP_PART_ARQUIVOS, fuzz_rest(&in), &arquivos);
    const struct pncp_part_fetch parts[PNCP_PARTS] = {itens.fetch, arquivos.fetch}; /* read only */
    struct pncp_row_counts counts;
    AUTO(pncp_table_release) struct pncp_table details;
    FUZZ_CHECK(pncp_table_init(&details, pncp_details_schema()) == PNCP_OK);
    put_details(&details, parts, &counts);
    int64_t misfits = check_part(&details, &itens, counts.itens), stored = -1;
    misfits += check_part(&details, &arquivos, counts.arquivos);
    FUZZ_CHECK(cell(&details, pncp_details_leaves()->valores_fora_do_tipo, &stored));
    FUZZ_CHECK(misfits == counts.misfits && misfits == stored);
    if (byte_sum(data, size) % PARQUET_EVERY == 0)
        check_parquet(&details);
    return 0;
}
