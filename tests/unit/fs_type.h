/* What fstatfs says of every file system, in a test linked with -Wl,--wrap=fstatfs64. */
#ifndef FS_TYPE_H
#define FS_TYPE_H

extern long fs_type; /* of linux/magic.h; 0: the true one */

#endif
