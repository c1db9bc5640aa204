/*
 * Memory runs out: the n-th allocation fails, for n = 1, 2, 3 … until none is left to fail. Each time the answer is
 * "out of memory" or a right result, what was there before is still whole, and nothing leaks.
 */
#include "base/file.h"
#include "base/json_writer.h"
#include "base/mem.h"
#include "day/keyset.h"
#include "ingest/input_paths.h"
#include "ingest/waiting.h"
#include "lake/s3_config.h"
#include "lake/s3_credentials.h"
#include "lake/sigv4.h"
#include "mem_faults.h"
#include "pncp/rows.h"
#include "s3_fixture.h"
#include "sample_parquet.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Run `work` with the n-th allocation failing for every n. It releases all that it made. `least`: allocations that it
 * takes at least, so that a wrap that no longer wraps is seen. */
static void exhaust(enum pncp_code (*work)(struct pncp_err *err), unsigned least)
{
    for (unsigned n = 1;; n++) {
        struct pncp_err err = PNCP_ERR_INIT;
        size_t blocks = mem_faults_blocks();
        mem_faults_arm(n, 0);
        enum pncp_code rc = work(&err);
        bool fired = mem_faults_disarm();
        assert_int_equal(mem_faults_blocks(), blocks);
        if (rc != PNCP_OK && (!fired || rc != PNCP_E_NOMEM || err.msg[0] == '\0'))
            fail_msg("allocation %u: %s: \"%s\"", n, pncp_code_name(rc), err.msg);
        if (!fired) {
            assert_int_equal(rc, PNCP_OK);
            assert_true(n > least);
            return;
        }
    }
}

/* For the lowest layers, which give a code and no message. */
static enum pncp_code said(enum pncp_code rc, struct pncp_err *err)
{
    return rc == PNCP_OK ? rc : pncp_err_set(err, rc, "no message at this level");
}

/* ---- what to work on ------------------------------------------------------------------------- */

/* Fewer columns than the sample: each costs some allocations. */
static const struct pncp_col ITEM[] = {SAMPLE_COL("valor", DEC18_4, 0), SAMPLE_COL("nome", TEXT, 0)};
static const struct pncp_col COLS[] = {SAMPLE_COL("id", INT32, SAMPLE_REQ | SAMPLE_STATS),
                                       SAMPLE_COL("texto", TEXT, SAMPLE_DICT | SAMPLE_STATS),
                                       SAMPLE_TREE("itens", LIST, ITEM)};
static struct pncp_schema schema;
static struct pncp_table rows;  /* 60 of them */
static struct sample_file file; /* the same, twice */

static int prepare(void **state)
{
    (void)state;
    assert_int_equal(pncp_schema_init(&schema, COLS, PNCP_ARRAY_LEN(COLS), NULL), PNCP_OK);
    assert_int_equal(pncp_table_init(&rows, &schema), PNCP_OK);
    sample_fill(&rows, 60, 1);
    AUTO(sample_file_release) struct sample_file once = sample_encode(&rows);
    file = sample_append(&once, 1, &once, NULL, 0);
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    pncp_table_release(&rows);
    sample_file_release(&file);
    return 0;
}

/* ---- base ------------------------------------------------------------------------------------ */

static enum pncp_code write_json(struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf out = {0};
    struct pncp_json_writer w;
    pncp_json_writer_init(&w, &out);
    pncp_json_array_begin(&w);
    for (int i = 0; i < 40; i++) {
        pncp_json_put_text(&w, PNCP_VIEW_LIT("um texto\ncom \"aspas\""));
        pncp_json_put_fixed(&w, i, 1);
    }
    pncp_json_array_end(&w);
    return said(pncp_json_writer_end(&w), err);
}

static enum pncp_code copy_files(struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf buf = {0};
    AUTO(pncp_fd_close) int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    AUTO(pncp_fd_close) int read_end = ends[0];
    AUTO(pncp_fd_close) int write_end = ends[1];
    enum pncp_code rc = pncp_file_copy(from, 0, write_end, 20000, "program", err); /* a pipe: through memory */
    pncp_fd_close(&write_end);
    if (rc == PNCP_OK)
        rc = pncp_file_slurp(read_end, &buf, "pipe", err);
    if (rc == PNCP_OK)
        assert_int_equal(buf.len, 20000);
    return rc;
}

static void test_base(void **state)
{
    (void)state;
    exhaust(write_json, 5);
    exhaust(copy_files, 3);
}

/* ---- table ----------------------------------------------------------------------------------- */

static enum pncp_code copy_leaves(struct pncp_err *err)
{
    enum pncp_code rc = PNCP_OK;
    for (size_t i = 0; rc == PNCP_OK && i < schema.leaf_count; i++) {
        AUTO(pncp_leaf_release) struct pncp_leaf leaf;
        AUTO(pncp_leaf_index_release) struct pncp_leaf_index index = {0};
        pncp_leaf_init(&leaf, &schema.leaves[i]);
        rc = pncp_leaf_index_make(&rows.leaves[i], &index);
        for (size_t row = 0; rc == PNCP_OK && row < index.rows; row++) {
            rc = pncp_leaf_copy_row(&leaf, &rows.leaves[i], &index, row);
            assert_int_equal(pncp_leaf_rows(&leaf), row + (rc == PNCP_OK)); /* whole or not at all */
        }
        size_t before = leaf.level_count;
        if (rc == PNCP_OK)
            rc = pncp_leaf_append(&leaf, &rows.leaves[i]);
        if (rc == PNCP_OK)
            assert_int_equal(leaf.level_count, 2 * rows.leaves[i].level_count);
        else if (before == rows.leaves[i].level_count)
            sample_same_leaf(&leaf, &rows.leaves[i]);
    }
    return said(rc, err);
}

/* Row by row; one that fails is undone, and done again when there is memory. */
static enum pncp_code copy_table(struct pncp_err *err)
{
    AUTO(pncp_table_release) struct pncp_table table;
    enum pncp_code rc = pncp_table_init(&table, &schema), failed = rc;
    if (rc != PNCP_OK) {
        assert_true(table.leaves == NULL && table.marks == NULL);
        return said(rc, err);
    }
    while (table.rows < rows.rows) {
        pncp_table_row_begin(&table);
        rc = pncp_table_copy_cells(&table, 0, &rows, 0, schema.leaf_count, table.rows);
        if (rc == PNCP_OK)
            pncp_table_row_end(&table);
        else
            pncp_table_row_undo(&table);
        failed = rc == PNCP_OK ? failed : rc;
    }
    sample_same_table(&table, &rows);
    return said(failed, err);
}

static enum pncp_code put_cells(struct pncp_err *err)
{
    AUTO(pncp_table_release) struct pncp_table table;
    enum pncp_code rc = pncp_table_init(&table, &schema);
    for (int i = 0; rc == PNCP_OK && i < 50; i++) {
        pncp_table_row_begin(&table);
        rc = pncp_leaf_put_int(&table.leaves[0], 0, i);
        if (rc == PNCP_OK)
            rc = pncp_leaf_put_text(&table.leaves[1], 0, PNCP_VIEW_LIT("um texto"));
        if (rc == PNCP_OK)
            rc = i % 2 == 0 ? pncp_table_put_empty(&table, &schema.nodes[3], 0)
                            : pncp_table_put_null(&table, &schema.nodes[3], 0);
        if (rc == PNCP_OK)
            pncp_table_row_end(&table);
        else
            pncp_table_row_undo(&table);
        for (size_t k = 0; k < schema.leaf_count; k++)
            assert_int_equal(pncp_leaf_rows(&table.leaves[k]), table.rows);
    }
    return said(rc, err);
}

static void test_table(void **state)
{
    (void)state;
    exhaust(copy_leaves, 20);
    exhaust(copy_table, 15);
    exhaust(put_cells, 10);
}

/* ---- parquet --------------------------------------------------------------------------------- */

static enum pncp_code encode(struct pncp_err *err)
{
    static const struct pncp_encode_options options = {.zstd_level = 1};
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    AUTO(pncp_footer_release) struct pncp_footer footer = {0};
    enum pncp_code rc = pncp_group_encode(&rows, &options, &bytes, &footer, err);
    if (rc == PNCP_OK) { /* with or without a failure on the way: what was written reads as it should */
        struct pncp_view view = pncp_buf_view(&bytes);
        struct pncp_source source = pncp_source_of_view(&view);
        (void)mem_faults_disarm();
        AUTO(pncp_table_release) struct pncp_table back = sample_read_table(&source, &footer, &schema, 0, 1);
        sample_same_table(&back, &rows);
    } else {
        assert_true(bytes.data == NULL && footer.raw.data == NULL);
    }
    return rc;
}

/* A column at once, one with a dictionary and one with statistics, each in two pieces. */
static enum pncp_code encode_pieces(struct pncp_err *err)
{
    static const struct pncp_encode_options options = {.zstd_level = 1};
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    AUTO(pncp_footer_release) struct pncp_footer footer = {0};
    struct pncp_group_writer *writer;
    enum pncp_code rc = pncp_group_writer_open(&schema, 120, &options, &writer, err);
    if (rc != PNCP_OK)
        return rc;
    for (size_t i = 0; rc == PNCP_OK && i < schema.leaf_count; i++) {
        AUTO(pncp_leaf_release) struct pncp_leaf leaf;
        pncp_leaf_init(&leaf, &schema.leaves[i]);
        for (size_t piece = 0; rc == PNCP_OK && piece < 2; piece++) {
            rc = said(pncp_leaf_append(&leaf, &rows.leaves[i]), err);
            if (rc == PNCP_OK)
                rc = pncp_group_writer_piece(writer, &leaf, piece == 1, err);
        }
    }
    if (rc == PNCP_OK)
        rc = pncp_group_writer_finish(writer, &bytes, &footer, err);
    pncp_group_writer_abort(writer);
    return rc;
}

static enum pncp_code read_columns_of(bool unpacked, struct pncp_err *err)
{
    struct pncp_view view = pncp_buf_view(&file.bytes);
    struct pncp_source source = pncp_source_of_view(&view);
    AUTO(pncp_footer_release) struct pncp_footer footer = {0};
    enum pncp_code rc = pncp_footer_read(&source, &footer, err);
    if (rc == PNCP_OK)
        rc = pncp_footer_check_schema(&footer, &schema, err);
    if (rc == PNCP_OK && unpacked)
        rc = pncp_footer_unpack(&footer, &source, err);
    for (size_t i = 0; rc == PNCP_OK && i < schema.leaf_count; i++) {
        AUTO(pncp_leaf_release) struct pncp_leaf leaf;
        pncp_leaf_init(&leaf, &schema.leaves[i]);
        rc = pncp_parquet_read_leaf(NULL, &source, &footer, i, 1, 1, &leaf, err);
        if (rc == PNCP_OK)
            sample_same_leaf(&leaf, &rows.leaves[i]);
    }
    return rc;
}

static enum pncp_code read_columns(struct pncp_err *err)
{
    return read_columns_of(false, err);
}

static enum pncp_code read_unpacked(struct pncp_err *err)
{
    return read_columns_of(true, err);
}

static enum pncp_code build_footer(struct pncp_err *err)
{
    static const struct pncp_kv_pair kvs[] = {SAMPLE_KV("pncp.format", "details 1"), SAMPLE_KV("pncp.commit", "00")};
    AUTO(pncp_buf_release) struct pncp_buf tail = {0};
    AUTO(pncp_footer_release) struct pncp_footer merged = {0};
    const struct pncp_footer_piece pieces[] = {{&file.footer, 0, 1, 4}, {&file.footer, 0, 2, file.footer.data_end}};
    enum pncp_code rc = said(pncp_buf_text(&tail, "kept"), err);
    if (rc != PNCP_OK)
        return rc;
    rc = pncp_footer_build(pieces, 2, kvs, 2, &tail, &merged, err);
    if (rc == PNCP_OK)
        assert_int_equal(merged.group_count, 3);
    else
        assert_true(pncp_view_eq_text(pncp_buf_view(&tail), "kept") && merged.raw.data == NULL);
    return rc;
}

static enum pncp_code make_empty(struct pncp_err *err)
{
    static const struct pncp_kv_pair kv = SAMPLE_KV("pncp.format", "details 1");
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    enum pncp_code rc = pncp_parquet_empty(&schema, &kv, 1, &bytes, err);
    assert_int_equal(bytes.data != NULL, rc == PNCP_OK);
    return rc;
}

static void test_parquet(void **state)
{
    (void)state;
    exhaust(build_footer, 8);
    exhaust(make_empty, 8);
    exhaust(read_columns, 8);
    exhaust(read_unpacked, 9);
    exhaust(encode, 16);
    exhaust(encode_pieces, 16);
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* Three hundred keys, half of them of organs of their own: both tables grow. What was put in is there, whatever fails.
 */
static enum pncp_code remember_keys(struct pncp_err *err)
{
    struct pncp_keyset *set;
    struct pncp_key key = {.ano = 2026};
    enum pncp_code rc = said(pncp_keyset_new(&set), err);
    int32_t known = 0;
    while (rc == PNCP_OK && known < 300) {
        (void)snprintf(key.cnpj, sizeof(key.cnpj), "%014d", known / 2 * (known % 2));
        key.sequencial = known + 1;
        rc = said(pncp_keyset_set(set, pncp_key_pack(&key), PNCP_KEY_SAVED, NULL), err);
        known += rc == PNCP_OK;
    }
    if (known > 0) {
        assert_int_equal(pncp_keyset_get(set, pncp_key_pack(&key)), rc == PNCP_OK ? PNCP_KEY_SAVED : 0);
        assert_int_equal(pncp_keyset_count(set, PNCP_KEY_SAVED, 0), known);
        pncp_keyset_free(set);
    }
    return rc;
}

static void test_keys(void **state)
{
    (void)state;
    exhaust(remember_keys, 8);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static enum pncp_code decode_rows(struct pncp_err *err)
{
    static const char contratacao[] =
        "{\"numeroControlePNCP\":\"39215827000158-1-000008/2026\",\"dataPublicacaoPncp\":\"2026-02-03T08:00:00\","
        "\"valorTotalEstimado\":\"misfit\",\"novo\":[1,2,3],\"orgaoEntidade\":{\"cnpj\":\"39215827000158\",\"x\":1},"
        "\"fontesOrcamentarias\":[{\"codigo\":1,\"y\":2},{\"codigo\":2}]}";
    static const char itens[] = "[{\"numeroItem\":1,\"z\":1},{\"numeroItem\":2,\"descricao\":\"x\"}]";
    AUTO(pncp_json_release) struct pncp_json json = {0};
    AUTO(pncp_table_release) struct pncp_table list;
    AUTO(pncp_table_release) struct pncp_table details;
    AUTO(pncp_json_release) struct pncp_json page = {0};
    AUTO(pncp_part_scratch_release) struct pncp_part_scratch scratch;
    AUTO(pncp_part_rows_release) struct pncp_part_rows element_rows = {.part = PNCP_PART_ITENS};
    int64_t fresh;
    const struct pncp_row_stamp stamp = {.run_id = PNCP_VIEW_LIT("run"), .checkpoint = 1};
    struct pncp_row_counts counts;
    enum pncp_code rc = said(pncp_table_init(&list, pncp_list_schema()), err);
    enum pncp_code rc2 = said(pncp_table_init(&details, pncp_details_schema()), rc == PNCP_OK ? err : NULL);
    if (rc == PNCP_OK)
        rc = rc2;
    rc2 = said(pncp_part_scratch_init(&scratch), rc == PNCP_OK ? err : NULL);
    if (rc == PNCP_OK)
        rc = rc2;
    if (rc == PNCP_OK)
        rc = pncp_json_parse(PNCP_VIEW_LIT(contratacao), &json, NULL, err);
    if (rc == PNCP_OK)
        rc = pncp_json_parse(PNCP_VIEW_LIT(itens), &page, NULL, err);
    if (rc == PNCP_OK)
        rc = said(pncp_part_rows_add(&element_rows, &scratch, page.root, &fresh), err);
    const struct pncp_part_fetch parts[PNCP_PARTS] = {
        {.part = PNCP_PART_ITENS, .situacao = PNCP_SITUACAO_OK, .quantidade = -1, .rows = element_rows},
        {.part = PNCP_PART_ARQUIVOS, .situacao = PNCP_SITUACAO_VAZIO, .quantidade = 0}};
    for (size_t i = 0; rc == PNCP_OK && i < 20; i++) {
        rc = pncp_rows_put_contratacao(&list, json.root, err);
        assert_int_equal(list.rows, i + (rc == PNCP_OK));
        if (rc == PNCP_OK)
            rc = pncp_rows_put_details(&details, &list, i, parts, &stamp, &counts, err);
        assert_false(list.in_row || details.in_row);
        for (size_t k = 0; k < details.schema->leaf_count; k++)
            assert_int_equal(pncp_leaf_rows(&details.leaves[k]), details.rows);
        for (size_t k = 0; k < list.schema->leaf_count; k++)
            assert_int_equal(pncp_leaf_rows(&list.leaves[k]), list.rows);
    }
    return rc;
}

static void test_rows(void **state)
{
    (void)state;
    exhaust(decode_rows, 200);
}

/* ---- lake ------------------------------------------------------------------------------------ */

static enum pncp_code sign_a_request(struct pncp_err *err)
{
    static const struct pncp_sigv4_key key = {
        .access_key = "user", .secret_key = "secret", .session_token = "token", .region = "sa-east-1", .service = "s3"};
    static const struct pncp_sigv4_pair query[] = {{"uploadId", "a long one, so that a buffer grows on the way to it"},
                                                   {"partNumber", "1"}};
    static const struct pncp_sigv4_request request = {.method = "PUT",
                                                      .host = "h",
                                                      .path = "/lake/details.parquet",
                                                      .query = query,
                                                      .query_count = PNCP_ARRAY_LEN(query),
                                                      .payload_hash = PNCP_SIGV4_UNSIGNED};
    AUTO(pncp_buf_release) struct pncp_buf target = {0};
    AUTO(pncp_buf_release) struct pncp_buf headers = {0};
    return said(pncp_sigv4_sign(&key, &request, &target, &headers), err);
}

static void test_lake(void **state)
{
    (void)state;
    exhaust(sign_a_request, 6);
}

/* ---- files of --input ------------------------------------------------------------------------ */

#define INPUT_FILES 20 /* more than the first room for paths */
static char input_folder[] = "/tmp/pncp-no-memory-XXXXXX";

static enum pncp_code find_files(struct pncp_err *err)
{
    AUTO(pncp_input_paths_release) struct pncp_input_paths paths = {0};
    enum pncp_code rc = pncp_input_paths_find(input_folder, (struct pncp_date){0}, &paths, err);
    assert_int_equal(paths.count, rc == PNCP_OK ? INPUT_FILES : 0);
    return rc;
}

static void test_input_files(void **state)
{
    (void)state;
    char path[64];
    assert_non_null(mkdtemp(input_folder));
    for (int i = 0; i < INPUT_FILES; i++) {
        (void)snprintf(path, sizeof(path), "%s/%d.json", input_folder, i);
        AUTO(pncp_fd_close) int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
    }
    exhaust(find_files, 2);
    for (int i = 0; i < INPUT_FILES; i++) {
        (void)snprintf(path, sizeof(path), "%s/%d.json", input_folder, i);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(input_folder), 0);
}

/* ---- a page that waits ----------------------------------------------------------------------- */

/* Whatever fails, the body is in one of the two places. */
static enum pncp_code let_a_page_wait(struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf body = {0};
    AUTO(pncp_waiting_release) struct pncp_waiting waiting = {0};
    size_t len = 0;
    enum pncp_code rc = PNCP_OK;
    for (int i = 0; rc == PNCP_OK && i < 50; i++)
        rc = said(pncp_buf_text(&body, "{\"numeroControlePNCP\":\"83102277000152-1-000001/2025\"},"), err);
    if (rc != PNCP_OK)
        return rc;
    len = body.len;
    pncp_waiting_put(&waiting, &body);
    assert_true((body.len == len) != (waiting.len == len));
    rc = pncp_waiting_take(&waiting, &body, err);
    assert_int_equal(body.len == len, rc == PNCP_OK);
    assert_int_equal(waiting.len == len, rc != PNCP_OK);
    return rc;
}

static void test_waiting(void **state)
{
    (void)state;
    exhaust(let_a_page_wait, 5);
}

/* ---- where an S3 lake is, and who we are to it ----------------------------------------------- */

static enum pncp_code load_config(struct pncp_err *err)
{
    AUTO(pncp_s3_config_release) struct pncp_s3_config config = {0};
    enum pncp_code rc = pncp_s3_config_load("s3://abc/x", &config, err);
    assert_int_equal(config.prefix != NULL, rc == PNCP_OK);
    return rc;
}

static enum pncp_code answer(void *ctx, const char *url, const char *authorization, const char *form,
                             struct pncp_buf *ret_body, struct pncp_err *err)
{
    (void)ctx, (void)url, (void)authorization;
    return said(pncp_buf_text(ret_body, form == NULL
                                            ? "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Token\":\"c\"}"
                                            : "<Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>b"
                                              "</SecretAccessKey><SessionToken>c</SessionToken><Expiration>"
                                              "2025-10-22T08:41:33Z</Expiration></Credentials>"),
                err);
}

static enum pncp_code get_credentials(struct pncp_err *err)
{
    AUTO(pncp_s3_credentials_release) struct pncp_s3_credentials creds = {0};
    AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
    enum pncp_code rc = pncp_s3_credentials_init(&creds, "us-east-1", answer, NULL, err);
    if (rc == PNCP_OK)
        rc = pncp_s3_credentials_get(&creds, 0, &keys, err);
    assert_int_equal(keys.session_token != NULL, rc == PNCP_OK);
    return rc;
}

static void test_s3(void **state)
{
    (void)state;
    struct s3_home home;
    s3_home_open(&home);
    s3_home_put(&home, ".aws/config", "[default]\nregion = a\nendpoint_url = http://b\nca_bundle = c\n");
    exhaust(load_config, 13);
    s3_home_put(&home, ".aws/config", NULL);
    exhaust(load_config, 8); /* AWS itself */
    s3_env_set(&home, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/x\nAWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=@/token");
    s3_home_put(&home, "token", "t");
    exhaust(get_credentials, 12);
    s3_home_put(&home, ".aws/credentials",
                "[default]\naws_access_key_id=a\naws_secret_access_key=b\naws_session_token=c");
    exhaust(get_credentials, 12);
    s3_env_set(&home, "AWS_WEB_IDENTITY_TOKEN_FILE=@/token\nAWS_ROLE_ARN=r");
    exhaust(get_credentials, 10);
    s3_home_close(&home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base), cmocka_unit_test(test_table), cmocka_unit_test(test_parquet),
        cmocka_unit_test(test_rows), cmocka_unit_test(test_lake),  cmocka_unit_test(test_input_files),
        cmocka_unit_test(test_s3),   cmocka_unit_test(test_keys),  cmocka_unit_test(test_waiting),
    };
    return cmocka_run_group_tests(tests, prepare, clean_up);
}
