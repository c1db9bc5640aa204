/*
 * fault [--all | --sample N] [--seed N] [--jobs N] [SCENARIO [KIND [N]]]: everything fails once.
 *
 * For each scenario (scenarios.c) and each kind of fault (kinds.c) the 1st, 2nd, 3rd … fails, until one is not reached
 * any more; after each, all that point.h says is checked. How many there are is found by an undisturbed run. --all
 * tries every one; without it, N of each kind (default 40) spread over all of them by chance, and the one after the
 * last, which must not be reached. The seed of that chance is printed. SCENARIO KIND N repeats one point.
 *
 * The output is TAP, a line a scenario; the exit status is 1 when something does not hold. Each scenario is a process
 * of its own, so that one that dies or hangs is told of, with its point, and the others go on.
 */
#include "base/clock.h"
#include "base/random.h"
#include "point.h"

#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAMPLE_DEFAULT 40
#define FAILURES_MAX 20 /* of one scenario: then it is given up */
#define JOBS_MAX 16
#define BASE_BYTES 200

struct options {
    bool all;
    unsigned sample, jobs;
    uint64_t seed;
    const char *scenario, *kind; /* NULL: every one */
    unsigned n;                  /* 0: every one */
};

/* What a scenario's process tells, while it lives. */
struct tally {
    unsigned points, run, failures;
    const char *kind; /* the point at hand: of the table that both processes have */
    unsigned n;
    double seconds;
};

/* ---- one scenario ---------------------------------------------------------------------------- */

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void tell(const struct scenario *scenario, const struct tally *tally, const char *why)
{
    if (tally->kind == NULL)
        printf("# %s: %s\n", scenario->name, why);
    else
        printf("# %s %s %u: %s\n", scenario->name, tally->kind, tally->n, why);
    (void)fflush(stdout);
}

static void fail(const struct scenario *scenario, struct tally *tally, const char *why)
{
    tally->failures++;
    tell(scenario, tally, why);
}

/* False: it was not reached. */
static bool run_point(struct scene *scene, const struct kind *kind, unsigned n, struct tally *tally)
{
    char why[SCENE_WHY_BYTES];
    tally->n = n;
    enum point_end end = point_run(scene, kind, n, why);
    tally->run += end != POINT_NOT_REACHED;
    if (end == POINT_BROKEN)
        fail(scene->scenario, tally, why);
    return end != POINT_NOT_REACHED;
}

/* Until one is not reached. */
static void run_all(struct scene *scene, const struct kind *kind, unsigned points, struct tally *tally)
{
    unsigned n = 1;
    while (tally->failures < FAILURES_MAX && run_point(scene, kind, n, tally))
        n++;
    if (tally->failures < FAILURES_MAX && n - 1 != points)
        fail(scene->scenario, tally, "the first that is not reached: not as many as the undisturbed run had");
}

/* One by chance of each of so many parts that are about equal. */
static void run_sample(struct scene *scene, const struct kind *kind, unsigned points, const struct options *options,
                       struct tally *tally)
{
    uint64_t chance = pncp_hash64(kind->name, strlen(kind->name), options->seed);
    unsigned parts = PNCP_MIN(points, options->sample);
    for (unsigned i = 0; i < parts && tally->failures < FAILURES_MAX; i++) {
        uint64_t first = (uint64_t)points * i / parts, end = (uint64_t)points * (i + 1) / parts;
        if (!run_point(scene, kind, (unsigned)(1 + first + pncp_splitmix(&chance) % (end - first)), tally))
            fail(scene->scenario, tally, "not reached, although an undisturbed run does");
    }
    if (tally->failures < FAILURES_MAX && run_point(scene, kind, points + 1, tally))
        fail(scene->scenario, tally, "reached, although an undisturbed run ends before");
}

static void run_kind(struct scene *scene, const struct kind *kind, unsigned points, const struct options *options,
                     struct tally *tally)
{
    tally->kind = kind->name;
    tally->points += points;
    if (options->n != 0 && !run_point(scene, kind, options->n, tally))
        fail(scene->scenario, tally, "there is no such point");
    else if (options->n == 0 && options->all)
        run_all(scene, kind, points, tally);
    else if (options->n == 0)
        run_sample(scene, kind, points, options, tally);
}

static void run_scenario(const struct scenario *scenario, const char *base, const struct options *options,
                         struct tally *tally)
{
    static struct scene scene; /* large */
    char why[SCENE_WHY_BYTES];
    double begun = now_s();
    if (scene_open(&scene, scenario, base, why)) {
        unsigned *counts = calloc(KIND_COUNT, sizeof(*counts));
        if (counts == NULL)
            err(1, "counts");
        point_count(&scene, counts);
        for (size_t i = 0; i < KIND_COUNT; i++) {
            if (options->kind == NULL || strcmp(options->kind, KINDS[i].name) == 0)
                run_kind(&scene, &KINDS[i], counts[i], options, tally);
        }
        free(counts);
    } else {
        fail(scenario, tally, why);
    }
    scene_close(&scene);
    tally->kind = NULL;
    tally->seconds = now_s() - begun;
}

/* ---- all of them ----------------------------------------------------------------------------- */

struct worker {
    pid_t pid; /* 0: none */
    size_t scenario;
};

static pid_t begin_scenario(size_t scenario, const char *base, const struct options *options, struct tally *tally)
{
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        err(1, "fork");
    if (pid == 0) {
        run_scenario(&SCENARIOS[scenario], base, options, tally);
        exit(0); /* a sanitizer may still find what leaked, and says so by another status */
    }
    return pid;
}

static void end_scenario(size_t scenario, int status, unsigned number, struct tally *tally)
{
    char why[64];
    if (WIFSIGNALED(status))
        (void)snprintf(why, sizeof(why), "died or hung: %s", strsignal(WTERMSIG(status)));
    else
        (void)snprintf(why, sizeof(why), "ended with status %d", WEXITSTATUS(status));
    if (status != 0)
        fail(&SCENARIOS[scenario], tally, why);
    printf("%s %u %-18s %6u points, %6u run, %u failed, %.1f s\n", tally->failures == 0 ? "ok" : "not ok", number,
           SCENARIOS[scenario].name, tally->points, tally->run, tally->failures, tally->seconds);
    (void)fflush(stdout);
}

static bool is_wanted(size_t scenario, const struct options *options)
{
    return options->scenario == NULL || strcmp(options->scenario, SCENARIOS[scenario].name) == 0;
}

/* So many at once; the sum of their tallies. */
static struct tally run_scenarios(const char *base, const struct options *options)
{
    size_t bytes = SCENARIO_COUNT * sizeof(struct tally);
    struct tally *tallies = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct tally sum = {0};
    struct worker workers[JOBS_MAX] = {{0}};
    unsigned busy = 0, number = 0;
    if (tallies == MAP_FAILED)
        err(1, "mmap");
    for (size_t next = 0; next < SCENARIO_COUNT || busy > 0;) {
        if (next < SCENARIO_COUNT && !is_wanted(next, options)) {
            next++;
        } else if (next < SCENARIO_COUNT && busy < options->jobs) {
            workers[busy++] = (struct worker){begin_scenario(next, base, options, &tallies[next]), next};
            next++;
        } else {
            int status;
            pid_t pid = wait(&status);
            for (unsigned i = 0; i < busy; i++) {
                if (workers[i].pid != pid)
                    continue;
                const struct tally *tally = &tallies[workers[i].scenario];
                end_scenario(workers[i].scenario, status, ++number, &tallies[workers[i].scenario]);
                sum.points += tally->points;
                sum.run += tally->run;
                sum.failures += tally->failures;
                workers[i] = workers[--busy];
                break;
            }
        }
    }
    (void)munmap(tallies, bytes);
    printf("1..%u\n", number);
    return sum;
}

/* ---- where ----------------------------------------------------------------------------------- */

/* Do files there do what a lake needs of them? */
static bool is_usable(const char *folder)
{
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int from = openat(dir, "from", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    int to = openat(dir, "to", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    off_t at = 0;
    bool usable = dir >= 0 && from >= 0 && to >= 0 && flock(from, LOCK_EX | LOCK_NB) == 0 && write(from, "x", 1) == 1 &&
                  copy_file_range(from, &at, to, NULL, 1, 0) == 1 && fsync(to) == 0 &&
                  renameat(dir, "to", dir, "from") == 0;
    (void)close(to);
    (void)close(from);
    (void)close(dir);
    return usable;
}

/* A folder for the lakes: in memory where there is such a place. */
static void make_base(char ret_folder[BASE_BYTES])
{
    const char *const places[] = {getenv("TMPDIR"), "/dev/shm", "/tmp"};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(places); i++) {
        (void)snprintf(ret_folder, BASE_BYTES, "%s/pncp-fault-XXXXXX", places[i] == NULL ? "" : places[i]);
        if (places[i] == NULL || mkdtemp(ret_folder) == NULL)
            continue;
        if (is_usable(ret_folder))
            return;
        tree_remove(ret_folder);
    }
    errx(1, "no folder for lakes: set TMPDIR to one in which flock, rename and copy_file_range work");
}

/* ---- the command line ------------------------------------------------------------------------ */

static uint64_t number(const char *text, uint64_t least, uint64_t most)
{
    uint64_t value = 0;
    if (text == NULL || !pncp_view_u64(pncp_view_of(text), &value) || value < least || value > most)
        errx(2, "\"%s\" is not a number from %" PRIu64 " to %" PRIu64, text == NULL ? "" : text, least, most);
    return value;
}

static void check_name(const char *what, const char *name, const char *(*name_at)(size_t), size_t count)
{
    bool known = name == NULL;
    for (size_t i = 0; i < count; i++)
        known = known || strcmp(name, name_at(i)) == 0;
    if (known)
        return;
    (void)fprintf(stderr, "fault: unknown %s \"%s\"; one of", what, name);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(stderr, " %s", name_at(i));
    (void)fputc('\n', stderr);
    exit(2);
}

static const char *scenario_name(size_t i)
{
    return SCENARIOS[i].name;
}

static const char *kind_name(size_t i)
{
    return KINDS[i].name;
}

static void parse(char **argv, struct options *options)
{
    for (argv++; *argv != NULL; argv++) {
        if (strcmp(*argv, "--all") == 0)
            options->all = true;
        else if (strcmp(*argv, "--sample") == 0)
            options->sample = (unsigned)number(*++argv, 1, UINT32_MAX);
        else if (strcmp(*argv, "--seed") == 0)
            options->seed = number(*++argv, 0, UINT64_MAX);
        else if (strcmp(*argv, "--jobs") == 0)
            options->jobs = (unsigned)number(*++argv, 1, JOBS_MAX);
        else if (options->scenario == NULL)
            options->scenario = *argv;
        else if (options->kind == NULL)
            options->kind = *argv;
        else if (options->n == 0)
            options->n = (unsigned)number(*argv, 1, UINT32_MAX);
        else
            errx(2, "\"%s\" is too much", *argv);
    }
    check_name("scenario", options->scenario, scenario_name, SCENARIO_COUNT);
    check_name("kind", options->kind, kind_name, KIND_COUNT);
}

int main(int argc, char **argv)
{
    (void)argc;
    cpu_set_t cpus;
    struct options options = {.sample = SAMPLE_DEFAULT, .jobs = 1};
    if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
        options.jobs = (unsigned)PNCP_MIN(CPU_COUNT(&cpus), JOBS_MAX);
    pncp_random_bytes(&options.seed, sizeof(options.seed));
    options.seed %= 1000000; /* a person types it */
    parse(argv, &options);
    char base[BASE_BYTES];
    make_base(base);
    printf("# seed %" PRIu64 "\n", options.seed);
    struct tally sum = run_scenarios(base, &options);
    tree_remove(base); /* with what those have left that died */
    printf("# %u points found, %u run, %u failed; seed %" PRIu64 "\n", sum.points, sum.run, sum.failures, options.seed);
    return sum.failures == 0 ? 0 : 1;
}
