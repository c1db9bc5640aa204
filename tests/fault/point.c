#include "point.h"
#include "mem_faults.h"

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 128 /* no operation has as many at once */
#define SECONDS_MAX 120     /* then it hangs; a sanitizer on a slow machine included */

struct attempt {
    enum pncp_code rc;
    struct pncp_err err;
    const char *untrue;
    bool fired, harmless;
    size_t blocks, descriptors; /* leaked */
};

static bool wrong(char *why, const char *what)
{
    (void)snprintf(why, SCENE_WHY_BYTES, "%s", what);
    return false;
}

static size_t open_descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
        count += fcntl(fd, F_GETFD) != -1;
    return count;
}

static void try_operation(struct scene *scene, enum scene_ids ids, const struct kind *kind, unsigned n,
                          struct attempt *ret_attempt)
{
    struct work work;
    *ret_attempt = (struct attempt){.err = PNCP_ERR_INIT};
    if (!scene_work_open(scene, ids, &work))
        errx(1, "%s: not a lake", scene->folder);
    size_t blocks = mem_faults_blocks(), descriptors = open_descriptors();
    kind_arm(kind, n);
    ret_attempt->rc = scene->scenario->operation(&work, &ret_attempt->err);
    ret_attempt->fired = kind_disarm(kind, &ret_attempt->harmless);
    ret_attempt->blocks = mem_faults_blocks() - blocks;
    ret_attempt->descriptors = open_descriptors() - descriptors;
    ret_attempt->untrue = work.untrue;
    scene_work_close(&work);
}

void point_count(struct scene *scene, unsigned *ret_counts)
{
    struct attempt attempt;
    scene_reset(scene);
    try_operation(scene, SCENE_IDS_FIRST, &KINDS[0], 0, &attempt);
    for (size_t i = 0; i < KIND_COUNT; i++)
        ret_counts[i] = kind_count(&KINDS[i]);
}

/* ---- what must hold -------------------------------------------------------------------------- */

static bool is_clean_error(const struct kind *kind, const struct attempt *a, char *why)
{
    const struct pncp_err *err = &a->err;
    if (err->code != a->rc || err->msg[0] == '\0' || strchr(err->msg, '\n') != NULL)
        return wrong(why, "an error without a code and one line");
    if (!a->fired)
        return wrong(why, "an error although nothing failed");
    if (a->harmless)
        return wrong(why, "an error although this fault is to be overcome");
    if (kind->memory ? a->rc == PNCP_E_NOMEM : a->rc == PNCP_E_IO && err->os_errno == kind->sys.error && err->transient)
        return true;
    (void)snprintf(why, SCENE_WHY_BYTES, "an error that does not name the fault: %s, errno %d: %s",
                   pncp_code_name(a->rc), err->os_errno, err->msg);
    return false;
}

static bool is_sound_answer(const struct kind *kind, const struct attempt *a, char *why)
{
    if (a->blocks != 0 || a->descriptors != 0) {
        (void)snprintf(why, SCENE_WHY_BYTES, "leaked: %zd blocks, %zd descriptors", (ssize_t)a->blocks,
                       (ssize_t)a->descriptors);
        return false;
    }
    if (a->untrue != NULL) {
        (void)snprintf(why, SCENE_WHY_BYTES, "untrue: %s", a->untrue);
        return false;
    }
    return a->rc == PNCP_OK || is_clean_error(kind, a, why);
}

/* Has one of the undisturbed states that file? */
static bool is_known(const struct scene *scene, const struct state *now, const char *path)
{
    const struct state_file *file = state_find(now, path);
    for (size_t i = 0; i < scene->state_count; i++) {
        const struct state_file *known = state_find(&scene->states[i], path);
        if (known == NULL ? file == NULL : file != NULL && file->says == known->says)
            return true;
    }
    return false;
}

static bool all_known(const struct scene *scene, const struct state *now, const struct state *named_by, char *why)
{
    for (size_t i = 0; i < named_by->count; i++) {
        const char *path = named_by->files[i].path;
        if (is_known(scene, now, path))
            continue;
        (void)snprintf(why, SCENE_WHY_BYTES, "%s is neither old nor new", path);
        return false;
    }
    return true;
}

static bool read_swept(struct scene *scene, struct state *now, char *why)
{
    struct work work;
    struct pncp_err err = PNCP_ERR_INIT;
    if (!scene_work_open(scene, SCENE_IDS_SWEEP, &work))
        return wrong(why, "the lake is gone");
    pncp_lake_sweep(work.lake);
    scene_work_close(&work);
    if (state_read(scene->folder, scene->date, now, &err) != PNCP_OK) {
        (void)snprintf(why, SCENE_WHY_BYTES, "unreadable: %s", err.msg);
        return false;
    }
    return now->temps == 0 || wrong(why, "a temporary file that is not swept");
}

static bool is_result(const struct scene *scene, const struct state *now, const char *when, char *why)
{
    const char *path = state_difference(now, scene_result(scene));
    if (path == NULL)
        return true;
    (void)snprintf(why, SCENE_WHY_BYTES, "%s, %s is not as it should be", when, path);
    return false;
}

/* The lake as the attempt left it, and then as it is when the operation is done again. */
static bool is_sound_lake(struct scene *scene, const struct kind *kind, const struct attempt *first, char *why)
{
    static struct state now; /* large */
    struct attempt again;
    if (!read_swept(scene, &now, why))
        return false;
    for (size_t i = 0; i < scene->state_count; i++) {
        if (!all_known(scene, &now, &scene->states[i], why))
            return false;
    }
    if (!all_known(scene, &now, &now, why) ||
        (first != NULL && first->rc == PNCP_OK && !is_result(scene, &now, "success was told", why)))
        return false;
    try_operation(scene, SCENE_IDS_AGAIN, kind, 0, &again);
    if (!is_sound_answer(kind, &again, why) || !read_swept(scene, &now, why) ||
        !is_result(scene, &now, "done again", why)) {
        char detail[SCENE_WHY_BYTES];
        memcpy(detail, why, sizeof(detail));
        (void)snprintf(why, SCENE_WHY_BYTES, "then %.*s%s%.*s", SCENE_WHY_BYTES / 3, detail,
                       again.rc == PNCP_OK ? "" : ": ", SCENE_WHY_BYTES / 3, again.rc == PNCP_OK ? "" : again.err.msg);
        return false;
    }
    return true;
}

/* ---- a point --------------------------------------------------------------------------------- */

/* In a process of its own. *ret_killed: it is dead, by its own hand. */
static bool try_in_child(struct scene *scene, const struct kind *kind, unsigned n, bool *ret_killed, char *why)
{
    int status;
    (void)fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        err(1, "fork");
    if (child == 0) {
        struct attempt attempt;
        (void)alarm(SECONDS_MAX);
        try_operation(scene, SCENE_IDS_FIRST, kind, n, &attempt);
        _exit(attempt.rc == PNCP_OK && !attempt.fired ? 0 : 1);
    }
    if (waitpid(child, &status, 0) != child)
        err(1, "waitpid");
    *ret_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    return *ret_killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0) || wrong(why, "it died of something else");
}

enum point_end point_run(struct scene *scene, const struct kind *kind, unsigned n, char ret_why[SCENE_WHY_BYTES])
{
    (void)alarm(SECONDS_MAX);
    scene_reset(scene);
    struct attempt first = {.rc = PNCP_OK};
    bool kills = kind_kills(kind), sound;
    if (kills) {
        sound = try_in_child(scene, kind, n, &first.fired, ret_why);
    } else {
        try_operation(scene, SCENE_IDS_FIRST, kind, n, &first);
        sound = is_sound_answer(kind, &first, ret_why);
    }
    sound = sound && is_sound_lake(scene, kind, kills && first.fired ? NULL : &first, ret_why);
    (void)alarm(0);
    if (!sound)
        return POINT_BROKEN;
    return first.fired ? POINT_HELD : POINT_NOT_REACHED;
}
