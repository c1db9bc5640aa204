/* What can fail, and what may then be answered. */
#ifndef KINDS_H
#define KINDS_H

#include "sys_faults.h"

struct kind {
    const char *name;
    bool memory;          /* an allocation fails; else: */
    struct sys_fault sys; /* … a call; .more holds for both */
    unsigned harmless;    /* such calls: only success is a right answer */
};
extern const struct kind KINDS[];
extern const size_t KIND_COUNT;

bool kind_kills(const struct kind *kind);
/* From now on the n-th is what fails (0: none); one kind at a time. */
void kind_arm(const struct kind *kind, unsigned nth);
/* Has it? *ret_harmless: then without harm. */
bool kind_disarm(const struct kind *kind, bool *ret_harmless);
/* How many there were since any kind was armed. */
unsigned kind_count(const struct kind *kind);

#endif
