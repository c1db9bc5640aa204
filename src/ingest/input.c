#include "ingest/input.h"
#include "base/file.h"
#include "base/sys.h"
#include "ingest/input_parquet.h"
#include "ingest/json_stream.h"
#include "pncp/rows.h"
#include "json/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum pncp_code pncp_input_add(struct pncp_list *list, yyjson_val *row, struct pncp_keyset *keys,
                              struct pncp_input_counts *counts, struct pncp_err *err)
{
    struct pncp_key key;
    struct pncp_date date;
    unsigned before;
    enum pncp_code rc = pncp_rows_key(row, &key, err);
    if (rc != PNCP_OK)
        return rc;
    if (!pncp_rows_day(row, &date))
        return pncp_err_set(err, PNCP_E_PARSE, "no valid dataPublicacaoPncp");
    if (date.days != list->date.days) {
        counts->other_days++;
        return PNCP_OK;
    }
    rc = pncp_keyset_set(keys, pncp_key_pack(&key), PNCP_KEY_LISTED, &before);
    if (rc != PNCP_OK)
        return pncp_err_set(err, rc, "out of memory");
    if ((before & PNCP_KEY_LISTED) != 0) {
        counts->duplicates++;
        return PNCP_OK;
    }
    rc = pncp_rows_put_contratacao(pncp_list_pending(list), row, err);
    if (rc != PNCP_OK)
        return rc;
    counts->rows++;
    return pncp_list_added(list, err);
}

static enum pncp_code load_json(int fd, struct pncp_list *list, int64_t rows_max, struct pncp_keyset *keys,
                                struct pncp_input_counts *counts, struct pncp_err *err)
{
    AUTO(pncp_json_stream_release) struct pncp_json_stream stream;
    pncp_json_stream_init(&stream, fd);
    for (int64_t number = 1; rows_max == 0 || counts->rows < rows_max; number++) {
        struct pncp_view text;
        struct pncp_json json;
        enum pncp_code rc = pncp_json_stream_next(&stream, &text, err);
        if (rc == PNCP_OK && text.len == 0)
            return PNCP_OK;
        if (rc == PNCP_OK)
            rc = pncp_json_parse(text, &json, NULL, err);
        if (rc != PNCP_OK)
            return pncp_err_wrap(err, rc, "row %lld", (long long)number);
        rc = pncp_input_add(list, json.root, keys, counts, err);
        pncp_json_release(&json);
        if (rc != PNCP_OK)
            return pncp_err_wrap(err, rc, "row %lld", (long long)number);
    }
    return PNCP_OK;
}

enum pncp_code pncp_input_load(const char *path, struct pncp_list *list, int64_t rows_max, struct pncp_keyset *keys,
                               struct pncp_input_counts *ret_counts, struct pncp_err *err)
{
    *ret_counts = (struct pncp_input_counts){0};
    AUTO(pncp_fd_close) int fd = pncp_sys_openat(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0)
        return pncp_err_sys(err, errno, "--input %s", path);
    struct stat stat;
    if (pncp_sys_fstat(fd, &stat) != 0)
        return pncp_err_sys(err, errno, "--input %s", path);
    if (!S_ISREG(stat.st_mode))
        return pncp_err_set(err, PNCP_E_USAGE, "--input %s: not a file", path);
    char magic[4] = "";
    bool parquet = stat.st_size > 12 && pncp_file_pread(fd, magic, sizeof(magic), 0, path, NULL) == PNCP_OK &&
                   memcmp(magic, "PAR1", 4) == 0;
    enum pncp_code rc = parquet ? pncp_input_parquet(fd, (uint64_t)stat.st_size, list, rows_max, keys, ret_counts, err)
                                : load_json(fd, list, rows_max, keys, ret_counts, err);
    if (rc == PNCP_OK)
        rc = pncp_list_flush(list, err);
    return rc == PNCP_OK ? PNCP_OK : pncp_err_wrap(err, rc, "--input %s", path);
}
