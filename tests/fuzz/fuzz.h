/*
 * What the fuzz targets share. A target is one file: LLVMFuzzerTestOneInput, called with bytes that may be anything,
 * and an oracle that holds for all of them. It is linked twice: with libFuzzer as fuzz_NAME (clang, -Dfuzz=true; run by
 * ./dev fuzz), and with replay.c as replay_NAME, which runs it over corpus/NAME in the ordinary test run.
 *
 * Nothing is written outside of memory: files are memfds, the lakes of falhas, spool and state lie in /dev/shm where
 * there is one. Each target's head says how its bytes are read and what it holds true. The first seeds come from
 * make_corpus.py; an input that found a bug is added under a name that begins with `bug_`.
 */
#ifndef PNCP_FUZZ_H
#define PNCP_FUZZ_H

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The oracle: what is not true ends the process, in every build. */
#define FUZZ_CHECK(condition)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                            \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* ---- the input, taken from its front --------------------------------------------------------- */

struct fuzz_input {
    const char *at, *end;
};

static inline struct fuzz_input fuzz_open(const uint8_t *data, size_t size)
{
    const char *at = size == 0 ? "" : (const char *)data;
    return (struct fuzz_input){at, at + size};
}

static inline bool fuzz_empty(const struct fuzz_input *in)
{
    return in->at == in->end;
}

/* The next byte; 0 at the end. */
static inline unsigned fuzz_byte(struct fuzz_input *in)
{
    return fuzz_empty(in) ? 0 : (unsigned char)*in->at++;
}

/* The next two, the low one first. */
static inline unsigned fuzz_pair(struct fuzz_input *in)
{
    unsigned low = fuzz_byte(in);
    return low | fuzz_byte(in) << 8;
}

/* Up to `mark`, which is passed over, or to the end. */
static inline struct pncp_view fuzz_until(struct fuzz_input *in, char mark)
{
    size_t left = (size_t)(in->end - in->at);
    const char *found = memchr(in->at, mark, left), *begin = in->at;
    size_t len = found == NULL ? left : (size_t)(found - begin);
    in->at = found == NULL ? in->end : found + 1;
    return (struct pncp_view){begin, len};
}

static inline struct pncp_view fuzz_rest(struct fuzz_input *in)
{
    struct pncp_view rest = {in->at, (size_t)(in->end - in->at)};
    in->at = in->end;
    return rest;
}

/* ---- copies with nothing behind them, so that reading on is seen ----------------------------- */

/* For AUTO(pncp_free_ptr) char *copy. */
static inline char *fuzz_exact(struct pncp_view text)
{
    char *copy = pncp_malloc(text.len > 0 ? text.len : 1);
    FUZZ_CHECK(copy != NULL);
    memcpy(copy, text.data, text.len);
    return copy;
}

/* The same with a NUL; it ends at the first NUL of the text. */
static inline char *fuzz_string(struct pncp_view text)
{
    size_t len = strnlen(text.data, text.len);
    char *copy = pncp_malloc(len + 1);
    FUZZ_CHECK(copy != NULL);
    memcpy(copy, text.data, len);
    copy[len] = '\0';
    return copy;
}

/* Something for a person to read: not empty, terminated. */
static inline bool fuzz_is_message(const char *text, size_t size)
{
    size_t len = strnlen(text, size);
    return len > 0 && len < size;
}

#endif
