#include "steady.h"
#include "base/clock.h"
#include "base/random.h"
#include "table/table.h"

#include <stdio.h>
#include <time.h>

static uint32_t ids_seed, ids_given;
static bool large_columns;

int64_t __wrap_pncp_clock_now_us(void);
uint64_t __wrap_pncp_clock_mono_ms(void);
void __wrap_pncp_random_hex(size_t bytes, char *ret_text);
int __wrap_nanosleep(const struct timespec *wait, struct timespec *ret_left);
size_t __real_pncp_leaf_bytes(const struct pncp_leaf *leaf);
size_t __wrap_pncp_leaf_bytes(const struct pncp_leaf *leaf);

void steady_ids(uint32_t seed)
{
    ids_seed = seed;
    ids_given = 0;
}

int64_t __wrap_pncp_clock_now_us(void)
{
    return STEADY_NOW_S * 1000000;
}

uint64_t __wrap_pncp_clock_mono_ms(void)
{
    return 1;
}

void __wrap_pncp_random_hex(size_t bytes, char *ret_text)
{
    uint64_t state = ((uint64_t)ids_seed << 32) + ids_given++;
    for (size_t done = 0; done < 2 * bytes; done += 2)
        (void)snprintf(ret_text + done, 3, "%02x", (unsigned)(pncp_splitmix(&state) & 255));
}

int __wrap_nanosleep(const struct timespec *wait, struct timespec *ret_left)
{
    (void)wait;
    (void)ret_left;
    return 0;
}

void steady_large_columns(bool large)
{
    large_columns = large;
}

size_t __wrap_pncp_leaf_bytes(const struct pncp_leaf *leaf)
{
    return large_columns ? (size_t)1 << 30 : __real_pncp_leaf_bytes(leaf);
}
