#include "mem_faults.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static unsigned calls, fail_at, fail_more;
static bool armed, fired;
static size_t blocks;

void mem_faults_arm(unsigned nth, unsigned more)
{
    calls = 0;
    fail_at = nth;
    fail_more = more;
    fired = false;
    armed = true;
}

bool mem_faults_disarm(void)
{
    armed = false;
    return fired;
}

unsigned mem_faults_count(void)
{
    return calls;
}

size_t mem_faults_blocks(void)
{
    return blocks;
}

static bool fails(void)
{
    if (!armed || ++calls < fail_at || fail_at == 0 || calls - fail_at > fail_more)
        return false;
    fired = true;
    return true;
}

static void *counted(void *block)
{
    blocks += block != NULL;
    return block;
}

/* The linker's names: __wrap_ is called, __real_ is the function itself. What mem.c calls of its own is not wrapped. */
void *__real_pncp_malloc(size_t bytes);
void *__real_pncp_calloc(size_t count, size_t bytes);
void *__real_pncp_realloc(void *old, size_t count, size_t bytes);
char *__real_pncp_strdup(const char *text);
void __real_pncp_free(void *block);
void *__wrap_pncp_malloc(size_t bytes);
void *__wrap_pncp_calloc(size_t count, size_t bytes);
void *__wrap_pncp_realloc(void *old, size_t count, size_t bytes);
char *__wrap_pncp_strdup(const char *text);
char *__wrap_pncp_asprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);
void __wrap_pncp_free(void *block);
void __wrap_pncp_free_ptr(void *ptr_to_pointer);

void *__wrap_pncp_malloc(size_t bytes)
{
    return fails() ? NULL : counted(__real_pncp_malloc(bytes));
}

void *__wrap_pncp_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : counted(__real_pncp_calloc(count, bytes));
}

void *__wrap_pncp_realloc(void *old, size_t count, size_t bytes)
{
    if (fails())
        return NULL;
    void *block = __real_pncp_realloc(old, count, bytes);
    return old == NULL ? counted(block) : block;
}

char *__wrap_pncp_strdup(const char *text)
{
    return fails() ? NULL : counted(__real_pncp_strdup(text));
}

char *__wrap_pncp_asprintf(const char *fmt, ...)
{
    char text[4096]; /* more than anybody asks for */
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return len < 0 || len >= (int)sizeof(text) || fails() ? NULL : counted(__real_pncp_strdup(text));
}

void __wrap_pncp_free(void *block)
{
    blocks -= block != NULL;
    __real_pncp_free(block);
}

void __wrap_pncp_free_ptr(void *ptr_to_pointer)
{
    void **pointer = ptr_to_pointer;
    __wrap_pncp_free(*pointer);
    *pointer = NULL;
}
