#include "ingest/task.h"

void pncp_task_dispatch(void *ctx, struct pncp_fetch_request *request, struct pncp_verdict *verdict,
                        struct pncp_buf *body)
{
    (void)ctx;
    struct pncp_task *task = request->owner;
    task->done(task, request, verdict, body);
}
