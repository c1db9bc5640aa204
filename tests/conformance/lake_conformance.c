/*
 * What every lake must do, whatever is behind it: lake_conformance URL, with the environment that the lake needs. The
 * URL is one that nobody else uses; tests/lake/test_conformance.py gives a folder and buckets of real servers.
 */
#include "base/mem.h"
#include "base/random.h"
#include "lake/lake.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB ((size_t)1024 * 1024)
#define PART ((size_t)5 * MIB) /* the least of a part of a multipart upload */
#define LOCK "pncp_details/_state/lock/conformance.commit"

static const char *lake_url;
static unsigned paths_given;

/* ---- fixture --------------------------------------------------------------------------------- */

struct place { /* an object that no other test has */
    struct pncp_lake *lake;
    char path[96];
    struct pncp_err err;
};

static void place_open(struct place *place)
{
    const struct pncp_lake_options options = {.run_id = "conformance", .create = true, .writable = true};
    *place = (struct place){.err = PNCP_ERR_INIT};
    if (pncp_lake_open(lake_url, &options, &place->lake, &place->err) != PNCP_OK)
        fail_msg("%s", place->err.msg);
    (void)snprintf(place->path, sizeof(place->path), "conformance/object=%u/details.bin", paths_given++);
}

static void place_close(struct place *place)
{
    pncp_lake_free(place->lake);
}

static void ok_at(struct place *place, enum pncp_code rc, int line)
{
    if (rc != PNCP_OK)
        fail_msg("line %d: %s: %s", line, pncp_code_name(rc), place->err.msg);
}
#define assert_ok(place, call) ok_at(place, call, __LINE__)

static const struct pncp_version nothing = {.text = ""};

static struct pncp_buf bytes_of(size_t len, uint64_t seed)
{
    struct pncp_buf buf = {0};
    assert_int_equal(pncp_buf_reserve(&buf, len), PNCP_OK);
    for (size_t at = 0; at < len; at += sizeof(uint64_t)) {
        uint64_t word = pncp_splitmix(&seed);
        memcpy(buf.data + at, &word, PNCP_MIN(sizeof(word), len - at));
    }
    buf.len = len;
    return buf;
}

static struct pncp_version version_now(struct place *place)
{
    struct pncp_object object;
    assert_ok(place, pncp_lake_open_object(place->lake, place->path, LOCK, &object, &place->err));
    struct pncp_version version = object.version;
    pncp_object_release(&object);
    return version;
}

static void assert_has(struct place *place, struct pncp_view expected)
{
    AUTO(pncp_buf_release) struct pncp_buf buf = {0};
    assert_ok(place, pncp_lake_load(place->lake, place->path, LOCK, &buf, NULL, &place->err));
    assert_int_equal(buf.len, expected.len);
    assert_true(expected.len == 0 || memcmp(buf.data, expected.data, expected.len) == 0);
}

static void assert_absent(struct place *place)
{
    struct pncp_object object;
    assert_int_equal(pncp_lake_open_object(place->lake, place->path, LOCK, &object, &place->err), PNCP_E_NOTFOUND);
}

static void put_bytes(struct place *place, struct pncp_view bytes)
{
    const struct pncp_body body = {.bytes = bytes};
    assert_ok(place, pncp_lake_put(place->lake, place->path, &body, &place->err));
}

static enum pncp_code write_bytes(struct place *place, const struct pncp_version *expected, const char *text,
                                  struct pncp_version *ret_version)
{
    const struct pncp_body body = {.bytes = pncp_view_of(text), .id = "c0ffee"};
    return pncp_lake_write_if(place->lake, place->path, LOCK, expected, &body, ret_version, &place->err);
}

static enum pncp_code splice(struct place *place, const struct pncp_version *expected, uint64_t keep,
                             const struct pncp_segment *segments, size_t count, struct pncp_version *ret_version)
{
    const struct pncp_splice splice = {
        .keep_bytes = keep, .segments = segments, .segment_count = count, .id = "c0ffee"};
    return pncp_lake_splice_if(place->lake, place->path, LOCK, expected, &splice, ret_version, &place->err);
}

/* ---- what is not there ----------------------------------------------------------------------- */

static void nothing_is_there(void **state)
{
    (void)state;
    struct place place;
    place_open(&place);
    struct pncp_buf buf = {0};
    assert_absent(&place);
    assert_int_equal(pncp_lake_load(place.lake, place.path, LOCK, &buf, NULL, &place.err), PNCP_E_NOTFOUND);
    assert_non_null(strstr(place.err.msg, place.path));
    assert_ok(&place, pncp_lake_remove(place.lake, place.path, &place.err));
    place_close(&place);
}

static void removed_it_is_gone(void **state)
{
    (void)state;
    struct place place;
    place_open(&place);
    put_bytes(&place, PNCP_VIEW_LIT("x"));
    assert_ok(&place, pncp_lake_remove(place.lake, place.path, &place.err));
    assert_absent(&place);
    assert_ok(&place, pncp_lake_remove(place.lake, place.path, &place.err));
    place_close(&place);
}

/* ---- whole objects --------------------------------------------------------------------------- */

static void comes_back(size_t len, bool staged)
{
    struct place place;
    place_open(&place);
    AUTO(pncp_buf_release) struct pncp_buf bytes = bytes_of(len, len + 1);
    if (!staged) {
        put_bytes(&place, pncp_buf_view(&bytes));
    } else {
        AUTO(pncp_stage_release) struct pncp_stage stage = PNCP_STAGE_INIT;
        const struct pncp_body body = {.stage = &stage};
        assert_ok(&place, pncp_stage_open(place.lake, &stage, &place.err));
        for (size_t at = 0; at < len; at += 100000)
            assert_ok(&place,
                      pncp_stage_append(&stage, bytes.data + at, PNCP_MIN((size_t)100000, len - at), &place.err));
        assert_ok(&place, pncp_lake_put(place.lake, place.path, &body, &place.err));
    }
    assert_has(&place, pncp_buf_view(&bytes));
    place_close(&place);
}

#define SIZE_TEST(name, bytes)                                                                                         \
    static void bytes_##name(void **state)                                                                             \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        comes_back(bytes, false);                                                                                      \
    }                                                                                                                  \
    static void staged_##name(void **state)                                                                            \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        comes_back(bytes, true);                                                                                       \
    }
SIZE_TEST(none, 0)
SIZE_TEST(one, 1)
SIZE_TEST(tail_less_one, 65535)
SIZE_TEST(tail, 65536)
SIZE_TEST(tail_and_one, 65537)
SIZE_TEST(part_less_one, PART - 1)
SIZE_TEST(part, PART)
SIZE_TEST(nine_mib, 9 * MIB + 7)

static void a_put_replaces(void **state)
{
    (void)state;
    struct place place;
    place_open(&place);
    put_bytes(&place, PNCP_VIEW_LIT("a longer text"));
    struct pncp_version before = version_now(&place);
    put_bytes(&place, PNCP_VIEW_LIT("short"));
    assert_has(&place, PNCP_VIEW_LIT("short"));
    struct pncp_version after = version_now(&place);
    assert_string_not_equal(before.text, after.text);
    place_close(&place);
}

static void names_with_odd_characters(void **state)
{
    (void)state;
    static const char *const odd[] = {"a b",    "a+b",   "a%2Fb",  "ção",      "a=b&c=d",
                                      "a'b\"c", "a#b?c", "(a)!*~", "a;b:c@d,e"};
    struct place place;
    place_open(&place);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(odd); i++) {
        (void)snprintf(place.path, sizeof(place.path), "conformance/odd/%s/x.json", odd[i]);
        put_bytes(&place, pncp_view_of(odd[i]));
        assert_has(&place, pncp_view_of(odd[i]));
    }
    place_close(&place);
}

/* ---- conditions ------------------------------------------------------------------------------ */

static void created_once(void **state)
{
    (void)state;
    struct place place;
    struct pncp_version version, other = {.text = "unset"};
    place_open(&place);
    assert_ok(&place, write_bytes(&place, &nothing, "one", &version));
    assert_string_equal(version_now(&place).text, version.text);
    assert_int_equal(write_bytes(&place, &nothing, "two", &other), PNCP_E_CONFLICT);
    assert_non_null(strstr(place.err.msg, place.path));
    assert_string_equal(other.text, "unset");
    assert_has(&place, PNCP_VIEW_LIT("one"));
    place_close(&place);
}

static void replaced_only_on_the_version_seen(void **state)
{
    (void)state;
    struct place place;
    struct pncp_version one, two, other;
    place_open(&place);
    assert_ok(&place, write_bytes(&place, &nothing, "one", &one));
    assert_ok(&place, write_bytes(&place, &one, "two", &two));
    assert_string_not_equal(one.text, two.text);
    assert_int_equal(write_bytes(&place, &one, "six", &other), PNCP_E_CONFLICT);
    assert_has(&place, PNCP_VIEW_LIT("two"));
    place_close(&place);
}

static void not_made_anew_when_it_is_gone(void **state)
{
    (void)state;
    struct place place;
    struct pncp_version one, other;
    place_open(&place);
    assert_ok(&place, write_bytes(&place, &nothing, "one", &one));
    assert_ok(&place, pncp_lake_remove(place.lake, place.path, &place.err));
    assert_int_equal(write_bytes(&place, &one, "two", &other), PNCP_E_CONFLICT);
    assert_absent(&place);
    place_close(&place);
}

static void a_load_tells_the_version(void **state)
{
    (void)state;
    struct place place;
    struct pncp_version version, next;
    AUTO(pncp_buf_release) struct pncp_buf buf = {0};
    place_open(&place);
    put_bytes(&place, PNCP_VIEW_LIT("x"));
    assert_ok(&place, pncp_lake_load(place.lake, place.path, LOCK, &buf, &version, &place.err));
    assert_ok(&place, write_bytes(&place, &version, "y", &next));
    assert_has(&place, PNCP_VIEW_LIT("y"));
    place_close(&place);
}

static void a_stage_outlives_a_conflict(void **state)
{
    (void)state;
    struct place place;
    struct pncp_version version, next;
    AUTO(pncp_stage_release) struct pncp_stage stage = PNCP_STAGE_INIT;
    const struct pncp_body body = {.stage = &stage};
    place_open(&place);
    put_bytes(&place, PNCP_VIEW_LIT("old"));
    assert_ok(&place, pncp_stage_open(place.lake, &stage, &place.err));
    assert_ok(&place, pncp_stage_append(&stage, "gone", 4, &place.err));
    assert_ok(&place, pncp_stage_empty(&stage, &place.err));
    assert_ok(&place, pncp_stage_append(&stage, "new", 3, &place.err));
    assert_int_equal(pncp_lake_write_if(place.lake, place.path, LOCK, &nothing, &body, &version, &place.err),
                     PNCP_E_CONFLICT);
    version = version_now(&place);
    assert_ok(&place, pncp_lake_write_if(place.lake, place.path, LOCK, &version, &body, &next, &place.err));
    assert_has(&place, PNCP_VIEW_LIT("new"));
    pncp_stage_release(&stage);
    place_close(&place);
}

/* ---- splicing -------------------------------------------------------------------------------- */

static void spliced_from_nothing(void **state)
{
    (void)state;
    struct place place;
    struct pncp_version version, other;
    const struct pncp_segment segments[] = {
        {.bytes = PNCP_VIEW_LIT("head")}, {.bytes = PNCP_VIEW_LIT("")}, {.bytes = PNCP_VIEW_LIT("-tail")}};
    place_open(&place);
    assert_ok(&place, splice(&place, &nothing, 0, segments, 3, &version));
    assert_has(&place, PNCP_VIEW_LIT("head-tail"));
    assert_string_equal(version_now(&place).text, version.text);
    assert_int_equal(splice(&place, &nothing, 0, segments, 3, &other), PNCP_E_CONFLICT);
    place_close(&place);
}

/* The first `keep` bytes of an object of `size`, a tail, ranges of the old version and of a stage between; and all of
 * that with one byte more. */
static void keeps(size_t size, size_t keep)
{
    struct place place;
    struct pncp_version version, next, other;
    AUTO(pncp_buf_release) struct pncp_buf bytes = bytes_of(size, 7), tail = bytes_of(70000, 8), expected = {0};
    AUTO(pncp_stage_release) struct pncp_stage stage = PNCP_STAGE_INIT;
    place_open(&place);
    assert_int_equal(pncp_stage_open(place.lake, &stage, NULL), PNCP_OK);
    assert_int_equal(pncp_stage_append(&stage, tail.data, tail.len, NULL), PNCP_OK);
    assert_int_equal(pncp_stage_flush(&stage, NULL), PNCP_OK);
    put_bytes(&place, pncp_buf_view(&bytes));
    version = version_now(&place);
    const struct pncp_segment segments[] = {{.bytes = pncp_buf_view(&tail)},
                                            {.from = size / 2, .len = size - size / 2},
                                            {.stage = &stage, .from = 5, .len = 40000},
                                            {.bytes = PNCP_VIEW_LIT("=")},
                                            {.from = 0, .len = 1}};
    const struct pncp_segment more[] = {{.bytes = PNCP_VIEW_LIT("+")}};
    assert_int_equal(pncp_buf_append(&expected, bytes.data, keep), PNCP_OK);
    assert_int_equal(pncp_buf_append(&expected, tail.data, tail.len), PNCP_OK);
    assert_int_equal(pncp_buf_append(&expected, bytes.data + size / 2, size - size / 2), PNCP_OK);
    assert_int_equal(pncp_buf_append(&expected, tail.data + 5, 40000), PNCP_OK);
    assert_int_equal(pncp_buf_append(&expected, "=", 1), PNCP_OK);
    assert_int_equal(pncp_buf_append(&expected, bytes.data, 1), PNCP_OK);
    assert_ok(&place, splice(&place, &version, keep, segments, PNCP_ARRAY_LEN(segments), &next));
    assert_has(&place, pncp_buf_view(&expected));
    assert_string_equal(version_now(&place).text, next.text);
    assert_string_not_equal(version.text, next.text);
    assert_int_equal(splice(&place, &version, keep, segments, 1, &other), PNCP_E_CONFLICT); /* lost to itself */
    assert_has(&place, pncp_buf_view(&expected));
    assert_ok(&place, splice(&place, &next, expected.len, more, 1, &other));
    assert_int_equal(pncp_buf_append(&expected, "+", 1), PNCP_OK);
    assert_has(&place, pncp_buf_view(&expected));
    pncp_stage_release(&stage);
    place_close(&place);
}

#define KEEP_TEST(name, size, keep)                                                                                    \
    static void keeps_##name(void **state)                                                                             \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        keeps(size, keep);                                                                                             \
    }
KEEP_TEST(nothing, 1000, 0)
KEEP_TEST(one_byte, 1000, 1)
KEEP_TEST(all, 1000, 1000)
KEEP_TEST(less_than_a_part, PART + 10, PART - 1)
KEEP_TEST(a_part, PART + 10, PART)
KEEP_TEST(more_than_a_part, PART + 10, PART + 1)
KEEP_TEST(eleven_mib, 11 * MIB, 11 * MIB)

static void kept_bytes_must_be_there(size_t size)
{
    struct place place;
    struct pncp_version version, other;
    AUTO(pncp_buf_release) struct pncp_buf bytes = bytes_of(size, 9);
    const struct pncp_segment beyond[] = {{.from = size - 1, .len = 2}}, tail[] = {{.bytes = PNCP_VIEW_LIT("x")}};
    place_open(&place);
    put_bytes(&place, pncp_buf_view(&bytes));
    version = version_now(&place);
    assert_int_equal(splice(&place, &version, size + 1, tail, 1, &other), PNCP_E_PARSE);
    assert_int_equal(splice(&place, &version, size, beyond, 1, &other), PNCP_E_PARSE);
    assert_has(&place, pncp_buf_view(&bytes));
    place_close(&place);
}

static void kept_bytes_of_a_small_one(void **state)
{
    (void)state;
    kept_bytes_must_be_there(1000);
}

static void kept_bytes_of_a_large_one(void **state)
{
    (void)state;
    kept_bytes_must_be_there(PART + 10);
}

static void not_spliced_when_it_is_gone(size_t size)
{
    struct place place;
    struct pncp_version version, other;
    AUTO(pncp_buf_release) struct pncp_buf bytes = bytes_of(size, 10);
    const struct pncp_segment tail[] = {{.bytes = PNCP_VIEW_LIT("x")}};
    place_open(&place);
    put_bytes(&place, pncp_buf_view(&bytes));
    version = version_now(&place);
    assert_ok(&place, pncp_lake_remove(place.lake, place.path, &place.err));
    assert_int_equal(splice(&place, &version, size, tail, 1, &other), PNCP_E_CONFLICT);
    assert_absent(&place);
    place_close(&place);
}

static void a_small_one_that_is_gone(void **state)
{
    (void)state;
    not_spliced_when_it_is_gone(1000);
}

static void a_large_one_that_is_gone(void **state)
{
    (void)state;
    not_spliced_when_it_is_gone(PART + 10);
}

/* What is kept is sent where the store does not copy so little, and not at all where it does. */
static void a_splice_tells_what_it_sent(void **state)
{
    (void)state;
    struct place place;
    struct pncp_version version;
    place_open(&place);
    uint64_t from = pncp_lake_keeps_from(place.lake);
    const size_t sizes[] = {1000, PART - 1, PART, PART + 10};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(sizes); i++) {
        AUTO(pncp_buf_release) struct pncp_buf bytes = bytes_of(sizes[i], i);
        uint64_t sent = 5; /* it grows */
        const struct pncp_segment tail[] = {{.bytes = PNCP_VIEW_LIT("0123456789")}};
        const struct pncp_splice add = {
            .keep_bytes = sizes[i], .segments = tail, .segment_count = 1, .id = "c0ffee", .sent = &sent};
        put_bytes(&place, pncp_buf_view(&bytes));
        version = version_now(&place);
        assert_ok(&place, pncp_lake_splice_if(place.lake, place.path, LOCK, &version, &add, &version, &place.err));
        uint64_t least = 5 + 10 + (sizes[i] < from ? sizes[i] : 0);
        assert_true(sent >= least && sent < least + 1000); /* with what names the parts */
    }
    place_close(&place);
}

static void appended_again_and_again(void **state)
{
    (void)state;
    struct place place;
    struct pncp_version version = nothing;
    AUTO(pncp_buf_release) struct pncp_buf all = {0};
    place_open(&place);
    for (unsigned i = 0; i < 12; i++) { /* over the least size of a part in the midst of it */
        AUTO(pncp_buf_release) struct pncp_buf more = bytes_of(700000, i + 20);
        const struct pncp_segment tail[] = {{.bytes = pncp_buf_view(&more)}};
        assert_ok(&place, splice(&place, &version, all.len, tail, 1, &version));
        assert_int_equal(pncp_buf_append(&all, more.data, more.len), PNCP_OK);
    }
    assert_has(&place, pncp_buf_view(&all));
    place_close(&place);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void read_in_any_order(void **state)
{
    (void)state;
    struct place place;
    struct pncp_object object;
    AUTO(pncp_buf_release) struct pncp_buf bytes = bytes_of(9 * MIB, 11);
    static char piece[300000];
    uint64_t random = 12;
    place_open(&place);
    put_bytes(&place, pncp_buf_view(&bytes));
    assert_ok(&place, pncp_lake_open_object(place.lake, place.path, LOCK, &object, &place.err));
    assert_int_equal(object.source.size, bytes.len);
    for (int i = 0; i < 60; i++) {
        size_t len = pncp_splitmix(&random) % sizeof(piece), at = pncp_splitmix(&random) % (bytes.len - len + 1);
        assert_ok(&place, object.source.read_at(object.source.ctx, at, piece, len, &place.err));
        assert_true(len == 0 || memcmp(piece, bytes.data + at, len) == 0);
    }
    assert_ok(&place, object.source.read_at(object.source.ctx, bytes.len, piece, 0, &place.err));
    assert_int_equal(object.source.read_at(object.source.ctx, bytes.len - 1, piece, 2, &place.err), PNCP_E_PARSE);
    pncp_object_release(&object);
    place_close(&place);
}

/* Whoever reads on after it was replaced gets the old bytes or is told; never others. */
static void a_reader_sees_one_version(bool removed)
{
    struct place place;
    struct pncp_object object;
    AUTO(pncp_buf_release) struct pncp_buf old = bytes_of(9 * MIB, 13), new = bytes_of(9 * MIB, 14);
    static char piece[1000];
    place_open(&place);
    put_bytes(&place, pncp_buf_view(&old));
    assert_ok(&place, pncp_lake_open_object(place.lake, place.path, LOCK, &object, &place.err));
    if (removed)
        assert_ok(&place, pncp_lake_remove(place.lake, place.path, &place.err));
    else
        put_bytes(&place, pncp_buf_view(&new));
    for (size_t at = 0; at < old.len; at += MIB) {
        enum pncp_code rc = object.source.read_at(object.source.ctx, at, piece, sizeof(piece), &place.err);
        assert_true(rc == PNCP_E_CONFLICT || (rc == PNCP_OK && memcmp(piece, old.data + at, sizeof(piece)) == 0));
    }
    pncp_object_release(&object);
    place_close(&place);
}

static void a_reader_of_what_is_replaced(void **state)
{
    (void)state;
    a_reader_sees_one_version(false);
}

static void a_reader_of_what_is_removed(void **state)
{
    (void)state;
    a_reader_sees_one_version(true);
}

static void a_load_has_a_ceiling(void **state)
{
    (void)state;
    struct place place;
    struct pncp_buf small = PNCP_BUF_INIT(4);
    place_open(&place);
    put_bytes(&place, PNCP_VIEW_LIT("12345"));
    assert_int_equal(pncp_lake_load(place.lake, place.path, LOCK, &small, NULL, &place.err), PNCP_E_LIMIT);
    assert_non_null(strstr(place.err.msg, place.path));
    pncp_buf_release(&small);
    place_close(&place);
}

/* ---- lists ----------------------------------------------------------------------------------- */

struct names {
    unsigned count, stop_at, found[4];
};

static bool count_name(void *ctx, const char *name)
{
    static const char *const known[] = {"a b.json", "ção.json", "folder", "0007.json"};
    struct names *names = ctx;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(known); i++)
        names->found[i] += strcmp(name, known[i]) == 0;
    return ++names->count != names->stop_at;
}

static void a_folder_tells_its_names(void **state)
{
    (void)state;
    static const char *const paths[] = {"conformance/list/a b.json", "conformance/list/ção.json",
                                        "conformance/list/folder/below.json", "conformance/list/folder/too.json",
                                        "conformance/list-not/other.json"};
    struct place place;
    struct names names = {0}, first = {.stop_at = 1}, none = {0};
    place_open(&place);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(paths); i++) {
        (void)snprintf(place.path, sizeof(place.path), "%s", paths[i]);
        put_bytes(&place, PNCP_VIEW_LIT("{}"));
    }
    assert_ok(&place, pncp_lake_list(place.lake, "conformance/list", count_name, &names, &place.err));
    assert_int_equal(names.count, 3);
    assert_true(names.found[0] == 1 && names.found[1] == 1 && names.found[2] == 1);
    assert_ok(&place, pncp_lake_list(place.lake, "conformance/list", count_name, &first, &place.err));
    assert_int_equal(first.count, 1);
    assert_ok(&place, pncp_lake_list(place.lake, "conformance/no-such-folder", count_name, &none, &place.err));
    assert_int_equal(none.count, 0);
    place_close(&place);
}

static void a_long_list(void **state)
{
    (void)state;
    struct place place;
    struct names names = {0};
    place_open(&place);
    for (unsigned i = 0; i < 1100; i++) { /* more than a page of S3 */
        (void)snprintf(place.path, sizeof(place.path), "conformance/long/%04u.json", i);
        put_bytes(&place, PNCP_VIEW_LIT("{}"));
    }
    assert_ok(&place, pncp_lake_list(place.lake, "conformance/long", count_name, &names, &place.err));
    assert_int_equal(names.count, 1100);
    assert_int_equal(names.found[3], 1);
    place_close(&place);
}

/* ---- holding --------------------------------------------------------------------------------- */

static const char *hold_path(const struct place *place)
{
    return pncp_lake_is_remote(place->lake) ? "pncp_details/_state/lease/conformance.json"
                                            : "pncp_details/_state/lock/conformance.run";
}

static void a_day_has_one_holder(void **state)
{
    (void)state;
    struct place place;
    struct pncp_hold first = PNCP_HOLD_INIT, second = PNCP_HOLD_INIT;
    const struct pncp_view one = PNCP_VIEW_LIT("{\"v\":1,\"run_id\":\"run-one\"}"),
                           two = PNCP_VIEW_LIT("{\"v\":1,\"run_id\":\"run-two\"}");
    place_open(&place);
    for (int i = 0; i < 2; i++) { /* given back, it can be had again */
        assert_ok(&place, pncp_lake_hold(place.lake, hold_path(&place), one, &first, &place.err));
        assert_int_equal(pncp_lake_hold(place.lake, hold_path(&place), two, &second, &place.err), PNCP_E_BUSY);
        assert_non_null(strstr(place.err.msg, "run-one"));
        pncp_hold_release(&first);
        assert_ok(&place, pncp_lake_hold(place.lake, hold_path(&place), two, &second, &place.err));
        pncp_hold_release(&second);
    }
    place_close(&place);
}

/* ---- races ----------------------------------------------------------------------------------- */

#define RACERS 8
struct racer {
    struct place *place;
    pthread_barrier_t *begin;
    const struct pncp_version *expected;
    size_t keep; /* 0: write_if */
    char text[16];
    enum pncp_code rc;
};

static void *race(void *arg)
{
    struct racer *racer = arg;
    struct pncp_version version;
    const struct pncp_segment tail = {.bytes = pncp_view_of(racer->text)};
    const struct pncp_body body = {.bytes = pncp_view_of(racer->text), .id = racer->text};
    const struct pncp_splice splice = {
        .keep_bytes = racer->keep, .segments = &tail, .segment_count = 1, .id = racer->text};
    struct place *place = racer->place;
    (void)pthread_barrier_wait(racer->begin);
    racer->rc = racer->keep == 0
                    ? pncp_lake_write_if(place->lake, place->path, LOCK, racer->expected, &body, &version, NULL)
                    : pncp_lake_splice_if(place->lake, place->path, LOCK, racer->expected, &splice, &version, NULL);
    return NULL;
}

/* Of those that have seen the same version one wins, and its bytes are there. */
static void one_wins(size_t keep, bool absent)
{
    struct place place;
    struct racer racers[RACERS];
    pthread_t threads[RACERS];
    pthread_barrier_t begin;
    place_open(&place);
    AUTO(pncp_buf_release) struct pncp_buf bytes = bytes_of(PNCP_MAX(keep, (size_t)10), 15);
    for (int round = 0; round < 5; round++) {
        struct pncp_version expected = nothing;
        assert_ok(&place, pncp_lake_remove(place.lake, place.path, &place.err));
        if (!absent) {
            put_bytes(&place, pncp_buf_view(&bytes));
            expected = version_now(&place);
        }
        (void)pthread_barrier_init(&begin, NULL, RACERS);
        for (int i = 0; i < RACERS; i++) {
            racers[i] = (struct racer){.place = &place, .begin = &begin, .expected = &expected, .keep = keep};
            (void)snprintf(racers[i].text, sizeof(racers[i].text), "racer %d", i);
            assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
        }
        int winner = -1;
        for (int i = 0; i < RACERS; i++) {
            (void)pthread_join(threads[i], NULL);
            assert_true(racers[i].rc == PNCP_E_CONFLICT || (racers[i].rc == PNCP_OK && winner < 0));
            winner = racers[i].rc == PNCP_OK ? i : winner;
        }
        (void)pthread_barrier_destroy(&begin);
        assert_true(winner >= 0);
        AUTO(pncp_buf_release) struct pncp_buf expect = {0};
        assert_int_equal(pncp_buf_append(&expect, bytes.data, keep), PNCP_OK);
        assert_int_equal(pncp_buf_text(&expect, racers[winner].text), PNCP_OK);
        assert_has(&place, pncp_buf_view(&expect));
    }
    place_close(&place);
}

static void one_creates(void **state)
{
    (void)state;
    one_wins(0, true);
}

static void one_replaces(void **state)
{
    (void)state;
    one_wins(0, false);
}

static void one_appends(void **state)
{
    (void)state;
    one_wins(1000, false);
}

static void one_appends_to_a_large_one(void **state)
{
    (void)state;
    one_wins(PART, false);
}

/* ---- the lake itself ------------------------------------------------------------------------- */

static void tell(void *ctx, const struct pncp_finding *finding)
{
    (void)ctx;
    if (finding->level == PNCP_FINDING_REFUSED)
        fail_msg("%s: %s", finding->what, finding->text);
}

static void it_can_be_trusted(void **state)
{
    (void)state;
    struct place place;
    place_open(&place);
    assert_ok(&place, pncp_lake_check(place.lake, tell, NULL, &place.err));
    struct names left = {0};
    assert_ok(&place, pncp_lake_list(place.lake, "pncp_details/_state/sonda", count_name, &left, &place.err));
    assert_int_equal(left.count, 0);
    place_close(&place);
}

static void what_is_fleeting_arrives(void **state)
{
    (void)state;
    struct place place, again;
    place_open(&place);
    for (unsigned i = 0; i < 20; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "number %u", i);
        const struct pncp_body body = {.bytes = pncp_view_of(text), .fleeting = true};
        assert_ok(&place, pncp_lake_put(place.lake, place.path, &body, &place.err));
    }
    place_close(&place); /* the last one, by then */
    place_open(&again);
    memcpy(again.path, place.path, sizeof(again.path));
    assert_has(&again, PNCP_VIEW_LIT("number 19"));
    place_close(&again);
}

static void its_name_is_its_own(void **state)
{
    (void)state;
    struct place place, other;
    char tag[PNCP_LAKE_TAG_BYTES], same[PNCP_LAKE_TAG_BYTES];
    place_open(&place);
    place_open(&other);
    pncp_lake_tag(place.lake, tag);
    pncp_lake_tag(other.lake, same);
    assert_string_equal(tag, same);
    assert_non_null(strstr(pncp_lake_url(place.lake), pncp_lake_is_remote(place.lake) ? "s3://" : "/"));
    place_close(&place);
    place_close(&other);
}

#define SIZE_TESTS(name) cmocka_unit_test(bytes_##name), cmocka_unit_test(staged_##name)

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: lake_conformance URL\n");
        return 2;
    }
    lake_url = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_there),
        cmocka_unit_test(removed_it_is_gone),
        SIZE_TESTS(none),
        SIZE_TESTS(one),
        SIZE_TESTS(tail_less_one),
        SIZE_TESTS(tail),
        SIZE_TESTS(tail_and_one),
        SIZE_TESTS(part_less_one),
        SIZE_TESTS(part),
        SIZE_TESTS(nine_mib),
        cmocka_unit_test(a_put_replaces),
        cmocka_unit_test(names_with_odd_characters),
        cmocka_unit_test(created_once),
        cmocka_unit_test(replaced_only_on_the_version_seen),
        cmocka_unit_test(not_made_anew_when_it_is_gone),
        cmocka_unit_test(a_load_tells_the_version),
        cmocka_unit_test(a_stage_outlives_a_conflict),
        cmocka_unit_test(spliced_from_nothing),
        cmocka_unit_test(keeps_nothing),
        cmocka_unit_test(keeps_one_byte),
        cmocka_unit_test(keeps_all),
        cmocka_unit_test(keeps_less_than_a_part),
        cmocka_unit_test(keeps_a_part),
        cmocka_unit_test(keeps_more_than_a_part),
        cmocka_unit_test(keeps_eleven_mib),
        cmocka_unit_test(kept_bytes_of_a_small_one),
        cmocka_unit_test(kept_bytes_of_a_large_one),
        cmocka_unit_test(a_small_one_that_is_gone),
        cmocka_unit_test(a_large_one_that_is_gone),
        cmocka_unit_test(a_splice_tells_what_it_sent),
        cmocka_unit_test(appended_again_and_again),
        cmocka_unit_test(read_in_any_order),
        cmocka_unit_test(a_reader_of_what_is_replaced),
        cmocka_unit_test(a_reader_of_what_is_removed),
        cmocka_unit_test(a_load_has_a_ceiling),
        cmocka_unit_test(a_folder_tells_its_names),
        cmocka_unit_test(a_long_list),
        cmocka_unit_test(a_day_has_one_holder),
        cmocka_unit_test(one_creates),
        cmocka_unit_test(one_replaces),
        cmocka_unit_test(one_appends),
        cmocka_unit_test(one_appends_to_a_large_one),
        cmocka_unit_test(it_can_be_trusted),
        cmocka_unit_test(what_is_fleeting_arrives),
        cmocka_unit_test(its_name_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
