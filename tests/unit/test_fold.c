/* Which row groups become one: the rule by table, what it bounds over hundreds of checkpoints, and that rows survive.
 */
#include "base/mem.h"
#include "base/random.h"
#include "day/data_int.h"
#include "rows_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NOLINTBEGIN(clang-analyzer-core.*): the analyzer does not know that cmocka's asserts end a test */

#define DETAILS "pncp_details/year=2025/month=10/day=22/details.parquet"
#define KIB ((uint64_t)1024)
#define MIB (KIB * 1024)

/* ---- the rule -------------------------------------------------------------------------------- */

/* `groups`: "15x3" fifteen groups of 3 rows, "2x100:900" two of 100 rows and 900 KiB (else 1 KiB a row). `folded`: the
 * first and last group folded and how many; none when count is 0. */
struct want {
    const char *groups;
    uint64_t lot_rows, lot_kib;
    size_t count, first, last, tail;
    bool with_lot;
};
static const struct want WANTS[] = {
    /* sixteen tiny ones, the lot counted */
    {"", 3, 3, 0, 0, 0, 0, false},
    {"14x3", 3, 3, 0, 0, 0, 0, false},
    {"15x3", 3, 3, 15, 0, 14, 0, true},
    {"15x15", 15, 15, 15, 0, 14, 0, true},
    {"15x3", 16, 16, 0, 0, 0, 0, false}, /* a small lot does not count */
    {"16x3", 16, 16, 16, 0, 15, 0, false},
    {"20x3", 3, 3, 16, 0, 15, 0, false}, /* the oldest sixteen; the lot waits */
    /* sixteen small ones */
    {"14x50", 50, 50, 0, 0, 0, 0, false},
    {"15x50", 50, 50, 15, 0, 14, 0, true},
    {"15x16", 255, 255, 15, 0, 14, 0, true},
    {"15x50", 15, 15, 0, 0, 0, 0, false},
    {"16x50", 15, 15, 16, 0, 15, 0, false},
    /* wherever they lie among the unsettled ones: a class cannot hide in the other */
    {"5x50 10x3 5x50 5x3", 3, 3, 15, 5, 24, 0, true},
    {"7x3 8x50 5x3 7x50", 50, 50, 15, 7, 26, 0, true},
    {"15x50 15x3", 3, 3, 15, 15, 29, 0, true},
    {"15x50 15x3", 50, 50, 15, 0, 14, 0, true},
    {"15x3 16x50", 3, 3, 16, 15, 30, 0, false}, /* both are due: the small ones first, they leave the unsettled */
    /* settled: 256 rows or 1 MiB; they end the search */
    {"15x50 1x256", 50, 50, 0, 0, 0, 16, false},
    {"15x50 1x2:1024", 50, 50, 0, 0, 0, 16, false},
    {"3x256 15x50", 50, 50, 15, 3, 17, 3, true},
    {"3x256 15x50", 256, 256, 0, 0, 0, 3, false},
    {"3x256 16x50", 256, 256, 16, 3, 18, 3, false}, /* a settled lot is no reason to wait */
    {"15x3", 3, 1024, 0, 0, 0, 0, false},
    /* as many of the oldest as stay within 2,000 rows … */
    {"15x200", 200, 200, 10, 0, 9, 0, false},
    {"15x133", 133, 133, 15, 0, 14, 0, false},
    {"15x125", 125, 125, 15, 0, 14, 0, true},
    /* … and 4 MiB; with more than that they do not wait for the sixteenth */
    {"15x50:500", 50, 500, 8, 0, 7, 0, false},
    {"4x50:900", 50, 400, 0, 0, 0, 0, false},
    {"4x50:900", 50, 900, 4, 0, 3, 0, false},
    {"4x3:900", 3, 900, 4, 0, 3, 0, false},
    {"4x50:800 1x20", 20, 850, 0, 0, 0, 0, false},
    {"4x50:800 1x20", 20, 900, 5, 0, 4, 0, false},
};

static void add_group(struct pncp_footer *footer, uint64_t rows, uint64_t bytes)
{
    footer->groups = pncp_realloc(footer->groups, footer->group_count + 1, sizeof(*footer->groups));
    assert_non_null(footer->groups);
    footer->groups[footer->group_count++] = (struct pncp_group){.rows = rows, .bytes = bytes};
}

static void make_groups(const char *text, struct pncp_footer *footer)
{
    *footer = (struct pncp_footer){0};
    while (*text != '\0') {
        char *end;
        unsigned long count = strtoul(text, &end, 10), rows = strtoul(end + 1, &end, 10), kib = rows;
        if (*end == ':')
            kib = strtoul(end + 1, &end, 10);
        while (count-- > 0)
            add_group(footer, rows, kib * KIB);
        text = end + (*end == ' ');
    }
}

static void sixteen_of_a_kind_become_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(WANTS); i++) {
        const struct want *w = &WANTS[i];
        struct pncp_footer footer;
        make_groups(w->groups, &footer);
        struct pncp_fold fold = pncp_fold_plan(&footer, w->lot_rows, w->lot_kib * KIB);
        if (fold.count != w->count || fold.with_lot != w->with_lot || fold.tail != w->tail ||
            (w->count > 0 && (fold.groups[0] != w->first || fold.groups[w->count - 1] != w->last)))
            fail_msg("\"%s\" + %d rows: %zu groups, %zu to %zu, lot %d, tail %zu", w->groups, (int)w->lot_rows,
                     fold.count, fold.groups[0], fold.groups[fold.count > 0 ? fold.count - 1 : 0], fold.with_lot,
                     fold.tail);
        for (size_t k = 0; k < fold.count; k++) { /* one class only, oldest first */
            assert_true(k == 0 || fold.groups[k] > fold.groups[k - 1]);
            assert_int_equal(footer.groups[fold.groups[k]].rows < 16, footer.groups[fold.groups[0]].rows < 16);
        }
        pncp_free(footer.groups);
    }
}

/* ---- hundreds of checkpoints, by the rule alone ---------------------------------------------- */

/* One append as append.c lays it out; `encoded` runs along with the groups: how often the rows of each were encoded. */
static void add_lot(struct pncp_footer *footer, unsigned **encoded, uint64_t rows, uint64_t bytes)
{
    struct pncp_fold fold = pncp_fold_plan(footer, rows, bytes);
    struct pncp_footer next = {0};
    unsigned *next_encoded = pncp_calloc(footer->group_count + 1, sizeof(*next_encoded)), most = 0;
    struct pncp_group folded = {0}, lot = {.rows = rows, .bytes = bytes};
    assert_non_null(next_encoded);
    for (size_t i = 0; i < fold.count; i++) {
        folded.rows += footer->groups[fold.groups[i]].rows;
        folded.bytes += footer->groups[fold.groups[i]].bytes;
        most = PNCP_MAX(most, (*encoded)[fold.groups[i]]);
    }
    folded.rows += fold.with_lot ? rows : 0;
    folded.bytes += fold.with_lot ? bytes : 0;
    assert_true(folded.rows <= 2000 && folded.bytes <= 4 * MIB);
    bool lot_first = !fold.with_lot && pncp_fold_is_settled(&lot);
    size_t keep = lot_first || (fold.count > 0 && pncp_fold_is_settled(&folded)) ? fold.tail
                  : fold.count > 0                                               ? fold.groups[0]
                                                                                 : footer->group_count;
    for (size_t i = 0; i < keep; i++) {
        next_encoded[next.group_count] = (*encoded)[i];
        add_group(&next, footer->groups[i].rows, footer->groups[i].bytes);
    }
    if (lot_first) {
        next_encoded[next.group_count] = 1;
        add_group(&next, rows, bytes);
    }
    if (fold.count > 0) {
        next_encoded[next.group_count] = most + 1;
        add_group(&next, folded.rows, folded.bytes);
    }
    for (size_t i = keep, k = 0; i < footer->group_count; i++) {
        while (k < fold.count && fold.groups[k] < i)
            k++;
        if (k < fold.count && fold.groups[k] == i)
            continue;
        next_encoded[next.group_count] = (*encoded)[i];
        add_group(&next, footer->groups[i].rows, footer->groups[i].bytes);
    }
    if (!fold.with_lot && !lot_first) {
        next_encoded[next.group_count] = 1;
        add_group(&next, rows, bytes);
    }
    pncp_free(footer->groups);
    pncp_free(*encoded);
    *footer = next;
    *encoded = next_encoded;
}

struct flow {
    const char *name;
    uint32_t lots[40]; /* in turn; 0 ends them */
    uint32_t kib_a_row;
    bool shuffled;
};

/* NOLINTNEXTLINE(readability-function-size): a table of flows and one loop over it */
static void at_most_thirty_unsettled_and_three_encodings(void **state)
{
    (void)state;
    static const struct flow flows[] = {
        {"1", {1}, 2, false},
        {"5", {5}, 2, false},
        {"15", {15}, 2, false},
        {"16", {16}, 2, false},
        {"50", {50}, 2, false},
        {"100", {100}, 2, false},
        {"255", {255}, 2, false},
        {"300", {300}, 2, false},
        {"mixed", {1, 5, 16, 50, 100, 300}, 2, true},
        {"mixed, none settled", {1, 5, 16, 50, 100}, 2, true},
        {"a small one among tiny ones", {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 16}, 2, false},
        {"in turn", {1, 16}, 2, false},
        {"runs of 505", {50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 5}, 2, false},
        {"a settled one among small ones", {50, 50, 50, 50, 50, 50, 50, 300}, 2, false},
        {"rows of 30 KiB", {1, 5, 16, 30, 34}, 30, true},
        {"rows of 300 KiB", {1, 2, 3, 4}, 300, true},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(flows); i++) {
        const struct flow *flow = &flows[i];
        struct pncp_footer footer = {0};
        unsigned *encoded = NULL;
        uint64_t random = i, rows = 0;
        size_t kinds = 0;
        while (flow->lots[kinds] != 0)
            kinds++;
        for (unsigned lot = 0; lot < 400; lot++) {
            uint32_t count = flow->lots[flow->shuffled ? pncp_splitmix(&random) % kinds : lot % kinds];
            add_lot(&footer, &encoded, count, count * flow->kib_a_row * KIB);
            rows += count;
            size_t unsettled = 0;
            uint64_t sum = 0, tail_bytes = 0;
            for (size_t g = 0; g < footer.group_count; g++) {
                bool settled = pncp_fold_is_settled(&footer.groups[g]);
                unsettled += !settled;
                sum += footer.groups[g].rows;
                tail_bytes += settled ? 0 : footer.groups[g].bytes;
                assert_true(!settled || unsettled == 0); /* together at the end */
                if (encoded[g] > 3)
                    fail_msg("%s: a row is encoded %u times", flow->name, encoded[g]);
            }
            if (unsettled > 30 || tail_bytes > 10 * MIB)
                fail_msg("%s: %zu unsettled groups, %d KiB", flow->name, unsettled, (int)(tail_bytes / KIB));
            assert_int_equal(sum, rows);
        }
        pncp_free(footer.groups);
        pncp_free(encoded);
    }
}

/* ---- with real files ------------------------------------------------------------------------- */

/* How often each row was encoded: a group whose bytes were not there before encodes all its rows. */
struct tracker {
    unsigned encoded[4000];
    uint64_t hashes[4000];
    size_t hash_count;
};

static void track(struct tracker *t, const struct rows_lake *lake)
{
    struct pncp_object object;
    struct pncp_footer footer;
    int sequencial = pncp_details_leaves()->sequencial;
    size_t unsettled = 0;
    assert_int_equal(pncp_lake_open_object(lake->lake, DETAILS, NULL, &object, NULL), PNCP_OK);
    assert_int_equal(pncp_footer_read(&object.source, &footer, NULL), PNCP_OK);
    for (size_t g = 0; g < footer.group_count; g++) {
        const struct pncp_group *group = &footer.groups[g];
        AUTO(pncp_free_ptr) char *bytes = pncp_malloc((size_t)group->bytes);
        assert_non_null(bytes);
        assert_int_equal(object.source.read_at(object.source.ctx, group->offset, bytes, (size_t)group->bytes, NULL),
                         PNCP_OK);
        uint64_t hash = pncp_hash64(bytes, (size_t)group->bytes, 0);
        bool known = false, settled = pncp_fold_is_settled(group);
        for (size_t i = 0; !known && i < t->hash_count; i++)
            known = t->hashes[i] == hash;
        unsettled += !settled;
        assert_true(!settled || unsettled == 0);
        assert_true(group->rows <= 2000 && group->bytes <= 4 * MIB);
        if (known)
            continue;
        t->hashes[t->hash_count++] = hash;
        AUTO(pncp_leaf_release) struct pncp_leaf leaf;
        pncp_leaf_init(&leaf, &pncp_details_schema()->leaves[sequencial]);
        assert_int_equal(pncp_parquet_read_leaf(NULL, &object.source, &footer, (size_t)sequencial, g, 1, &leaf, NULL),
                         PNCP_OK);
        for (size_t i = 0; i < group->rows; i++)
            assert_in_range(++t->encoded[pncp_leaf_int(&leaf, i)], 1, 3);
    }
    assert_in_range(unsettled, 0, 30);
    pncp_footer_release(&footer);
    pncp_object_release(&object);
}

static void append_flow(const uint32_t *lots, uint32_t kinds, uint32_t count)
{
    struct rows_lake lake;
    struct pncp_keyset *keys;
    struct pncp_data data;
    struct pncp_commit_result result;
    struct pncp_err err = PNCP_ERR_INIT;
    AUTO(pncp_free_ptr) struct tracker *tracker = pncp_calloc(1, sizeof(*tracker));
    uint32_t rows = 0;
    size_t folds = 0, settled_before_unsettled = 0;
    assert_non_null(tracker);
    rows_lake_open(&lake);
    assert_int_equal(pncp_keyset_new(&keys), PNCP_OK);
    assert_int_equal(pncp_data_open(lake.lake, lake.date, keys, &data, NULL), PNCP_OK);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t lot_rows = lots[i % kinds];
        struct pncp_table table;
        rows_table(&table, pncp_details_schema(), rows + 1, lot_rows);
        const struct pncp_lot lot = {.table = &table, .run_id = "run-1", .n = i + 1};
        if (pncp_data_append(&data, &lot, &result, &err) != PNCP_OK)
            fail_msg("%s", err.msg);
        pncp_table_release(&table);
        rows += lot_rows;
        folds += result.folded_groups > 0;
        settled_before_unsettled += pncp_fold_is_settled(&data.footer.groups[0]) &&
                                    !pncp_fold_is_settled(&data.footer.groups[data.footer.group_count - 1]);
        assert_int_equal(data.rows, rows);
        assert_int_equal(data.history[data.history_count - 1].contratacoes, lot_rows);
        track(tracker, &lake);
        if (i % 15 == 14 || i + 1 == count) {
            struct rows_read read;
            rows_read(lake.lake, DETAILS, pncp_details_schema(), &read);
            rows_assert_exactly(&read, pncp_details_schema(), rows);
            rows_read_release(&read);
        }
    }
    assert_true(folds >= 1 && settled_before_unsettled >= 1);
    pncp_data_release(&data);
    pncp_keyset_free(keys);
    rows_lake_close(&lake);
}

static void rows_survive_every_layout(void **state)
{
    (void)state;
    /* tiny folds, small folds, with and without the lot, settled lots among them */
    static const uint32_t mixed[] = {1, 5, 16, 2, 20, 1, 17, 3, 260, 1, 16, 4, 18, 2};
    append_flow(mixed, PNCP_ARRAY_LEN(mixed), 75);
    /* a fold that is settled while older ones are not: it goes before them */
    static const uint32_t tiny_first[] = {3, 2, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16};
    append_flow(tiny_first, PNCP_ARRAY_LEN(tiny_first), 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixteen_of_a_kind_become_one),
        cmocka_unit_test(at_most_thirty_unsettled_and_three_encodings),
        cmocka_unit_test(rows_survive_every_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
/* NOLINTEND(clang-analyzer-core.*) */
