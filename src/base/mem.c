#include "base/mem.h"

#include <malloc.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *pncp_malloc(size_t bytes)
{
    return malloc(bytes == 0 ? 1 : bytes);
}

void *pncp_calloc(size_t count, size_t bytes)
{
    return calloc(count == 0 ? 1 : count, bytes == 0 ? 1 : bytes);
}

void *pncp_realloc(void *old, size_t count, size_t bytes)
{
    return reallocarray(old, count == 0 ? 1 : count, bytes == 0 ? 1 : bytes);
}

char *pncp_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = pncp_malloc(bytes);
    if (copy != NULL)
        memcpy(copy, text, bytes);
    return copy;
}

char *pncp_asprintf(const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *text = len < 0 ? NULL : pncp_malloc((size_t)len + 1);
    if (text != NULL)
        (void)vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    return text;
}

void pncp_free(void *block)
{
    free(block);
}

void pncp_free_ptr(void *ptr_to_pointer)
{
    void **pointer = ptr_to_pointer;
    pncp_free(*pointer);
    *pointer = NULL;
}

void pncp_mem_trim(void)
{
    (void)malloc_trim(0);
}

size_t pncp_grow(size_t cap, size_t need)
{
    size_t more = cap + cap / 2;
    return PNCP_MAX(PNCP_MAX(more, need), (size_t)16);
}
