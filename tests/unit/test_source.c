/* Bytes of a file, wherever they are; and through a window. */
#include "base/random.h"
#include "parquet/parquet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define FILE_BYTES ((size_t)20000)

static char file[FILE_BYTES];
static const struct pncp_view file_view = {file, FILE_BYTES};

/* The file, counting how often and how much is read of it; it fails while told to. */
struct counted {
    unsigned reads;
    uint64_t bytes;
    bool fails;
};

static enum pncp_code read_counted(void *ctx, uint64_t offset, void *data, size_t len, struct pncp_err *err)
{
    struct counted *counted = ctx;
    counted->reads++;
    counted->bytes += len;
    if (counted->fails) {
        memset(data, 0, len);
        return pncp_err_set(err, PNCP_E_CONFLICT, "another version");
    }
    const struct pncp_source source = pncp_source_of_view(&file_view);
    return source.read_at(source.ctx, offset, data, len, err);
}

static int fill_file(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (size_t i = 0; i < FILE_BYTES; i++)
        file[i] = (char)pncp_splitmix(&seed);
    return 0;
}

static void check_read(const struct pncp_source *source, uint64_t offset, size_t len)
{
    static char got[FILE_BYTES];
    struct pncp_err err = PNCP_ERR_INIT;
    memset(got, 0, len);
    assert_int_equal(source->read_at(source->ctx, offset, got, len, &err), PNCP_OK);
    if (len > 0)
        assert_memory_equal(got, file + offset, len);
}

/* The file through a window; not to be moved. */
struct window {
    struct counted counted;
    struct pncp_source whole, source;
    struct pncp_read_ahead ahead;
};

static void window_open(struct window *ret_window)
{
    *ret_window = (struct window){
        .whole = {.read_at = read_counted, .ctx = &ret_window->counted, .size = FILE_BYTES},
        .ahead = {.source = &ret_window->whole},
    };
    ret_window->source = pncp_source_of_ahead(&ret_window->ahead);
}

static void test_ahead_reads_what_is_there(void **state)
{
    (void)state;
    struct window w;
    window_open(&w);
    uint64_t seed = 2;
    assert_int_equal(w.source.size, FILE_BYTES);
    for (int i = 0; i < 20000; i++) {
        uint64_t offset = pncp_splitmix(&seed), len = pncp_splitmix(&seed);
        len %= i % 5 == 0 ? 2 * PNCP_READ_AHEAD_BYTES : 100;
        if (i % 4 == 0)
            offset %= FILE_BYTES + 1;
        else /* near the window's ends */
            offset = PNCP_MIN(w.ahead.at + (i % 2 == 0 ? w.ahead.len : 0) + offset % 64, FILE_BYTES);
        check_read(&w.source, offset, (size_t)PNCP_MIN(len, FILE_BYTES - offset));
    }
}

static void test_ahead_reads_once_what_is_in_order(void **state)
{
    (void)state;
    struct window w;
    window_open(&w);
    for (size_t at = 0; at < FILE_BYTES; at += 250)
        check_read(&w.source, at, 250);
    assert_int_equal(w.counted.reads, 5); /* four windows and a rest */
    assert_int_equal(w.counted.bytes, FILE_BYTES);
    w.counted = (struct counted){0};
    check_read(&w.source, 100, PNCP_READ_AHEAD_BYTES); /* as long as the window: past it */
    assert_int_equal(w.counted.bytes, PNCP_READ_AHEAD_BYTES);
}

static void test_ahead_tells_what_fails(void **state)
{
    (void)state;
    struct window w;
    window_open(&w);
    struct pncp_err err = PNCP_ERR_INIT;
    char got[300];
    static const uint64_t beyond[] = {FILE_BYTES - 99, FILE_BYTES, FILE_BYTES + 1, UINT64_MAX - 50};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(beyond); i++) {
        check_read(&w.source, FILE_BYTES - 200, 101); /* the window ends with the file */
        assert_int_equal(w.source.read_at(w.source.ctx, beyond[i], got, 100, &err), PNCP_E_PARSE);
    }
    check_read(&w.source, 0, 10);
    w.counted.fails = true;
    check_read(&w.source, 10, 100); /* it is at hand */
    assert_int_equal(w.source.read_at(w.source.ctx, PNCP_READ_AHEAD_BYTES - 50, got, 100, &err), PNCP_E_CONFLICT);
    assert_string_equal(err.msg, "another version");
    w.counted.fails = false;
    check_read(&w.source, PNCP_READ_AHEAD_BYTES - 50, 100); /* nothing of what failed is believed */
    check_read(&w.source, 0, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ahead_reads_what_is_there),
        cmocka_unit_test(test_ahead_reads_once_what_is_in_order),
        cmocka_unit_test(test_ahead_tells_what_fails),
    };
    return cmocka_run_group_tests(tests, fill_file, NULL);
}
