#include "fs_type.h"

#include <sys/statfs.h>

long fs_type;

int __real_fstatfs64(int fd, struct statfs *ret_fs); /* what fstatfs is with 64-bit offsets */
int __wrap_fstatfs64(int fd, struct statfs *ret_fs);
int __wrap_fstatfs64(int fd, struct statfs *ret_fs)
{
    int rc = __real_fstatfs64(fd, ret_fs);
    if (fs_type != 0)
        ret_fs->f_type = fs_type;
    return rc;
}
