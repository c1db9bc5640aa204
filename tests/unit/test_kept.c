/* Commits to a folder on ext4 that copy what they keep from an earlier version's pages: whatever is kept, whoever
 * writes between, and whatever fails, the new version has the bytes that it should have. */
#include "base/random.h"
#include "fs_type.h"
#include "lake/lake.h"
#include "rows_fixture.h"
#include "sys_faults.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <string.h>

#define LOCK "pncp_details/_state/lock/test.commit"
#define PATH "pncp_details/a/b/object"
#define FIRST_BYTES ((size_t)700001) /* more than it takes to become a base */

/* ---- O_DIRECT, seen and refused ------------------------------------------------------------------ */

static unsigned past_cache; /* files that were switched to O_DIRECT */
static bool refuse_direct;
int __real_fcntl64(int fd, int command, ...); /* what fcntl is with 64-bit offsets */
int __wrap_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    long arg = va_arg(args, long);
    va_end(args);
    if (command == F_SETFL && (arg & O_DIRECT) != 0) {
        past_cache++;
        if (refuse_direct) {
            errno = EINVAL;
            return -1;
        }
    }
    return __real_fcntl64(fd, command, arg);
}

/* ---- an object and what it should be ------------------------------------------------------------- */

struct object {
    struct rows_lake lake;
    struct pncp_version version;
    struct pncp_buf want;
    uint64_t seed;
};

static void add_random(struct object *object, struct pncp_buf *to, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
        uint64_t some = pncp_splitmix(&object->seed);
        assert_int_equal(pncp_buf_append(to, &some, PNCP_MIN(sizeof(some), bytes - i)), PNCP_OK);
    }
}

static void check(struct object *object)
{
    AUTO(pncp_buf_release) struct pncp_buf got = {0};
    struct pncp_version version;
    assert_int_equal(pncp_lake_load(object->lake.lake, PATH, LOCK, &got, &version, NULL), PNCP_OK);
    assert_string_equal(version.text, object->version.text);
    assert_int_equal(got.len, object->want.len);
    assert_memory_equal(got.data, object->want.data, got.len);
}

/* The first `keep` bytes and `more` new ones. */
static enum pncp_code commit(struct object *object, size_t keep, size_t more)
{
    AUTO(pncp_buf_release) struct pncp_buf tail = {0};
    struct pncp_version next;
    add_random(object, &tail, more);
    const struct pncp_segment segment = {.bytes = pncp_buf_view(&tail)};
    const struct pncp_splice splice = {.keep_bytes = keep, .segments = &segment, .segment_count = 1};
    enum pncp_code rc = pncp_lake_splice_if(object->lake.lake, PATH, LOCK, &object->version, &splice, &next, NULL);
    if (rc != PNCP_OK)
        return rc;
    object->version = next;
    object->want.len = keep;
    return pncp_buf_append(&object->want, tail.data, tail.len);
}

/* It has a base from the second commit on. */
static void begin(struct object *object)
{
    *object = (struct object){.seed = 1};
    fs_type = EXT4_SUPER_MAGIC; /* whatever the tests run on */
    rows_lake_open(&object->lake);
    assert_int_equal(commit(object, 0, FIRST_BYTES), PNCP_OK);
    past_cache = 0;
    assert_int_equal(commit(object, FIRST_BYTES, 1000), PNCP_OK);
    assert_int_equal(past_cache, 0);
}

static void end(struct object *object)
{
    rows_lake_close(&object->lake);
    pncp_buf_release(&object->want);
    fs_type = 0;
}

static size_t open_descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    (void)closedir(folder);
    return count;
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* As a day grows: lots behind what is there, and now and then a fold, which keeps less. */
static void a_growing_file_is_what_it_should_be(void **state)
{
    (void)state;
    size_t before = open_descriptors(), settled = FIRST_BYTES;
    struct object object;
    begin(&object);
    for (unsigned i = 1; i <= 80; i++) {
        bool fold = i % 16 == 0;
        size_t bytes = 1 + pncp_splitmix(&object.seed) % 150000;
        assert_int_equal(commit(&object, fold ? settled : object.want.len, bytes), PNCP_OK);
        if (fold)
            settled = object.want.len;
        check(&object);
    }
    assert_in_range(past_cache, 60, 79); /* most of them; others become the next base */
    assert_int_equal(rows_temp_count(&object.lake), 0);
    end(&object);
    assert_int_equal(open_descriptors(), before);
}

static void less_than_the_base_has_may_be_kept(void **state)
{
    (void)state;
    static const size_t kept[] = {FIRST_BYTES + 1000, 600000, 600000 - 1, 5 * 65536, 5 * 65536 - 1, 1000, 0, 10};
    struct object object;
    begin(&object);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(kept); i++) {
        assert_int_equal(commit(&object, kept[i], 3000), PNCP_OK);
        check(&object);
    }
    assert_int_equal(past_cache, 5);
    end(&object);
}

static void another_writer_makes_it_worthless(void **state)
{
    (void)state;
    struct object object;
    struct pncp_version mine;
    begin(&object);
    mine = object.version;
    pncp_buf_clear(&object.want);
    add_random(&object, &object.want, FIRST_BYTES + 5000);
    const struct pncp_body body = {.bytes = pncp_buf_view(&object.want)};
    assert_int_equal(pncp_lake_write_if(object.lake.lake, PATH, LOCK, &mine, &body, &object.version, NULL), PNCP_OK);
    assert_int_equal(commit(&object, FIRST_BYTES, 2000), PNCP_OK);
    check(&object);
    assert_int_equal(past_cache, 0);
    assert_int_equal(commit(&object, FIRST_BYTES, 2000), PNCP_OK); /* that one has made a new base */
    check(&object);
    assert_int_equal(past_cache, 1);
    struct pncp_version newest = object.version;
    object.version = mine; /* a version seen before: the commit is lost, and the base with it */
    assert_int_equal(commit(&object, FIRST_BYTES, 2000), PNCP_E_CONFLICT);
    object.version = newest;
    assert_int_equal(commit(&object, FIRST_BYTES, 2000), PNCP_OK);
    check(&object);
    assert_int_equal(past_cache, 1);
    end(&object);
}

static void a_file_system_may_refuse(void **state)
{
    (void)state;
    struct object object;
    begin(&object);
    refuse_direct = true;
    assert_int_equal(commit(&object, FIRST_BYTES, 2000), PNCP_OK);
    refuse_direct = false;
    assert_int_equal(past_cache, 1);
    check(&object);
    end(&object);
    fs_type = TMPFS_MAGIC; /* where copies are cheap nothing is held */
    object = (struct object){.seed = 2};
    rows_lake_open(&object.lake);
    size_t before = open_descriptors();
    assert_int_equal(commit(&object, 0, FIRST_BYTES), PNCP_OK);
    assert_int_equal(commit(&object, FIRST_BYTES, 1000), PNCP_OK);
    assert_int_equal(open_descriptors(), before);
    end(&object);
}

/* The first try takes the base; whatever goes wrong with it, a full disk for one, the second does without. */
static void what_fails_with_a_base_is_done_without(void **state)
{
    (void)state;
    static const struct sys_fault faults[] = {
        {SYS_SPLICE, SYS_FAULT_SHORT, 0, 0},      {SYS_SPLICE, SYS_FAULT_ERROR, EINTR, 0},
        {SYS_SPLICE, SYS_FAULT_ERROR, EINVAL, 0}, {SYS_SPLICE, SYS_FAULT_DONE, EINVAL, 0},
        {SYS_SPLICE, SYS_FAULT_ERROR, ENOSPC, 0}, {SYS_SPLICE, SYS_FAULT_DONE, EIO, 0},
        {SYS_WRITE, SYS_FAULT_ERROR, ENOSPC, 0},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(faults); i++) {
        for (unsigned nth = 1; nth <= (faults[i].calls == SYS_SPLICE ? 2U : 1U); nth++) {
            struct object object;
            begin(&object);
            sys_faults_arm(&faults[i], nth);
            enum pncp_code rc = commit(&object, object.want.len, 5000);
            assert_int_equal(sys_faults_disarm(), faults[i].calls);
            assert_int_equal(rc, PNCP_OK);
            assert_int_equal(rows_temp_count(&object.lake), 0);
            check(&object);
            assert_int_equal(commit(&object, object.want.len, 5000), PNCP_OK);
            check(&object);
            end(&object);
        }
    }
}

/* A disk that stays full is told, and the version that is there stays. */
static void a_full_disk_is_told(void **state)
{
    (void)state;
    static const struct sys_fault full = {SYS_SPLICE | SYS_WRITE | SYS_COPY_FILE_RANGE, SYS_FAULT_ERROR, ENOSPC, 1000};
    struct object object;
    begin(&object);
    sys_faults_arm(&full, 2);
    assert_int_equal(commit(&object, object.want.len, 5000), PNCP_E_IO);
    (void)sys_faults_disarm();
    assert_int_equal(rows_temp_count(&object.lake), 0);
    check(&object);
    assert_int_equal(commit(&object, object.want.len, 5000), PNCP_OK);
    check(&object);
    end(&object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_growing_file_is_what_it_should_be),    cmocka_unit_test(less_than_the_base_has_may_be_kept),
        cmocka_unit_test(another_writer_makes_it_worthless),      cmocka_unit_test(a_file_system_may_refuse),
        cmocka_unit_test(what_fails_with_a_base_is_done_without), cmocka_unit_test(a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
