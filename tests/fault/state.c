#include "state.h"
#include "base/mem.h"
#include "base/random.h"
#include "day/data.h"
#include "day/list.h"
#include "rows_fixture.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LOCKS "pncp_details/_state/lock/"
#define TEMPS "pncp_details/_state/tmp/"
#define SPOOL "spool/" /* what waits there may wait on: no part of a lake */
#define ID_DIGITS ((size_t)32)

/* ---- Parquet --------------------------------------------------------------------------------- */

struct parquet_seen { /* bytes that were read once say the same again */
    uint64_t bytes[2];
    uint64_t says;
    char commit[PNCP_ID_BYTES]; /* "" of a list */
};
static struct parquet_seen *seen;
static size_t seen_count, seen_cap;

static uint64_t mix(uint64_t says, const void *data, size_t len)
{
    return pncp_hash64(data, len, says);
}

static enum pncp_code rows_say(struct pncp_lake *lake, const char *path, const struct pncp_schema *schema,
                               uint64_t *says, struct pncp_err *err)
{
    struct rows_read read;
    enum pncp_code rc = rows_try_read(lake, path, schema, &read, err);
    if (rc != PNCP_OK)
        return rc;
    for (size_t i = 0; i < read.count; i++) {
        *says = mix(*says, &read.rows[i].key, sizeof(read.rows[i].key));
        *says = mix(*says, &read.rows[i].hash, sizeof(read.rows[i].hash));
    }
    *says = mix(*says, read.group_rows, read.groups * sizeof(*read.group_rows));
    rows_read_release(&read);
    return PNCP_OK;
}

/* Opened as the program opens it, which checks it all. */
static enum pncp_code details_say(struct pncp_lake *lake, struct pncp_date date, const char *path,
                                  struct parquet_seen *what, struct pncp_err *err)
{
    struct pncp_keyset *keys;
    struct pncp_data data;
    if (pncp_keyset_new(&keys) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "keys: out of memory");
    enum pncp_code rc = pncp_data_open(lake, date, keys, &data, err);
    if (rc == PNCP_OK) {
        memcpy(what->commit, data.commit, sizeof(what->commit));
        for (size_t i = 0; i < data.history_count; i++) {
            const struct pncp_history_entry *entry = &data.history[i];
            const int64_t told[] = {entry->rewrite,      entry->sum,   entry->n,       entry->at_s,
                                    entry->contratacoes, entry->itens, entry->arquivos};
            what->says = mix(what->says, told, sizeof(told));
        }
        pncp_data_release(&data);
    }
    pncp_keyset_free(keys);
    return rc == PNCP_OK ? rows_say(lake, path, pncp_details_schema(), &what->says, err) : rc;
}

static enum pncp_code list_says(struct pncp_lake *lake, struct pncp_date date, const char *path,
                                struct parquet_seen *what, struct pncp_err *err)
{
    struct pncp_list list;
    enum pncp_code rc = pncp_list_open_path(lake, date, path, &list, err);
    if (rc != PNCP_OK)
        return rc;
    const int64_t told[] = {list.info.list_at_s, list.info.final};
    what->says = mix(mix(what->says, told, sizeof(told)), list.info.totals, sizeof(list.info.totals));
    pncp_list_release(&list);
    return rows_say(lake, path, pncp_list_schema(), &what->says, err);
}

static enum pncp_code parquet_says(struct pncp_lake *lake, struct pncp_date date, const struct tree_file *file,
                                   const struct parquet_seen **ret_says, struct pncp_err *err)
{
    struct parquet_seen what = {
        .bytes = {pncp_hash64(file->data, file->len, 1), pncp_hash64(file->data, file->len, 2)}};
    for (size_t i = 0; i < seen_count; i++) {
        if (memcmp(seen[i].bytes, what.bytes, sizeof(what.bytes)) == 0) {
            *ret_says = &seen[i];
            return PNCP_OK;
        }
    }
    bool list = pncp_view_starts(pncp_view_of(file->path), "pncp_contratacoes/");
    enum pncp_code rc =
        list ? list_says(lake, date, file->path, &what, err) : details_say(lake, date, file->path, &what, err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "%s", file->path);
    if (seen_count == seen_cap) {
        seen_cap = pncp_grow(seen_cap, seen_count + 1);
        seen = reallocarray(seen, seen_cap, sizeof(*seen));
        if (seen == NULL)
            abort();
    }
    seen[seen_count] = what;
    *ret_says = &seen[seen_count++];
    return PNCP_OK;
}

/* ---- text ------------------------------------------------------------------------------------ */

static bool is_id(const char *at, const char *end)
{
    size_t digits = 0;
    while (at + digits < end && isxdigit((unsigned char)at[digits]) && !isupper((unsigned char)at[digits]))
        digits++;
    return digits == ID_DIGITS;
}

static uint64_t text_says(const struct tree_file *file, const char *commit)
{
    uint64_t says = 0;
    const char *end = file->data + file->len;
    for (const char *at = file->data; at < end;) {
        if ((at == file->data || at[-1] == '"') && is_id(at, end)) {
            says = mix(says, strncmp(at, commit, ID_DIGITS) == 0 ? "this" : "some", 4);
            at += ID_DIGITS;
        } else {
            says = mix(says, at++, 1);
        }
    }
    return says;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static enum pncp_code read_files(struct pncp_lake *lake, struct pncp_date date, const struct tree *tree,
                                 struct state *state, struct pncp_err *err)
{
    char commit[PNCP_ID_BYTES] = "";
    for (int parquet = 1; parquet >= 0; parquet--) { /* first: texts may name the commit of the data */
        for (size_t i = 0; i < tree->count; i++) {
            const struct tree_file *file = &tree->files[i];
            struct pncp_view path = pncp_view_of(file->path);
            struct state_file *to = &state->files[state->count];
            const struct parquet_seen *what = NULL;
            if (pncp_view_starts(path, LOCKS) || pncp_view_starts(path, TEMPS) || pncp_view_starts(path, SPOOL) ||
                pncp_view_ends(path, ".parquet") != (parquet == 1))
                continue;
            enum pncp_code rc = parquet == 0 ? PNCP_OK : parquet_says(lake, date, file, &what, err);
            if (rc != PNCP_OK)
                return rc;
            if (what != NULL && what->commit[0] != '\0')
                memcpy(commit, what->commit, sizeof(commit));
            memcpy(to->path, file->path, sizeof(to->path));
            to->says = what != NULL ? what->says : text_says(file, commit);
            state->count++;
        }
    }
    return PNCP_OK;
}

enum pncp_code state_read(const char *folder, struct pncp_date date, struct state *ret_state, struct pncp_err *err)
{
    static struct tree tree; /* large */
    struct pncp_lake *lake;
    const struct pncp_lake_options options = {.run_id = "state"};
    tree_read(folder, &tree);
    ret_state->count = ret_state->temps = 0;
    for (size_t i = 0; i < tree.count; i++)
        ret_state->temps += pncp_view_starts(pncp_view_of(tree.files[i].path), TEMPS);
    enum pncp_code rc = pncp_lake_open(folder, &options, &lake, err);
    if (rc == PNCP_OK) {
        rc = read_files(lake, date, &tree, ret_state, err);
        pncp_lake_free(lake);
    }
    tree_release(&tree);
    return rc;
}

const struct state_file *state_find(const struct state *state, const char *path)
{
    for (size_t i = 0; i < state->count; i++) {
        if (strcmp(state->files[i].path, path) == 0)
            return &state->files[i];
    }
    return NULL;
}

static const char *missing_in(const struct state *a, const struct state *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct state_file *there = state_find(b, a->files[i].path);
        if (there == NULL || there->says != a->files[i].says)
            return a->files[i].path;
    }
    return NULL;
}

const char *state_difference(const struct state *a, const struct state *b)
{
    const char *path = missing_in(a, b);
    return path != NULL ? path : missing_in(b, a);
}
