/*
 * Is a list whole? A part in conversation with a server that the bytes play.
 * Input: mode · for an honest server its list, how it cuts, and at most one thing that goes wrong; for any other one
 * byte or two an answer, until there are no more; then it says the same for ever.
 * True: the conversation ends, soon after the last page that brought something new. What is accepted is what the pages
 * hold, each row once, and no less than /quantidade said, unless it says that the two differ. An honest server's list
 * comes whole.
 */
#include "fuzz.h"
#include "pncp/part.h"
#include "pncp/url.h"

/* Readings of one conversation at most: the first, three when numbers disagree, two after a false 404, eight when pages
 * are cut further. Each ends with up to four requests that bring nothing. */
#define READINGS_MAX 14
#define IDLE_REQUESTS_MAX (READINGS_MAX * 4)
#define LAST_PAGES_MAX 50 /* that a server without end of words fills */

enum fault { FAULT_NONE, FAULT_SHRINKS, FAULT_404, FAULT_204, FAULT_EMPTY, FAULT_KINDS };

struct server {
    struct fuzz_input in;           /* of the one that may say anything */
    unsigned last_page, last_count; /* what it says when there is nothing left */
    /* honest */
    bool honest, clamps, end_is_204;
    int64_t rows, cap, cap_later, first_id;
    enum fault fault;
    unsigned fault_at; /* request, from 1 */
    unsigned requests;
};

struct reply {
    long status;
    bool failed;
    struct pncp_buf body;
};

static struct pncp_part_scratch scratch;

/* ---- replies --------------------------------------------------------------------------------- */

static void put(struct reply *reply, const char *text)
{
    FUZZ_CHECK(pncp_buf_text(&reply->body, text) == PNCP_OK);
}

/* Rows of the ids [first, first + count); without ids when `field` is "". */
static void put_rows(struct reply *reply, int64_t first, int64_t count, const char *field)
{
    put(reply, "[");
    for (int64_t i = 0; i < count; i++) {
        enum pncp_code rc = field[0] == '\0' ? pncp_buf_text(&reply->body, i == 0 ? "{}" : ",{}")
                                             : pncp_buf_format(&reply->body, "%s{\"%s\":%" PRId64 "}",
                                                               i == 0 ? "" : ",", field, first + i);
        FUZZ_CHECK(rc == PNCP_OK);
    }
    put(reply, "]");
}

static void put_count(struct reply *reply, int64_t count)
{
    FUZZ_CHECK(pncp_buf_format(&reply->body, "%" PRId64, count) == PNCP_OK);
}

static const char *id_field(const struct pncp_part_fetch *part)
{
    return part->part == PNCP_PART_ITENS ? "numeroItem" : "sequencialDocumento";
}

static void reply_anything(struct server *server, const struct pncp_part_fetch *part, struct reply *reply)
{
    struct pncp_part_request ask = pncp_part_next(part);
    bool over = fuzz_empty(&server->in);
    unsigned word = !over ? fuzz_byte(&server->in) : ask.quantidade ? server->last_count : server->last_page;
    unsigned number = over ? word >> 3 : fuzz_byte(&server->in);
    switch (word & 7) {
    case 0:
        reply->status = 204;
        break;
    case 1:
        reply->status = 404;
        break;
    case 2:
        reply->failed = (word & 0xF8) == 0xF8; /* seldom: it ends the conversation */
        reply->status = reply->failed ? 503 : 200;
        put(reply, ask.quantidade ? "0" : "[]");
        break;
    case 3: /* as many as were asked for, from where they should begin */
        if (ask.quantidade)
            put_count(reply, (int64_t)number * 8);
        else
            put_rows(reply, (int64_t)(ask.page - 1) * ask.page_rows,
                     over && ask.page > LAST_PAGES_MAX ? 0 : ask.page_rows, id_field(part));
        break;
    case 4:
        if (ask.quantidade)
            put_count(reply, part->total + (int64_t)(word >> 3 & 3) - 1 < 0 ? 0 : part->total + (word >> 3 & 3) - 1);
        else
            put_rows(reply, 0, number & 31, ""); /* no ids: they all look new */
        break;
    default: /* some, from somewhere */
        if (ask.quantidade)
            put_count(reply, number);
        else
            put_rows(reply, number, word >> 3, id_field(part));
        break;
    }
}

static void reply_honestly(struct server *server, const struct pncp_part_fetch *part, struct reply *reply)
{
    struct pncp_part_request ask = pncp_part_next(part);
    bool fault = server->requests == server->fault_at;
    if (fault && server->fault == FAULT_SHRINKS)
        server->cap = server->cap_later;
    if (fault && (server->fault == FAULT_404 || server->fault == FAULT_204)) {
        reply->status = server->fault == FAULT_404 ? 404 : 204;
    } else if (fault && server->fault == FAULT_EMPTY) {
        put(reply, ask.quantidade ? "0" : "[]");
    } else if (ask.quantidade) {
        put_count(reply, server->rows);
    } else {
        int64_t shown = PNCP_MIN((int64_t)ask.page_rows, server->cap);
        int64_t first = ((int64_t)ask.page - 1) * (server->clamps ? shown : (int64_t)ask.page_rows);
        int64_t end = PNCP_MIN(first + shown, server->rows);
        if (first >= end && server->end_is_204)
            reply->status = 204;
        else
            put_rows(reply, server->first_id + first, PNCP_MAX(end - first, 0), id_field(part));
    }
}

/* One request and its answer, through the verdict as the fetcher does it. */
static void exchange(struct server *server, struct pncp_part_fetch *part)
{
    struct reply reply = {.status = 200};
    struct pncp_part_request ask = pncp_part_next(part);
    struct pncp_verdict verdict;
    FUZZ_CHECK(ask.quantidade || (ask.page >= 1 && ask.page_rows >= 1 && ask.page_rows <= PNCP_PAGE_ROWS_DETAIL));
    server->requests++;
    if (server->honest)
        reply_honestly(server, part, &reply);
    else
        reply_anything(server, part, &reply);
    struct pncp_answer answer = {.status = reply.status, .body = pncp_buf_view(&reply.body)};
    pncp_verdict_make(ask.quantidade ? PNCP_KIND_COUNT : PNCP_KIND_LIST, &answer, 0, &verdict);
    FUZZ_CHECK(pncp_part_answer(part, &verdict, pncp_buf_view(&reply.body), &scratch) == PNCP_OK);
    pncp_json_release(&verdict.json);
    pncp_buf_release(&reply.body);
}

/* ---- what must be true when it is over ------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Rows kept: different ids, and those without. */
static int64_t rows_kept(const struct pncp_part_fetch *part)
{
    AUTO(pncp_table_release) struct pncp_table table;
    AUTO(pncp_free_ptr) int64_t *ids = NULL;
    bool itens = part->part == PNCP_PART_ITENS;
    const struct pncp_details_leaves *at = pncp_details_leaves();
    FUZZ_CHECK(pncp_table_init(&table, pncp_details_schema()) == PNCP_OK);
    FUZZ_CHECK(pncp_part_rows_put(&part->rows, &table) == PNCP_OK);
    const struct pncp_leaf *leaf = &table.leaves[table.schema->nodes[itens ? at->itens_node : at->arquivos_node].leaf];
    int64_t rows = (int64_t)(leaf->level_count - leaf->value_count);
    ids = pncp_calloc(leaf->value_count, sizeof(*ids));
    FUZZ_CHECK(ids != NULL);
    for (size_t i = 0; i < leaf->value_count; i++)
        ids[i] = pncp_leaf_int(leaf, i);
    if (leaf->value_count > 0)
        qsort(ids, leaf->value_count, sizeof(*ids), by_value);
    for (size_t i = 0; i < leaf->value_count; i++)
        rows += i == 0 || ids[i] != ids[i - 1];
    FUZZ_CHECK((size_t)rows == leaf->level_count);
    return rows;
}

static void check_accepted(const struct pncp_part_fetch *part)
{
    switch (part->situacao) {
    case PNCP_SITUACAO_OK:
        FUZZ_CHECK(part->total > 0 && part->total == rows_kept(part));
        FUZZ_CHECK(part->differs == (part->quantidade != -1 && part->quantidade != part->total));
        if (part->confirm == PNCP_CONFIRM_ALWAYS ||
            (part->confirm == PNCP_CONFIRM_AUTO && part->total >= PNCP_CONFIRM_FROM_ROWS))
            FUZZ_CHECK(part->quantidade >= 0);
        break;
    case PNCP_SITUACAO_VAZIO:
        FUZZ_CHECK(part->total == 0 && part->rows.count == 0 && part->quantidade <= 0 && !part->differs);
        break;
    case PNCP_SITUACAO_AUSENTE:
        FUZZ_CHECK(part->total == -1 && part->rows.count == 0 && part->quantidade <= 0);
        break;
    }
}

/* Does the part have to find out all that such a server has? */
static bool is_provable(const struct server *server, enum pncp_confirm confirm)
{
    switch (confirm) {
    case PNCP_CONFIRM_ALWAYS:
        return true;
    case PNCP_CONFIRM_AUTO: /* what looks like a list of less than ten rows is believed */
        return PNCP_MIN(server->cap, server->cap_later) >= PNCP_CONFIRM_FROM_ROWS && server->fault != FAULT_204 &&
               server->fault != FAULT_EMPTY;
    case PNCP_CONFIRM_NEVER:
        return PNCP_MIN(server->cap, server->cap_later) >= PNCP_PAGE_ROWS_DETAIL &&
               (server->fault == FAULT_NONE || server->fault == FAULT_SHRINKS);
    }
    return false;
}

static void converse(struct server *server, struct pncp_part_fetch *part)
{
    unsigned idle = 0;
    while (part->state == PNCP_PART_ASKING) {
        uint32_t pages = part->pages;
        exchange(server, part);
        idle += part->state == PNCP_PART_ASKING && part->pages <= pages;
        FUZZ_CHECK(idle <= IDLE_REQUESTS_MAX);
    }
    if (part->state == PNCP_PART_FAILED)
        FUZZ_CHECK(part->rows.count == 0 && part->rows.cells.cap == 0 && part->reason != PNCP_REASON_NONE);
    else
        check_accepted(part);
}

static void take_honest(struct server *server, struct fuzz_input *in)
{
    unsigned how = fuzz_byte(in);
    server->clamps = (how & 1) != 0;
    server->end_is_204 = (how & 2) != 0;
    server->fault = (enum fault)((how >> 2) % FAULT_KINDS);
    server->fault_at = fuzz_byte(in);
    server->rows = fuzz_pair(in) % 1300;
    server->cap = 1 + fuzz_pair(in) % 1000;
    server->cap_later = 1 + (int64_t)fuzz_pair(in) % server->cap;
    server->first_id = (int64_t)fuzz_pair(in) - 32768;
    if (server->fault != FAULT_SHRINKS)
        server->cap_later = server->cap;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct server server = {.in = fuzz_open(data, size)};
    if (scratch.table.schema == NULL)
        FUZZ_CHECK(pncp_part_scratch_init(&scratch) == PNCP_OK);
    unsigned mode = fuzz_byte(&server.in);
    enum pncp_confirm confirm = (enum pncp_confirm)((mode >> 1 & 3) % 3);
    AUTO(pncp_part_release) struct pncp_part_fetch part;
    pncp_part_init(&part, (mode & 1) != 0 ? PNCP_PART_ARQUIVOS : PNCP_PART_ITENS, confirm);
    server.honest = mode >= 128;
    server.last_page = fuzz_byte(&server.in);
    server.last_count = fuzz_byte(&server.in);
    if (server.honest)
        take_honest(&server, &server.in);
    converse(&server, &part);
    if (server.honest && is_provable(&server, confirm)) {
        FUZZ_CHECK(part.state == PNCP_PART_DONE && !part.differs);
        FUZZ_CHECK(part.situacao == (server.rows > 0 ? PNCP_SITUACAO_OK : PNCP_SITUACAO_VAZIO) ||
                   (server.rows == 0 && server.fault == FAULT_404)); /* absent, and none counted */
        FUZZ_CHECK(PNCP_MAX(part.total, 0) == server.rows);
    }
    return 0;
}
