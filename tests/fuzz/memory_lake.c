#include "memory_lake.h"
#include "fuzz.h"

#include <ftw.h>
#include <unistd.h>

static char folder[64];
static struct pncp_lake *lake;

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *where)
{
    (void)stat, (void)kind, (void)where;
    return remove(path);
}

static void remove_all(void)
{
    pncp_lake_free(lake);
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

struct pncp_lake *memory_lake(void)
{
    static const struct pncp_lake_options options = {.run_id = MEMORY_LAKE_RUN, .create = true, .writable = true};
    struct pncp_err err = PNCP_ERR_INIT;
    if (lake != NULL)
        return lake;
    (void)snprintf(folder, sizeof(folder), "%s/pncp-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    FUZZ_CHECK(mkdtemp(folder) != NULL && atexit(remove_all) == 0);
    if (pncp_lake_open(folder, &options, &lake, &err) != PNCP_OK)
        (void)fprintf(stderr, "%s\n", err.msg);
    FUZZ_CHECK(lake != NULL);
    return lake;
}

struct pncp_date memory_lake_date(void)
{
    struct pncp_date date;
    FUZZ_CHECK(pncp_date_from_civil(2025, 10, 22, &date));
    return date;
}
