/* Temp files and stages: never half, swept when nobody holds them, and durable from the root of the lake on. */
#include "base/file.h"
#include "base/mem.h"
#include "base/sys.h"
#include "lake/lake_int.h"
#include "rows_fixture.h"
#include "sys_faults.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH "pncp_details/year=2025/month=10/object"

static ino_t inode_of(const struct rows_lake *lake, const char *path)
{
    char full[600];
    struct stat stat_;
    (void)snprintf(full, sizeof(full), "%s/%s", lake->folder, path);
    return stat(full, &stat_) == 0 ? stat_.st_ino : 0;
}

/* ---- publishing ------------------------------------------------------------------------------ */

/* What was fsynced before the rename into place and what after it. */
struct syncs {
    ino_t before[40], after[40];
    size_t before_count, after_count;
    bool renamed;
};
static struct syncs *watched;

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    struct stat stat;
    if (watched != NULL && fstat(fd, &stat) == 0) {
        if (watched->renamed)
            watched->after[watched->after_count++] = stat.st_ino;
        else
            watched->before[watched->before_count++] = stat.st_ino;
    }
    return __real_fsync(fd);
}

int __real_renameat(int from_dir_fd, const char *from, int to_dir_fd, const char *to);
int __wrap_renameat(int from_dir_fd, const char *from, int to_dir_fd, const char *to);
int __wrap_renameat(int from_dir_fd, const char *from, int to_dir_fd, const char *to)
{
    int rc = __real_renameat(from_dir_fd, from, to_dir_fd, to);
    if (watched != NULL && rc == 0)
        watched->renamed = true;
    return rc;
}

static bool has(const ino_t *inodes, size_t count, ino_t inode)
{
    for (size_t i = 0; i < count; i++) {
        if (inodes[i] == inode)
            return true;
    }
    return false;
}

/* The first object of a day lies in folders that are all new: each must be in its parent for good, the root included.
 */
static void new_folders_survive_a_power_loss(void **state)
{
    (void)state;
    static const char *const parents[] = {".", "pncp_details", "pncp_details/year=2025"};
    struct rows_lake lake;
    struct syncs syncs = {.renamed = false};
    const struct pncp_body body = {.bytes = PNCP_VIEW_LIT("x")};
    rows_lake_open(&lake);
    watched = &syncs;
    assert_int_equal(pncp_lake_put(lake.lake, PATH, &body, NULL), PNCP_OK);
    watched = NULL;
    assert_true(syncs.renamed);
    assert_true(has(syncs.before, syncs.before_count, inode_of(&lake, PATH))); /* its bytes, before its name */
    for (size_t i = 0; i < PNCP_ARRAY_LEN(parents); i++) {
        if (!has(syncs.before, syncs.before_count, inode_of(&lake, parents[i])))
            fail_msg("%s was not synced", parents[i]);
    }
    assert_true(has(syncs.after, syncs.after_count, inode_of(&lake, "pncp_details/year=2025/month=10")));
    rows_lake_close(&lake);
}

/* What somebody else put there, and perhaps did not wait for. */
static void what_is_there_survives_a_power_loss(void **state)
{
    (void)state;
    static const char *const paths[] = {".", "pncp_details", "pncp_details/year=2025",
                                        "pncp_details/year=2025/month=10", PATH};
    struct rows_lake lake;
    struct syncs syncs = {.renamed = false};
    struct pncp_err err = PNCP_ERR_INIT;
    rows_lake_open(&lake);
    assert_int_equal(pncp_lake_sync(lake.lake, PATH, &err), PNCP_E_IO);
    assert_int_equal(err.os_errno, ENOENT);
    rows_file_put(&lake, PATH, "x", 1);
    watched = &syncs;
    assert_int_equal(pncp_lake_sync(lake.lake, PATH, NULL), PNCP_OK);
    watched = NULL;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(paths); i++) {
        if (!has(syncs.before, syncs.before_count, inode_of(&lake, paths[i])))
            fail_msg("%s was not synced", paths[i]);
    }
    rows_lake_close(&lake);
}

/* A lake that was made is in its own parent for good. */
static void a_new_lake_survives_a_power_loss(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct syncs syncs = {.renamed = false};
    struct pncp_lake *made;
    char path[600];
    const struct pncp_lake_options options = {.run_id = "r", .create = true};
    rows_lake_open(&lake);
    (void)snprintf(path, sizeof(path), "%s/new/lake", lake.folder);
    watched = &syncs;
    assert_int_equal(pncp_lake_open(path, &options, &made, NULL), PNCP_OK);
    watched = NULL;
    assert_true(has(syncs.before, syncs.before_count, inode_of(&lake, ".")));
    assert_true(has(syncs.before, syncs.before_count, inode_of(&lake, "new")));
    pncp_lake_free(made);
    rows_lake_close(&lake);
}

/* A failed write leaves nothing for a sweep. */
static int fail_call(void *ctx, const char *call, const char *path)
{
    (void)path;
    return strcmp(call, ctx) == 0 ? ENOSPC : 0;
}

static void a_failure_cleans_up_at_once(void **state)
{
    (void)state;
    static char calls[][16] = {"write", "fsync", "renameat"};
    struct rows_lake lake;
    const struct pncp_body body = {.bytes = PNCP_VIEW_LIT("x")};
    const struct pncp_segment tail = {.bytes = PNCP_VIEW_LIT("x")};
    struct pncp_version none = {.text = ""}, version;
    rows_lake_open(&lake);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(calls); i++) {
        sys_faults_hook(fail_call, calls[i]);
        assert_int_equal(pncp_lake_put(lake.lake, PATH, &body, NULL), PNCP_E_IO);
        assert_int_equal(pncp_lake_write_if(lake.lake, PATH, "l", &none, &body, &version, NULL), PNCP_E_IO);
        assert_int_equal(
            pncp_lake_splice_if(lake.lake, PATH, "l", &none,
                                &(const struct pncp_splice){.keep_bytes = 0, .segments = &tail, .segment_count = 1},
                                &version, NULL),
            PNCP_E_IO);
        sys_faults_hook(NULL, NULL);
        assert_int_equal(rows_temp_count(&lake), 0);
        assert_false(rows_file_exists(&lake, PATH));
    }
    rows_lake_close(&lake);
}

/* ---- opening --------------------------------------------------------------------------------- */

static int steal_first(void *ctx, const char *call, const char *path)
{
    struct rows_lake *lake = ctx;
    (void)path;
    if (strcmp(call, "flock") == 0 && lake->folder[0] != '\0') { /* a sweep comes between open and lock */
        char full[600];
        (void)snprintf(full, sizeof(full), "%s/" PNCP_TMP_FOLDER "/" ROWS_RUN ".1.tmp", lake->folder);
        assert_int_equal(unlink(full), 0);
        lake->folder[0] = '\0'; /* once */
    }
    return 0;
}

static void a_temp_is_ours_or_another_is_made(void **state)
{
    (void)state;
    struct rows_lake lake, once;
    char path[512];
    struct pncp_err err = PNCP_ERR_INIT;
    rows_lake_open(&lake);
    rows_file_put(&lake, PNCP_TMP_FOLDER "/notes.txt", "x", 1); /* the folder is there */
    once = lake;
    sys_faults_hook(steal_first, &once);
    AUTO(pncp_fd_close) int fd = -1, second = -1;
    assert_int_equal(pncp_temp_open(lake.lake, &fd, path, &err), PNCP_OK);
    sys_faults_hook(NULL, NULL);
    assert_string_equal(path, PNCP_TMP_FOLDER "/" ROWS_RUN ".2.tmp");
    assert_true(rows_file_exists(&lake, path));
    /* a name that is taken is not taken over */
    rows_file_put(&lake, PNCP_TMP_FOLDER "/" ROWS_RUN ".3.tmp", "x", 1);
    assert_int_equal(pncp_temp_open(lake.lake, &second, path, &err), PNCP_OK);
    assert_string_equal(path, PNCP_TMP_FOLDER "/" ROWS_RUN ".4.tmp");
    rows_lake_close(&lake);
}

static void a_sweep_takes_what_nobody_holds(void **state)
{
    (void)state;
    struct rows_lake lake;
    char held[512], dead[512];
    int ready[2], status;
    rows_lake_open(&lake);
    pncp_lake_sweep(lake.lake); /* no folder yet */
    (void)snprintf(dead, sizeof(dead), PNCP_TMP_FOLDER "/20250101T000000Z-deadbeef.7.tmp");
    rows_file_put(&lake, dead, "x", 1);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int fd;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
        bool opened = pncp_temp_open(lake.lake, &fd, held, NULL) == PNCP_OK;
        _exit(opened && write(ready[1], "x", 1) == 1 && pause() == -1 ? 0 : 1);
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)snprintf(held, sizeof(held), PNCP_TMP_FOLDER "/" ROWS_RUN ".1.tmp");
    rows_file_put(&lake, PNCP_TMP_FOLDER "/notes.txt", "x", 1);
    rows_file_put(&lake, PNCP_TMP_FOLDER "/folder.tmp/x", "x", 1);
    pncp_lake_sweep(lake.lake);
    assert_true(rows_file_exists(&lake, held));
    assert_false(rows_file_exists(&lake, dead));
    assert_true(rows_file_exists(&lake, PNCP_TMP_FOLDER "/notes.txt")); /* not one of ours */
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    pncp_lake_sweep(lake.lake);
    assert_false(rows_file_exists(&lake, held));
    (void)close(ready[0]), (void)close(ready[1]);
    rows_lake_close(&lake);
}

/* ---- stages ---------------------------------------------------------------------------------- */

static void a_stage_becomes_the_object(void **state)
{
    (void)state;
    /* small pieces, one as large as the buffer, larger ones, in any order */
    static const size_t pieces[] = {1, 65536, 7, 65537, 65535, 1, 200000, 0, 3};
    struct rows_lake lake;
    struct pncp_stage stage;
    struct pncp_err err = PNCP_ERR_INIT;
    AUTO(pncp_buf_release) struct pncp_buf want = {0}, got = {0};
    AUTO(pncp_free_ptr) char *piece = pncp_malloc(200000);
    assert_non_null(piece);
    rows_lake_open(&lake);
    assert_int_equal(pncp_stage_open(lake.lake, &stage, &err), PNCP_OK);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(pieces); i++) {
        memset(piece, 'a' + (int)i, 200000);
        assert_int_equal(pncp_stage_append(&stage, piece, pieces[i], &err), PNCP_OK);
        assert_int_equal(pncp_buf_append(&want, piece, pieces[i]), PNCP_OK);
        assert_int_equal(stage.bytes, want.len);
        assert_true(stage.pending.cap <= 65536);
    }
    assert_int_equal(pncp_stage_flush(&stage, &err), PNCP_OK); /* readable from here on */
    char first;
    assert_int_equal(pncp_file_pread(stage.fd, &first, 1, want.len - 1, "stage", &err), PNCP_OK);
    assert_int_equal(first, want.data[want.len - 1]);
    struct pncp_version none = {.text = ""}, other = {.text = "x"}, version;
    const struct pncp_body body = {.stage = &stage};
    assert_int_equal(pncp_lake_write_if(lake.lake, PATH, "l", &other, &body, &version, &err), PNCP_E_CONFLICT);
    assert_int_not_equal(stage.fd, -1); /* still there for another try */
    assert_int_equal(pncp_lake_write_if(lake.lake, PATH, "l", &none, &body, &version, &err), PNCP_OK);
    assert_int_equal(stage.fd, -1);
    assert_int_equal(pncp_lake_load(lake.lake, PATH, NULL, &got, NULL, &err), PNCP_OK);
    assert_true(pncp_view_eq(pncp_buf_view(&got), pncp_buf_view(&want)));
    assert_int_equal(rows_temp_count(&lake), 0);
    pncp_stage_release(&stage);
    assert_true(rows_file_exists(&lake, PATH));
    rows_lake_close(&lake);
}

static void a_stage_given_up_leaves_nothing(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_stage stage = PNCP_STAGE_INIT;
    struct pncp_err err = PNCP_ERR_INIT;
    pncp_stage_release(&stage); /* never opened */
    rows_lake_open(&lake);
    assert_int_equal(pncp_stage_open(lake.lake, &stage, &err), PNCP_OK);
    assert_int_equal(pncp_stage_append(&stage, "x", 1, &err), PNCP_OK);
    assert_int_equal(rows_temp_count(&lake), 1);
    pncp_lake_sweep(lake.lake); /* live: left alone */
    assert_int_equal(rows_temp_count(&lake), 1);
    pncp_stage_release(&stage);
    pncp_stage_release(&stage);
    assert_int_equal(rows_temp_count(&lake), 0);
    /* full disk while it is flushed */
    static char write_call[] = "write";
    AUTO(pncp_free_ptr) char *big = pncp_calloc(1, 70000);
    assert_non_null(big);
    assert_int_equal(pncp_stage_open(lake.lake, &stage, &err), PNCP_OK);
    sys_faults_hook(fail_call, write_call);
    assert_int_equal(pncp_stage_append(&stage, big, 70000, &err), PNCP_E_IO);
    sys_faults_hook(NULL, NULL);
    assert_true(err.transient);
    pncp_stage_release(&stage);
    assert_int_equal(rows_temp_count(&lake), 0);
    rows_lake_close(&lake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_folders_survive_a_power_loss),    cmocka_unit_test(a_new_lake_survives_a_power_loss),
        cmocka_unit_test(a_failure_cleans_up_at_once),         cmocka_unit_test(a_temp_is_ours_or_another_is_made),
        cmocka_unit_test(a_sweep_takes_what_nobody_holds),     cmocka_unit_test(a_stage_becomes_the_object),
        cmocka_unit_test(what_is_there_survives_a_power_loss), cmocka_unit_test(a_stage_given_up_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
