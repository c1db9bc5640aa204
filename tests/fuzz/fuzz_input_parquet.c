/*
 * A Parquet file of any writer for --input, as rows of JSON.
 * Input: a whole file.
 * True: every row is one sound JSON object with the file's columns; there are as many as the footer says, or a
 * complaint that names what is wrong; a second reading gives the same.
 */
#include "base/file.h"
#include "fuzz.h"
#include "parquet/foreign.h"
#include "json/json.h"

#include <sys/mman.h>

#define ROWS_MAX 100000 /* a damaged footer may promise any number of rows of nothing but nulls */

struct outcome {
    enum pncp_code rc;
    uint64_t rows, hash;
    struct pncp_err err;
};

static uint64_t mixed(uint64_t hash, struct pncp_view text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001B3); /* FNV-1a */
    return hash;
}

static void check_row(struct pncp_view row)
{
    AUTO(pncp_json_release) struct pncp_json json = {0};
    enum pncp_json_fault fault;
    FUZZ_CHECK(row.len <= PNCP_FOREIGN_ROW_MAX_BYTES);
    enum pncp_code rc = pncp_json_parse(row, &json, &fault, NULL);
    /* two members of one name below the top are the reader's complaint, as is a schema deeper than JSON may be */
    FUZZ_CHECK(rc == PNCP_OK || fault == PNCP_JSON_DUPLICATE || fault == PNCP_JSON_DEEP);
    FUZZ_CHECK(rc != PNCP_OK || yyjson_is_obj(json.root));
}

static struct outcome read_all(int fd)
{
    struct outcome outcome = {.hash = UINT64_C(0xCBF29CE484222325)};
    struct pncp_foreign *foreign;
    struct pncp_view row = {"", 0};
    outcome.rc = pncp_foreign_open(fd, &foreign, &outcome.err);
    if (outcome.rc != PNCP_OK)
        return outcome;
    while ((outcome.rc = pncp_foreign_next(foreign, &row, &outcome.err)) == PNCP_OK && row.len > 0 &&
           outcome.rows < ROWS_MAX) {
        check_row(row);
        outcome.rows++;
        outcome.hash = mixed(outcome.hash, row);
    }
    if (outcome.rc == PNCP_OK && row.len == 0)
        FUZZ_CHECK(outcome.rows == pncp_foreign_footer(foreign)->rows);
    pncp_foreign_free(foreign);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_open(data, size);
    struct pncp_view bytes = fuzz_rest(&in);
    AUTO(pncp_fd_close) int fd = memfd_create("input.parquet", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && pncp_file_write(fd, bytes.data, bytes.len, "memfd", NULL) == PNCP_OK);
    struct outcome once = read_all(fd), twice = read_all(fd);
    FUZZ_CHECK(once.rc == twice.rc && once.rows == twice.rows && once.hash == twice.hash);
    if (once.rc != PNCP_OK) {
        FUZZ_CHECK(once.rc == PNCP_E_PARSE || once.rc == PNCP_E_LIMIT || once.rc == PNCP_E_UNSUPPORTED ||
                   once.rc == PNCP_E_NOMEM);
        FUZZ_CHECK(once.err.code == once.rc && fuzz_is_message(once.err.msg, sizeof(once.err.msg)));
        FUZZ_CHECK(strcmp(once.err.msg, twice.err.msg) == 0);
    }
    return 0;
}
