/* The files of a lake's folder, kept in memory to begin with them again and again. Made with libc's calls alone: those
 * of the seams are counted. What cannot be read or written ends the program. */
#ifndef TREE_H
#define TREE_H

#include "base/base.h"

#define TREE_FILES_MAX 64
#define TREE_PATH_BYTES 200

struct tree {
    struct tree_file {
        char path[TREE_PATH_BYTES]; /* below the folder */
        char *data;
        size_t len;
    } files[TREE_FILES_MAX];
    size_t count;
};
void tree_read(const char *folder, struct tree *ret_tree);
void tree_write(const char *folder,
                const struct tree *tree); /* all that is there goes first; the folder may be missing */
void tree_remove(const char *folder);
void tree_release(struct tree *tree);

#endif
