/*
 * A lot that waits in the spool, beside a day that has no rows yet.
 * Input: a byte, then a Parquet file. Byte even: the file as it is. Odd: with the key-values and the checksum of a lot
 * of this lake and day in its footer, when that can be read, so that its rows are looked at. True: the day is not held
 * up by it. It is committed, and then the day verifies, has its rows, each once, and no more of them when the same file
 * comes again; or it is set aside, and the day is as it was.
 */
#include "base/file.h"
#include "day/layout.h"
#include "day/spool.h"
#include "day/verify.h"
#include "fuzz.h"
#include "memory_lake.h"

#include <fcntl.h>
#include <unistd.h>

struct day {
    struct pncp_keyset *keys;
    struct pncp_data data;
};

static void day_open(struct day *day)
{
    FUZZ_CHECK(pncp_keyset_new(&day->keys) == PNCP_OK);
    FUZZ_CHECK(pncp_data_open(memory_lake(), memory_lake_date(), day->keys, &day->data, NULL) == PNCP_OK);
}

static void day_close(struct day *day)
{
    pncp_data_release(&day->data);
    pncp_keyset_free(day->keys);
}

static void day_remove(void)
{
    char path[PNCP_PLACE_BYTES];
    pncp_place_format(PNCP_PLACE_DATA, memory_lake_date(), path);
    FUZZ_CHECK(pncp_lake_remove(memory_lake(), path, NULL) == PNCP_OK);
}

/* ---- the file -------------------------------------------------------------------------------- */

static void append(struct pncp_buf *file, struct pncp_view bytes)
{
    FUZZ_CHECK(pncp_buf_append(file, bytes.data, bytes.len) == PNCP_OK);
}

/* The input's pages behind a footer that says that they are a lot of this lake and day. */
static void make_lot(struct pncp_view input, struct pncp_buf *file)
{
    AUTO(pncp_buf_release) struct pncp_buf tail = {0};
    AUTO(pncp_footer_release) struct pncp_footer footer = {0};
    struct pncp_source source = pncp_source_of_view(&input);
    const struct pncp_kv_pair kvs[] = {{"pncp.format", PNCP_VIEW_LIT("spool 1")},
                                       {"pncp.lake", pncp_view_of(pncp_lake_url(memory_lake()))},
                                       {"pncp.day", PNCP_VIEW_LIT("20251022")},
                                       {"pncp.run", PNCP_VIEW_LIT(MEMORY_LAKE_RUN)},
                                       {"pncp.n", PNCP_VIEW_LIT("1")},
                                       {PNCP_FOOTER_CRC_KEY, PNCP_VIEW_LIT(PNCP_FOOTER_CRC_BLANK)}};
    enum pncp_code rc = pncp_footer_read(&source, &footer, NULL);
    const struct pncp_footer_piece piece = {.footer = &footer,
                                            .count = footer.group_count,
                                            .at = footer.group_count > 0 ? footer.groups[0].offset
                                                                         : PNCP_PARQUET_MAGIC_BYTES};
    if (rc == PNCP_OK)
        rc = pncp_footer_build(&piece, 1, kvs, PNCP_ARRAY_LEN(kvs), &tail, NULL, NULL);
    input.len = rc == PNCP_OK ? (size_t)footer.data_end : input.len;
    append(file, input);
    append(file, pncp_buf_view(&tail));
}

struct place {
    char folder[128], path[256], damaged[280];
};

static struct place place_of_spool(void)
{
    struct place place;
    char tag[PNCP_LAKE_TAG_BYTES];
    pncp_lake_tag(memory_lake(), tag);
    (void)snprintf(place.folder, sizeof(place.folder), "%.100s/spool", pncp_lake_url(memory_lake()));
    (void)snprintf(place.path, sizeof(place.path), "%s/%s.20251022.1." MEMORY_LAKE_RUN ".1.parquet", place.folder, tag);
    (void)snprintf(place.damaged, sizeof(place.damaged), "%s.damaged", place.path);
    return place;
}

static void put(const struct place *place, const struct pncp_buf *file)
{
    FUZZ_CHECK(pncp_file_mkdirs(AT_FDCWD, place->folder, NULL) == PNCP_OK);
    AUTO(pncp_fd_close) int fd = open(place->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_CHECK(fd >= 0 && pncp_file_write(fd, file->data, file->len, place->path, NULL) == PNCP_OK);
}

/* ---- the oracle ------------------------------------------------------------------------------ */

struct told {
    unsigned times;
    bool problem, newer;
    int64_t rows;
};

static void tell(void *ctx, const char *name, int64_t contratacoes, const struct pncp_err *problem)
{
    struct told *told = ctx;
    FUZZ_CHECK(name[0] != '\0');
    FUZZ_CHECK(problem == NULL || fuzz_is_message(problem->msg, sizeof(problem->msg)));
    told->times++;
    told->problem = problem != NULL;
    told->newer = problem != NULL && problem->code == PNCP_E_NEWER;
    told->rows = contratacoes;
}

/* Those of the files that a run makes of the rows are missing. */
static void only_of_state(void *ctx, const char *text)
{
    (void)ctx;
    if (strstr(text, "/_state/") == NULL)
        (void)fprintf(stderr, "%s\n", text);
    FUZZ_CHECK(strstr(text, "/_state/") != NULL);
}

static void check_day(int64_t rows)
{
    struct pncp_verify verify = {.problem = only_of_state};
    struct day again;
    day_open(&again);
    FUZZ_CHECK(again.data.rows == rows && again.data.exists == (rows > 0));
    FUZZ_CHECK((int64_t)pncp_keyset_count(again.keys, PNCP_KEY_SAVED, 0) == rows);
    day_close(&again);
    FUZZ_CHECK(pncp_verify_day(memory_lake(), memory_lake_date(), &verify, NULL) == PNCP_OK);
    FUZZ_CHECK(verify.rows == rows);
}

static struct told take(struct day *day, const struct place *place, const struct pncp_buf *file)
{
    struct told told = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    put(place, file);
    enum pncp_code rc = pncp_spool_take(place->folder, &day->data, tell, &told, &err);
    if (rc != PNCP_OK)
        (void)fprintf(stderr, "%s\n", err.msg);
    FUZZ_CHECK(rc == PNCP_OK && told.times == 1);
    const char *left = !told.problem ? NULL : told.newer ? place->path : place->damaged;
    FUZZ_CHECK(left == NULL || unlink(left) == 0);
    FUZZ_CHECK(rmdir(place->folder) == 0); /* nothing else is there */
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_open(data, size);
    AUTO(pncp_buf_release) struct pncp_buf file = {0};
    struct place place = place_of_spool();
    struct day day;
    bool dressed = fuzz_byte(&in) % 2 == 1;
    if (dressed)
        make_lot(fuzz_rest(&in), &file);
    else
        append(&file, fuzz_rest(&in));
    day_open(&day);
    struct told told = take(&day, &place, &file);
    int64_t rows = day.data.rows;
    FUZZ_CHECK(rows <= told.rows);
    check_day(rows);
    if (!told.problem) {
        told = take(&day, &place, &file); /* once more */
        FUZZ_CHECK(!told.problem && day.data.rows == rows);
        check_day(rows);
    }
    day_close(&day);
    day_remove();
    return 0;
}
