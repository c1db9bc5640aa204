/* The HTTP side: arrival, judgement, waiting, delivery. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event_struct.h>
#include <event2/listener.h>

#include "base/mem.h"
#include "deliver.h"
#include "mix.h"
#include "sim.h"

#define BACKLOG 4096
/* Largest request accepted: control forms carry rules. */
#define REQUEST_BODY_MAX_BYTES ((size_t)4 * 1024 * 1024)
#define REQUEST_HEAD_MAX_BYTES 16384
/* Idle and slow connections are kept: closing them is a fault that tests ask for by name. */
#define CONNECTION_TIMEOUT_S 7200
/* How often a hanging request looks whether its client has gone, and how long a started body stays before its reset. */
#define HANG_POLL_MS 100u
#define RESET_BODY_WAIT_MS 30u
#define TRICKLE_STEPS 20u

enum stage { STAGE_ANSWER, STAGE_TRICKLE, STAGE_HANG, STAGE_RESET };

/* A request that waits. */
struct sim_pending {
    struct sim_pending *next, **prev;
    struct sim *sim;
    struct evhttp_request *req;
    struct event timer;
    struct sim_decision decision;
    enum stage stage;
    uint64_t hang_until_ms;
    struct evbuffer *rest; /* of a trickle */
    size_t step_bytes;
    uint64_t body_bytes;
    int status;
};

static struct pncp_view target_of(struct evhttp_request *req)
{
    return pncp_view_of(evhttp_request_get_uri(req));
}

static void pending_free(struct sim_pending *pending)
{
    *pending->prev = pending->next;
    if (pending->next != NULL)
        pending->next->prev = pending->prev;
    event_del(&pending->timer);
    if (pending->rest != NULL)
        evbuffer_free(pending->rest);
    pncp_free(pending);
}

static void arm(struct sim_pending *pending, enum stage stage, uint32_t ms)
{
    struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    pending->stage = stage;
    (void)event_add(&pending->timer, &wait);
}

static void put_headers(struct sim *sim, struct evhttp_request *req, const struct sim_answer *answer)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    char number[16];

    if (answer->type != NULL)
        (void)evhttp_add_header(headers, "Content-Type", answer->type);
    if (answer->location[0] != '\0')
        (void)evhttp_add_header(headers, "Location", answer->location);
    if (answer->status == 429 && sim->retry_after_s != 0) {
        (void)snprintf(number, sizeof(number), "%u", sim->retry_after_s);
        (void)evhttp_add_header(headers, "Retry-After", number);
    }
}

static const char *reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 204:
        return "No Content";
    case 301:
        return "Moved Permanently";
    case 422:
        return "Unprocessable Entity";
    case 429:
        return "Too Many Requests";
    default:
        return "Status";
    }
}

void sim_reply(struct sim *sim, struct evhttp_request *req, const struct sim_answer *answer)
{
    struct evbuffer *out = evhttp_request_get_output_buffer(req);
    struct pncp_view body = pncp_buf_view(&answer->body->buf);

    if (answer->body->failed || evbuffer_add(out, body.data, body.len) != 0) {
        evhttp_send_reply(req, 500, "Simulator out of memory", NULL);
        return;
    }
    put_headers(sim, req, answer);
    evhttp_send_reply(req, answer->status, reason(answer->status), NULL);
}

/* The right answer to `req`, as it is now. */
static void right_answer(struct sim *sim, struct evhttp_request *req, const struct sim_request *request,
                         struct sim_answer *answer)
{
    const char *host = evhttp_find_header(evhttp_request_get_input_headers(req), "Host");

    if (evhttp_request_get_command(req) != EVHTTP_REQ_GET) {
        sim_answer_400(answer, "", request->path, "Request method not supported");
        answer->status = 405;
    } else if (request->api == SIM_API_LISTING) {
        sim_consulta_answer(&sim->world, &sim->policy, request, answer);
    } else {
        sim_detail_answer(&sim->world, &sim->policy, request, host == NULL ? "localhost" : host, answer);
    }
}

static void drop_connection(struct evhttp_request *req, bool reset)
{
    struct evhttp_connection *conn = evhttp_request_get_connection(req);

    if (conn == NULL)
        evhttp_request_free(req); /* the client has gone: libevent has handed the request over */
    else if (reset)
        sim_connection_reset(conn);
    else
        evhttp_connection_free(conn); /* takes the request with it */
}

/* Answer from the connection itself. True: done with the request; false: more in the pending's next stage. */
static bool deliver_raw(struct sim_pending *pending, const struct sim_answer *answer)
{
    struct evhttp_connection *conn = evhttp_request_get_connection(pending->req);

    if (conn != NULL)
        sim_send_head_and(conn, answer, answer->body->buf.len / 2);
    if (pending->decision.fault == SIM_FAULT_SHORT_BODY || conn == NULL) {
        drop_connection(pending->req, false);
        return true;
    }
    arm(pending, STAGE_RESET,
        RESET_BODY_WAIT_MS); /* so that the peer reads the first half before the reset discards it */
    return false;
}

static bool start_trickle(struct sim_pending *pending, const struct sim_answer *answer)
{
    struct sim *sim = pending->sim;
    struct pncp_view body = pncp_buf_view(&answer->body->buf);
    char number[24];

    pending->rest = evbuffer_new();
    if (pending->rest == NULL || evbuffer_add(pending->rest, body.data, body.len) != 0 || body.len == 0) {
        sim_reply(sim, pending->req, answer);
        return true;
    }
    pending->step_bytes = body.len / TRICKLE_STEPS + 1;
    put_headers(sim, pending->req, answer);
    (void)snprintf(number, sizeof(number), "%zu", body.len);
    (void)evhttp_add_header(evhttp_request_get_output_headers(pending->req), "Content-Length", number);
    evhttp_send_reply_start(pending->req, answer->status, reason(answer->status));
    arm(pending, STAGE_TRICKLE, pending->decision.arg / TRICKLE_STEPS);
    return false;
}

static bool step_trickle(struct sim_pending *pending)
{
    struct evbuffer *piece = evbuffer_new();

    if (piece != NULL) {
        (void)evbuffer_remove_buffer(pending->rest, piece, pending->step_bytes);
        evhttp_send_reply_chunk(pending->req, piece);
        evbuffer_free(piece);
    }
    if (piece == NULL || evbuffer_get_length(pending->rest) == 0) {
        evhttp_send_reply_end(pending->req);
        return true;
    }
    arm(pending, STAGE_TRICKLE, pending->decision.arg / TRICKLE_STEPS);
    return false;
}

static bool step_hang(struct sim_pending *pending)
{
    struct evhttp_connection *conn = evhttp_request_get_connection(pending->req);
    uint64_t now = pncp_clock_mono_ms();

    if (conn == NULL || now >= pending->hang_until_ms || sim_connection_gone(conn)) {
        drop_connection(pending->req, false);
        return true;
    }
    arm(pending, STAGE_HANG, (uint32_t)PNCP_MIN(pending->hang_until_ms - now + 1, (uint64_t)HANG_POLL_MS));
    return false;
}

static void change_page(struct sim_request *request, bool first)
{
    struct sim_param *page = &request->params[SIM_PAGINA];
    uint32_t number = 1;

    if (!first && page->present && sim_param_u32(request, SIM_PAGINA, &number))
        number++;
    page->present = true;
    page->len = (uint8_t)snprintf(page->text, sizeof(page->text), "%u", first ? 1 : number);
}

static bool deliver_huge(struct sim_pending *pending)
{
    struct evbuffer *out = evhttp_request_get_output_buffer(pending->req);
    struct sim_answer answer = {.status = 200, .type = SIM_TYPE_JSON, .body = &pending->sim->scratch};

    pending->body_bytes = ((uint64_t)pending->decision.arg << 20) + 2;
    put_headers(pending->sim, pending->req, &answer);
    if (sim_put_huge(out, pending->decision.arg))
        evhttp_send_reply(pending->req, 200, "OK", NULL);
    else
        evhttp_send_reply(pending->req, 500, "Simulator out of memory", NULL);
    return true;
}

/* True: the request is done with; false: a next stage was armed. Sets pending->status. */
static bool deliver(struct sim_pending *pending)
{
    struct sim *sim = pending->sim;
    struct sim_answer answer = {.body = &sim->scratch};
    struct sim_request request;

    sim_request_parse(target_of(pending->req), &request);
    switch (pending->decision.fault) {
    case SIM_FAULT_RESET:
    case SIM_FAULT_CLOSE:
        drop_connection(pending->req, pending->decision.fault == SIM_FAULT_RESET);
        return true;
    case SIM_FAULT_HANG:
        pending->hang_until_ms = pncp_clock_mono_ms() + pending->decision.arg;
        arm(pending, STAGE_HANG, PNCP_MIN(pending->decision.arg, HANG_POLL_MS));
        return false;
    case SIM_FAULT_HUGE:
        pending->status = 200;
        return deliver_huge(pending);
    case SIM_FAULT_WRONG_PAGE:
    case SIM_FAULT_FIRST_PAGE:
        change_page(&request, pending->decision.fault == SIM_FAULT_FIRST_PAGE);
        break;
    default:
        break;
    }
    if (!sim_fault_replaces(&pending->decision, &request, &answer)) {
        right_answer(sim, pending->req, &request, &answer);
        sim_fault_spoils(&pending->decision, &request, &answer);
    }
    pending->status = answer.status;
    pending->body_bytes = answer.body->buf.len;

    switch (pending->decision.fault) {
    case SIM_FAULT_SHORT_BODY:
    case SIM_FAULT_RESET_BODY:
        return deliver_raw(pending, &answer);
    case SIM_FAULT_TRICKLE:
        return start_trickle(pending, &answer);
    default:
        sim_reply(sim, pending->req, &answer);
        return true;
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct sim_pending *pending = arg;
    bool done = true;

    (void)fd;
    (void)what;
    switch (pending->stage) {
    case STAGE_ANSWER:
        done = deliver(pending);
        break;
    case STAGE_TRICKLE:
        done = step_trickle(pending);
        break;
    case STAGE_HANG:
        done = step_hang(pending);
        break;
    case STAGE_RESET:
        drop_connection(pending->req, true);
        break;
    }
    if (!done)
        return;
    sim_tally_answered(&pending->sim->tally, pending->status, pending->body_bytes);
    pending_free(pending);
}

static uint32_t waiting_time(const struct sim *sim, const struct sim_decision *decision,
                             const struct sim_request *request, uint64_t url_hash, uint32_t attempt)
{
    switch (decision->fault) {
    case SIM_FAULT_429: /* refused before any work is done */
    case SIM_FAULT_503:
        return 0;
    case SIM_FAULT_500_SLOW:
    case SIM_FAULT_DELAY:
        return decision->arg;
    default:
        return sim_latency_draw(&sim->latency[request->api], request->api,
                                sim_mix2(url_hash, 0x1a7e00000000u + attempt));
    }
}

/* Faults that end the connection must not do so inside libevent's own callback. */
static bool needs_stage(enum sim_fault fault)
{
    return fault == SIM_FAULT_RESET || fault == SIM_FAULT_CLOSE || fault == SIM_FAULT_HANG ||
           fault == SIM_FAULT_SHORT_BODY || fault == SIM_FAULT_RESET_BODY || fault == SIM_FAULT_TRICKLE;
}

static void answer_later(struct sim *sim, struct evhttp_request *req, const struct sim_decision *decision, uint32_t ms)
{
    struct sim_pending *pending = pncp_calloc(1, sizeof(*pending));

    if (pending == NULL) {
        sim_tally_answered(&sim->tally, 500, 0);
        evhttp_send_reply(req, 500, "Simulator out of memory", NULL);
        return;
    }
    *pending = (struct sim_pending){
        .next = sim->pending, .prev = &sim->pending, .sim = sim, .req = req, .decision = *decision};
    if (sim->pending != NULL)
        sim->pending->prev = &pending->next;
    sim->pending = pending;
    evtimer_assign(&pending->timer, sim->base, on_timer, pending);
    arm(pending, STAGE_ANSWER, ms);
}

static void answer_own(struct sim *sim, struct evhttp_request *req, const struct sim_request *request)
{
    struct sim_answer answer = {.body = &sim->scratch};

    if (request->endpoint == SIM_TRUTH) {
        sim_truth_start(sim, req, request);
        return;
    }
    sim_control_answer(sim, req, request, &answer);
    sim_reply(sim, req, &answer);
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct sim *sim = arg;
    struct sim_request request;
    struct sim_decision decision;
    char *address = NULL;
    ev_uint16_t port;

    sim_request_parse(target_of(req), &request);
    if (request.kind == SIM_KIND_OWN) {
        answer_own(sim, req, &request);
        return;
    }
    uint64_t url_hash = sim_mix_bytes(request.target.data, request.target.len, 0);
    uint32_t attempt = sim_tally_arrival(&sim->tally, &request, url_hash);
    evhttp_connection_get_peer(evhttp_request_get_connection(req), &address, &port);
    if (sim_tally_admit(&sim->tally, address == NULL ? "?" : address, request.api))
        decision = sim_faults_decide(&sim->faults, &request, url_hash, attempt);
    else
        decision = (struct sim_decision){SIM_FAULT_429, 0};
    sim->tally.faults[decision.fault]++;

    uint32_t ms = waiting_time(sim, &decision, &request, url_hash, attempt);
    if (ms != 0 || needs_stage(decision.fault)) {
        answer_later(sim, req, &decision, ms);
        return;
    }
    struct sim_pending now = {.sim = sim, .req = req, .decision = decision};
    (void)deliver(&now); /* none of the faults left has a second stage */
    sim_tally_answered(&sim->tally, now.status, now.body_bytes);
}

static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
    struct sim *sim = arg;
    sim->tally.connections++;
    return bufferevent_socket_new(base, -1, 0);
}

static enum pncp_code bind_socket(struct sim *sim, uint16_t *ret_port, struct pncp_err *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(sim->listen_port)};
    socklen_t len = sizeof(address);

    if (inet_pton(AF_INET, sim->listen_host, &address.sin_addr) != 1)
        return pncp_err_set(err, PNCP_E_USAGE, "'%s' is not an IPv4 address", sim->listen_host);
    struct evconnlistener *listener = evconnlistener_new_bind(
        sim->base, NULL, NULL, LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE, BACKLOG,
        (struct sockaddr *)&address, (int)len);
    if (listener == NULL)
        return pncp_err_sys(err, EVUTIL_SOCKET_ERROR(), "listen on %s:%u", sim->listen_host, sim->listen_port);
    int fd = evconnlistener_get_fd(listener), on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* accepted sockets inherit it */
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0 || evhttp_bind_listener(sim->http, listener) == NULL) {
        evconnlistener_free(listener);
        return pncp_err_set(err, PNCP_E_IO, "listen on %s:%u: cannot serve the socket", sim->listen_host,
                            sim->listen_port);
    }
    *ret_port = ntohs(address.sin_port);
    return PNCP_OK;
}

enum pncp_code sim_server_start(struct sim *sim, uint16_t *ret_port, struct pncp_err *err)
{
    sim->base = event_base_new();
    sim->http = sim->base == NULL ? NULL : evhttp_new(sim->base);
    if (sim->http == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "no memory for the server");
    evhttp_set_bevcb(sim->http, on_connection, sim);
    evhttp_set_gencb(sim->http, on_request, sim);
    evhttp_set_timeout(sim->http, CONNECTION_TIMEOUT_S);
    evhttp_set_max_body_size(sim->http, REQUEST_BODY_MAX_BYTES);
    evhttp_set_max_headers_size(sim->http, REQUEST_HEAD_MAX_BYTES);
    evhttp_set_default_content_type(sim->http, NULL); /* a 301 has none; 200 always sets its own */
    return bind_socket(sim, ret_port, err);
}

void sim_server_stop(struct sim *sim)
{
    sim->stopping = true;
    for (struct sim_pending *pending = sim->pending, *next; pending != NULL; pending = next) {
        next = pending->next;
        if (evhttp_request_get_connection(pending->req) == NULL)
            evhttp_request_free(pending->req);
        pending_free(pending);
    }
    sim_truth_stop(sim);
    if (sim->http != NULL)
        evhttp_free(sim->http);
    if (sim->base != NULL)
        event_base_free(sim->base);
    sim->http = NULL;
    sim->base = NULL;
}
