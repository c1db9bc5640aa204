/*
 * The simulator's only source of chance: a hash. Every generated value and every fault is a pure function of the seed
 * and of what is asked, so that two runs, and two processes, give the same bytes. Kept apart from base/random.h because
 * a change there must not change generated days.
 *
 * Finaliser: splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
 */
#ifndef SIM_MIX_H
#define SIM_MIX_H

#include "base/base.h"

static inline uint64_t sim_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint64_t sim_mix2(uint64_t a, uint64_t b)
{
    return sim_mix(a ^ sim_mix(b));
}

/* 0 .. n-1, for n far below 2^32 (the bias is then below 2^-32 * n). `salt` names the question, one per use. */
static inline uint32_t sim_pick(uint64_t hash, uint64_t salt, uint32_t n)
{
    return (uint32_t)(((sim_mix2(hash, salt) >> 32) * n) >> 32);
}

/* True once in `n`. */
static inline bool sim_once_in(uint64_t hash, uint64_t salt, uint32_t n)
{
    return sim_pick(hash, salt, n) == 0;
}

/* 0 <= u < 1, from the top 53 bits. */
static inline double sim_unit(uint64_t hash)
{
    return (double)(hash >> 11) * 0x1.0p-53;
}

/* Bytes of a key or URL; FNV-1a and a finaliser. */
static inline uint64_t sim_mix_bytes(const char *data, size_t len, uint64_t seed)
{
    uint64_t h = 0xcbf29ce484222325u ^ seed;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)data[i]) * 0x100000001b3u;
    return sim_mix(h);
}

#endif
