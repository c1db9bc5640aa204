#include "scene.h"
#include "rows_fixture.h"
#include "steady.h"
#include "sys_faults.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RIVAL_ROWS 2

void scene_reset(struct scene *scene)
{
    tree_write(scene->folder, &scene->before);
}

const struct state *scene_result(const struct scene *scene)
{
    return &scene->states[scene->state_count - 1];
}

bool scene_work_open(struct scene *scene, enum scene_ids ids, struct work *ret_work)
{
    static const char *const runs[] = {"fixture", "first", "again", "sweep"};
    const struct pncp_lake_options options = {.run_id = runs[ids]};
    *ret_work = (struct work){.date = scene->date,
                              .lot = &scene->lot,
                              .listed = &scene->listed,
                              .rival = &scene->rival,
                              .again = ids == SCENE_IDS_AGAIN};
    steady_ids(ids);
    return pncp_lake_open(scene->folder, &options, &ret_work->lake, NULL) == PNCP_OK;
}

void scene_work_close(struct work *work)
{
    pncp_lake_free(work->lake);
    work->lake = NULL;
}

static bool do_undisturbed(struct scene *scene, operation_fn *operation, enum scene_ids ids, char *why)
{
    struct work work;
    struct pncp_err err = PNCP_ERR_INIT;
    if (!scene_work_open(scene, ids, &work))
        errx(1, "%s: not a lake", scene->folder);
    enum pncp_code rc = operation(&work, &err);
    scene_work_close(&work);
    if (rc == PNCP_OK && work.untrue == NULL)
        return true;
    (void)snprintf(why, SCENE_WHY_BYTES, "undisturbed: %s", rc != PNCP_OK ? err.msg : work.untrue);
    return false;
}

/* ---- what the lake is on the way ------------------------------------------------------------- */

struct watch {
    struct scene *scene;
    bool changed; /* the call before may have */
};

static void note_state(struct scene *scene)
{
    struct pncp_err err = PNCP_ERR_INIT;
    if (scene->state_count == SCENE_STATES_MAX)
        errx(1, "%s: more than %d states", scene->scenario->name, SCENE_STATES_MAX);
    struct state *state = &scene->states[scene->state_count];
    if (state_read(scene->folder, scene->date, state, &err) != PNCP_OK)
        errx(1, "%s: %s", scene->scenario->name, err.msg);
    if (scene->state_count == 0 || state_difference(state, state - 1) != NULL)
        scene->state_count++;
}

static int watch_call(void *ctx, const char *call, const char *path)
{
    struct watch *watch = ctx;
    (void)path;
    if (watch->changed)
        note_state(watch->scene);
    watch->changed = strcmp(call, "renameat") == 0 || strcmp(call, "unlinkat") == 0;
    return 0;
}

static bool watch_operation(struct scene *scene, char *why)
{
    struct watch watch = {.scene = scene};
    scene_reset(scene);
    note_state(scene);
    sys_faults_hook(watch_call, &watch);
    bool done = do_undisturbed(scene, scene->scenario->operation, SCENE_IDS_FIRST, why);
    sys_faults_hook(NULL, NULL);
    note_state(scene);
    bool changed = state_difference(scene_result(scene), &scene->states[0]) != NULL;
    if (!done || changed == scene->scenario->changes)
        return done;
    (void)snprintf(why, SCENE_WHY_BYTES, "undisturbed: the lake is %s", changed ? "changed" : "as it was before");
    return false;
}

static bool is_settled(struct scene *scene, char *why)
{
    size_t states = scene->state_count;
    if (!do_undisturbed(scene, scene->scenario->operation, SCENE_IDS_AGAIN, why))
        return false;
    note_state(scene);
    if (scene->state_count == states)
        return true;
    (void)snprintf(why, SCENE_WHY_BYTES, "undisturbed: done again it changes %s",
                   state_difference(scene_result(scene), scene_result(scene) - 1));
    return false;
}

bool scene_open(struct scene *scene, const struct scenario *scenario, const char *base, char ret_why[SCENE_WHY_BYTES])
{
    scene->scenario = scenario;
    scene->state_count = scene->before.count = 0;
    if (!pncp_date_parse(PNCP_VIEW_LIT("20251022"), &scene->date))
        abort();
    (void)snprintf(scene->folder, sizeof(scene->folder), "%s/%s", base, scenario->name);
    scene_reset(scene); /* nothing */
    rows_table(&scene->lot, pncp_details_schema(), LOT_FIRST, scenario->rows);
    rows_table(&scene->listed, pncp_list_schema(), LOT_FIRST, scenario->rows);
    rows_table(&scene->rival, pncp_details_schema(), RIVAL_FIRST, RIVAL_ROWS);
    if (scenario->fixture != NULL && !do_undisturbed(scene, scenario->fixture, SCENE_IDS_FIXTURE, ret_why))
        return false;
    tree_read(scene->folder, &scene->before);
    return watch_operation(scene, ret_why) && is_settled(scene, ret_why);
}

void scene_close(struct scene *scene)
{
    pncp_table_release(&scene->lot);
    pncp_table_release(&scene->listed);
    pncp_table_release(&scene->rival);
    tree_release(&scene->before);
    tree_remove(scene->folder);
}
