/* Lots that wait outside of the lake: where, under which names, and what becomes of a file that is not ours to take. */
#include "base/mem.h"
#include "day/spool.h"
#include "rows_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN "20251023T060102Z-4f1c9a20"

struct bench {
    struct rows_lake lake;
    struct pncp_keyset *keys;
    struct pncp_data data;
    char folder[300];
    size_t committed, problems;
    char problem[512];
};

static void bench_open(struct bench *b)
{
    *b = (struct bench){.committed = 0};
    rows_lake_open(&b->lake);
    (void)snprintf(b->folder, sizeof(b->folder), "%s/waits/here", b->lake.folder);
    assert_int_equal(pncp_keyset_new(&b->keys), PNCP_OK);
    assert_int_equal(pncp_data_open(b->lake.lake, b->lake.date, b->keys, &b->data, NULL), PNCP_OK);
}

static void bench_close(struct bench *b)
{
    pncp_data_release(&b->data);
    pncp_keyset_free(b->keys);
    rows_lake_close(&b->lake);
}

static void put(struct bench *b, uint32_t first, uint32_t count, uint32_t n)
{
    struct pncp_table table;
    struct pncp_err err = PNCP_ERR_INIT;
    rows_table(&table, pncp_details_schema(), first, count);
    const struct pncp_lot lot = {.table = &table, .run_id = RUN, .n = n};
    if (pncp_spool_put(b->folder, &b->data, &lot, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    pncp_table_release(&table);
}

static void told(void *ctx, const char *name, int64_t contratacoes, const struct pncp_err *problem)
{
    struct bench *b = ctx;
    assert_non_null(name);
    b->committed += (size_t)contratacoes;
    b->problems += problem != NULL;
    (void)snprintf(b->problem, sizeof(b->problem), "%s", problem == NULL ? "" : problem->msg);
}

static void take(struct bench *b)
{
    struct pncp_err err = PNCP_ERR_INIT;
    b->committed = b->problems = 0;
    if (pncp_spool_take(b->folder, &b->data, told, b, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
}

/* The only file in the folder; "" when there is none. */
static void only_file(const struct bench *b, char ret_name[300])
{
    DIR *dir = opendir(b->folder);
    assert_non_null(dir);
    ret_name[0] = '\0';
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        assert_string_equal(ret_name, "");
        (void)snprintf(ret_name, 300, "%s", entry->d_name);
    }
    (void)closedir(dir);
}

static void in_lake(const struct bench *b, const char *name, char ret_path[600])
{
    (void)snprintf(ret_path, 600, "%s/%s", b->folder + strlen(b->lake.folder) + 1, name);
}

static void it_comes_back_whole(void **state)
{
    (void)state;
    struct bench b;
    struct rows_read read;
    char name[300], tag[PNCP_LAKE_TAG_BYTES], wanted[300];
    bench_open(&b);
    take(&b); /* no folder: nothing waits */
    assert_int_equal(b.committed + b.problems, 0);
    put(&b, 1, 20, 7);
    only_file(&b, name);
    pncp_lake_tag(b.lake.lake, tag);
    assert_int_equal(strlen(tag), 12);
    (void)snprintf(wanted, sizeof(wanted), "%s.20251022.1." RUN ".7.parquet", tag);
    assert_string_equal(name, wanted);
    take(&b);
    assert_int_equal(b.committed, 20);
    only_file(&b, name);
    assert_string_equal(name, "");
    rows_read(b.lake.lake, "pncp_details/year=2025/month=10/day=22/details.parquet", pncp_details_schema(), &read);
    rows_assert_exactly(&read, pncp_details_schema(), 20);
    rows_read_release(&read);
    /* the history says whose it was */
    assert_string_equal(pncp_data_newest(&b.data)->run, RUN);
    assert_int_equal(pncp_data_newest(&b.data)->n, 7);
    bench_close(&b);
}

/* Change `from` to `to`, of the same length, in the only file: `from` stands once in its footer. */
static void alter(const struct bench *b, const char *from, const char *to)
{
    char name[300], path[600];
    AUTO(pncp_buf_release) struct pncp_buf file = {0};
    only_file(b, name);
    in_lake(b, name, path);
    assert_true(rows_file_get(&b->lake, path, &file));
    char *at = memmem(file.data, file.len, from, strlen(from));
    assert_non_null(at);
    memcpy(at, to, strlen(to));
    rows_file_put(&b->lake, path, file.data, file.len);
}

static void what_is_not_ours_is_not_taken(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *suffix, *says;
    } cases[] = {
        {"spool 1", "spool 2", "", "this version knows \"spool 1\""}, /* a newer version's: left alone */
        {"spool 1", "elsewhe", "", "format \"elsewhe\""},
        {"pncp.lake", "pncp.like", ".damaged", "not a lot of this program"},
        {"20251022", "20251023", ".damaged", "of another lake or day"},
        {"pncp.run", "pncp.ran", ".damaged", "not a lot of this program"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct bench b;
        char before[300], after[300], wanted[320];
        bench_open(&b);
        put(&b, 1, 5, 1);
        only_file(&b, before);
        alter(&b, cases[i].from, cases[i].to);
        take(&b);
        only_file(&b, after);
        (void)snprintf(wanted, sizeof(wanted), "%s%s", before, cases[i].suffix);
        assert_string_equal(after, wanted);
        if (b.problems != 1 || b.committed != 0 || strstr(b.problem, cases[i].says) == NULL)
            fail_msg("case %zu: %s", i, b.problem);
        assert_false(b.data.exists);
        bench_close(&b);
    }
}

static void where_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *state_home, *home, *folder; /* folder NULL: none */
    } cases[] = {
        {"/var/state", "/home/me", "/var/state/pncp-details/spool"},
        {NULL, "/home/me", "/home/me/.local/state/pncp-details/spool"},
        {"relative", "/home/me", "/home/me/.local/state/pncp-details/spool"}, /* to be ignored (XDG Base Directory) */
        {NULL, NULL, NULL},
        {NULL, "", NULL},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_buf_release) struct pncp_buf folder = {0};
        (void)(cases[i].state_home == NULL ? unsetenv("XDG_STATE_HOME")
                                           : setenv("XDG_STATE_HOME", cases[i].state_home, 1));
        (void)(cases[i].home == NULL ? unsetenv("HOME") : setenv("HOME", cases[i].home, 1));
        enum pncp_code rc = pncp_spool_default(&folder);
        assert_int_equal(rc, cases[i].folder == NULL ? PNCP_E_NOTFOUND : PNCP_OK);
        if (rc == PNCP_OK)
            assert_string_equal(folder.data, cases[i].folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_back_whole),
        cmocka_unit_test(what_is_not_ours_is_not_taken),
        cmocka_unit_test(where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
