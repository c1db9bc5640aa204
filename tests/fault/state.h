/*
 * What is in a lake, as a person would compare it: for each file a number that follows from what it says, not from its
 * bytes. Of a details.parquet: the keys and all values of its rows in their order, its row groups and its history; of a
 * list the rows and what it knows of itself; of anything else its text. Ids count as equal, but for whether one names
 * the commit of the day's data. Locks, temporary files and a spool are left out.
 */
#ifndef STATE_H
#define STATE_H

#include "base/clock.h"
#include "base/err.h"
#include "tree.h"

struct state {
    struct state_file {
        char path[TREE_PATH_BYTES];
        uint64_t says;
    } files[TREE_FILES_MAX];
    size_t count;
    size_t temps; /* files in the folder of temporary ones */
};
/* `folder`: the lake's root. PNCP_E_…: a Parquet file that cannot be opened, or whose rows cannot be read. */
MUST_CHECK enum pncp_code state_read(const char *folder, struct pncp_date date, struct state *ret_state,
                                     struct pncp_err *err);
const struct state_file *state_find(const struct state *state, const char *path); /* NULL: there is none */
/* The path of a file that only one of them has, or that says something else; NULL: they are the same. */
const char *state_difference(const struct state *a, const struct state *b);

#endif
