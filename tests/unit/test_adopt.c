/* What another tool has left in a day's folder: kept elsewhere, byte for byte, before anything is changed; and no row
 * of ours is lost, whoever else is at work. */
#include "day/adopt.h"
#include "day/complete.h"
#include "day/data_int.h"
#include "rows_fixture.h"
#include "sys_faults.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "pncp_details/year=2025/month=10/day=22/"
#define LEGADO "pncp_details_legado/year=2025/month=10/day=22/"
#define DETAILS FOLDER "details.parquet"
#define COMPLETO "pncp_details/_state/completo/pncp_details_20251022.json"

static const volatile bool go_on = false, stop_now = true;

/* ---- a folder that another tool has filled --------------------------------------------------- */

/* A sound Parquet file without pncp.format; files of other numbers have other bytes. */
static void foreign_file(uint32_t number, struct pncp_buf *bytes)
{
    struct pncp_table table;
    struct pncp_footer footer;
    const struct pncp_encode_options options = {.zstd_level = 1};
    rows_table(&table, pncp_list_schema(), number, 2);
    pncp_buf_clear(bytes);
    assert_int_equal(pncp_group_encode(&table, &options, bytes, &footer, NULL), PNCP_OK);
    pncp_footer_release(&footer);
    pncp_table_release(&table);
}

static void put_foreign(const struct rows_lake *lake, const char *path, uint32_t number)
{
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    foreign_file(number, &bytes);
    rows_file_put(lake, path, bytes.data, bytes.len);
}

static bool is_foreign(const struct rows_lake *lake, const char *path, uint32_t number)
{
    AUTO(pncp_buf_release) struct pncp_buf wanted = {0}, bytes = {0};
    foreign_file(number, &wanted);
    return rows_file_get(lake, path, &bytes) && pncp_view_eq(pncp_buf_view(&wanted), pncp_buf_view(&bytes));
}

/* The files of the tests below, each with the number of its content. */
static const struct {
    const char *name;
    uint32_t number;
} FILES[] = {{"details.parquet", 1}, {"chunk_0001.parquet", 3}, {"chunk_0002.parquet", 5}, {"part-0.parquet", 7}};

static void path_in(const char *folder, size_t i, char path[200])
{
    (void)snprintf(path, 200, "%s%s", folder, FILES[i].name);
}

static void fill(struct rows_lake *lake)
{
    char path[200];
    rows_lake_open(lake);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(FILES); i++) {
        path_in(FOLDER, i, path);
        put_foreign(lake, path, FILES[i].number);
    }
    rows_file_put(lake, FOLDER "_SUCCESS", "mine", 4);
}

static enum pncp_code adopt_in(struct pncp_lake *lake, struct pncp_date date, struct pncp_err *err)
{
    struct pncp_adopted adopted;
    enum pncp_code rc = pncp_day_adopt(lake, date, "run-1", &go_on, &adopted, err);
    pncp_adopted_release(&adopted);
    return rc;
}

static void adopt(const struct rows_lake *lake)
{
    struct pncp_err err = PNCP_ERR_INIT;
    if (adopt_in(lake->lake, lake->date, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
}

/* ---- what must hold -------------------------------------------------------------------------- */

/* Nothing is lost: each file is in the day's folder as it was, or its copy is whole. Does the day hold none of them? */
static bool is_kept(const struct rows_lake *lake)
{
    bool left = true;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(FILES); i++) {
        char path[200], copy[200];
        path_in(FOLDER, i, path);
        path_in(LEGADO, i, copy);
        bool there = is_foreign(lake, path, FILES[i].number);
        if (!there && !is_foreign(lake, copy, FILES[i].number))
            fail_msg("%s is lost", FILES[i].name);
        left = left && !there;
    }
    return left;
}

static void open_day(struct pncp_lake *lake, struct pncp_date date, struct pncp_keyset **keys, struct pncp_data *data)
{
    struct pncp_err err = PNCP_ERR_INIT;
    assert_int_equal(pncp_keyset_new(keys), PNCP_OK);
    if (pncp_data_open(lake, date, *keys, data, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
}

static int64_t rows_of_day(const struct rows_lake *lake)
{
    struct pncp_keyset *keys;
    struct pncp_data data;
    open_day(lake->lake, lake->date, &keys, &data);
    int64_t rows = data.exists ? data.rows : -1;
    pncp_data_release(&data);
    pncp_keyset_free(keys);
    return rows;
}

/* Another run's checkpoint of two rows. */
static void append(const struct rows_lake *lake, uint32_t first)
{
    struct pncp_keyset *keys;
    struct pncp_data data;
    struct pncp_table table;
    struct pncp_commit_result result;
    struct pncp_lake *other = rows_lake_again(lake, "20251023T060103Z-00000002");
    open_day(other, lake->date, &keys, &data);
    rows_table(&table, pncp_details_schema(), first, 2);
    const struct pncp_lot lot = {.table = &table, .run_id = "run-2", .n = 1};
    assert_int_equal(pncp_data_append(&data, &lot, &result, NULL), PNCP_OK);
    pncp_table_release(&table);
    pncp_data_release(&data);
    pncp_keyset_free(keys);
    pncp_lake_free(other);
}

static void assert_adopted(const struct rows_lake *lake)
{
    assert_true(is_kept(lake));
    assert_int_equal(rows_of_day(lake), 0);
    for (size_t i = 1; i < PNCP_ARRAY_LEN(FILES); i++) {
        char path[200];
        path_in(FOLDER, i, path);
        assert_false(rows_file_exists(lake, path));
    }
    assert_true(rows_file_exists(lake, FOLDER "_SUCCESS"));
    assert_int_equal(rows_temp_count(lake), 0);
}

/* ---- the ordinary case ----------------------------------------------------------------------- */

static void kept_elsewhere_and_the_day_is_empty(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_adopted adopted;
    struct pncp_err err = PNCP_ERR_INIT;
    fill(&lake);
    rows_file_put(&lake, COMPLETO, "{}", 2);
    assert_int_equal(pncp_day_adopt(lake.lake, lake.date, "run-1", &go_on, &adopted, &err), PNCP_OK);
    assert_true(adopted.emptied);
    assert_int_equal(adopted.count, 4);
    assert_string_equal(adopted.files[0].name, "details.parquet");
    for (size_t i = 0; i < adopted.count; i++) {
        AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
        foreign_file(FILES[i].number, &bytes);
        assert_string_equal(adopted.files[i].name, FILES[i].name);
        assert_string_equal(adopted.files[i].copy, FILES[i].name);
        assert_int_equal(adopted.files[i].bytes, bytes.len);
    }
    pncp_adopted_release(&adopted);
    assert_adopted(&lake);
    assert_false(rows_file_exists(&lake, COMPLETO));
    /* an entry of the history like any rewrite; appending goes on from there */
    struct pncp_keyset *keys;
    struct pncp_data data;
    open_day(lake.lake, lake.date, &keys, &data);
    assert_int_equal(data.history_count, 1);
    assert_true(data.history[0].rewrite);
    assert_string_equal(data.history[0].run, "run-1");
    assert_string_equal(data.history[0].id, data.commit);
    pncp_data_release(&data);
    pncp_keyset_free(keys);
    append(&lake, 1);
    assert_int_equal(rows_of_day(&lake), 2);
    /* again: nothing to do, nothing done */
    uint64_t hash = rows_lake_hash(&lake);
    assert_int_equal(pncp_day_adopt(lake.lake, lake.date, "run-1", &go_on, &adopted, &err), PNCP_OK);
    assert_int_equal(adopted.count, 0);
    assert_false(adopted.emptied);
    assert_true(rows_lake_hash(&lake) == hash);
    rows_lake_close(&lake);
}

static void a_day_of_ours_with_chunks_beside_it(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_adopted adopted;
    AUTO(pncp_buf_release) struct pncp_buf before = {0}, after = {0};
    rows_lake_open(&lake);
    append(&lake, 1);
    assert_true(rows_file_get(&lake, DETAILS, &before));
    rows_file_put(&lake, COMPLETO, "{}", 2);
    put_foreign(&lake, FOLDER "chunk_0002.parquet", 5);
    rows_file_put(&lake, FOLDER "empty.parquet", "", 0);
    assert_int_equal(pncp_day_adopt(lake.lake, lake.date, "run-1", &go_on, &adopted, NULL), PNCP_OK);
    assert_int_equal(adopted.count, 2);
    assert_false(adopted.emptied);
    pncp_adopted_release(&adopted);
    assert_true(is_foreign(&lake, LEGADO "chunk_0002.parquet", 5));
    assert_true(rows_file_exists(&lake, LEGADO "empty.parquet"));
    assert_true(rows_file_get(&lake, DETAILS, &after));
    assert_true(pncp_view_eq(pncp_buf_view(&before), pncp_buf_view(&after)));
    assert_true(rows_file_exists(&lake, COMPLETO));
    assert_int_equal(rows_of_day(&lake), 2);
    rows_lake_close(&lake);
}

static void a_copy_is_never_overwritten(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_adopted adopted;
    fill(&lake);
    put_foreign(&lake, LEGADO "details.parquet", 21); /* of other content */
    put_foreign(&lake, LEGADO "details.2.parquet", 23);
    put_foreign(&lake, LEGADO "chunk_0001.parquet", 3);        /* of the same */
    rows_file_put(&lake, LEGADO "chunk_0002.parquet", "P", 1); /* cut short */
    assert_int_equal(pncp_day_adopt(lake.lake, lake.date, "run-1", &go_on, &adopted, NULL), PNCP_OK);
    static const char *const copies[] = {"details.3.parquet", "chunk_0001.parquet", "chunk_0002.2.parquet",
                                         "part-0.parquet"};
    assert_int_equal(adopted.count, PNCP_ARRAY_LEN(copies));
    for (size_t i = 0; i < adopted.count; i++) {
        char path[600];
        assert_string_equal(adopted.files[i].copy, copies[i]);
        (void)snprintf(path, sizeof(path), LEGADO "%s", copies[i]);
        assert_true(is_foreign(&lake, path, FILES[i].number));
    }
    assert_true(is_foreign(&lake, LEGADO "details.parquet", 21));
    assert_true(is_foreign(&lake, LEGADO "details.2.parquet", 23));
    assert_false(rows_file_exists(&lake, LEGADO "chunk_0001.2.parquet"));
    pncp_adopted_release(&adopted);
    rows_lake_close(&lake);
}

/* ---- what is not adopted --------------------------------------------------------------------- */

static void put_own(const struct rows_lake *lake, const char *format, const char *day)
{
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    const struct pncp_kv_pair kvs[] = {
        {"pncp.format", pncp_view_of(format)}, {"pncp.schema", PNCP_VIEW_LIT("1")}, {"pncp.day", pncp_view_of(day)}};
    assert_int_equal(pncp_parquet_empty(pncp_list_schema(), kvs, PNCP_ARRAY_LEN(kvs), &bytes, NULL), PNCP_OK);
    rows_file_put(lake, DETAILS, bytes.data, bytes.len);
}

static void what_cannot_be_judged_is_left_alone(void **state)
{
    (void)state;
    static const struct {
        const char *story, *format, *day; /* format NULL: no Parquet at all */
        enum pncp_code code;
    } cases[] = {{"damaged", NULL, NULL, PNCP_E_PARSE},
                 {"newer", "details 2", "20251022", PNCP_E_NEWER},
                 {"another day", "details 1", "20251021", PNCP_E_PARSE},
                 {"other columns", "details 1", "20251022", PNCP_E_FOREIGN}};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct rows_lake lake;
        struct pncp_err err = PNCP_ERR_INIT;
        fill(&lake);
        if (cases[i].format == NULL)
            rows_file_put(&lake, DETAILS, "PAR1PAR1", 8);
        else
            put_own(&lake, cases[i].format, cases[i].day);
        uint64_t hash = rows_lake_hash(&lake);
        assert_int_equal(adopt_in(lake.lake, lake.date, &err), cases[i].code);
        if (strstr(err.msg, DETAILS) == NULL)
            fail_msg("%s: %s", cases[i].story, err.msg);
        assert_true(rows_lake_hash(&lake) == hash);
        rows_lake_close(&lake);
    }
}

static void a_folder_with_the_name_of_a_file(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_err err = PNCP_ERR_INIT;
    fill(&lake);
    rows_file_put(&lake, FOLDER "table.parquet/part-0", "x", 1);
    assert_int_equal(adopt_in(lake.lake, lake.date, &err), PNCP_E_IO);
    assert_non_null(strstr(err.msg, "table.parquet"));
    assert_false(is_kept(&lake)); /* all of them are where they were */
    assert_true(is_foreign(&lake, DETAILS, 1));
    rows_lake_close(&lake);
}

static void a_signal_stops_it_before_anything_is_changed(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_adopted adopted;
    fill(&lake);
    assert_int_equal(pncp_day_adopt(lake.lake, lake.date, "run-1", &stop_now, &adopted, NULL), PNCP_E_CANCELLED);
    assert_int_equal(adopted.count, 0);
    pncp_adopted_release(&adopted);
    assert_true(is_foreign(&lake, DETAILS, 1));
    adopt(&lake);
    assert_adopted(&lake);
    rows_lake_close(&lake);
}

/* ---- first the copies, safe on disk ---------------------------------------------------------- */

static int no_fsync(void *ctx, const char *call, const char *path)
{
    (void)path;
    unsigned *good = ctx; /* so many succeed first */
    return strcmp(call, "fsync") != 0 || (*good)-- > 0 ? 0 : EIO;
}

/* With copies there from a call that was killed, and without. */
static void a_copy_that_is_not_safe_changes_nothing(void **state)
{
    (void)state;
    unsigned failed = 0;
    for (unsigned round = 0; round < 60; round++) {
        struct rows_lake lake;
        struct pncp_err err = PNCP_ERR_INIT;
        unsigned good = round / 2, left = good;
        bool there = round % 2 == 1;
        fill(&lake);
        for (size_t i = 0; there && i < PNCP_ARRAY_LEN(FILES); i++) {
            char path[200];
            path_in(LEGADO, i, path);
            put_foreign(&lake, path, FILES[i].number);
        }
        sys_faults_hook(no_fsync, &left);
        enum pncp_code rc = adopt_in(lake.lake, lake.date, &err);
        sys_faults_hook(NULL, NULL);
        /* of a copy that is made two are waited for, of the first five more for new folders; of one that is there six
         */
        bool all_copied = good >= (there ? 6 * PNCP_ARRAY_LEN(FILES) : 5 + 2 * PNCP_ARRAY_LEN(FILES));
        if (!all_copied) {
            assert_int_equal(rc, PNCP_E_IO);
            for (size_t i = 0; i < PNCP_ARRAY_LEN(FILES); i++) {
                char path[200];
                path_in(FOLDER, i, path);
                assert_true(is_foreign(&lake, path, FILES[i].number));
            }
        }
        failed += rc != PNCP_OK;
        assert_true(rc == PNCP_OK || rc == PNCP_E_IO);
        adopt(&lake);
        assert_adopted(&lake);
        rows_lake_close(&lake);
    }
    assert_true(failed > 30);
}

/* Each system call of it fails, is done and denied, or is the last thing the process did. */
/* NOLINTNEXTLINE(readability-function-size): the macro fail_msg is a level of nesting of its own */
static void each_call_fails_once(void **state)
{
    (void)state;
    static const enum sys_fault_way ways[] = {SYS_FAULT_ERROR, SYS_FAULT_DONE, SYS_FAULT_KILL};
    for (size_t way = 0; way < PNCP_ARRAY_LEN(ways); way++) {
        const struct sys_fault fault = {.calls = SYS_ALL, .way = ways[way], .error = EIO};
        unsigned before = 0, after = 0;
        for (unsigned n = 1;; n++) {
            struct rows_lake lake;
            struct pncp_err err = PNCP_ERR_INIT;
            bool fired;
            fill(&lake);
            if (fault.way == SYS_FAULT_KILL) {
                int status;
                pid_t child = fork();
                assert_true(child >= 0);
                if (child == 0) {
                    sys_faults_arm(&fault, n);
                    _exit(adopt_in(lake.lake, lake.date, NULL) == PNCP_OK ? 0 : 1);
                }
                assert_int_equal(waitpid(child, &status, 0), child);
                fired = WIFSIGNALED(status);
                assert_true(fired || WEXITSTATUS(status) == 0);
            } else {
                sys_faults_arm(&fault, n);
                enum pncp_code rc = adopt_in(lake.lake, lake.date, &err);
                fired = sys_faults_disarm() != 0;
                assert_true(rc == PNCP_OK || (fired && rc == PNCP_E_IO));
                assert_true(rc != PNCP_OK || is_kept(&lake)); /* what is called done is done */
            }
            assert_true(rows_file_exists(&lake, DETAILS)); /* at no time is it away */
            *(is_kept(&lake) ? &after : &before) += 1;
            pncp_lake_sweep(lake.lake);
            adopt(&lake);
            assert_adopted(&lake);
            rows_lake_close(&lake);
            if (!fired)
                break;
        }
        assert_true(before > 20 && after > 0);
    }
}

/* ---- others at work -------------------------------------------------------------------------- */

/* What happens once, right before a call that names `path`. */
struct event {
    const struct rows_lake *lake;
    const char *call, *path;
    void (*happen)(const struct rows_lake *lake);
    unsigned skip; /* such calls before it */
    bool happened;
};

static int when(void *ctx, const char *call, const char *path)
{
    struct event *event = ctx;
    if (event->happened || strcmp(call, event->call) != 0 || path == NULL || strcmp(path, event->path) != 0)
        return 0;
    if (event->skip > 0) {
        event->skip--;
        return 0;
    }
    event->happened = true;
    event->happen(event->lake);
    return 0;
}

static void adopt_beside(struct event *event, enum pncp_code wanted)
{
    struct pncp_err err = PNCP_ERR_INIT;
    sys_faults_hook(when, event);
    enum pncp_code rc = adopt_in(event->lake->lake, event->lake->date, &err);
    sys_faults_hook(NULL, NULL);
    assert_true(event->happened);
    if (rc != wanted)
        fail_msg("%s: %s", pncp_code_name(rc), err.msg);
}

static void another_adopts_and_a_run_saves(const struct rows_lake *lake)
{
    struct pncp_lake *other = rows_lake_again(lake, "20251023T060104Z-00000003");
    assert_int_equal(adopt_in(other, lake->date, NULL), PNCP_OK);
    pncp_lake_free(other);
    append(lake, 1);
}

#define DATA_LOCK "pncp_details/_state/lock/pncp_details_20251022.commit"
#define LEGADO_LOCK "pncp_details/_state/lock/legado_20251022.commit"

/* The trace of the model: of two adopts the slower one meets a file of ours with rows that were called saved. */
static void rows_that_were_saved_are_never_lost(void **state)
{
    (void)state;
    static const struct {
        const char *call, *path;
        unsigned skip;
    } moments[] = {{"openat", DETAILS, 0},
                   {"openat", LEGADO "details.parquet", 0},
                   {"openat", LEGADO_LOCK, 0},
                   {"openat", LEGADO_LOCK, 2},
                   {"openat", FOLDER "chunk_0001.parquet", 0},
                   {"openat", FOLDER "part-0.parquet", 0},
                   {"unlinkat", COMPLETO, 0},
                   {"openat", DATA_LOCK, 0}};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(moments); i++) {
        struct rows_lake lake;
        struct rows_read read;
        fill(&lake);
        struct event event = {.lake = &lake,
                              .call = moments[i].call,
                              .path = moments[i].path,
                              .skip = moments[i].skip,
                              .happen = another_adopts_and_a_run_saves};
        adopt_beside(&event, PNCP_OK);
        rows_read(lake.lake, DETAILS, pncp_details_schema(), &read);
        rows_assert_exactly(&read, pncp_details_schema(), 2);
        rows_read_release(&read);
        assert_true(is_kept(&lake));
        assert_int_equal(rows_of_day(&lake), 2);
        assert_false(rows_file_exists(&lake, LEGADO "details.2.parquet")); /* one copy is enough */
        assert_false(rows_file_exists(&lake, LEGADO "chunk_0001.2.parquet"));
        rows_lake_close(&lake);
    }
}

static void their_tool_writes_details(const struct rows_lake *lake)
{
    put_foreign(lake, DETAILS, 31);
}

static void their_tool_writes_a_chunk(const struct rows_lake *lake)
{
    put_foreign(lake, FOLDER "chunk_0001.parquet", 31);
}

/* The same size and the same end as before: no version tells them apart, but their bytes do. */
static void their_tool_changes_one_byte(const struct rows_lake *lake)
{
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    assert_true(rows_file_get(lake, FOLDER "large.parquet", &bytes));
    bytes.data[0] ^= 1;
    rows_file_put(lake, FOLDER "large.parquet", bytes.data, bytes.len);
}

static void what_their_tool_writes_meanwhile_is_kept_too(void **state)
{
    (void)state;
    struct rows_lake lake;
    fill(&lake);
    struct event event = {.lake = &lake, .call = "openat", .path = DATA_LOCK, .happen = their_tool_writes_details};
    adopt_beside(&event, PNCP_OK);
    assert_adopted(&lake);
    assert_true(is_foreign(&lake, LEGADO "details.2.parquet", 31));
    rows_lake_close(&lake);
    /* between its copy and its removal */
    fill(&lake);
    event = (struct event){.lake = &lake,
                           .call = "openat",
                           .path = FOLDER "chunk_0001.parquet",
                           .skip = 1,
                           .happen = their_tool_writes_a_chunk};
    adopt_beside(&event, PNCP_OK);
    assert_adopted(&lake);
    assert_true(is_foreign(&lake, LEGADO "chunk_0001.2.parquet", 31));
    rows_lake_close(&lake);
    AUTO(pncp_buf_release) struct pncp_buf large = {0}, changed = {0};
    assert_int_equal(pncp_buf_reserve(&large, 200000), PNCP_OK);
    memset(large.data, 'x', large.len = 200000);
    fill(&lake);
    rows_file_put(&lake, FOLDER "large.parquet", large.data, large.len);
    event = (struct event){.lake = &lake,
                           .call = "openat",
                           .path = FOLDER "large.parquet",
                           .skip = 1,
                           .happen = their_tool_changes_one_byte};
    adopt_beside(&event, PNCP_OK);
    assert_adopted(&lake);
    large.data[0] ^= 1;
    assert_true(rows_file_get(&lake, LEGADO "large.2.parquet", &changed));
    assert_true(pncp_view_eq(pncp_buf_view(&changed), pncp_buf_view(&large)));
    rows_lake_close(&lake);
}

static uint32_t written;

static int writes_on(void *ctx, const char *call, const char *path)
{
    if (strcmp(call, "openat") == 0 && path != NULL && strcmp(path, DATA_LOCK) == 0)
        put_foreign(ctx, DETAILS, 41 + 2 * written++);
    return 0;
}

static void a_tool_that_writes_on_is_left_to_it(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_err err = PNCP_ERR_INIT;
    fill(&lake);
    written = 0;
    sys_faults_hook(writes_on, &lake);
    assert_int_equal(adopt_in(lake.lake, lake.date, &err), PNCP_E_CONFLICT);
    sys_faults_hook(NULL, NULL);
    assert_true(is_foreign(&lake, DETAILS, 41 + 2 * (written - 1)));
    assert_true(is_foreign(&lake, FOLDER "chunk_0001.parquet", 3));
    adopt(&lake);
    assert_adopted(&lake);
    rows_lake_close(&lake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_elsewhere_and_the_day_is_empty),
        cmocka_unit_test(a_day_of_ours_with_chunks_beside_it),
        cmocka_unit_test(a_copy_is_never_overwritten),
        cmocka_unit_test(what_cannot_be_judged_is_left_alone),
        cmocka_unit_test(a_folder_with_the_name_of_a_file),
        cmocka_unit_test(a_signal_stops_it_before_anything_is_changed),
        cmocka_unit_test(a_copy_that_is_not_safe_changes_nothing),
        cmocka_unit_test(each_call_fails_once),
        cmocka_unit_test(rows_that_were_saved_are_never_lost),
        cmocka_unit_test(what_their_tool_writes_meanwhile_is_kept_too),
        cmocka_unit_test(a_tool_that_writes_on_is_left_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
