#include "tree.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FULL_BYTES (TREE_PATH_BYTES + 300)
#define FOLDERS_OPEN_MAX 16

static struct tree *reading; /* nftw hands nothing on */
static size_t reading_root_len;

static int read_file(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)ftw;
    if (type != FTW_F)
        return 0;
    if (reading->count == TREE_FILES_MAX)
        errx(1, "more than %d files in a lake", TREE_FILES_MAX);
    struct tree_file *file = &reading->files[reading->count++];
    (void)snprintf(file->path, sizeof(file->path), "%s", path + reading_root_len + 1);
    file->len = (size_t)stat->st_size;
    file->data = malloc(file->len + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file->data == NULL || fd < 0 || read(fd, file->data, file->len) != stat->st_size)
        err(1, "read %s", path);
    (void)close(fd);
    return 0;
}

void tree_read(const char *folder, struct tree *ret_tree)
{
    ret_tree->count = 0;
    reading = ret_tree;
    reading_root_len = strlen(folder);
    if (nftw(folder, read_file, FOLDERS_OPEN_MAX, FTW_PHYS) != 0)
        err(1, "read %s", folder);
}

static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            err(1, "make %s", path);
        *slash = '/';
    }
}

void tree_write(const char *folder, const struct tree *tree)
{
    tree_remove(folder);
    char full[FULL_BYTES];
    (void)snprintf(full, sizeof(full), "%s/", folder);
    make_folders(full);
    for (size_t i = 0; i < tree->count; i++) {
        const struct tree_file *file = &tree->files[i];
        (void)snprintf(full, sizeof(full), "%s/%s", folder, file->path);
        make_folders(full);
        int fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 || write(fd, file->data, file->len) != (ssize_t)file->len || close(fd) != 0)
            err(1, "write %s", full);
    }
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat, (void)type, (void)ftw;
    return remove(path);
}

void tree_remove(const char *folder)
{
    if (nftw(folder, remove_one, FOLDERS_OPEN_MAX, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        err(1, "remove %s", folder);
}

void tree_release(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        free(tree->files[i].data);
    tree->count = 0;
}
