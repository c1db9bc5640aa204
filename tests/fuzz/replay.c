/* Runs a fuzz target over files: replay_NAME FILE|FOLDER … . Exit status 1 when there is none; a finding aborts. */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

static size_t replayed;

static bool fail(const char *what, const char *path)
{
    (void)fprintf(stderr, "%s %s: %s\n", what, path, strerror(errno));
    return false;
}

static bool replay_bytes(FILE *file, size_t size, const char *path)
{
    AUTO(pncp_free_ptr) uint8_t *bytes = pncp_malloc(size > 0 ? size : 1); /* exactly: reading on is seen */
    if (bytes == NULL || fread(bytes, 1, size, file) != size)
        return fail("read", path);
    (void)fprintf(stderr, "%s\n", path); /* first, so that a crash names its input */
    (void)LLVMFuzzerTestOneInput(bytes, size);
    replayed++;
    return true;
}

static bool replay_file(const char *path)
{
    struct stat stat_;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return fail("open", path);
    bool done = fstat(fileno(file), &stat_) == 0 ? replay_bytes(file, (size_t)stat_.st_size, path) : fail("stat", path);
    (void)fclose(file);
    return done;
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool replay_folder(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_input, alphasort);
    bool done = count >= 0 || fail("list", path);
    for (int i = 0; i < count; i++) {
        char name[4096];
        int len = snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
        done = done && len < (int)sizeof(name) && replay_file(name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return done;
}

int main(int argc, char **argv)
{
    bool done = true;
    for (int i = 1; done && i < argc; i++) {
        struct stat stat_;
        if (stat(argv[i], &stat_) != 0)
            done = fail("stat", argv[i]);
        else
            done = S_ISDIR(stat_.st_mode) ? replay_folder(argv[i]) : replay_file(argv[i]);
    }
    (void)fprintf(stderr, "%zu inputs\n", replayed);
    return done && replayed > 0 ? 0 : 1;
}
