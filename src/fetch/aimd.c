#include "fetch/aimd.h"

void pncp_aimd_init(struct pncp_aimd *aimd, unsigned ceiling)
{
    *aimd = (struct pncp_aimd){.limit = PNCP_MIN((unsigned)PNCP_AIMD_START, ceiling), .ceiling = ceiling};
}

static void end_round(struct pncp_aimd *aimd)
{
    if (!aimd->halved)
        aimd->limit = PNCP_MIN(aimd->seen_trouble ? aimd->limit + 1 : aimd->limit * 2, aimd->ceiling);
    aimd->answered = 0;
    aimd->halved = false;
}

void pncp_aimd_good(struct pncp_aimd *aimd)
{
    if (++aimd->answered >= aimd->limit)
        end_round(aimd);
}

void pncp_aimd_trouble(struct pncp_aimd *aimd)
{
    aimd->seen_trouble = true;
    if (!aimd->halved) {
        aimd->limit = PNCP_MAX(aimd->limit / 2, 1U);
        aimd->halved = true;
        aimd->answered = 0;
    }
    if (++aimd->answered >= aimd->limit)
        end_round(aimd);
}
