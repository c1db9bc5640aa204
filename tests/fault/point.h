/*
 * One point: a scenario during which the n-th of one kind fails, and all that must hold then.
 *
 * The operation answers with success, or a code and one line that name the fault · nothing leaks: memory, descriptors,
 * temporary files that a sweep leaves · each file is one that the undisturbed operation leaves or has on the way, whole
 * · success means that all of it is there · done again, with nothing failing, the result is that of the undisturbed
 * one. Who is killed answers nothing and leaks nothing; the rest is the same.
 */
#ifndef POINT_H
#define POINT_H

#include "kinds.h"
#include "scene.h"

/* How many there are of each kind, found by an undisturbed run. ret_counts: KIND_COUNT of them. */
void point_count(struct scene *scene, unsigned *ret_counts);

enum point_end { POINT_HELD, POINT_BROKEN, POINT_NOT_REACHED /* and all is well */ };
enum point_end point_run(struct scene *scene, const struct kind *kind, unsigned n, char ret_why[SCENE_WHY_BYTES]);

#endif
