/* The RLE / bit-packing hybrid: the specification's own bytes, there and back, and what is refused. */
#include "base/mem.h"
#include "parquet/rle.h"
#include "sample.h"

#define VALUES_MAX 2000

static void check_bytes(const uint16_t *values, size_t count, unsigned width, const char *want, size_t want_len)
{
    AUTO(pncp_buf_release) struct pncp_buf out = {0};
    assert_int_equal(pncp_rle_put(&out, values, count, width), PNCP_OK);
    assert_int_equal(out.len, want_len);
    assert_memory_equal(out.data, want, want_len);
}

/* Encodings.md: the numbers 0 to 7 with three bits each are 10001000 11000110 11111010. */
static void test_bytes_of_the_specification(void **state)
{
    (void)state;
    static const uint16_t counting[] = {0, 1, 2, 3, 4, 5, 6, 7};
    static const uint16_t same[300] = {0};
    uint16_t late[20] = {0, 1, 0};
    check_bytes(counting, 8, 3, "\x03\x88\xC6\xFA", 4);
    check_bytes(counting, 2, 3, "\x03\x08\x00\x00", 4); /* the group is filled up */
    check_bytes(same, 300, 1, "\xD8\x04\x00", 3);       /* a run of 300: 600 as a varint */
    check_bytes(same, 300, 9, "\xD8\x04\x00\x00", 4);   /* its value takes two bytes */
    check_bytes(late, 20, 1, "\x03\x02\x18\x00", 4);    /* a group, and what is left: a run of twelve */
    check_bytes(same, 7, 1, "\x03\x00", 2);             /* too short for a run */
    check_bytes(same, 0, 1, "", 0);
}

static void test_widths(void **state)
{
    (void)state;
    assert_int_equal(pncp_rle_width(0), 0);
    assert_int_equal(pncp_rle_width(1), 1);
    assert_int_equal(pncp_rle_width(2), 2);
    assert_int_equal(pncp_rle_width(5), 3);
    assert_int_equal(pncp_rle_width(32767), 15);
    assert_int_equal(pncp_rle_width(32768), 16);
}

/* Runs of one to forty, so that they begin and end anywhere in a group. */
static size_t fill(uint16_t *values, unsigned width, uint64_t seed)
{
    size_t count = 1 + pncp_splitmix(&seed) % VALUES_MAX, done = 0;
    size_t longest = 1 + pncp_splitmix(&seed) % 40;
    while (done < count) {
        uint16_t value = (uint16_t)(pncp_splitmix(&seed) & ((1u << width) - 1));
        for (size_t run = 1 + pncp_splitmix(&seed) % longest; run > 0 && done < count; run--)
            values[done++] = value;
    }
    return count;
}

static void test_there_and_back(void **state)
{
    (void)state;
    uint16_t values[VALUES_MAX], back[VALUES_MAX];
    for (uint64_t seed = 0; seed < 400; seed++) {
        AUTO(pncp_buf_release) struct pncp_buf out = {0};
        unsigned width = (unsigned)(1 + seed % 16);
        size_t count = fill(values, width, seed);
        assert_int_equal(pncp_rle_put(&out, values, count, width), PNCP_OK);
        assert_true(pncp_rle_get(pncp_buf_view(&out), width, count, back));
        assert_memory_equal(back, values, count * sizeof(*values));
        assert_true(pncp_rle_get(pncp_buf_view(&out), width, count / 2, back)); /* fewer than there are */
        assert_memory_equal(back, values, count / 2 * sizeof(*values));
        assert_int_equal(pncp_buf_append(&out, "??", 2), PNCP_OK); /* bytes of somebody else */
        assert_true(pncp_rle_get(pncp_buf_view(&out), width, count, back));
    }
}

static void test_cut_off(void **state)
{
    (void)state;
    uint16_t values[VALUES_MAX], back[VALUES_MAX];
    for (uint64_t seed = 0; seed < 40; seed++) {
        AUTO(pncp_buf_release) struct pncp_buf out = {0};
        unsigned width = (unsigned)(1 + seed % 16);
        size_t count = fill(values, width, seed);
        assert_int_equal(pncp_rle_put(&out, values, count, width), PNCP_OK);
        for (size_t len = 0; len < out.len; len++) {
            char *exact = pncp_malloc(len + 1); /* so that the sanitizer sees a byte read too far */
            assert_non_null(exact);
            memcpy(exact + 1, out.data, len);
            assert_false(pncp_rle_get((struct pncp_view){exact + 1, len}, width, count, back));
            pncp_free(exact);
        }
    }
}

static void test_unsound(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        unsigned width;
    } cases[] = {
        {"\x00\x00", 2, 1},                 /* a run of none */
        {"\x01\x00", 2, 1},                 /* no group */
        {"\x10\x02", 2, 1},                 /* a value of two bits where there is one */
        {"\x10\xFF\xFF", 3, 9},             /* of sixteen where there are nine */
        {"\xFF\xFF\xFF\xFF\x1F\x00", 6, 1}, /* a number of 33 bits */
        {"\xFF\xFF\xFF\xFF\xFF\x01\x00", 7, 1},
        {"\xFF\xFF\xFF\xFF\x0F\x00", 6, 1}, /* 2^31 - 1 groups in a byte */
    };
    uint16_t values[8];
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++)
        assert_false(pncp_rle_get((struct pncp_view){cases[i].bytes, cases[i].len}, cases[i].width, 8, values));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_of_the_specification),
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_unsound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
