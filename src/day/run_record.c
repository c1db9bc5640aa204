#include "day/run_record.h"
#include "base/json_writer.h"
#include "base/mem.h"
#include "day/data.h"
#include "day/layout.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_MAX_BYTES ((size_t)8 * 1024 * 1024) /* ten years in one run */
#define SUFFIX ".json"

enum pncp_code pncp_run_record_save(struct pncp_lake *lake, const struct pncp_run_record *r, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    char path[PNCP_PLACE_BYTES];
    struct pncp_json_writer w;
    pncp_place_run_record(r->run_id, path);
    pncp_json_writer_init(&w, &text);
    pncp_json_object_begin(&w);
    pncp_json_field_int(&w, "v", 1);
    pncp_json_field_text(&w, "run_id", pncp_view_of(r->run_id));
    pncp_json_field_time(&w, "started_at", r->started_us);
    pncp_json_field_time(&w, "ended_at", r->ended_us);
    pncp_json_field_text(&w, "version", pncp_view_of(r->version));
    pncp_json_key(&w, "argv");
    pncp_json_array_begin(&w);
    for (int i = 0; i < r->argc; i++)
        pncp_json_put_text(&w, pncp_view_of(r->argv[i]));
    pncp_json_array_end(&w);
    pncp_json_field_text(&w, "host", pncp_view_of(r->host));
    if (r->scheduler_run_id != NULL)
        pncp_json_field_text(&w, "scheduler_run_id", pncp_view_of(r->scheduler_run_id));
    pncp_json_key(&w, "urls");
    pncp_json_object_begin(&w);
    pncp_json_field_text(&w, "consulta", pncp_view_of(r->consulta_url));
    pncp_json_field_text(&w, "detail", pncp_view_of(r->detail_url));
    pncp_json_object_end(&w);
    pncp_json_key(&w, "summary");
    pncp_json_put_raw(&w, r->summary);
    pncp_json_object_end(&w);
    if (pncp_json_writer_end(&w) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "%s: out of memory", path);
    const struct pncp_body body = {.bytes = pncp_buf_view(&text)};
    return pncp_lake_put(lake, path, &body, err);
}

/* ---- reading --------------------------------------------------------------------------------- */

struct names { /* of records, on the way to be sorted */
    char (*each)[PNCP_RUN_ID_BYTES];
    size_t count, cap;
    char since[PNCP_STAMP_BASIC_BYTES]; /* as run ids begin */
    bool no_memory;
};

static void release_names(struct names *names)
{
    pncp_free(names->each);
}

static bool take_name(void *ctx, const char *name)
{
    struct names *names = ctx;
    size_t len = strlen(name), id_len = len - (sizeof(SUFFIX) - 1);
    if (len <= sizeof(SUFFIX) - 1 || id_len >= PNCP_RUN_ID_BYTES || strcmp(name + id_len, SUFFIX) != 0 ||
        strcmp(name, names->since) < 0)
        return true;
    if (names->count == names->cap) {
        size_t cap = pncp_grow(names->cap, names->count + 1);
        void *each = pncp_realloc(names->each, cap, sizeof(*names->each));
        names->no_memory = each == NULL;
        if (names->no_memory)
            return false;
        names->each = each;
        names->cap = cap;
    }
    char *to = names->each[names->count++];
    memcpy(to, name, id_len);
    to[id_len] = '\0';
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static enum pncp_code list_names(struct pncp_lake *lake, int64_t since_us, struct names *names, struct pncp_err *err)
{
    pncp_stamp_format_basic(since_us, names->since);
    enum pncp_code rc = pncp_lake_list(lake, PNCP_PLACE_RUN_RECORDS, take_name, names, err);
    if (rc == PNCP_OK && names->no_memory)
        rc = pncp_err_set(err, PNCP_E_NOMEM, "run records: out of memory");
    if (names->count > 0)
        qsort(names->each, names->count, sizeof(*names->each), by_name);
    return rc;
}

static enum pncp_code read_record(struct pncp_lake *lake, const char *run_id,
                                  enum pncp_code (*each)(void *ctx, yyjson_val *record, struct pncp_err *err),
                                  void *ctx, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf text = PNCP_BUF_INIT(RECORD_MAX_BYTES);
    AUTO(pncp_json_release) struct pncp_json json = {0};
    char path[PNCP_PLACE_BYTES];
    pncp_place_run_record(run_id, path);
    enum pncp_code rc = pncp_lake_load(lake, path, NULL, &text, NULL, err);
    if (rc == PNCP_E_NOTFOUND || rc == PNCP_E_LIMIT)
        return PNCP_OK;
    if (rc != PNCP_OK)
        return rc;
    rc = pncp_json_parse(pncp_buf_view(&text), &json, NULL, NULL);
    if (rc == PNCP_E_NOMEM)
        return pncp_err_set(err, rc, "run records: out of memory");
    return rc == PNCP_OK && yyjson_is_obj(json.root) ? each(ctx, json.root, err) : PNCP_OK;
}

enum pncp_code pncp_run_record_each(struct pncp_lake *lake, int64_t since_us,
                                    enum pncp_code (*each)(void *ctx, yyjson_val *record, struct pncp_err *err),
                                    void *ctx, struct pncp_err *err)
{
    AUTO(release_names) struct names names = {0};
    enum pncp_code rc = list_names(lake, since_us, &names, err);
    for (size_t i = 0; rc == PNCP_OK && i < names.count; i++)
        rc = read_record(lake, names.each[i], each, ctx, err);
    return rc;
}
