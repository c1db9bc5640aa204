/* The files that --input names: forms of a path, the day in it, order and age, and what matches nothing. */
#include "ingest/input_paths.h"
#include "rows_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A lake's folder serves as any: 20251022 is its day. */
static void put(const struct rows_lake *lake, const char *path, int64_t at_s)
{
    char full[600];
    const struct timespec times[2] = {{.tv_sec = at_s}, {.tv_sec = at_s}};
    rows_file_put(lake, path, "x", 1);
    (void)snprintf(full, sizeof(full), "%s/%s", lake->folder, path);
    assert_int_equal(utimensat(AT_FDCWD, full, times, 0), 0);
}

static void test_forms(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *found; /* names behind the folder, in order */
        int64_t oldest_s;
    } cases[] = {
        {"d/b.json", "d/b.json ", 40},
        {"d/leia.txt", "d/leia.txt ", 90}, /* what is named is taken, whatever its name */
        {"d", "d/a.parquet d/b.json d/c.ndjson d/e.jsonl ", 10},
        {"d/", "d/a.parquet d/b.json d/c.ndjson d/e.jsonl ", 10},
        {"d/?.*json", "d/b.json d/c.ndjson ", 20},
        {"[de]", "d/a.parquet d/b.json d/c.ndjson d/e.jsonl e/2025.json ", 5},
        {"e/{yyyy}.json", "e/2025.json ", 5},
        {"?/{yyyy}.js*", "e/2025.json ", 5},
        {"f/{yyyy}{mm}{dd}/{dd}-{mm}*", "f/20251022/22-10{x}.json ", 7},
        {"f/20251022/22-10{x}.json", "f/20251022/22-10{x}.json ", 7}, /* other braces are a name's */
        {"g/[1]*", "g/[1]* ", 8},
    };
    struct rows_lake lake;
    rows_lake_open(&lake);
    put(&lake, "d/c.ndjson", 20);
    put(&lake, "d/a.parquet", 10);
    put(&lake, "d/b.json", 40);
    put(&lake, "d/e.jsonl", 30);
    put(&lake, "d/leia.txt", 90);
    put(&lake, "d/.b.json", 1);
    put(&lake, "d/b.json.tmp", 1);
    put(&lake, "d/sub.json/x.json", 1);
    put(&lake, "e/2025.json", 5);
    put(&lake, "f/20251022/22-10{x}.json", 7);
    put(&lake, "g/[1]*", 8);
    put(&lake, "g/1x", 9);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_input_paths_release) struct pncp_input_paths paths = {0};
        char pattern[600], found[1000] = "";
        struct pncp_err err = PNCP_ERR_INIT;
        (void)snprintf(pattern, sizeof(pattern), "%s/%s", lake.folder, cases[i].pattern);
        if (pncp_input_paths_find(pattern, lake.date, &paths, &err) != PNCP_OK)
            fail_msg("%s: %s", cases[i].pattern, err.msg);
        for (size_t at = 0; at < paths.count; at++)
            (void)snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s ",
                           paths.paths[at] + strlen(lake.folder) + 1);
        if (strcmp(found, cases[i].found) != 0 || paths.oldest_s != cases[i].oldest_s)
            fail_msg("%s: %s%lld", cases[i].pattern, found, (long long)paths.oldest_s);
    }
    rows_lake_close(&lake);
}

static void test_nothing(void **state)
{
    (void)state;
    static const char *const patterns[] = {"x.json", "x/*.json", "*.xls", "vazia", "{yyyy}.json", "a.json/b.json", ""};
    struct rows_lake lake;
    char pattern[600];
    rows_lake_open(&lake);
    put(&lake, "a.json", 1);
    put(&lake, "vazia/leia.txt", 1);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(patterns); i++) {
        AUTO(pncp_input_paths_release) struct pncp_input_paths paths = {0};
        struct pncp_err err = PNCP_ERR_INIT;
        (void)snprintf(pattern, sizeof(pattern), "%s%s%s", patterns[i][0] == '\0' ? "" : lake.folder,
                       patterns[i][0] == '\0' ? "" : "/", patterns[i]);
        enum pncp_code rc = pncp_input_paths_find(pattern, lake.date, &paths, &err);
        if (rc != PNCP_E_USAGE || strstr(err.msg, pattern) == NULL || strstr(err.msg, "no file matches ") == NULL)
            fail_msg("%s: %s %s", pattern, pncp_code_name(rc), err.msg);
    }
    rows_lake_close(&lake);
}

/* More than one can mean. */
static void test_too_many(void **state)
{
    (void)state;
    struct rows_lake lake;
    char path[600];
    struct pncp_err err = PNCP_ERR_INIT;
    AUTO(pncp_input_paths_release) struct pncp_input_paths paths = {0};
    rows_lake_open(&lake);
    rows_file_put(&lake, "m/0.json", "x", 1);
    for (int i = 1; i <= PNCP_INPUT_FILES_MAX; i++) {
        char link_path[600];
        (void)snprintf(path, sizeof(path), "%s/m/0.json", lake.folder);
        (void)snprintf(link_path, sizeof(link_path), "%s/m/%d.json", lake.folder, i);
        assert_int_equal(link(path, link_path), 0);
    }
    (void)snprintf(path, sizeof(path), "%s/m", lake.folder);
    assert_int_equal(pncp_input_paths_find(path, lake.date, &paths, &err), PNCP_E_LIMIT);
    (void)snprintf(path, sizeof(path), "%s/m/1*.json", lake.folder);
    assert_int_equal(pncp_input_paths_find(path, lake.date, &paths, &err), PNCP_OK);
    assert_int_equal(paths.count, 1112);
    rows_lake_close(&lake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
