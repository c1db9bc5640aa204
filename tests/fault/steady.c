#include "steady.h"
#include "base/clock.h"
#include "base/random.h"

#include <stdio.h>

static uint32_t ids_seed, ids_given;

int64_t __wrap_pncp_clock_now_us(void);
uint64_t __wrap_pncp_clock_mono_ms(void);
void __wrap_pncp_random_hex(size_t bytes, char *ret_text);

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
