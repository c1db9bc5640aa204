#include "ingest/input.h"
#include "base/file.h"
#include "base/sys.h"
#include "ingest/input_int.h"
#include "ingest/json_stream.h"
#include "pncp/rows.h"
#include "json/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

bool pncp_input_full(const struct pncp_input *input)
{
    return input->rows_max != 0 && input->counts->rows >= input->rows_max;
}

enum pncp_code pncp_input_admit(const struct pncp_input *input, const struct pncp_key *key, struct pncp_date date,
                                bool *ret_add, struct pncp_err *err)
{
    unsigned before = 0;
    *ret_add = false;
    if (date.days != input->list->date.days) {
        input->counts->other_days++;
        return PNCP_OK;
    }
    enum pncp_code rc = pncp_keyset_set(input->keys, pncp_key_pack(key), PNCP_KEY_LISTED, &before);
    if (rc != PNCP_OK)
        return pncp_err_set(err, rc, "out of memory");
    *ret_add = (before & PNCP_KEY_LISTED) == 0;
    input->counts->duplicates += !*ret_add;
    return PNCP_OK;
}

static enum pncp_code add_row(const struct pncp_input *input, yyjson_val *row, struct pncp_err *err)
{
    struct pncp_key key;
    struct pncp_date date;
    bool add;
    enum pncp_code rc = pncp_rows_key(row, &key, err);
    if (rc != PNCP_OK)
        return rc;
    if (!pncp_rows_day(row, &date))
        return pncp_err_set(err, PNCP_E_PARSE, "no valid dataPublicacaoPncp");
    rc = pncp_input_admit(input, &key, date, &add, err);
    if (rc == PNCP_OK && add)
        rc = pncp_rows_put_contratacao(pncp_list_pending(input->list), row, err);
    if (rc != PNCP_OK || !add)
        return rc;
    input->counts->rows++;
    return pncp_list_added(input->list, err);
}

enum pncp_code pncp_input_rows(const struct pncp_input *input, pncp_input_next next, void *source, struct pncp_err *err)
{
    for (int64_t number = 1; !pncp_input_full(input); number++) {
        AUTO(pncp_json_release) struct pncp_json json = {0};
        struct pncp_view text;
        enum pncp_code rc = next(source, &text, err);
        if (rc != PNCP_OK || text.len == 0)
            return rc;
        rc = pncp_json_parse(text, &json, NULL, err);
        if (rc == PNCP_OK)
            rc = add_row(input, json.root, err);
        if (rc != PNCP_OK)
            return pncp_err_wrap(err, rc, "row %" PRId64, number);
    }
    return PNCP_OK;
}

static enum pncp_code next_row(void *source, struct pncp_view *ret_row, struct pncp_err *err)
{
    return pncp_json_stream_next(source, ret_row, err);
}

static enum pncp_code load_json(const struct pncp_input *input, int fd, struct pncp_err *err)
{
    AUTO(pncp_json_stream_release) struct pncp_json_stream stream;
    pncp_json_stream_init(&stream, fd);
    return pncp_input_rows(input, next_row, &stream, err);
}

static enum pncp_code load(const struct pncp_input *input, int fd, const char *path, struct pncp_err *err)
{
    struct stat stat;
    char magic[4] = "";
    if (pncp_sys_fstat(fd, &stat) != 0)
        return pncp_err_sys(err, errno, "read");
    if (!S_ISREG(stat.st_mode))
        return pncp_err_set(err, PNCP_E_USAGE, "not a file");
    if (stat.st_size >= (off_t)sizeof(magic)) {
        enum pncp_code rc = pncp_file_pread(fd, magic, sizeof(magic), 0, path, err);
        if (rc != PNCP_OK)
            return rc;
    }
    bool parquet = memcmp(magic, "PAR1", sizeof(magic)) == 0;
    return parquet ? pncp_input_parquet(input, fd, (uint64_t)stat.st_size, err) : load_json(input, fd, err);
}

enum pncp_code pncp_input_load(const char *path, struct pncp_list *list, int64_t rows_max, struct pncp_keyset *keys,
                               struct pncp_input_counts *ret_counts, struct pncp_err *err)
{
    const struct pncp_input input = {.list = list, .rows_max = rows_max, .keys = keys, .counts = ret_counts};
    *ret_counts = (struct pncp_input_counts){0};
    /* O_NONBLOCK: opening a named pipe must not wait for its writer */
    AUTO(pncp_fd_close) int fd = pncp_sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return pncp_err_sys(err, errno, "--input %s", path);
    enum pncp_code rc = load(&input, fd, path, err);
    if (rc == PNCP_OK)
        rc = pncp_list_flush(list, err);
    return rc == PNCP_OK ? PNCP_OK : pncp_err_wrap(err, rc, "--input %s", path);
}
