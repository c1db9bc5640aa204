/* Requests in a row, linked through themselves. */
#ifndef PNCP_QUEUE_H
#define PNCP_QUEUE_H

#include "fetch/fetch.h"

struct pncp_queue {
    struct pncp_fetch_request *first, **tail;
    size_t count;
};
void pncp_queue_init(struct pncp_queue *queue);
void pncp_queue_push_back(struct pncp_queue *queue, struct pncp_fetch_request *request);
void pncp_queue_push_front(struct pncp_queue *queue, struct pncp_fetch_request *request);
struct pncp_fetch_request *pncp_queue_pop(struct pncp_queue *queue); /* the first; there is one */

#endif
