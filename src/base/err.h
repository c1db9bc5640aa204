/*
 * Errors: a code for the program, one line for a person. Set where the fact is known, wrapped with context on the
 * way out (pncp_err_wrap), printed once, by cli/. Reporting never allocates; a NULL `err` is accepted everywhere.
 */
#ifndef PNCP_ERR_H
#define PNCP_ERR_H

#include "base/base.h"

enum pncp_code {
    PNCP_OK = 0,
    PNCP_E_NOMEM,       /* an allocation failed */
    PNCP_E_USAGE,       /* the caller's (a person's) request makes no sense */
    PNCP_E_NOTFOUND,    /* no such object: often a first run, not a fault */
    PNCP_E_PARSE,       /* damaged or malformed input */
    PNCP_E_FOREIGN,     /* sound, but not written by this program */
    PNCP_E_NEWER,       /* written by a newer format than this build knows */
    PNCP_E_LIMIT,       /* a named ceiling was passed */
    PNCP_E_IO,          /* the operating system said no; err->os_errno is set */
    PNCP_E_CONFLICT,    /* the object is no longer the version expected */
    PNCP_E_BUSY,        /* held by another process */
    PNCP_E_UNAVAILABLE, /* an API or store gave no usable answer */
    PNCP_E_CANCELLED,   /* a signal or a limit stopped the work */
    PNCP_E_UNSUPPORTED, /* this build or this system cannot do that */
};

struct pncp_err {
    enum pncp_code code;
    bool transient;   /* the same call may succeed later */
    int os_errno;     /* 0: the operating system was not involved */
    long http_status; /* 0: no response arrived */
    char msg[512];    /* one line, lower case, no full stop */
};

#define PNCP_ERR_INIT ((struct pncp_err){.code = PNCP_OK})

/* Fill `err` and return `code`, so that a failing path is one statement: return pncp_err_set(err, PNCP_E_PARSE, "…").
 */
enum pncp_code pncp_err_set(struct pncp_err *err, enum pncp_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* As above with PNCP_E_IO, errno's text appended and err->os_errno set. `transient` is set for errors that space or
 * time can mend: EAGAIN EINTR EBUSY EIO EMFILE ENFILE ENOMEM ENOSPC EDQUOT ETIMEDOUT ESTALE. */
enum pncp_code pncp_err_sys(struct pncp_err *err, int os_errno, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Put "context: " before the message; returns err->code (PNCP_E_IO when err is NULL is never produced: the caller
 * passes its own `rc` on when it may have a NULL err). */
enum pncp_code pncp_err_wrap(struct pncp_err *err, enum pncp_code rc, const char *fmt, ...) PRINTF_LIKE(3, 4);

#ifdef __clang_analyzer__ /* it reads one file at a time: what these return is the code that they were given */
#define pncp_err_set(err, code, ...) ((void)pncp_err_set(err, code, __VA_ARGS__), (code))
#define pncp_err_sys(err, os_errno, ...) ((void)pncp_err_sys(err, os_errno, __VA_ARGS__), PNCP_E_IO)
#define pncp_err_wrap(err, rc, ...) ((void)pncp_err_wrap(err, rc, __VA_ARGS__), (rc))
#endif

/* Mark what was set, unless err is NULL: the same call may succeed later. Returns `code`. */
static inline enum pncp_code pncp_err_transient(struct pncp_err *err, enum pncp_code code)
{
    if (err != NULL)
        err->transient = true;
    return code;
}

/* A short stable name, "parse", "io" …; for logs. */
const char *pncp_code_name(enum pncp_code code);

#endif
