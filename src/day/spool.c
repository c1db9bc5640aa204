#include "day/spool.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/sys.h"
#include "day/columns.h"
#include "day/data_int.h"
#include "parquet/chunk_reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#define SPOOL_FORMAT "spool 1"
#define PREFIX_BYTES (PNCP_LAKE_TAG_BYTES + PNCP_DATE_TEXT_BYTES + 1)
#define CLAIMED ".claimed"
#define TEMP ".tmp"

/* ---- names ----------------------------------------------------------------------------------- */

enum pncp_code pncp_spool_default(struct pncp_buf *ret_folder)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state != NULL && state[0] == '/')
        return pncp_buf_format(ret_folder, "%s/pncp-details/spool", state);
    if (home == NULL || home[0] != '/')
        return PNCP_E_NOTFOUND;
    return pncp_buf_format(ret_folder, "%s/.local/state/pncp-details/spool", home);
}

/* What the names of a lake's and day's files begin with. */
static void format_prefix(const struct pncp_data *data, char ret_prefix[PREFIX_BYTES])
{
    char tag[PNCP_LAKE_TAG_BYTES], day[PNCP_DATE_TEXT_BYTES];
    pncp_lake_tag(data->lake, tag);
    pncp_date_format(data->date, day);
    (void)snprintf(ret_prefix, PREFIX_BYTES, "%s.%s.", tag, day);
}

/* ---- writing --------------------------------------------------------------------------------- */

static enum pncp_code encode(const struct pncp_data *data, const struct pncp_lot *lot, struct pncp_buf *ret_file,
                             struct pncp_err *err)
{
    const struct pncp_encode_options options = {.zstd_level = 1};
    AUTO(pncp_buf_release) struct pncp_buf tail = {0};
    struct pncp_footer footer;
    char day[PNCP_DATE_TEXT_BYTES], number[12], schema[12];
    pncp_date_format(data->date, day);
    (void)snprintf(number, sizeof(number), "%u", lot->n);
    (void)snprintf(schema, sizeof(schema), "%u", lot->table->schema->version);
    const struct pncp_kv_pair kvs[] = {{"pncp.format", PNCP_VIEW_LIT(SPOOL_FORMAT)},
                                       {"pncp.schema", pncp_view_of(schema)},
                                       {"pncp.lake", pncp_view_of(pncp_lake_url(data->lake))},
                                       {"pncp.day", pncp_view_of(day)},
                                       {"pncp.run", pncp_view_of(lot->run_id)},
                                       {"pncp.n", pncp_view_of(number)},
                                       {PNCP_FOOTER_CRC_KEY, PNCP_VIEW_LIT(PNCP_FOOTER_CRC_BLANK)}};
    enum pncp_code rc = pncp_group_encode(lot->table, &options, ret_file, &footer, err);
    if (rc != PNCP_OK)
        return rc;
    const struct pncp_footer_piece piece = {
        .footer = &footer, .count = footer.group_count, .at = PNCP_PARQUET_MAGIC_BYTES};
    rc = pncp_footer_build(&piece, 1, kvs, PNCP_ARRAY_LEN(kvs), &tail, NULL, err);
    ret_file->len = (size_t)footer.data_end; /* the footer with the key-values takes the place of the plain one */
    pncp_footer_release(&footer);
    if (rc == PNCP_OK && pncp_buf_append(ret_file, tail.data, tail.len) != PNCP_OK)
        rc = pncp_err_set(err, PNCP_E_NOMEM, "spool: out of memory");
    return rc;
}

static enum pncp_code write_file(int folder_fd, const char *folder, const char *name, const struct pncp_buf *file,
                                 struct pncp_err *err)
{
    char temp[300];
    (void)snprintf(temp, sizeof(temp), "%s" TEMP, name);
    AUTO(pncp_fd_close) int fd = pncp_sys_openat(folder_fd, temp, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0)
        return pncp_err_sys(err, errno, "spool %s: make %s", folder, temp);
    enum pncp_code rc = pncp_file_write(fd, file->data, file->len, temp, err);
    if (rc == PNCP_OK && (pncp_sys_fsync(fd) != 0 || pncp_sys_renameat(folder_fd, temp, folder_fd, name) != 0 ||
                          pncp_sys_fsync(folder_fd) != 0))
        rc = pncp_err_sys(err, errno, "spool %s: write %s", folder, name);
    if (rc != PNCP_OK)
        (void)pncp_sys_unlinkat(folder_fd, temp, 0);
    return rc;
}

/* PNCP_E_NOTFOUND: there is none. */
static enum pncp_code open_folder(const char *folder, int *ret_fd, struct pncp_err *err)
{
    *ret_fd = pncp_sys_openat(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
    if (*ret_fd >= 0)
        return PNCP_OK;
    return errno == ENOENT ? pncp_err_set(err, PNCP_E_NOTFOUND, "spool %s: there is none", folder)
                           : pncp_err_sys(err, errno, "spool %s", folder);
}

enum pncp_code pncp_spool_put(const char *folder, const struct pncp_data *data, const struct pncp_lot *lot,
                              struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf file = {0};
    AUTO(pncp_fd_close) int folder_fd = -1;
    char prefix[PREFIX_BYTES], name[200];
    format_prefix(data, prefix);
    (void)snprintf(name, sizeof(name), "%s%d.%s.%u.parquet", prefix, PNCP_SPOOL_FORMAT_VERSION, lot->run_id, lot->n);
    enum pncp_code rc = encode(data, lot, &file, err);
    if (rc == PNCP_OK)
        rc = pncp_file_mkdirs(AT_FDCWD, folder, err);
    if (rc == PNCP_OK)
        rc = open_folder(folder, &folder_fd, err);
    return rc == PNCP_OK ? write_file(folder_fd, folder, name, &file, err) : rc;
}

/* ---- claiming -------------------------------------------------------------------------------- */

struct claim {
    int fd;         /* locked */
    char name[300]; /* ….claimed */
};

/* *ret_claim.fd stays -1 when it is another run's, or gone. PNCP_E_IO. */
static enum pncp_code claim_file(int folder_fd, const char *name, struct claim *ret_claim, struct pncp_err *err)
{
    AUTO(pncp_fd_close) int fd = pncp_sys_openat(folder_fd, name, O_RDWR, 0);
    if (fd < 0)
        return errno == ENOENT ? PNCP_OK : pncp_err_sys(err, errno, "open it");
    if (pncp_sys_flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? PNCP_OK : pncp_err_sys(err, errno, "lock it");
    int linked = pncp_file_is_linked(folder_fd, fd, name);
    if (linked != 1)
        return linked == 0 ? PNCP_OK : pncp_err_sys(err, errno, "look at it");
    bool again = pncp_view_ends(pncp_view_of(name), CLAIMED);
    (void)snprintf(ret_claim->name, sizeof(ret_claim->name), "%.250s%s", name, again ? "" : CLAIMED);
    if (!again && pncp_sys_renameat(folder_fd, name, folder_fd, ret_claim->name) != 0)
        return pncp_err_sys(err, errno, "rename it");
    ret_claim->fd = fd;
    fd = -1;
    return PNCP_OK;
}

/* ---- a claimed file -------------------------------------------------------------------------- */

struct spooled {
    struct pncp_table rows;
    char run[PNCP_RUN_ID_BYTES];
    uint32_t n;
};

static enum pncp_code check_kvs(const struct pncp_data *data, const struct pncp_footer *footer, struct spooled *spooled,
                                struct pncp_err *err)
{
    struct pncp_view format, lake, day, run, number;
    uint64_t n;
    char expected[PNCP_DATE_TEXT_BYTES];
    pncp_date_format(data->date, expected);
    if (!pncp_footer_kv(footer, "pncp.format", &format) || !pncp_footer_kv(footer, "pncp.lake", &lake) ||
        !pncp_footer_kv(footer, "pncp.day", &day) || !pncp_footer_kv(footer, "pncp.run", &run) ||
        !pncp_footer_kv(footer, "pncp.n", &number) || !pncp_view_u64(number, &n) || n > UINT32_MAX ||
        run.len >= sizeof(spooled->run))
        return pncp_err_set(err, PNCP_E_PARSE, "not a lot of this program");
    if (!pncp_view_eq_text(format, SPOOL_FORMAT))
        return pncp_err_set(err, PNCP_E_NEWER, "format \"" PNCP_VIEW_FMT "\", this version knows \"" SPOOL_FORMAT "\"",
                            PNCP_VIEW_ARG(format));
    if (!pncp_view_eq_text(lake, pncp_lake_url(data->lake)) || !pncp_view_eq_text(day, expected))
        return pncp_err_set(err, PNCP_E_PARSE, "of another lake or day");
    if (!pncp_footer_crc_is_right(footer))
        return pncp_err_set(err, PNCP_E_PARSE, "its footer's checksum differs");
    (void)snprintf(spooled->run, sizeof(spooled->run), PNCP_VIEW_FMT, PNCP_VIEW_ARG(run));
    spooled->n = (uint32_t)n;
    return PNCP_OK;
}

static void release_spooled(struct spooled *spooled)
{
    if (spooled->rows.schema != NULL)
        pncp_table_release(&spooled->rows);
}

static enum pncp_code read_rows(const struct pncp_columns *file, struct pncp_table *ret_rows, struct pncp_err *err)
{
    if (pncp_table_init(ret_rows, pncp_details_schema()) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "out of memory");
    for (size_t leaf = 0; leaf < ret_rows->schema->leaf_count; leaf++) {
        enum pncp_code rc =
            pncp_columns_read(file, ret_rows->schema, leaf, 0, file->footer->group_count, &ret_rows->leaves[leaf], err);
        if (rc != PNCP_OK)
            return rc;
    }
    ret_rows->rows = (size_t)file->footer->rows;
    return PNCP_OK;
}

/* A lot with a row that cannot be saved would hold up every run of the day. */
static enum pncp_code check_keys(const struct pncp_table *rows, struct pncp_err *err)
{
    enum pncp_code rc = PNCP_OK;
    struct pncp_packed_key key;
    for (size_t row = 0; rc == PNCP_OK && row < rows->rows; row++)
        rc = pncp_data_row_key(rows, row, &key, err);
    return rc;
}

static enum pncp_code read_file(const struct pncp_data *data, int fd, struct spooled *spooled, struct pncp_err *err)
{
    AUTO(pncp_footer_release) struct pncp_footer footer = {0};
    struct stat stat;
    if (pncp_sys_fstat(fd, &stat) != 0)
        return pncp_err_sys(err, errno, "read");
    struct pncp_source source = pncp_source_of_fd(&fd, (uint64_t)stat.st_size);
    enum pncp_code rc = pncp_footer_read(&source, &footer, err);
    if (rc == PNCP_OK)
        rc = check_kvs(data, &footer, spooled, err);
    AUTO(pncp_chunk_reader_release) struct pncp_chunk_reader reader = {0};
    struct pncp_columns file = {.source = &source, .footer = &footer, .reader = &reader};
    if (rc == PNCP_OK)
        rc = pncp_columns_find_schema(&footer, pncp_details_versions(), &file.schema, err);
    if (rc == PNCP_OK)
        rc = read_rows(&file, &spooled->rows, err);
    return rc == PNCP_OK ? check_keys(&spooled->rows, err) : rc;
}

/* Are all its keys in the data? */
static bool all_saved(const struct pncp_data *data, const struct pncp_table *rows)
{
    for (size_t row = 0; row < rows->rows; row++) {
        struct pncp_packed_key key;
        if (pncp_data_row_key(rows, row, &key, NULL) != PNCP_OK ||
            (pncp_keyset_get(data->keys, key) & PNCP_KEY_SAVED) == 0)
            return false;
    }
    return true;
}

/* Unusable: out of the way, for a person to look at. One of a newer version waits under its own name. */
static void set_aside(int folder_fd, const struct claim *claim, bool newer)
{
    char name[320];
    struct pncp_view plain = pncp_view_of(claim->name);
    plain.len -= strlen(CLAIMED);
    (void)snprintf(name, sizeof(name), PNCP_VIEW_FMT "%s", PNCP_VIEW_ARG(plain), newer ? "" : ".damaged");
    (void)pncp_sys_renameat(folder_fd, claim->name, folder_fd, name);
}

static enum pncp_code commit(struct pncp_data *data, const struct spooled *spooled, struct pncp_err *err)
{
    struct pncp_table rows = spooled->rows;
    const struct pncp_lot lot = {.table = &rows, .run_id = spooled->run, .n = spooled->n};
    struct pncp_commit_result result;
    return pncp_data_append(data, &lot, &result, err);
}

static enum pncp_code take_file(int folder_fd, const char *name, struct pncp_data *data, pncp_spool_told_fn *told,
                                void *ctx, struct pncp_err *err)
{
    AUTO(release_spooled) struct spooled spooled = {.n = 0};
    struct claim claim = {.fd = -1};
    struct pncp_err why = PNCP_ERR_INIT;
    enum pncp_code rc = claim_file(folder_fd, name, &claim, &why);
    AUTO(pncp_fd_close) int fd = claim.fd; /* the lock, until the file is gone */
    if (rc == PNCP_OK && fd == -1)
        return PNCP_OK;
    if (rc == PNCP_OK)
        rc = read_file(data, fd, &spooled, &why);
    if (rc == PNCP_E_NOMEM)
        return pncp_err_set(err, rc, "spool %s: out of memory", claim.name);
    if (rc != PNCP_OK) {
        if (rc != PNCP_E_IO) /* which may pass: claimed again by the next run */
            set_aside(folder_fd, &claim, rc == PNCP_E_NEWER);
        told(ctx, name, 0, &why);
        return PNCP_OK;
    }
    rc = commit(data, &spooled, err);
    if (rc != PNCP_OK)
        return rc;
    if (all_saved(data, &spooled.rows))
        (void)pncp_sys_unlinkat(folder_fd, claim.name, 0); /* fails: claimed again, and found to be saved */
    told(ctx, name, (int64_t)spooled.rows.rows, NULL);
    return PNCP_OK;
}

/* A file in the folder, if it is of that lake and day. */
static enum pncp_code look_at(int folder_fd, const char *name, const char *prefix, struct pncp_data *data,
                              pncp_spool_told_fn *told, void *ctx, struct pncp_err *err)
{
    struct pncp_view view = pncp_view_of(name);
    if (!pncp_view_starts(view, prefix))
        return PNCP_OK;
    if (pncp_view_ends(view, TEMP)) /* of a run that died while it wrote: the day is ours now */
        (void)pncp_sys_unlinkat(folder_fd, name, 0);
    if (!pncp_view_ends(view, ".parquet") && !pncp_view_ends(view, CLAIMED))
        return PNCP_OK;
    return take_file(folder_fd, name, data, told, ctx, err);
}

enum pncp_code pncp_spool_take(const char *folder, struct pncp_data *data, pncp_spool_told_fn *told, void *ctx,
                               struct pncp_err *err)
{
    char prefix[PREFIX_BYTES];
    int folder_fd = -1;
    struct pncp_err why = PNCP_ERR_INIT;
    enum pncp_code rc = open_folder(folder, &folder_fd, &why);
    if (rc != PNCP_OK && rc != PNCP_E_NOTFOUND)
        told(ctx, folder, 0, &why);
    if (rc != PNCP_OK)
        return PNCP_OK;
    DIR *dir = fdopendir(folder_fd);
    if (dir == NULL) {
        pncp_fd_close(&folder_fd);
        return pncp_err_sys(err, errno, "spool %s", folder);
    }
    format_prefix(data, prefix);
    for (struct dirent *entry; rc == PNCP_OK && (entry = readdir(dir)) != NULL;)
        rc = look_at(dirfd(dir), entry->d_name, prefix, data, told, ctx, err);
    (void)closedir(dir);
    return rc;
}
