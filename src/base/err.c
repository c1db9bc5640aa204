#include "base/err.h"
#include "base/view.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifdef __clang_analyzer__ /* err.h has them as macros for everyone else */
#undef pncp_err_set
#undef pncp_err_sys
#undef pncp_err_wrap
#endif

/* What a message quotes (a file name, a key from the API) may hold control characters: it stays one line. One that was
 * cut ends with a whole character. */
static void keep_one_line(char text[sizeof(((struct pncp_err *)0)->msg)])
{
    if (strlen(text) == sizeof(((struct pncp_err *)0)->msg) - 1)
        pncp_utf8_end_whole(text);
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            *text = '?';
    }
}

PRINTF_LIKE(3, 0) static void vset(struct pncp_err *err, enum pncp_code code, const char *fmt, va_list args)
{
    *err = (struct pncp_err){.code = code};
    (void)vsnprintf(err->msg, sizeof(err->msg), fmt, args);
    keep_one_line(err->msg);
}

enum pncp_code pncp_err_set(struct pncp_err *err, enum pncp_code code, const char *fmt, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, fmt);
        vset(err, code, fmt, args);
        va_end(args);
    }
    return code;
}

static bool os_error_passes(int os_errno)
{
    switch (os_errno) {
    case EAGAIN:
    case EINTR:
    case EBUSY:
    case EIO:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
    case ETIMEDOUT:
    case ESTALE:
        return true;
    default:
        return false;
    }
}

enum pncp_code pncp_err_sys(struct pncp_err *err, int os_errno, const char *fmt, ...)
{
    if (err == NULL)
        return PNCP_E_IO;
    va_list args;
    va_start(args, fmt);
    vset(err, PNCP_E_IO, fmt, args);
    va_end(args);
    err->os_errno = os_errno;
    err->transient = os_error_passes(os_errno);
    size_t used = strlen(err->msg);
    char text[128];
    (void)snprintf(err->msg + used, sizeof(err->msg) - used, ": %s", strerror_r(os_errno, text, sizeof(text)));
    return PNCP_E_IO;
}

enum pncp_code pncp_err_wrap(struct pncp_err *err, enum pncp_code rc, const char *fmt, ...)
{
    if (err == NULL)
        return rc;
    char inner[sizeof(err->msg)];
    memcpy(inner, err->msg, sizeof(inner));
    va_list args;
    va_start(args, fmt);
    int used = vsnprintf(err->msg, sizeof(err->msg), fmt, args);
    va_end(args);
    if (used >= 0 &&
        (size_t)used < sizeof(err->msg) && /* a message cut at the end is meant; gcc asks to use the result */
        snprintf(err->msg + used, sizeof(err->msg) - (size_t)used, ": %s", inner) < 0)
        err->msg[used] = '\0';
    keep_one_line(err->msg);
    return rc;
}

const char *pncp_code_name(enum pncp_code code)
{
    static const char *const names[] = {
        [PNCP_OK] = "ok",
        [PNCP_E_NOMEM] = "out of memory",
        [PNCP_E_USAGE] = "usage",
        [PNCP_E_NOTFOUND] = "not found",
        [PNCP_E_PARSE] = "parse",
        [PNCP_E_FOREIGN] = "foreign",
        [PNCP_E_NEWER] = "newer",
        [PNCP_E_LIMIT] = "limit",
        [PNCP_E_IO] = "io",
        [PNCP_E_CONFLICT] = "conflict",
        [PNCP_E_BUSY] = "busy",
        [PNCP_E_UNAVAILABLE] = "unavailable",
        [PNCP_E_CANCELLED] = "cancelled",
        [PNCP_E_UNSUPPORTED] = "unsupported",
    };
    return (size_t)code < PNCP_ARRAY_LEN(names) ? names[code] : "unknown";
}
