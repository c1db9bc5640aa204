#include "day/adopt.h"
#include "base/mem.h"
#include "base/random.h"
#include "day/complete.h"
#include "day/data_int.h"
#include "day/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 5    /* begun again because somebody changed a file */
#define COPIES_MAX 100 /* files of one name and other content; each is another writing of the same day */
#define PIECE_BYTES ((size_t)32 * 1024)
#define PATH_BYTES (PNCP_PLACE_BYTES + PNCP_ADOPT_NAME_BYTES)

struct adopting {
    struct pncp_lake *lake;
    struct pncp_date date;
    const char *run_id;
    const volatile bool *stop;
    char folder[PNCP_PLACE_BYTES], legado[PNCP_PLACE_BYTES];
    struct pncp_version details; /* of another tool's details.parquet, as it was copied; found has it first then */
    struct pncp_adopted found;   /* in the day's folder, with the names of their copies */
    struct pncp_adopted *done;   /* those that have left it */
};

static void path_in(const char *folder, const char *name, char ret_path[PATH_BYTES])
{
    (void)snprintf(ret_path, PATH_BYTES, "%s/%s", folder, name);
}

static void release_adopting(struct adopting *a)
{
    pncp_adopted_release(&a->found);
}

void pncp_adopted_release(struct pncp_adopted *adopted)
{
    pncp_free(adopted->files);
    *adopted = (struct pncp_adopted){0};
}

static enum pncp_code add_file(struct pncp_adopted *list, const struct pncp_adopted_file *file, struct pncp_err *err)
{
    if (list->count == PNCP_ADOPT_FILES_MAX)
        return pncp_err_set(err, PNCP_E_LIMIT, "more than %zu files of another tool in one day", PNCP_ADOPT_FILES_MAX);
    if (list->count == list->cap) {
        size_t cap = pncp_grow(list->cap, list->count + 1);
        struct pncp_adopted_file *files = pncp_realloc(list->files, cap, sizeof(*files));
        if (files == NULL)
            return pncp_err_set(err, PNCP_E_NOMEM, "adopt: out of memory");
        list->files = files;
        list->cap = cap;
    }
    list->files[list->count++] = *file;
    return PNCP_OK;
}

/* ---- copies ---------------------------------------------------------------------------------- */

/* "chunk_1.parquet", "chunk_1.2.parquet", …: still Parquet by its name. */
static enum pncp_code name_copy(struct pncp_adopted_file *file, unsigned number, struct pncp_err *err)
{
    static const char suffix[] = ".parquet";
    size_t stem = strlen(file->name) - (sizeof(suffix) - 1);
    int len = number == 1
                  ? snprintf(file->copy, sizeof(file->copy), "%s", file->name)
                  : snprintf(file->copy, sizeof(file->copy), "%.*s.%u%s", (int)stem, file->name, number, suffix);
    if (len < 0 || (size_t)len >= sizeof(file->copy))
        return pncp_err_set(err, PNCP_E_LIMIT, "%s: no name is left for a copy of it", file->name);
    return PNCP_OK;
}

static enum pncp_code check_stop(const struct adopting *a, struct pncp_err *err)
{
    return *a->stop ? pncp_err_set(err, PNCP_E_CANCELLED, "stopped by a signal: run adopt again") : PNCP_OK;
}

/* All of `from` into the empty stage. */
static enum pncp_code copy_bytes(const struct adopting *a, const struct pncp_source *from, struct pncp_stage *to,
                                 struct pncp_err *err)
{
    char piece[PIECE_BYTES];
    enum pncp_code rc = PNCP_OK;
    for (uint64_t at = 0; rc == PNCP_OK && at < from->size;) {
        size_t len = (size_t)PNCP_MIN(from->size - at, (uint64_t)PIECE_BYTES);
        rc = check_stop(a, err);
        if (rc == PNCP_OK)
            rc = from->read_at(from->ctx, at, piece, len, err);
        if (rc == PNCP_OK)
            rc = pncp_stage_append(to, piece, len, err);
        at += len;
    }
    return rc;
}

static enum pncp_code same_bytes(const struct pncp_source *a, const struct pncp_source *b, bool *ret_same,
                                 struct pncp_err *err)
{
    char left[PIECE_BYTES], right[PIECE_BYTES];
    *ret_same = a->size == b->size;
    for (uint64_t at = 0; *ret_same && at < a->size;) {
        size_t len = (size_t)PNCP_MIN(a->size - at, (uint64_t)PIECE_BYTES);
        enum pncp_code rc = a->read_at(a->ctx, at, left, len, err);
        if (rc == PNCP_OK)
            rc = b->read_at(b->ctx, at, right, len, err);
        if (rc != PNCP_OK)
            return rc;
        *ret_same = memcmp(left, right, len) == 0;
        at += len;
    }
    return PNCP_OK;
}

/* Has the copy of that name these bytes? PNCP_E_NOTFOUND: there is none. */
static enum pncp_code is_copy_of(const struct adopting *a, const char *copy, const struct pncp_source *source,
                                 bool *ret_same, struct pncp_err *err)
{
    char path[PATH_BYTES];
    struct pncp_object object;
    path_in(a->legado, copy, path);
    enum pncp_code rc = pncp_lake_open_object(a->lake, path, NULL, &object, err);
    if (rc != PNCP_OK)
        return rc;
    rc = same_bytes(&object.source, source, ret_same, err);
    pncp_object_release(&object);
    return rc;
}

/* PNCP_E_CONFLICT: somebody has made one of that name. */
static enum pncp_code make_copy(const struct adopting *a, const char *copy, const struct pncp_source *source,
                                struct pncp_err *err)
{
    AUTO(pncp_stage_release) struct pncp_stage stage = PNCP_STAGE_INIT;
    char path[PATH_BYTES], lock[PNCP_PLACE_BYTES];
    const struct pncp_body body = {.stage = &stage};
    const struct pncp_version none = {""};
    struct pncp_version version;
    path_in(a->legado, copy, path);
    pncp_place_format(PNCP_PLACE_LEGADO_LOCK, a->date, lock);
    enum pncp_code rc = pncp_stage_open(a->lake, &stage, err);
    if (rc == PNCP_OK)
        rc = copy_bytes(a, source, &stage, err);
    return rc == PNCP_OK ? pncp_lake_write_if(a->lake, path, lock, &none, &body, &version, err) : rc;
}

/* There is a copy of these bytes that survives a power cut: *ret_kept, and its name in *file; else that name is taken.
 */
static enum pncp_code keep_as(const struct adopting *a, const struct pncp_source *source,
                              const struct pncp_adopted_file *file, bool *ret_kept, struct pncp_err *err)
{
    char path[PATH_BYTES];
    *ret_kept = false;
    enum pncp_code rc = is_copy_of(a, file->copy, source, ret_kept, err);
    if (rc == PNCP_E_NOTFOUND) {
        rc = make_copy(a, file->copy, source, err);
        *ret_kept = rc == PNCP_OK;
        return rc;
    }
    path_in(a->legado, file->copy, path);
    return rc == PNCP_OK && *ret_kept ? pncp_lake_sync(a->lake, path, err) : rc; /* its maker may have been killed */
}

static enum pncp_code keep(const struct adopting *a, const struct pncp_source *source, struct pncp_adopted_file *file,
                           struct pncp_err *err)
{
    bool kept = false;
    file->bytes = source->size;
    for (unsigned number = 1; number <= COPIES_MAX; number++) {
        enum pncp_code rc = name_copy(file, number, err);
        if (rc == PNCP_OK)
            rc = keep_as(a, source, file, &kept, err);
        if (rc != PNCP_OK || kept)
            return rc;
    }
    return pncp_err_set(err, PNCP_E_LIMIT, "%s: %s has %d others of that name already", file->name, a->legado,
                        COPIES_MAX);
}

/* ---- looking --------------------------------------------------------------------------------- */

/* PNCP_OK for one of ours that can be used as well as for another tool's: *ret_foreign. */
static enum pncp_code whose_is_it(const struct adopting *a, const struct pncp_source *source, const char *path,
                                  bool *ret_foreign, struct pncp_err *err)
{
    const struct pncp_data day = {.lake = a->lake, .date = a->date};
    const struct pncp_schema *schema;
    struct pncp_footer footer;
    struct pncp_view format;
    enum pncp_code rc = pncp_footer_read(source, &footer, err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "%s", path);
    *ret_foreign = !pncp_footer_kv(&footer, "pncp.format", &format);
    if (!*ret_foreign)
        rc = pncp_data_check(&day, &footer, path, &schema, err);
    pncp_footer_release(&footer);
    return rc;
}

/* Keep a copy of another tool's details.parquet, and the version that it has. */
static enum pncp_code keep_details(struct adopting *a, struct pncp_err *err)
{
    struct pncp_adopted_file file = {.name = PNCP_DATA_NAME};
    char path[PNCP_PLACE_BYTES], lock[PNCP_PLACE_BYTES];
    struct pncp_object object;
    bool foreign = false;
    pncp_place_format(PNCP_PLACE_DATA, a->date, path);
    pncp_place_format(PNCP_PLACE_DATA_LOCK, a->date, lock);
    enum pncp_code rc = pncp_lake_open_object(a->lake, path, lock, &object, err);
    if (rc != PNCP_OK)
        return rc == PNCP_E_NOTFOUND ? PNCP_OK : rc;
    rc = whose_is_it(a, &object.source, path, &foreign, err);
    if (rc == PNCP_OK && foreign)
        rc = keep(a, &object.source, &file, err);
    if (rc == PNCP_OK && foreign) {
        a->details = object.version;
        rc = add_file(&a->found, &file, err);
    }
    pncp_object_release(&object);
    return rc;
}

struct listing {
    struct pncp_adopted *found;
    enum pncp_code rc;
    struct pncp_err *err;
};

static bool add_strange(void *ctx, const char *name)
{
    struct listing *listing = ctx;
    struct pncp_adopted_file file = {.bytes = 0};
    if (!pncp_data_is_strange(name))
        return true;
    (void)snprintf(file.name, sizeof(file.name), "%s", name);
    listing->rc = add_file(listing->found, &file, listing->err);
    return listing->rc == PNCP_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct pncp_adopted_file *)a)->name, ((const struct pncp_adopted_file *)b)->name);
}

/* The names of the others, behind what is there of details.parquet. */
static enum pncp_code list_others(struct adopting *a, struct pncp_err *err)
{
    size_t first = a->found.count;
    struct listing listing = {.found = &a->found, .err = err};
    enum pncp_code rc = pncp_lake_list(a->lake, a->folder, add_strange, &listing, err);
    if (rc == PNCP_OK)
        rc = listing.rc;
    if (rc == PNCP_OK && a->found.count > first)
        qsort(a->found.files + first, a->found.count - first, sizeof(*a->found.files), by_name);
    return rc;
}

static enum pncp_code keep_other(const struct adopting *a, struct pncp_adopted_file *file, struct pncp_err *err)
{
    char path[PATH_BYTES];
    struct pncp_object object;
    path_in(a->folder, file->name, path);
    enum pncp_code rc = pncp_lake_open_object(a->lake, path, NULL, &object, err);
    if (rc == PNCP_E_NOTFOUND) /* listed a moment ago */
        return pncp_err_set(err, PNCP_E_CONFLICT, "%s was removed by someone else", path);
    if (rc == PNCP_OK) {
        rc = keep(a, &object.source, file, err);
        pncp_object_release(&object);
    }
    return rc;
}

/* ---- making room ----------------------------------------------------------------------------- */

static enum pncp_code make_empty(const struct adopting *a, struct pncp_buf *ret_file, struct pncp_err *err)
{
    AUTO(pncp_history_release) struct pncp_history history = {0};
    const struct pncp_schema *newest = pncp_details_schema();
    struct pncp_data_kvs kvs;
    struct pncp_history_entry entry = {.rewrite = true, .at_s = pncp_clock_now_us() / 1000000};
    pncp_random_hex(16, entry.id);
    (void)snprintf(entry.run, sizeof(entry.run), "%s", a->run_id);
    enum pncp_code rc = pncp_history_add(NULL, 0, (struct pncp_view){"", 0}, &entry, &history, err);
    if (rc != PNCP_OK)
        return rc;
    pncp_data_kvs_make(a->date, newest, pncp_buf_view(&history.text), entry.id, &kvs);
    return pncp_parquet_empty(newest, kvs.pairs, PNCP_DATA_KVS, ret_file, err);
}

static enum pncp_code empty_details(struct adopting *a, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf file = {0};
    char path[PNCP_PLACE_BYTES], lock[PNCP_PLACE_BYTES];
    struct pncp_version version;
    pncp_place_format(PNCP_PLACE_DATA, a->date, path);
    pncp_place_format(PNCP_PLACE_DATA_LOCK, a->date, lock);
    enum pncp_code rc = make_empty(a, &file, err);
    if (rc == PNCP_OK)
        rc = pncp_complete_remove(a->lake, a->date, err); /* sensors must not see it beside an empty day */
    const struct pncp_body body = {.bytes = pncp_buf_view(&file)};
    if (rc == PNCP_OK)
        rc = pncp_lake_write_if(a->lake, path, lock, &a->details, &body, &version, err);
    if (rc != PNCP_OK)
        return rc;
    a->done->emptied = true;
    return add_file(a->done, &a->found.files[0], err);
}

/* Only while it has the bytes of its copy. Others take no lock of ours, so that this look is as near to the removal as
 * it can be. */
static enum pncp_code remove_other(const struct adopting *a, const struct pncp_adopted_file *file, struct pncp_err *err)
{
    char path[PATH_BYTES];
    struct pncp_object object;
    bool same = false;
    path_in(a->folder, file->name, path);
    enum pncp_code rc = pncp_lake_open_object(a->lake, path, NULL, &object, err);
    if (rc == PNCP_E_NOTFOUND) /* a second adopt was faster */
        return PNCP_OK;
    if (rc != PNCP_OK)
        return rc;
    rc = is_copy_of(a, file->copy, &object.source, &same, err);
    pncp_object_release(&object);
    if ((rc == PNCP_OK && !same) || rc == PNCP_E_NOTFOUND)
        rc = pncp_err_set(err, PNCP_E_CONFLICT, "%s was changed by someone else", path);
    if (rc == PNCP_OK)
        rc = pncp_lake_remove(a->lake, path, err);
    return rc == PNCP_OK ? add_file(a->done, file, err) : rc;
}

/* PNCP_E_CONFLICT: somebody changed something; what has left the day until then is in a->done. */
static enum pncp_code adopt_once(struct adopting *a, struct pncp_err *err)
{
    enum pncp_code rc = keep_details(a, err);
    size_t others = a->found.count;
    if (rc == PNCP_OK)
        rc = list_others(a, err);
    for (size_t i = others; rc == PNCP_OK && i < a->found.count; i++)
        rc = keep_other(a, &a->found.files[i], err);
    if (rc == PNCP_OK && others > 0)
        rc = empty_details(a, err);
    for (size_t i = others; rc == PNCP_OK && i < a->found.count; i++) {
        rc = check_stop(a, err);
        if (rc == PNCP_OK)
            rc = remove_other(a, &a->found.files[i], err);
    }
    return rc;
}

enum pncp_code pncp_day_adopt(struct pncp_lake *lake, struct pncp_date date, const char *run_id,
                              const volatile bool *stop, struct pncp_adopted *ret_adopted, struct pncp_err *err)
{
    enum pncp_code rc = PNCP_E_CONFLICT;
    *ret_adopted = (struct pncp_adopted){0};
    for (int tries = 0; rc == PNCP_E_CONFLICT && tries < TRIES_MAX; tries++) {
        AUTO(release_adopting)
        struct adopting a = {.lake = lake, .date = date, .run_id = run_id, .stop = stop, .done = ret_adopted};
        pncp_place_format(PNCP_PLACE_DATA_FOLDER, date, a.folder);
        pncp_place_format(PNCP_PLACE_LEGADO_FOLDER, date, a.legado);
        rc = adopt_once(&a, err);
    }
    return rc;
}
