/*
 * Reading a foreign file while the n-th allocation or the n-th read fails, for n = 1, 2, 3 … until none is left to
 * fail: an error of that kind, or all rows as they are; nothing leaks.
 */
#include "base/file.h"
#include "mem_faults.h"
#include "parquet/foreign.h"
#include "sample_parquet.h"
#include "sys_faults.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

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

static void assert_right_or_told(enum pncp_code rc, enum pncp_code code, bool fired, unsigned n, uint64_t hash,
                                 const struct pncp_err *err)
{
    if (rc == PNCP_OK ? hash != right_hash : !fired || rc != code || err->msg[0] == '\0')
        fail_msg("number %u: %s: \"%s\"%s", n, pncp_code_name(rc), err->msg, fired ? "" : ", nothing had failed");
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    unsigned n = 0;
    for (bool fired = true; fired;) {
        struct pncp_err err = PNCP_ERR_INIT;
        uint64_t hash = 0;
        size_t blocks = mem_faults_blocks();
        mem_faults_arm(++n, 0);
        enum pncp_code rc = read_all(&hash, &err);
        fired = mem_faults_disarm();
        assert_right_or_told(rc, PNCP_E_NOMEM, fired, n, hash, &err);
        assert_int_equal(mem_faults_blocks(), blocks);
    }
    assert_true(n > 30); /* a wrap that no longer wraps would end at once */
}

static void test_reads_fail(void **state)
{
    (void)state;
    const struct sys_fault fault = {.calls = SYS_PREAD, .way = SYS_FAULT_ERROR, .error = EIO};
    unsigned n = 0;
    for (bool fired = true; fired;) {
        struct pncp_err err = PNCP_ERR_INIT;
        uint64_t hash = 0;
        sys_faults_arm(&fault, ++n);
        enum pncp_code rc = read_all(&hash, &err);
        fired = sys_faults_disarm() != 0;
        assert_right_or_told(rc, PNCP_E_IO, fired, n, hash, &err);
        assert_int_equal(err.os_errno, rc == PNCP_OK ? 0 : EIO);
    }
    assert_true(n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_runs_out),
        cmocka_unit_test(test_reads_fail),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
