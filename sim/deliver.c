#include "deliver.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "api.h"

static const char *inner_base(const struct sim_request *request)
{
    return request->api == SIM_API_LISTING ? SIM_CONSULTA_INNER : SIM_DETAIL_INNER;
}

bool sim_fault_replaces(const struct sim_decision *decision, const struct sim_request *request,
                        struct sim_answer *answer)
{
    switch (decision->fault) {
    case SIM_FAULT_429:
        sim_answer_html(answer, 429);
        return true;
    case SIM_FAULT_500_JSON:
    case SIM_FAULT_500_SLOW:
        sim_answer_500_json(answer, inner_base(request), request->inner);
        return true;
    case SIM_FAULT_500_TEXT:
        sim_answer_500_text(answer);
        return true;
    case SIM_FAULT_502:
        sim_answer_html(answer, 502);
        return true;
    case SIM_FAULT_503:
        sim_answer_html(answer, 503);
        return true;
    case SIM_FAULT_504:
        sim_answer_html(answer, 504);
        return true;
    case SIM_FAULT_520:
        sim_answer_html(answer, 520);
        return true;
    case SIM_FAULT_524:
        sim_answer_html(answer, 524);
        return true;
    case SIM_FAULT_STATUS:
        sim_answer_html(answer, (int)decision->arg);
        return true;
    case SIM_FAULT_HTML_200:
        sim_answer_html(answer, 200);
        return true;
    case SIM_FAULT_EMPTY_200:
        sim_answer_204(answer);
        answer->status = 200;
        answer->type = SIM_TYPE_JSON;
        return true;
    case SIM_FAULT_204:
        sim_answer_204(answer);
        return true;
    case SIM_FAULT_400:
        sim_answer_400(answer, inner_base(request), request->inner, "Tamanho de página inválido");
        return true;
    case SIM_FAULT_404:
        sim_answer_404_compra(answer);
        return true;
    case SIM_FAULT_422: /* the wording of the transient one */
        sim_answer_422(answer, inner_base(request), request->inner, "Período inicial e final maior que 365 dias", true);
        return true;
    case SIM_FAULT_DEEP:
        sim_answer_204(answer);
        answer->status = 200;
        answer->type = SIM_TYPE_JSON;
        sim_text_grow(answer->body, 2 * (size_t)decision->arg);
        if (!answer->body->failed) {
            memset(answer->body->buf.data, '[', decision->arg);
            memset(answer->body->buf.data + decision->arg, ']', decision->arg);
            answer->body->buf.len = 2 * (size_t)decision->arg;
        }
        return true;
    default:
        return false;
    }
}

/* Put `len` bytes at `at` of the body. */
static void insert(struct sim_text *body, size_t at, const char *data, size_t len)
{
    sim_text_grow(body, len);
    if (body->failed)
        return;
    memmove(body->buf.data + at + len, body->buf.data + at, body->buf.len - at);
    memcpy(body->buf.data + at, data, len);
    body->buf.len += len;
}

/* {"numeroItem":1,… becomes {"numeroItem":null,"numeroItem":1,… */
static void duplicate_key(struct sim_text *body)
{
    char member[128];
    const char *end = body->buf.data + body->buf.len;
    const char *start = body->buf.len == 0 ? NULL : memchr(body->buf.data, '{', body->buf.len);
    const char *quote = start == NULL || end - start < 3 ? NULL : memchr(start + 2, '"', (size_t)(end - start - 2));

    if (quote == NULL || quote - start > 100) { /* an empty list or a count */
        sim_text_clear(body);
        SIM_PUT(body, "{\"data\":[],\"data\":[]}");
        return;
    }
    size_t key_len = (size_t)(quote - start); /* with both quotes */
    memcpy(member, start + 1, key_len);
    memcpy(member + key_len, ":null,", 6);
    insert(body, (size_t)(start + 1 - body->buf.data), member, key_len + 6);
}

static void break_utf8(struct sim_text *body)
{
    static const char BAD[] = "\xC3\x28"; /* a lead byte without its second */
    const char *at = body->buf.len == 0 ? NULL : memmem(body->buf.data, body->buf.len, "\":\"", 3);

    insert(body, at == NULL ? body->buf.len : (size_t)(at + 3 - body->buf.data), BAD, sizeof(BAD) - 1);
}

static void change_kind(const struct sim_request *request, struct sim_text *body)
{
    sim_text_clear(body);
    switch (request->kind) {
    case SIM_KIND_LISTING:
    case SIM_KIND_COMPRA:
        SIM_PUT(body, "[]");
        break;
    case SIM_KIND_QUANTIDADE_ITENS:
    case SIM_KIND_QUANTIDADE_ARQUIVOS:
        SIM_PUT(body, "\"12\"");
        break;
    default:
        SIM_PUT(body, "{\"erro\":true}");
    }
}

void sim_fault_spoils(const struct sim_decision *decision, const struct sim_request *request, struct sim_answer *answer)
{
    struct sim_text *body = answer->body;

    if (answer->status != 200)
        return;
    switch (decision->fault) {
    case SIM_FAULT_TRUNCATED:
        body->buf.len /= 2;
        break;
    case SIM_FAULT_DUP_KEY:
        duplicate_key(body);
        break;
    case SIM_FAULT_TRAILING:
        SIM_PUT(body, "<!-- fim -->");
        break;
    case SIM_FAULT_BAD_UTF8:
        break_utf8(body);
        break;
    case SIM_FAULT_WRONG_TYPE:
        answer->type = SIM_TYPE_HTML;
        break;
    case SIM_FAULT_WRONG_KIND:
        change_kind(request, body);
        break;
    default:
        break;
    }
}

static int socket_of(struct evhttp_connection *conn)
{
    return bufferevent_getfd(evhttp_connection_get_bufferevent(conn));
}

void sim_send_head_and(struct evhttp_connection *conn, const struct sim_answer *answer, size_t body_bytes)
{
    char head[256];
    int len = snprintf(head, sizeof(head), "HTTP/1.1 %d OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                       answer->status, answer->type == NULL ? SIM_TYPE_JSON : answer->type, answer->body->buf.len);

    /* Short counts do not matter: what is sent here is cut off anyway. */
    if (len > 0 && send(socket_of(conn), head, (size_t)len, MSG_NOSIGNAL | MSG_MORE) == len && body_bytes != 0)
        (void)!send(socket_of(conn), answer->body->buf.data, body_bytes, MSG_NOSIGNAL);
}

void sim_connection_reset(struct evhttp_connection *conn)
{
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    (void)connect(socket_of(conn), &nobody, sizeof(nobody));
    evhttp_connection_free(conn);
}

bool sim_connection_gone(struct evhttp_connection *conn)
{
    char byte;
    ssize_t got = recv(socket_of(conn), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool sim_put_huge(struct evbuffer *out, uint32_t mib)
{
    static char blanks[1024 * 1024];

    memset(blanks, ' ', sizeof(blanks));
    bool ok = evbuffer_add(out, "[", 1) == 0;
    for (uint32_t i = 0; ok && i < mib; i++)
        ok = evbuffer_add_reference(out, blanks, sizeof(blanks), NULL, NULL) == 0;
    return ok && evbuffer_add(out, "]", 1) == 0;
}
