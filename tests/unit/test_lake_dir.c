/* A lake in a folder: what it is opened with, reading, conditional writing, holding, and what a power loss leaves. */
#include "base/mem.h"
#include "base/sys.h"
#include "fs_type.h"
#include "lake/lake.h"
#include "rows_fixture.h"
#include "sys_faults.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOCK "pncp_details/_state/lock/test.commit"
#define PATH "pncp_details/a/b/object"

/* ---- opening --------------------------------------------------------------------------------- */

static enum pncp_code try_open(const char *url, bool create, bool writable, bool unsafe, const char *says)
{
    const struct pncp_lake_options options = {
        .run_id = "run-1", .create = create, .writable = writable, .unsafe_store = unsafe};
    struct pncp_lake *lake = NULL;
    struct pncp_err err = PNCP_ERR_INIT;
    enum pncp_code rc = pncp_lake_open(url, &options, &lake, &err);
    if (rc != PNCP_OK && (err.code != rc || err.msg[0] == '\0' || (says != NULL && strstr(err.msg, says) == NULL)))
        fail_msg("%s: %s", url, err.msg);
    if (rc == PNCP_OK && says != NULL && says[0] == '/')
        assert_string_equal(pncp_lake_url(lake), says);
    pncp_lake_free(lake);
    return rc;
}

static void the_url_names_a_folder(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        enum pncp_code code;
        const char *says;
    } cases[] = {
        {"", PNCP_E_USAGE, "empty"},
        {"file://", PNCP_E_USAGE, "empty"},
        {"pncp_details", PNCP_E_USAGE, "use --lake ."},
        {"pncp_details//", PNCP_E_USAGE, "use --lake ."},
        {"data/pncp_details", PNCP_E_USAGE, "use --lake data"},
        {"file:///data/pncp_details/", PNCP_E_USAGE, "use --lake /data"},
        {"/pncp_details", PNCP_E_USAGE, "use --lake /"},
        {"s3://bucket/pncp_details", PNCP_E_USAGE, "s3://bucket"},
        {"gs://bucket", PNCP_E_USAGE, "gs://bucket"},
        {"http://host/lake", PNCP_E_USAGE, "http://host/lake"},
        {"/nowhere/at/all", PNCP_E_NOTFOUND, "/nowhere/at/all"},
        {"/dev/null", PNCP_E_IO, "/dev/null: is not a folder"},
        {"/dev/null/lake", PNCP_E_IO, "/dev/null/lake"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++)
        assert_int_equal(try_open(cases[i].url, false, false, false, cases[i].says), cases[i].code);
}

static void the_folder_is_made_when_asked(void **state)
{
    (void)state;
    struct rows_lake lake;
    char path[400], url[420], before[400];
    rows_lake_open(&lake);
    (void)snprintf(path, sizeof(path), "%s/new/lake", lake.folder);
    assert_int_equal(try_open(path, false, true, false, "no such folder"), PNCP_E_NOTFOUND);
    assert_false(rows_file_exists(&lake, "new"));
    (void)snprintf(url, sizeof(url), "file://%s/", path);
    assert_int_equal(try_open(url, true, true, false, path), PNCP_OK);
    assert_true(rows_file_exists(&lake, "new/lake/pncp_details/_state/tmp")); /* writing was tried */
    assert_int_equal(try_open(path, false, false, false, path), PNCP_OK);
    /* relative, from where we are; reports name it whole */
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(lake.folder), 0);
    assert_int_equal(try_open("other", true, false, false, NULL), PNCP_OK);
    assert_int_equal(try_open("./new/lake", false, false, false, path), PNCP_OK);
    assert_int_equal(chdir(before), 0);
    assert_true(rows_file_exists(&lake, "other"));
    rows_lake_close(&lake);
}

static void a_folder_that_cannot_be_written_is_told(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip(); /* root writes everywhere */
    struct rows_lake lake;
    rows_lake_open(&lake);
    assert_int_equal(chmod(lake.folder, 0555), 0);
    assert_int_equal(try_open(lake.folder, true, true, false, lake.folder), PNCP_E_IO);
    assert_int_equal(try_open(lake.folder, false, false, false, NULL), PNCP_OK); /* to read is fine */
    assert_int_equal(chmod(lake.folder, 0755), 0);
    rows_lake_close(&lake);
}

static void network_file_systems_are_refused(void **state)
{
    (void)state;
    static const long types[] = {NFS_SUPER_MAGIC, FUSE_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC, V9FS_MAGIC};
    struct rows_lake lake;
    rows_lake_open(&lake);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(types); i++) {
        fs_type = types[i];
        assert_int_equal(try_open(lake.folder, true, true, false, "--unsafe-store"), PNCP_E_UNSUPPORTED);
        assert_int_equal(try_open(lake.folder, true, true, true, lake.folder), PNCP_OK);
    }
    fs_type = TMPFS_MAGIC;
    assert_int_equal(try_open(lake.folder, true, true, false, NULL), PNCP_OK);
    fs_type = 0;
    rows_lake_close(&lake);
}

/* ---- objects --------------------------------------------------------------------------------- */

static struct pncp_version version_of(struct pncp_lake *lake, const char *path)
{
    struct pncp_object object;
    assert_int_equal(pncp_lake_open_object(lake, path, LOCK, &object, NULL), PNCP_OK);
    struct pncp_version version = object.version;
    pncp_object_release(&object);
    pncp_object_release(&object);
    return version;
}

static void put(struct pncp_lake *lake, const char *path, const char *text)
{
    const struct pncp_body body = {.bytes = pncp_view_of(text)};
    struct pncp_err err = PNCP_ERR_INIT;
    if (pncp_lake_put(lake, path, &body, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
}

static void assert_content(const struct rows_lake *lake, const char *path, const char *text)
{
    AUTO(pncp_buf_release) struct pncp_buf buf = {0};
    assert_int_equal(pncp_lake_load(lake->lake, path, NULL, &buf, NULL, NULL), PNCP_OK);
    assert_true(pncp_view_eq_text(pncp_buf_view(&buf), text));
}

/* ---- what a power cut leaves ----------------------------------------------------------------- */

/* The order of what matters to it: "s" a wait for the disk, "r" the rename into place. */
struct order {
    char steps[16];
    size_t count;
};

static int note_order(void *ctx, const char *call, const char *path)
{
    struct order *order = ctx;
    (void)path;
    if (strcmp(call, "fsync") == 0 || strcmp(call, "renameat") == 0) {
        assert_true(order->count + 1 < sizeof(order->steps));
        order->steps[order->count++] = call[0] == 'f' ? 's' : 'r';
    }
    return 0;
}

static void only_what_is_fleeting_does_without_the_disk(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct order order = {.count = 0};
    struct pncp_body body = {.bytes = PNCP_VIEW_LIT("new")};
    rows_lake_open(&lake);
    put(lake.lake, PATH, "old"); /* the folder is there from here on */
    sys_faults_hook(note_order, &order);
    assert_int_equal(pncp_lake_put(lake.lake, PATH, &body, NULL), PNCP_OK);
    assert_string_equal(order.steps, "srs"); /* first its bytes, then its name, then the name on the disk */
    order = (struct order){.count = 0};
    body = (struct pncp_body){.bytes = PNCP_VIEW_LIT("newer"), .fleeting = true};
    assert_int_equal(pncp_lake_put(lake.lake, PATH, &body, NULL), PNCP_OK);
    sys_faults_hook(NULL, NULL);
    assert_string_equal(order.steps, "r");
    assert_content(&lake, PATH, "newer");
    rows_lake_close(&lake);
}

/* ---- reading and writing --------------------------------------------------------------------- */

static void put_load_remove(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_buf small = PNCP_BUF_INIT(4);
    struct pncp_err err = PNCP_ERR_INIT;
    char path[700];
    rows_lake_open(&lake);
    assert_int_equal(pncp_lake_load(lake.lake, PATH, NULL, &small, NULL, &err), PNCP_E_NOTFOUND);
    assert_non_null(strstr(err.msg, PATH));
    put(lake.lake, PATH, "one");
    assert_content(&lake, PATH, "one");
    put(lake.lake, PATH, "");
    assert_content(&lake, PATH, "");
    put(lake.lake, PATH, "three");
    assert_int_equal(pncp_lake_load(lake.lake, PATH, NULL, &small, NULL, &err), PNCP_E_LIMIT);
    assert_non_null(strstr(err.msg, PATH));
    pncp_buf_release(&small);
    put(lake.lake, "at-the-root", "x");
    assert_content(&lake, "at-the-root", "x");
    assert_int_equal(pncp_lake_remove(lake.lake, PATH, NULL), PNCP_OK);
    assert_int_equal(pncp_lake_remove(lake.lake, PATH, NULL), PNCP_OK);
    assert_int_equal(pncp_lake_remove(lake.lake, "at-the-root/below", NULL), PNCP_OK);
    assert_false(rows_file_exists(&lake, PATH));
    assert_int_equal(pncp_lake_remove(lake.lake, "pncp_details/a", &err), PNCP_E_IO); /* a folder is not an object */
    /* names beyond the ceilings: an error that names them, no temp left */
    memset(path, 'x', sizeof(path));
    path[300] = '\0';
    const struct pncp_body body = {.bytes = PNCP_VIEW_LIT("x")};
    assert_int_equal(pncp_lake_put(lake.lake, path, &body, &err), PNCP_E_IO);
    memset(path, 'y', sizeof(path));
    for (size_t i = 0; i < 600; i += 100)
        path[i + 50] = '/';
    path[650] = '\0';
    assert_int_equal(pncp_lake_put(lake.lake, path, &body, &err), PNCP_E_LIMIT);
    assert_non_null(strstr(err.msg, "yyyyyyyy"));
    assert_int_equal(rows_temp_count(&lake), 0);
    rows_lake_close(&lake);
}

static void written_only_on_the_version_seen(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_version none = {.text = ""}, one, two, three = {.text = "unset"};
    struct pncp_err err = PNCP_ERR_INIT;
    const struct pncp_body a = {.bytes = PNCP_VIEW_LIT("aaaa")}, b = {.bytes = PNCP_VIEW_LIT("bbbb")};
    rows_lake_open(&lake);
    assert_int_equal(pncp_lake_write_if(lake.lake, PATH, LOCK, &none, &a, &one, &err), PNCP_OK);
    assert_string_equal(version_of(lake.lake, PATH).text, one.text);
    /* it exists now */
    assert_int_equal(pncp_lake_write_if(lake.lake, PATH, LOCK, &none, &b, &three, &err), PNCP_E_CONFLICT);
    assert_non_null(strstr(err.msg, PATH));
    assert_string_equal(three.text, "unset");
    assert_content(&lake, PATH, "aaaa");
    /* as long as before, another version all the same */
    assert_int_equal(pncp_lake_write_if(lake.lake, PATH, LOCK, &one, &b, &two, &err), PNCP_OK);
    assert_string_not_equal(one.text, two.text);
    assert_string_equal(version_of(lake.lake, PATH).text, two.text);
    assert_int_equal(pncp_lake_write_if(lake.lake, PATH, LOCK, &one, &a, &three, &err), PNCP_E_CONFLICT);
    assert_content(&lake, PATH, "bbbb");
    /* gone: the version seen is not there any more */
    assert_int_equal(pncp_lake_remove(lake.lake, PATH, NULL), PNCP_OK);
    assert_int_equal(pncp_lake_write_if(lake.lake, PATH, LOCK, &two, &a, &three, &err), PNCP_E_CONFLICT);
    assert_false(rows_file_exists(&lake, PATH));
    /* a load tells the version of what it gave */
    put(lake.lake, PATH, "cccc");
    AUTO(pncp_buf_release) struct pncp_buf buf = {0};
    assert_int_equal(pncp_lake_load(lake.lake, PATH, LOCK, &buf, &three, &err), PNCP_OK);
    assert_int_equal(pncp_lake_write_if(lake.lake, PATH, LOCK, &three, &a, &one, &err), PNCP_OK);
    assert_int_equal(rows_temp_count(&lake), 0);
    rows_lake_close(&lake);
}

static void spliced_only_on_the_version_seen(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_version none = {.text = ""}, one, two, three;
    struct pncp_err err = PNCP_ERR_INIT;
    const struct pncp_segment first[] = {{.bytes = PNCP_VIEW_LIT("head")},
                                         {.bytes = PNCP_VIEW_LIT("")},
                                         {.bytes = PNCP_VIEW_LIT("-tail-1")}},
                              next[] = {{.bytes = PNCP_VIEW_LIT("+tail-2")}};
    rows_lake_open(&lake);
    assert_int_equal(
        pncp_lake_splice_if(lake.lake, PATH, LOCK, &none,
                            &(const struct pncp_splice){.keep_bytes = 0, .segments = first, .segment_count = 3}, &one,
                            &err),
        PNCP_OK);
    assert_content(&lake, PATH, "head-tail-1");
    assert_int_equal(
        pncp_lake_splice_if(lake.lake, PATH, LOCK, &one,
                            &(const struct pncp_splice){.keep_bytes = 4, .segments = next, .segment_count = 1}, &two,
                            &err),
        PNCP_OK);
    assert_content(&lake, PATH, "head+tail-2");
    assert_string_not_equal(one.text, two.text); /* of equal size */
    assert_string_equal(version_of(lake.lake, PATH).text, two.text);
    assert_int_equal(
        pncp_lake_splice_if(lake.lake, PATH, LOCK, &one,
                            &(const struct pncp_splice){.keep_bytes = 4, .segments = first, .segment_count = 3}, &three,
                            &err),
        PNCP_E_CONFLICT);
    assert_int_equal(
        pncp_lake_splice_if(lake.lake, PATH, LOCK, &none,
                            &(const struct pncp_splice){.keep_bytes = 0, .segments = first, .segment_count = 3}, &three,
                            &err),
        PNCP_E_CONFLICT);
    assert_content(&lake, PATH, "head+tail-2");
    assert_int_equal(
        pncp_lake_splice_if(lake.lake, PATH, LOCK, &two,
                            &(const struct pncp_splice){.keep_bytes = 12, .segments = next, .segment_count = 1}, &three,
                            &err),
        PNCP_E_PARSE);
    assert_int_equal(
        pncp_lake_splice_if(lake.lake, PATH, LOCK, &two,
                            &(const struct pncp_splice){.keep_bytes = 11, .segments = NULL, .segment_count = 0}, &three,
                            &err),
        PNCP_OK);
    assert_string_equal(three.text, two.text); /* the same bytes */
    const struct pncp_segment mixed[] = {{.from = 6, .len = 5}, {.bytes = PNCP_VIEW_LIT("=")}, {.from = 0, .len = 1}};
    const struct pncp_segment beyond[] = {{.from = 6, .len = 6}};
    assert_int_equal(
        pncp_lake_splice_if(lake.lake, PATH, LOCK, &one,
                            &(const struct pncp_splice){.keep_bytes = 2, .segments = mixed, .segment_count = 3}, &three,
                            &err),
        PNCP_E_CONFLICT);
    assert_int_equal(
        pncp_lake_splice_if(lake.lake, PATH, LOCK, &two,
                            &(const struct pncp_splice){.keep_bytes = 2, .segments = beyond, .segment_count = 1},
                            &three, &err),
        PNCP_E_PARSE);
    assert_content(&lake, PATH, "head+tail-2");
    assert_int_equal(
        pncp_lake_splice_if(lake.lake, PATH, LOCK, &two,
                            &(const struct pncp_splice){.keep_bytes = 2, .segments = mixed, .segment_count = 3}, &three,
                            &err),
        PNCP_OK);
    assert_content(&lake, PATH, "heail-2=h");
    assert_int_equal(pncp_lake_remove(lake.lake, PATH, NULL), PNCP_OK);
    assert_int_equal(
        pncp_lake_splice_if(lake.lake, PATH, LOCK, &three,
                            &(const struct pncp_splice){.keep_bytes = 4, .segments = next, .segment_count = 1}, &two,
                            &err),
        PNCP_E_CONFLICT);
    assert_false(rows_file_exists(&lake, PATH));
    assert_int_equal(rows_temp_count(&lake), 0);
    rows_lake_close(&lake);
}

struct refusal { /* of one kind of call, 0: it goes on */
    const char *call;
    int error;
    unsigned asked;
};

static int refuse(void *ctx, const char *call, const char *path)
{
    (void)path;
    struct refusal *refusal = ctx;
    if (strcmp(call, refusal->call) != 0)
        return 0;
    refusal->asked++;
    return refusal->error;
}

#define BIG_BYTES ((size_t)1200000) /* more than a pipe holds */

static void put_big(struct pncp_lake *lake, struct pncp_buf *ret_big, struct pncp_version *ret_version)
{
    struct pncp_err err = PNCP_ERR_INIT;
    for (uint32_t i = 0; i < BIG_BYTES / sizeof(i); i++)
        assert_int_equal(pncp_buf_append(ret_big, &i, sizeof(i)), PNCP_OK);
    const struct pncp_segment all = {.bytes = pncp_buf_view(ret_big)};
    assert_int_equal(pncp_lake_splice_if(lake, PATH, LOCK, &(struct pncp_version){.text = ""},
                                         &(const struct pncp_splice){.segments = &all, .segment_count = 1}, ret_version,
                                         &err),
                     PNCP_OK);
}

static enum pncp_code keep_and_add_tail(struct pncp_lake *lake, const struct pncp_version *expected, size_t kept,
                                        struct pncp_version *ret_version, struct pncp_err *err)
{
    const struct pncp_segment tail = {.bytes = PNCP_VIEW_LIT("tail")};
    const struct pncp_splice splice = {.keep_bytes = kept, .segments = &tail, .segment_count = 1};
    return pncp_lake_splice_if(lake, PATH, LOCK, expected, &splice, ret_version, err);
}

static void assert_kept_and_tail(struct pncp_lake *lake, const struct pncp_buf *big, size_t kept)
{
    AUTO(pncp_buf_release) struct pncp_buf got = {0};
    assert_int_equal(pncp_lake_load(lake, PATH, LOCK, &got, NULL, NULL), PNCP_OK);
    assert_int_equal(got.len, kept + 4);
    assert_memory_equal(got.data, big->data, kept);
    assert_memory_equal(got.data + kept, "tail", 4);
}

static void a_large_prefix_is_kept_whatever_the_file_system(void **state)
{
    (void)state;
    struct rows_lake lake;
    AUTO(pncp_buf_release) struct pncp_buf big = {0};
    struct pncp_version whole, next;
    struct pncp_err err = PNCP_ERR_INIT;
    static const struct {
        long fs_type;
        const char *call;
        int error;
        bool asked;
    } cases[] = {
        {TMPFS_MAGIC, "copy_file_range", 0, true},
        {TMPFS_MAGIC, "copy_file_range", EXDEV, true},
        {TMPFS_MAGIC, "copy_file_range", EOPNOTSUPP, true},
        {TMPFS_MAGIC, "splice", 0, false},
        {EXT4_SUPER_MAGIC, "splice", 0, true},
        {EXT4_SUPER_MAGIC, "copy_file_range", EXDEV, false},
    };
    rows_lake_open(&lake);
    put_big(lake.lake, &big, &whole);
    const struct pncp_body body = {.bytes = pncp_buf_view(&big)};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct refusal refusal = {cases[i].call, cases[i].error, 0};
        fs_type = cases[i].fs_type;
        sys_faults_hook(refuse, &refusal);
        enum pncp_code rc = keep_and_add_tail(lake.lake, &whole, 1000001, &next, &err);
        sys_faults_hook(NULL, NULL);
        fs_type = 0;
        assert_int_equal(rc, PNCP_OK);
        assert_int_equal(refusal.asked > 0, cases[i].asked);
        assert_kept_and_tail(lake.lake, &big, 1000001);
        assert_int_equal(pncp_lake_write_if(lake.lake, PATH, LOCK, &next, &body, &whole, &err), PNCP_OK);
    }
    rows_lake_close(&lake);
}

/* On ext4 what is kept goes through a pipe: in, out, in, out. What does not get in is copied otherwise; what does not
 * get out is an error. */
static void a_pipe_that_fails_loses_nothing(void **state)
{
    (void)state;
    struct rows_lake lake;
    AUTO(pncp_buf_release) struct pncp_buf big = {0};
    struct pncp_version whole, next;
    static const struct sys_fault faults[] = {{SYS_SPLICE, SYS_FAULT_SHORT, 0, 0},
                                              {SYS_SPLICE, SYS_FAULT_ERROR, EINTR, 0},
                                              {SYS_SPLICE, SYS_FAULT_ERROR, EINVAL, 0},
                                              {SYS_SPLICE, SYS_FAULT_DONE, EINVAL, 0},
                                              {SYS_SPLICE, SYS_FAULT_ERROR, ENOSPC, 0}};
    rows_lake_open(&lake);
    put_big(lake.lake, &big, &whole);
    const struct pncp_body body = {.bytes = pncp_buf_view(&big)};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(faults); i++) {
        for (unsigned nth = 1; nth <= 4; nth++) {
            struct pncp_err err = PNCP_ERR_INIT;
            bool fails = nth % 2 == 0 && faults[i].error != 0 && faults[i].error != EINTR;
            fs_type = EXT4_SUPER_MAGIC;
            sys_faults_arm(&faults[i], nth);
            enum pncp_code rc = keep_and_add_tail(lake.lake, &whole, BIG_BYTES - 1, &next, &err);
            assert_int_equal(sys_faults_disarm(), SYS_SPLICE);
            fs_type = 0;
            assert_int_equal(rc, fails ? PNCP_E_IO : PNCP_OK);
            assert_int_equal(err.os_errno, fails ? faults[i].error : 0);
            assert_int_equal(rows_temp_count(&lake), 0);
            if (fails)
                continue;
            assert_kept_and_tail(lake.lake, &big, BIG_BYTES - 1);
            assert_int_equal(pncp_lake_write_if(lake.lake, PATH, LOCK, &next, &body, &whole, &err), PNCP_OK);
        }
    }
    rows_lake_close(&lake);
}

static void a_reader_keeps_the_version_it_opened(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_object object;
    char text[4];
    struct pncp_err err = PNCP_ERR_INIT;
    rows_lake_open(&lake);
    put(lake.lake, PATH, "old!");
    assert_int_equal(pncp_lake_open_object(lake.lake, PATH, LOCK, &object, NULL), PNCP_OK);
    put(lake.lake, PATH, "something new");
    assert_int_equal(object.source.size, 4);
    assert_int_equal(object.source.read_at(object.source.ctx, 0, text, 4, &err), PNCP_OK);
    assert_memory_equal(text, "old!", 4);
    assert_int_equal(pncp_lake_remove(lake.lake, PATH, NULL), PNCP_OK);
    assert_int_equal(object.source.read_at(object.source.ctx, 1, text, 3, &err), PNCP_OK);
    assert_memory_equal(text, "ld!", 3);
    assert_int_equal(object.source.read_at(object.source.ctx, 2, text, 3, &err), PNCP_E_PARSE); /* beyond its end */
    assert_non_null(strstr(err.msg, PATH));
    pncp_object_release(&object);
    rows_lake_close(&lake);
}

/* Nobody else can have the lock between the look at the version and the new file's name. */
struct intruder {
    char lock[600];
    unsigned asked, got;
};

static int try_lock(void *ctx, const char *call, const char *path)
{
    (void)path;
    struct intruder *in = ctx;
    if (strcmp(call, "write") != 0 && strcmp(call, "renameat") != 0)
        return 0;
    int fd = open(in->lock, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    in->asked++;
    in->got += flock(fd, LOCK_SH | LOCK_NB) == 0; /* not even shared: it is exclusive */
    assert_int_equal(close(fd), 0);
    return 0;
}

static void the_commit_lock_is_held_throughout(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct intruder in = {.asked = 0};
    struct pncp_version version = {.text = ""};
    const struct pncp_body body = {.bytes = PNCP_VIEW_LIT("x")};
    const struct pncp_segment tail = {.bytes = PNCP_VIEW_LIT("y")};
    rows_lake_open(&lake);
    (void)snprintf(in.lock, sizeof(in.lock), "%s/" LOCK, lake.folder);
    sys_faults_hook(try_lock, &in);
    assert_int_equal(pncp_lake_write_if(lake.lake, PATH, LOCK, &version, &body, &version, NULL), PNCP_OK);
    assert_int_equal(
        pncp_lake_splice_if(lake.lake, PATH, LOCK, &version,
                            &(const struct pncp_splice){.keep_bytes = 1, .segments = &tail, .segment_count = 1},
                            &version, NULL),
        PNCP_OK);
    sys_faults_hook(NULL, NULL);
    assert_true(in.asked >= 4);
    assert_int_equal(in.got, 0);
    rows_lake_close(&lake);
}

/* Each look at the clock is so much later than the true time. Atomic: threads of a later test look too. */
static _Atomic uint64_t clock_step_ms, clock_extra_ms;
uint64_t __real_pncp_clock_mono_ms(void);
uint64_t __wrap_pncp_clock_mono_ms(void);
uint64_t __wrap_pncp_clock_mono_ms(void)
{
    uint64_t step = atomic_load(&clock_step_ms);
    return __real_pncp_clock_mono_ms() + atomic_fetch_add(&clock_extra_ms, step) + step;
}

struct waiting {
    int holder; /* has the lock */
    unsigned tries, free_at;
};

static int release_in_time(void *ctx, const char *call, const char *path)
{
    (void)path;
    struct waiting *waiting = ctx;
    if (strcmp(call, "flock") == 0 && ++waiting->tries == waiting->free_at)
        assert_int_equal(flock(waiting->holder, LOCK_UN), 0);
    return 0;
}

/* A process that was stopped inside a commit must not stop every later run too. */
static void a_commit_lock_is_waited_for_but_not_for_ever(void **state)
{
    (void)state;
    struct rows_lake lake;
    char lock[600];
    struct pncp_err err = PNCP_ERR_INIT;
    struct pncp_version version = {.text = ""}, before;
    const struct pncp_body body = {.bytes = PNCP_VIEW_LIT("x")};
    const struct pncp_segment tail = {.bytes = PNCP_VIEW_LIT("y")};
    rows_lake_open(&lake);
    assert_int_equal(pncp_lake_write_if(lake.lake, PATH, LOCK, &version, &body, &version, NULL), PNCP_OK);
    before = version;
    (void)snprintf(lock, sizeof(lock), "%s/" LOCK, lake.folder);
    struct waiting waiting = {.holder = open(lock, O_RDWR | O_CLOEXEC)};
    assert_true(waiting.holder >= 0);
    assert_int_equal(flock(waiting.holder, LOCK_EX), 0);
    uint64_t hash = rows_lake_hash(&lake);
    (void)alarm(20); /* one that waits for ever fails */
    clock_step_ms = 4000;
    clock_extra_ms = 0;
    sys_faults_hook(release_in_time, &waiting);
    assert_int_equal(pncp_lake_write_if(lake.lake, PATH, LOCK, &before, &body, &version, &err), PNCP_E_BUSY);
    assert_true(err.transient && err.code == PNCP_E_BUSY);
    assert_non_null(strstr(err.msg, LOCK " is held by another process for more than 30 s"));
    assert_in_range(clock_extra_ms, 30000, 44000);
    assert_in_range(waiting.tries, 5, 10); /* it did wait, and looked again and again */
    assert_int_equal(
        pncp_lake_splice_if(lake.lake, PATH, LOCK, &before,
                            &(const struct pncp_splice){.keep_bytes = 1, .segments = &tail, .segment_count = 1},
                            &version, &err),
        PNCP_E_BUSY);
    assert_int_equal(
        pncp_lake_splice_if(lake.lake, PATH, LOCK, &before,
                            &(const struct pncp_splice){.keep_bytes = 1, .segments = &tail, .segment_count = 1},
                            &version, NULL),
        PNCP_E_BUSY);
    assert_true(rows_lake_hash(&lake) == hash);
    /* free before the limit */
    waiting.tries = 0;
    waiting.free_at = 4;
    assert_int_equal(
        pncp_lake_splice_if(lake.lake, PATH, LOCK, &before,
                            &(const struct pncp_splice){.keep_bytes = 1, .segments = &tail, .segment_count = 1},
                            &version, &err),
        PNCP_OK);
    assert_int_equal(waiting.tries, 5); /* the fifth is the temp file's */
    sys_faults_hook(NULL, NULL);
    clock_step_ms = 0;
    (void)alarm(0);
    assert_int_equal(close(waiting.holder), 0);
    rows_lake_close(&lake);
}

/* ---- many at once ---------------------------------------------------------------------------- */

#define THREADS 3
#define ROUNDS 60

struct counter {
    struct pncp_lake *lake;
    int failed;
};

/* Add one, by write-if, ROUNDS times: a lost update would show in the sum. */
static void *count_up(void *arg)
{
    struct counter *c = arg;
    for (int i = 0; i < ROUNDS;) {
        AUTO(pncp_buf_release) struct pncp_buf buf = {0};
        struct pncp_version version = {.text = ""}, ignored;
        char text[40];
        enum pncp_code rc = pncp_lake_load(c->lake, PATH, LOCK, &buf, &version, NULL);
        uint64_t value = 0;
        if (rc == PNCP_OK && !pncp_view_u64((struct pncp_view){buf.data, buf.len}, &value))
            rc = PNCP_E_PARSE;
        (void)snprintf(text, sizeof(text), "%020" PRIu64, value + 1);
        const struct pncp_body body = {.bytes = pncp_view_of(text)};
        if (rc == PNCP_OK || rc == PNCP_E_NOTFOUND)
            rc = pncp_lake_write_if(c->lake, PATH, LOCK, &version, &body, &ignored, NULL);
        if (rc != PNCP_OK && rc != PNCP_E_CONFLICT) {
            c->failed = (int)rc;
            break;
        }
        i += rc == PNCP_OK;
    }
    return NULL;
}

static void no_update_is_lost_among_threads(void **state)
{
    (void)state;
    struct rows_lake lake;
    pthread_t threads[THREADS];
    struct counter counters[THREADS];
    char want[40];
    rows_lake_open(&lake);
    for (size_t i = 0; i < THREADS; i++) {
        counters[i] = (struct counter){.lake = lake.lake}; /* one lake: its temp names are counted together */
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &counters[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(counters[i].failed, 0);
    }
    (void)snprintf(want, sizeof(want), "%020d", THREADS * ROUNDS);
    assert_content(&lake, PATH, want);
    assert_int_equal(rows_temp_count(&lake), 0);
    rows_lake_close(&lake);
}

/* ---- the rest -------------------------------------------------------------------------------- */

struct names {
    char text[200];
    size_t count, stop_at;
};

static bool take_name(void *ctx, const char *name)
{
    struct names *names = ctx;
    (void)snprintf(names->text + strlen(names->text), sizeof(names->text) - strlen(names->text), "%s ", name);
    errno = EBADF; /* what a callback leaves in errno is not the folder's trouble */
    return ++names->count != names->stop_at;
}

static void names_in_a_folder(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct names names = {.count = 0};
    struct pncp_err err = PNCP_ERR_INIT;
    rows_lake_open(&lake);
    assert_int_equal(pncp_lake_list(lake.lake, "no/such/folder", take_name, &names, &err), PNCP_OK);
    put(lake.lake, "f/one", "");
    put(lake.lake, "f/two", "");
    put(lake.lake, "f/below/three", "");
    assert_int_equal(pncp_lake_list(lake.lake, "f", take_name, &names, &err), PNCP_OK);
    assert_int_equal(names.count, 3);
    assert_true(strstr(names.text, "one ") && strstr(names.text, "two ") && strstr(names.text, "below "));
    names = (struct names){.stop_at = 2};
    assert_int_equal(pncp_lake_list(lake.lake, "f", take_name, &names, &err), PNCP_OK);
    assert_int_equal(names.count, 2);
    assert_int_equal(pncp_lake_list(lake.lake, "f/one", take_name, &names, &err), PNCP_E_IO);
    assert_non_null(strstr(err.msg, "f/one"));
    rows_lake_close(&lake);
}

static void one_run_holds_a_day(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_hold hold = PNCP_HOLD_INIT, other = PNCP_HOLD_INIT;
    struct pncp_err err = PNCP_ERR_INIT;
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    int ready[2], status;
    static const char path[] = "pncp_details/_state/lock/pncp_details_20251022.run";
    rows_lake_open(&lake);
    assert_int_equal(pncp_lake_hold(lake.lake, path, PNCP_VIEW_LIT("{\"run_id\":\"a-long-one\"}"), &hold, &err),
                     PNCP_OK);
    assert_int_equal(pncp_lake_hold(lake.lake, path, PNCP_VIEW_LIT("{}"), &other, &err), PNCP_E_BUSY);
    assert_non_null(strstr(err.msg, "{\"run_id\":\"a-long-one\"}"));
    assert_null(strchr(err.msg, '\n'));
    assert_int_equal(other.fd, -1);
    pncp_hold_release(&hold);
    pncp_hold_release(&hold);
    assert_int_equal(pncp_lake_hold(lake.lake, path, PNCP_VIEW_LIT("{\"b\":1}"), &other, &err), PNCP_OK);
    assert_true(rows_file_get(&lake, path, &text));
    assert_string_equal(text.data, "{\"b\":1}\n"); /* nothing of the longer one before */
    pncp_hold_release(&other);
    /* gone with its process */
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
        bool held = pncp_lake_hold(lake.lake, path, PNCP_VIEW_LIT("{\"child\":1}"), &hold, NULL) == PNCP_OK;
        _exit(held && write(ready[1], "x", 1) == 1 && pause() == -1 ? 0 : 1);
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(pncp_lake_hold(lake.lake, path, PNCP_VIEW_LIT("{}"), &hold, &err), PNCP_E_BUSY);
    assert_non_null(strstr(err.msg, "child"));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(pncp_lake_hold(lake.lake, path, PNCP_VIEW_LIT("{}"), &hold, &err), PNCP_OK);
    pncp_hold_release(&hold);
    (void)close(ready[0]), (void)close(ready[1]);
    rows_lake_close(&lake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_url_names_a_folder),
        cmocka_unit_test(the_folder_is_made_when_asked),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_told),
        cmocka_unit_test(network_file_systems_are_refused),
        cmocka_unit_test(only_what_is_fleeting_does_without_the_disk),
        cmocka_unit_test(put_load_remove),
        cmocka_unit_test(written_only_on_the_version_seen),
        cmocka_unit_test(spliced_only_on_the_version_seen),
        cmocka_unit_test(a_large_prefix_is_kept_whatever_the_file_system),
        cmocka_unit_test(a_pipe_that_fails_loses_nothing),
        cmocka_unit_test(a_reader_keeps_the_version_it_opened),
        cmocka_unit_test(the_commit_lock_is_held_throughout),
        cmocka_unit_test(a_commit_lock_is_waited_for_but_not_for_ever),
        cmocka_unit_test(no_update_is_lost_among_threads),
        cmocka_unit_test(names_in_a_folder),
        cmocka_unit_test(one_run_holds_a_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
