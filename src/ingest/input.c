#include "ingest/input.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/sys.h"
#include "ingest/input_int.h"
#include "ingest/input_paths.h"
#include "ingest/json_stream.h"
#include "pncp/given.h"
#include "pncp/rows.h"
#include "json/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define KEY_BARE PNCP_KEY_SEEN /* scratch of one loading: only bare rows so far */

bool pncp_input_full(const struct pncp_input *input)
{
    return input->rows_max != 0 && input->rows + input->bare >= input->rows_max;
}

/* ---- what becomes of a row ------------------------------------------------------------------- */

static bool is_other_day(struct pncp_input *input, struct pncp_date date)
{
    bool other = date.days != input->list->date.days;
    input->other_days += other;
    return other;
}

enum pncp_code pncp_input_admit(struct pncp_input *input, const struct pncp_key *key, struct pncp_date date,
                                bool *ret_add, struct pncp_err *err)
{
    const struct pncp_packed_key packed = pncp_key_pack(key);
    unsigned before = 0;
    *ret_add = false;
    if (is_other_day(input, date))
        return PNCP_OK;
    enum pncp_code rc = pncp_keyset_set(input->keys, packed, PNCP_KEY_LISTED, &before);
    if (rc != PNCP_OK)
        return pncp_err_set(err, rc, "out of memory");
    bool bare = (before & KEY_BARE) != 0, listed = (before & PNCP_KEY_LISTED) != 0;
    *ret_add = bare || !listed;
    input->duplicates += listed;
    if (bare) { /* here is what the earlier rows did not say */
        pncp_keyset_clear(input->keys, packed, KEY_BARE);
        input->bare--;
    }
    return PNCP_OK;
}

static enum pncp_code push_ask(struct pncp_input *input, struct pncp_packed_key key)
{
    if (input->ask_count == input->ask_cap) {
        size_t cap = pncp_grow(input->ask_cap, input->ask_count + 1);
        struct pncp_packed_key *grown = pncp_realloc(input->asks, cap, sizeof(*grown));
        if (grown == NULL)
            return PNCP_E_NOMEM;
        input->asks = grown;
        input->ask_cap = cap;
    }
    input->asks[input->ask_count++] = key;
    return PNCP_OK;
}

static enum pncp_code admit_bare(struct pncp_input *input, const struct pncp_given *given, struct pncp_err *err)
{
    const struct pncp_packed_key packed = pncp_key_pack(&given->key);
    if (given->has_date && is_other_day(input, given->date))
        return PNCP_OK;
    if ((pncp_keyset_get(input->keys, packed) & PNCP_KEY_LISTED) != 0) {
        input->duplicates++;
        return PNCP_OK;
    }
    enum pncp_code rc = pncp_keyset_set(input->keys, packed, PNCP_KEY_LISTED | KEY_BARE, NULL);
    if (rc == PNCP_OK)
        rc = push_ask(input, packed);
    if (rc != PNCP_OK)
        return pncp_err_set(err, rc, "out of memory");
    input->bare++;
    return PNCP_OK;
}

static enum pncp_code add_row(struct pncp_input *input, struct pncp_json *row, const struct pncp_given *given,
                              struct pncp_err *err)
{
    bool add;
    enum pncp_code rc = pncp_input_admit(input, &given->key, given->date, &add, err);
    if (rc == PNCP_OK && add)
        rc = pncp_given_normalise(row, &given->key, err);
    if (rc == PNCP_OK && add)
        rc = pncp_rows_put_known(pncp_list_pending(input->list), &given->key, given->date, row->root, err);
    if (rc != PNCP_OK || !add)
        return rc;
    input->rows++;
    return pncp_list_added(input->list, err);
}

static enum pncp_code take_row(struct pncp_input *input, const char *path, int64_t number, struct pncp_view text,
                               struct pncp_err *err)
{
    AUTO(pncp_json_release) struct pncp_json json = {0};
    struct pncp_given given;
    struct pncp_err why = PNCP_ERR_INIT;
    enum pncp_code rc = pncp_json_parse_nan(text, &json, err);
    if (rc != PNCP_OK)
        return rc;
    if (pncp_given_read(json.root, &given, &why) != PNCP_OK) {
        input->malformed_rows++;
        input->malformed(input->ctx, path, number, why.msg);
        return PNCP_OK;
    }
    bool whole = given.has_fields && given.has_date; /* without its day it cannot be a row of the list */
    return whole ? add_row(input, &json, &given, err) : admit_bare(input, &given, err);
}

enum pncp_code pncp_input_rows(struct pncp_input *input, const char *path, pncp_input_next next, void *source,
                               struct pncp_err *err)
{
    for (int64_t number = 1; !pncp_input_full(input); number++) {
        struct pncp_view text;
        enum pncp_code rc = next(source, &text, err);
        if (rc != PNCP_OK || text.len == 0)
            return rc;
        rc = take_row(input, path, number, text, err);
        if (rc != PNCP_OK)
            return pncp_err_wrap(err, rc, "row %" PRId64, number);
    }
    return PNCP_OK;
}

/* ---- files ----------------------------------------------------------------------------------- */

static enum pncp_code next_row(void *source, struct pncp_view *ret_row, struct pncp_err *err)
{
    return pncp_json_stream_next(source, ret_row, err);
}

static enum pncp_code load_json(struct pncp_input *input, const char *path, int fd, struct pncp_err *err)
{
    AUTO(pncp_json_stream_release) struct pncp_json_stream stream;
    pncp_json_stream_init(&stream, fd);
    return pncp_input_rows(input, path, next_row, &stream, err);
}

static enum pncp_code load_open(struct pncp_input *input, const char *path, int fd, struct pncp_err *err)
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
    return parquet ? pncp_input_parquet(input, path, fd, (uint64_t)stat.st_size, err) : load_json(input, path, fd, err);
}

static enum pncp_code load_file(struct pncp_input *input, const char *path, struct pncp_err *err)
{
    /* O_NONBLOCK: opening a named pipe must not wait for its writer */
    AUTO(pncp_fd_close) int fd = pncp_sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return pncp_err_sys(err, errno, "--input %s", path);
    enum pncp_code rc = load_open(input, path, fd, err);
    return rc == PNCP_OK ? PNCP_OK : pncp_err_wrap(err, rc, "--input %s", path);
}

/* All rows are known: only keys that stayed bare are asked for, and of them only those that were never asked for, or
 * are to be asked for again. */
static void settle_asks(struct pncp_input *input)
{
    size_t kept = 0;
    for (size_t i = 0; i < input->ask_count; i++) {
        unsigned flags = pncp_keyset_get(input->keys, input->asks[i]);
        bool asked_before = (flags & (PNCP_KEY_SAVED | PNCP_KEY_FAILED)) != 0;
        if ((flags & KEY_BARE) != 0 && (!asked_before || (flags & PNCP_KEY_DUE) != 0))
            input->asks[kept++] = input->asks[i];
    }
    input->ask_count = kept;
    pncp_keyset_clear_all(input->keys, KEY_BARE);
}

enum pncp_code pncp_input_load(struct pncp_input *input, const char *pattern, struct pncp_err *err)
{
    AUTO(pncp_input_paths_release) struct pncp_input_paths paths = {0};
    enum pncp_code rc = pncp_input_paths_find(pattern, input->list->date, &paths, err);
    input->list_at_s = paths.oldest_s;
    for (size_t i = 0; rc == PNCP_OK && i < paths.count && !pncp_input_full(input); i++)
        rc = load_file(input, paths.paths[i], err);
    if (rc == PNCP_OK) {
        rc = pncp_list_flush(input->list, err);
        if (rc != PNCP_OK)
            (void)pncp_err_wrap(err, rc, "--input %s", pattern);
    }
    settle_asks(input);
    return rc;
}

void pncp_input_release(struct pncp_input *input)
{
    pncp_free(input->asks);
    *input = (struct pncp_input){0};
}
