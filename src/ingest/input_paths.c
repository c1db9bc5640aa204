#include "ingest/input_paths.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the day in the pattern ------------------------------------------------------------------ */

/* `pattern` with the day in it, and a NUL behind the text. */
static enum pncp_code fill_in(const char *pattern, struct pncp_date date, struct pncp_buf *ret_path)
{
    char day[PNCP_DATE_TEXT_BYTES]; /* YYYYMMDD */
    pncp_date_format(date, day);
    const struct {
        const char *name;
        struct pncp_view value;
    } fields[] = {{"{yyyy}", {day, 4}}, {"{mm}", {day + 4, 2}}, {"{dd}", {day + 6, 2}}};
    enum pncp_code rc = PNCP_OK;
    for (struct pncp_view rest = pncp_view_of(pattern); rc == PNCP_OK && rest.len > 0;) {
        struct pncp_view text = {rest.data, 1};
        size_t taken = 1;
        for (size_t i = 0; i < PNCP_ARRAY_LEN(fields); i++) {
            if (pncp_view_starts(rest, fields[i].name)) {
                text = fields[i].value;
                taken = strlen(fields[i].name);
            }
        }
        rc = pncp_buf_append(ret_path, text.data, text.len);
        rest = pncp_view_from(rest, taken);
    }
    return rc == PNCP_OK ? pncp_buf_append(ret_path, "", 1) : rc;
}

/* ---- files ----------------------------------------------------------------------------------- */

static enum pncp_code no_memory(struct pncp_err *err)
{
    return pncp_err_set(err, PNCP_E_NOMEM, "out of memory");
}

static enum pncp_code add_file(struct pncp_input_paths *paths, const char *path, const struct stat *stat,
                               struct pncp_err *err)
{
    if (paths->count == PNCP_INPUT_FILES_MAX)
        return pncp_err_set(err, PNCP_E_LIMIT, "more than %d files", PNCP_INPUT_FILES_MAX);
    if (paths->count == paths->cap) {
        size_t cap = pncp_grow(paths->cap, paths->count + 1);
        char **grown = pncp_realloc(paths->paths, cap, sizeof(*grown));
        if (grown == NULL)
            return no_memory(err);
        paths->paths = grown;
        paths->cap = cap;
    }
    char *copy = pncp_strdup(path);
    if (copy == NULL)
        return no_memory(err);
    if (paths->count == 0 || stat->st_mtim.tv_sec < paths->oldest_s)
        paths->oldest_s = stat->st_mtim.tv_sec;
    paths->paths[paths->count++] = copy;
    return PNCP_OK;
}

/* Is it one of the files that a folder is given for? Hidden ones are another program's, or half written. */
static bool is_wanted(const char *name)
{
    static const char *const endings[] = {".parquet", ".json", ".ndjson", ".jsonl"};
    bool wanted = false;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(endings); i++)
        wanted = wanted || pncp_view_ends(pncp_view_of(name), endings[i]);
    return wanted && name[0] != '.';
}

static enum pncp_code add_folder_file(struct pncp_input_paths *paths, const char *folder, const char *name,
                                      struct pncp_err *err)
{
    struct stat stat;
    const char *slash = pncp_view_ends(pncp_view_of(folder), "/") ? "" : "/";
    AUTO(pncp_free_ptr) char *path = pncp_asprintf("%s%s%s", folder, slash, name);
    if (path == NULL)
        return no_memory(err);
    if (pncp_sys_fstatat(AT_FDCWD, path, &stat, 0) != 0)
        return pncp_err_sys(err, errno, "%s", path);
    return S_ISREG(stat.st_mode) ? add_file(paths, path, &stat, err) : PNCP_OK;
}

static enum pncp_code add_folder(struct pncp_input_paths *paths, const char *folder, struct pncp_err *err)
{
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return pncp_err_sys(err, errno, "%s", folder);
    enum pncp_code rc = PNCP_OK;
    const struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(dir);
        if (entry == NULL && errno != 0)
            rc = pncp_err_sys(err, errno, "%s", folder);
        else if (entry != NULL && is_wanted(entry->d_name))
            rc = add_folder_file(paths, folder, entry->d_name, err);
    } while (rc == PNCP_OK && entry != NULL);
    (void)closedir(dir);
    return rc;
}

/* What is at `path`; *ret_there false when nothing is. */
static enum pncp_code add_path(struct pncp_input_paths *paths, const char *path, bool *ret_there, struct pncp_err *err)
{
    struct stat stat;
    *ret_there = pncp_sys_fstatat(AT_FDCWD, path, &stat, 0) == 0;
    if (*ret_there)
        return S_ISDIR(stat.st_mode) ? add_folder(paths, path, err) : add_file(paths, path, &stat, err);
    return errno == ENOENT || errno == ENOTDIR ? PNCP_OK : pncp_err_sys(err, errno, "%s", path);
}

/* ---- patterns -------------------------------------------------------------------------------- */

static _Thread_local int glob_errno; /* glob gives its callback no context */

/* A folder that is not there matches nothing; one that cannot be read could hide files. */
static int stop_unless_absent(const char *path, int os_errno)
{
    (void)path;
    glob_errno = os_errno;
    return os_errno != ENOENT;
}

static enum pncp_code add_matches(struct pncp_input_paths *paths, const char *pattern, struct pncp_err *err)
{
    glob_t found = {0};
    bool there;
    int failed = glob(pattern, GLOB_NOSORT, stop_unless_absent, &found);
    enum pncp_code rc = failed == GLOB_NOSPACE   ? no_memory(err)
                        : failed == GLOB_ABORTED ? pncp_err_sys(err, glob_errno, "a folder cannot be read")
                                                 : PNCP_OK;
    for (size_t i = 0; rc == PNCP_OK && i < found.gl_pathc; i++)
        rc = add_path(paths, found.gl_pathv[i], &there, err);
    globfree(&found);
    return rc;
}

/* ---- public ---------------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
    char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

static enum pncp_code find(const char *pattern, struct pncp_date date, struct pncp_input_paths *paths,
                           struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf path = {0};
    bool there;
    if (fill_in(pattern, date, &path) != PNCP_OK)
        return no_memory(err);
    enum pncp_code rc = add_path(paths, path.data, &there, err);
    if (rc == PNCP_OK && !there)
        rc = add_matches(paths, path.data, err);
    if (rc != PNCP_OK || paths->count > 0)
        return rc;
    return pncp_err_set(err, PNCP_E_USAGE, "no file matches %s%s", path.data,
                        there ? "/*.parquet, .json, .ndjson or .jsonl" : "");
}

enum pncp_code pncp_input_paths_find(const char *pattern, struct pncp_date date, struct pncp_input_paths *ret_paths,
                                     struct pncp_err *err)
{
    struct pncp_input_paths paths = {0};
    enum pncp_code rc = find(pattern, date, &paths, err);
    if (rc != PNCP_OK) {
        pncp_input_paths_release(&paths);
        return pncp_err_wrap(err, rc, "--input %s", pattern);
    }
    qsort(paths.paths, paths.count, sizeof(*paths.paths), by_bytes);
    *ret_paths = paths;
    return PNCP_OK;
}

void pncp_input_paths_release(struct pncp_input_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        pncp_free(paths->paths[i]);
    pncp_free(paths->paths);
    *paths = (struct pncp_input_paths){0};
}
