/* The rows of Parquet files as NDJSON on stdout: what tests/interop compares with their writers. A file that fails
 * gives a line "file: code: message" on stderr and exit 1; the next one is read all the same. */
#include "base/file.h"
#include "base/sys.h"
#include "parquet/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

static enum pncp_code print_rows(struct pncp_foreign *foreign, struct pncp_err *err)
{
    for (;;) {
        struct pncp_view row;
        enum pncp_code rc = pncp_foreign_next(foreign, &row, err);
        if (rc != PNCP_OK || row.len == 0)
            return rc;
        if (fwrite(row.data, 1, row.len, stdout) != row.len || putchar('\n') == EOF)
            return pncp_err_set(err, PNCP_E_IO, "stdout");
    }
}

static enum pncp_code print_file(const char *path, struct pncp_err *err)
{
    struct pncp_foreign *foreign = NULL;
    AUTO(pncp_fd_close) int fd = pncp_sys_openat(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0)
        return pncp_err_sys(err, errno, "open");
    enum pncp_code rc = pncp_foreign_open(fd, &foreign, err);
    if (rc == PNCP_OK)
        rc = print_rows(foreign, err);
    pncp_foreign_free(foreign);
    return rc;
}

int main(int argc, char **argv)
{
    bool bad = false;
    for (int i = 1; i < argc; i++) {
        struct pncp_err err = PNCP_ERR_INIT;
        enum pncp_code rc = print_file(argv[i], &err);
        if (rc != PNCP_OK)
            (void)fprintf(stderr, "%s: %s: %s\n", argv[i], pncp_code_name(rc), err.msg);
        bad = bad || rc != PNCP_OK;
    }
    return bad;
}
