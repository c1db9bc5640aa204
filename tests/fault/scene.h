/*
 * One scenario, ready to be tried again and again in a folder of its own: the lake before, what the operation makes of
 * it when nothing fails, and every state that the lake has on the way.
 */
#ifndef SCENE_H
#define SCENE_H

#include "scenarios.h"
#include "state.h"

#define SCENE_STATES_MAX 64

struct scene {
    const struct scenario *scenario;
    struct pncp_date date;
    char folder[256]; /* the lake */
    struct pncp_table lot, listed, rival;
    struct tree before;
    struct state states[SCENE_STATES_MAX]; /* the first is that of `before`, the last the result */
    size_t state_count;
};
#define SCENE_WHY_BYTES 700
/* `base`: a folder in which it makes one of the scenario's name. False: the operation fails by itself, or is not as
 * scenarios.h says. */
bool scene_open(struct scene *scene, const struct scenario *scenario, const char *base, char ret_why[SCENE_WHY_BYTES]);
void scene_close(struct scene *scene);

void scene_reset(struct scene *scene); /* the lake is again what it was before */
enum scene_ids { SCENE_IDS_FIXTURE, SCENE_IDS_FIRST, SCENE_IDS_AGAIN, SCENE_IDS_SWEEP };
/* A run, one that draws such ids. False: the lake cannot be opened. */
bool scene_work_open(struct scene *scene, enum scene_ids ids, struct work *ret_work);
void scene_work_close(struct work *work);
const struct state *scene_result(const struct scene *scene);

#endif
