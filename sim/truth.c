/*
 * /_truth?date=YYYYMMDD: every contratação published that day with the text of all its itens and arquivos, one JSON
 * object a line, in the order of the listings. A part that is 404 is null. Rows of another day that listings carry
 * (--foreign-rows) are left out.
 */
#include <event2/buffer.h>

#include "base/mem.h"
#include "sim.h"

/* A chunk is sent when it has this much; one contratação is never split. */
#define CHUNK_BYTES ((size_t)256 * 1024)

struct sim_stream {
    struct sim_stream *next, **prev;
    struct sim *sim;
    struct evhttp_request *req;
    struct pncp_date date;
    uint32_t modalidade, position;
    struct sim_text text;
};

static void stream_free(struct sim_stream *stream)
{
    *stream->prev = stream->next;
    if (stream->next != NULL)
        stream->next->prev = stream->prev;
    sim_text_release(&stream->text);
    pncp_free(stream);
}

static void put_part(const struct sim_world *world, const struct sim_row *row, enum sim_part part,
                     struct sim_text *text)
{
    struct sim_part_state state = sim_world_part(world, row, part);

    if (state.absent) {
        SIM_PUT(text, "null");
        return;
    }
    SIM_PUT(text, "[");
    for (uint32_t k = 0; k < state.rows; k++) {
        if (k != 0)
            SIM_PUT(text, ",");
        sim_source_part(world->source, row, part, k, text);
    }
    SIM_PUT(text, "]");
}

static void put_line(const struct sim_world *world, const struct sim_row *row, struct sim_text *text)
{
    SIM_PUT(text, "{\"contratacao\":");
    sim_source_contratacao(world->source, row, false, text);
    SIM_PUT(text, ",\"itens\":");
    put_part(world, row, SIM_ITENS, text);
    SIM_PUT(text, ",\"arquivos\":");
    put_part(world, row, SIM_ARQUIVOS, text);
    SIM_PUT(text, "}\n");
}

/* Fill the stream's text; false: nothing is left. */
static bool fill(struct sim_stream *stream)
{
    const struct sim_world *world = &stream->sim->world;

    sim_text_clear(&stream->text);
    for (; stream->modalidade <= SIM_MODALIDADES; stream->modalidade++, stream->position = 0) {
        uint32_t rows = sim_world_count(world, SIM_BY_PUBLICATION, stream->date, stream->modalidade);
        uint32_t page_size = world->config.drift == SIM_DRIFT_DISPLACE ? 0 : 50;
        while (stream->position < rows) {
            struct sim_row row, again;
            sim_world_row(world, SIM_BY_PUBLICATION, stream->date, stream->modalidade, stream->position++, page_size,
                          &row);
            /* Strangers, and the second of two equal neighbours (drift by duplication), are not rows of the day. */
            if (row.date.days != stream->date.days)
                continue;
            if (world->config.drift == SIM_DRIFT_DUPLICATE && stream->position >= 2) {
                sim_world_row(world, SIM_BY_PUBLICATION, stream->date, stream->modalidade, stream->position - 2, 50,
                              &again);
                if (again.sequencial == row.sequencial && again.ano == row.ano &&
                    memcmp(again.cnpj, row.cnpj, SIM_CNPJ_CHARS) == 0)
                    continue;
            }
            put_line(world, &row, &stream->text);
            if (stream->text.buf.len >= CHUNK_BYTES)
                return true;
        }
    }
    return stream->text.buf.len != 0;
}

static void on_closed(struct evhttp_connection *conn, void *arg)
{
    struct sim_stream *stream = arg;

    (void)conn;
    if (stream->sim->stopping)
        return;
    if (evhttp_request_get_connection(stream->req) == NULL)
        evhttp_request_free(stream->req); /* the client has gone: libevent has handed the request over */
    stream_free(stream);
}

static void send_next(struct evhttp_connection *conn, void *arg)
{
    struct sim_stream *stream = arg;
    struct evbuffer *chunk = evbuffer_new();
    bool more = chunk != NULL && fill(stream) && !stream->text.failed;

    if (more && evbuffer_add(chunk, stream->text.buf.data, stream->text.buf.len) == 0) {
        evhttp_send_reply_chunk_with_cb(stream->req, chunk, send_next, stream);
        evbuffer_free(chunk);
        return;
    }
    if (chunk != NULL)
        evbuffer_free(chunk);
    evhttp_connection_set_closecb(conn, NULL, NULL);
    evhttp_send_reply_end(stream->req);
    stream_free(stream);
}

void sim_truth_start(struct sim *sim, struct evhttp_request *req, const struct sim_request *request)
{
    struct pncp_date date;
    struct sim_stream *stream = NULL;

    if (!request->params[SIM_DATE].present || !pncp_date_parse(sim_param_view(request, SIM_DATE), &date)) {
        evhttp_send_reply(req, 400, "date=YYYYMMDD is missing", NULL);
        return;
    }
    stream = pncp_calloc(1, sizeof(*stream));
    if (stream == NULL) {
        evhttp_send_reply(req, 500, "Simulator out of memory", NULL);
        return;
    }
    *stream = (struct sim_stream){
        .next = sim->streams, .prev = &sim->streams, .sim = sim, .req = req, .date = date, .modalidade = 1};
    stream->text = SIM_TEXT_INIT;
    stream->text.buf.max_bytes = 0; /* one contratação of SIM_PART_ROWS_MAX itens is a line */
    if (sim->streams != NULL)
        sim->streams->prev = &stream->next;
    sim->streams = stream;

    struct evhttp_connection *conn = evhttp_request_get_connection(req);
    evhttp_connection_set_closecb(conn, on_closed, stream);
    (void)evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type", "application/x-ndjson");
    evhttp_send_reply_start(req, 200, "OK");
    send_next(conn, stream);
}

void sim_truth_stop(struct sim *sim)
{
    while (sim->streams != NULL) {
        struct sim_stream *stream = sim->streams;
        if (evhttp_request_get_connection(stream->req) == NULL)
            evhttp_request_free(stream->req);
        else
            evhttp_connection_set_closecb(evhttp_request_get_connection(stream->req), NULL, NULL);
        stream_free(stream);
    }
}
