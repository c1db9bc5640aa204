/*
 * Reading a foreign file while the n-th allocation or the n-th read fails, for n = 1, 2, 3 … until none is left to
 * fail: an error of that kind, or all rows as they are; nothing leaks (the sanitizer build looks for that). Linked with
 * --wrap for base/mem.h and the positioned read.
 */
#include "base/file.h"
#include "base/mem.h"
#include "base/sys.h"
#include "parquet/foreign.h"
#include "sample_parquet.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- the seam -------------------------------------------------------------------------------- */

static unsigned allocations, fail_allocation, reads, fail_read; /* fail_… 0: never */
static bool fired;

static bool is_due(unsigned *count, unsigned fail_at)
{
    bool due = ++*count == fail_at;
    fired = fired || due;
    return due;
}

void *__real_pncp_malloc(size_t bytes);
void *__real_pncp_calloc(size_t count, size_t bytes);
void *__real_pncp_realloc(void *old, size_t count, size_t bytes);
ssize_t __real_pncp_sys_pread(int fd, void *data, size_t len, off_t offset);
void *__wrap_pncp_malloc(size_t bytes);
void *__wrap_pncp_calloc(size_t count, size_t bytes);
void *__wrap_pncp_realloc(void *old, size_t count, size_t bytes);
ssize_t __wrap_pncp_sys_pread(int fd, void *data, size_t len, off_t offset);

void *__wrap_pncp_malloc(size_t bytes)
{
    return is_due(&allocations, fail_allocation) ? NULL : __real_pncp_malloc(bytes);
}

void *__wrap_pncp_calloc(size_t count, size_t bytes)
{
    return is_due(&allocations, fail_allocation) ? NULL : __real_pncp_calloc(count, bytes);
}

void *__wrap_pncp_realloc(void *old, size_t count, size_t bytes)
{
    return is_due(&allocations, fail_allocation) ? NULL : __real_pncp_realloc(old, count, bytes);
}

ssize_t __wrap_pncp_sys_pread(int fd, void *data, size_t len, off_t offset)
{
    if (is_due(&reads, fail_read)) {
        errno = EIO;
        return -1;
    }
    return __real_pncp_sys_pread(fd, data, len, offset);
}

/* ---- the file -------------------------------------------------------------------------------- */

static const struct pncp_col FONTE[] = {SAMPLE_COL("codigo", INT64, SAMPLE_DICT), SAMPLE_COL("texto", TEXT, 0)};
static const struct pncp_col COLS[] = {SAMPLE_COL("id", INT32, SAMPLE_REQ), SAMPLE_COL("o.nome", TEXT, SAMPLE_DICT),
                                       SAMPLE_COL("o.valor", DEC18_4, 0), SAMPLE_TREE("fontes", LIST, FONTE)};
static struct pncp_schema schema;
static struct sample_file file; /* two groups */
static int fd = -1;
static uint64_t right_hash;

/* All rows; their hash. */
static enum pncp_code read_all(uint64_t *ret_hash, struct pncp_err *err)
{
    struct pncp_foreign *foreign = NULL;
    enum pncp_code rc = pncp_foreign_open(fd, &foreign, err);
    uint64_t hash = 0;
    for (bool more = rc == PNCP_OK; more;) {
        struct pncp_view row = {"", 0};
        rc = pncp_foreign_next(foreign, &row, err);
        more = rc == PNCP_OK && row.len > 0;
        hash = pncp_hash64(row.data, row.len, hash);
    }
    pncp_foreign_free(foreign);
    *ret_hash = hash;
    return rc;
}

static int prepare(void **state)
{
    (void)state;
    struct pncp_err err = PNCP_ERR_INIT;
    AUTO(pncp_table_release) struct pncp_table rows;
    assert_int_equal(pncp_schema_init(&schema, COLS, PNCP_ARRAY_LEN(COLS), NULL), PNCP_OK);
    assert_int_equal(pncp_table_init(&rows, &schema), PNCP_OK);
    sample_fill(&rows, 400, 3);
    AUTO(sample_file_release) struct sample_file group = sample_encode(&rows);
    file = sample_append(&group, 1, &group, NULL, 0);
    fd = memfd_create("foreign", MFD_CLOEXEC);
    sample_ok(pncp_file_write(fd, file.bytes.data, file.bytes.len, "test file", &err), &err);
    sample_ok(read_all(&right_hash, &err), &err); /* also makes what carquet keeps for the process */
    return 0;
}

static int tidy(void **state)
{
    (void)state;
    sample_file_release(&file);
    return close(fd);
}

/* ---- the failures ---------------------------------------------------------------------------- */

static void fail_each(unsigned *fail_at, unsigned *count, enum pncp_code code, unsigned least)
{
    for (unsigned n = 1;; n++) {
        struct pncp_err err = PNCP_ERR_INIT;
        uint64_t hash = 0;
        *count = 0;
        *fail_at = n;
        fired = false;
        enum pncp_code rc = read_all(&hash, &err);
        *fail_at = 0;
        if (rc == PNCP_OK ? hash != right_hash : !fired || rc != code || err.msg[0] == '\0')
            fail_msg("number %u: %s: \"%s\"%s", n, pncp_code_name(rc), err.msg, fired ? "" : ", nothing had failed");
        if (code == PNCP_E_IO && rc == code)
            assert_int_equal(err.os_errno, EIO);
        if (!fired) {
            assert_int_equal(rc, PNCP_OK);
            assert_true(n > least); /* a wrap that no longer wraps would end at once */
            return;
        }
    }
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    fail_each(&fail_allocation, &allocations, PNCP_E_NOMEM, 30);
}

static void test_reads_fail(void **state)
{
    (void)state;
    fail_each(&fail_read, &reads, PNCP_E_IO, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_runs_out),
        cmocka_unit_test(test_reads_fail),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
