/*
 * What every file of the project includes: attributes, the AUTO cleanup macro, and the replacements for the
 * functions of libc that we do not use (strcpy strcat sprintf strtok atoi gmtime localtime).
 */
#ifndef PNCP_BASE_H
#define PNCP_BASE_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt_arg, first_arg) __attribute__((format(printf, fmt_arg, first_arg)))
/* Run `release` on the variable's address when it leaves its scope. Success is explicit: cleanup means abort. */
#define AUTO(release) __attribute__((cleanup(release)))
#define PNCP_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define PNCP_MIN(a, b) ((a) < (b) ? (a) : (b))
#define PNCP_MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
