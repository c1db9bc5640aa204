/*
 * How many requests one API gets at once (AIMD, as TCP's congestion window, RFC 5681 in spirit): starts at 8, doubles
 * per round until the first trouble, then one more per round; half on trouble, once per round. A round is as many
 * answers as the limit. Pure.
 */
#ifndef PNCP_AIMD_H
#define PNCP_AIMD_H

#include "base/base.h"

struct pncp_aimd {
    unsigned limit, ceiling;
    unsigned answered;         /* in this round */
    bool seen_trouble, halved; /* ever; in this round */
};
#define PNCP_AIMD_START 8

void pncp_aimd_init(struct pncp_aimd *aimd, unsigned ceiling); /* 1..; starts at most there */
void pncp_aimd_good(struct pncp_aimd *aimd);
void pncp_aimd_trouble(struct pncp_aimd *aimd);

#endif
