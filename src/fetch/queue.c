#include "fetch/queue.h"

void pncp_queue_init(struct pncp_queue *queue)
{
    *queue = (struct pncp_queue){.first = NULL};
    queue->tail = &queue->first;
}

void pncp_queue_push_back(struct pncp_queue *queue, struct pncp_fetch_request *request)
{
    request->next = NULL;
    *queue->tail = request;
    queue->tail = &request->next;
    queue->count++;
}

void pncp_queue_push_front(struct pncp_queue *queue, struct pncp_fetch_request *request)
{
    request->next = queue->first;
    if (queue->first == NULL)
        queue->tail = &request->next;
    queue->first = request;
    queue->count++;
}

struct pncp_fetch_request *pncp_queue_pop(struct pncp_queue *queue)
{
    struct pncp_fetch_request *request = queue->first;
    queue->first = request->next;
    if (queue->first == NULL)
        queue->tail = &queue->first;
    queue->count--;
    return request;
}
