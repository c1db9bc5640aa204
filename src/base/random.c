#include "base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void pncp_random_bytes(void *data, size_t len)
{
    char *at = data;
    while (len > 0) {
        ssize_t done = getrandom(at, len, 0);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            abort(); /* no kernel we run on lacks getrandom: ids that repeat would break the commit protocol */
        at += done;
        len -= (size_t)done;
    }
}

void pncp_random_hex(size_t bytes, char *ret_text)
{
    pncp_random_bytes(ret_text + bytes, bytes);
    pncp_hex(ret_text + bytes, bytes, ret_text);
}

/* splitmix64, Steele, Lea, Flood 2014: constants of their reference. */
uint64_t pncp_splitmix(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

#define LANES 4

static uint64_t mix(uint64_t hash, const unsigned char *eight)
{
    uint64_t word;
    memcpy(&word, eight, sizeof(word));
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15); /* odd, so no two words give the same */
    return hash ^ hash >> 32;
}

uint64_t pncp_hash64(const void *data, size_t len, uint64_t seed)
{
    const unsigned char *at = data;
    uint64_t hash = seed ^ len;
    if (len >= 8 * LANES) { /* side by side: one after the other each word waits for a multiplication */
        uint64_t lanes[LANES] = {hash, ~hash, hash << 1, hash >> 1};
        for (; len >= 8 * LANES; at += 8 * LANES, len -= 8 * LANES) {
            for (size_t i = 0; i < LANES; i++)
                lanes[i] = mix(lanes[i], at + 8 * i);
        }
        for (size_t i = 0; i < LANES; i++)
            hash = mix(hash, (const unsigned char *)&lanes[i]);
    }
    for (; len >= 8; at += 8, len -= 8)
        hash = mix(hash, at);
    uint64_t tail = 0;
    for (size_t i = 0; i < len; i++) /* no call for a few bytes: most texts hashed are short */
        tail |= (uint64_t)at[i] << (8 * i);
    hash ^= tail;
    return pncp_splitmix(&hash);
}
