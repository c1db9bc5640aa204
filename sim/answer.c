#include "answer.h"

static void begin(struct sim_answer *answer, int status, const char *type)
{
    answer->status = status;
    answer->type = type;
    answer->location[0] = '\0';
    sim_text_clear(answer->body);
}

/* "path":"/pncp-consulta/v1/…"; the path comes from the client and is escaped. */
static void put_path(struct sim_text *body, const char *inner_base, struct pncp_view path)
{
    SIM_PUT(body, "\"path\":");
    size_t start = body->buf.len;
    sim_text_string(body, path);
    if (body->failed)
        return;
    /* Put the base inside the quote that sim_text_string opened. */
    size_t base_len = strlen(inner_base), tail = body->buf.len - start - 1;
    sim_text_grow(body, base_len);
    if (body->failed)
        return;
    memmove(body->buf.data + start + 1 + base_len, body->buf.data + start + 1, tail);
    memcpy(body->buf.data + start + 1, inner_base, base_len);
    body->buf.len += base_len;
}

void sim_answer_204(struct sim_answer *answer)
{
    begin(answer, 204, NULL);
}

static void put_error(struct sim_answer *answer, const char *inner_base, struct pncp_view path, const char *message,
                      const char *error, const char *status)
{
    struct sim_text *body = answer->body;

    SIM_PUT(body, "{");
    put_path(body, inner_base, path);
    SIM_PUT(body, ",\"message\":");
    sim_text_string(body, pncp_view_of(message));
    SIM_PUT(body, ",\"error\":\"");
    sim_text_str(body, error);
    SIM_PUT(body, "\",\"timestamp\":\"2026-09-15T10:06:14.209-03:00\",\"status\":");
    sim_text_str(body, status);
    SIM_PUT(body, "}");
}

void sim_answer_400(struct sim_answer *answer, const char *inner_base, struct pncp_view path, const char *message)
{
    begin(answer, 400, SIM_TYPE_JSON);
    put_error(answer, inner_base, path, message, "400 BAD_REQUEST", "\"400\"");
}

void sim_answer_400_erros(struct sim_answer *answer, const char *message)
{
    begin(answer, 400, SIM_TYPE_JSON);
    SIM_PUT(answer->body, "{\"erros\":[{\"mensagem\":");
    sim_text_string(answer->body, pncp_view_of(message));
    SIM_PUT(answer->body, "}]}");
}

void sim_answer_404_compra(struct sim_answer *answer)
{
    begin(answer, 404, SIM_TYPE_JSON);
    SIM_PUT(answer->body,
            "{\"status\":\"404\",\"error\":\"404 NOT_FOUND\",\"message\":\"Contratação não cadastrada.\"}");
}

void sim_answer_404_path(struct sim_answer *answer, struct pncp_view path)
{
    begin(answer, 404, SIM_TYPE_JSON);
    SIM_PUT(answer->body, "{\"timestamp\":\"2026-09-15T13:06:14.209+00:00\",\"status\":404,\"error\":\"Not "
                          "Found\",\"message\":\"No message available\",");
    put_path(answer->body, "", path);
    SIM_PUT(answer->body, "}");
}

void sim_answer_422(struct sim_answer *answer, const char *inner_base, struct pncp_view path, const char *message,
                    bool status_number)
{
    begin(answer, 422, SIM_TYPE_JSON);
    put_error(answer, inner_base, path, message, "422 UNPROCESSABLE_ENTITY", status_number ? "422" : "\"422\"");
}

void sim_answer_html(struct sim_answer *answer, int status)
{
    struct sim_text *body = answer->body;

    begin(answer, status, SIM_TYPE_HTML);
    switch (status) {
    case 200:
        SIM_PUT(body, "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. Please "
                      "consult with your "
                      "administrator.<br><br>Your support ID is: 1000000000000000001<br><br></body></html>");
        break;
    case 429:
        SIM_PUT(body, "<html>\n<head>\n    <meta charset=\"UTF-8\">\n    <title>Limite de Requisições "
                      "Excedido</title>\n</head>\n<body>\n"
                      "    <h2>Limite de requisições excedido</h2>\n\n    <p>Tente novamente mais "
                      "tarde.</p>\n</body>\n</html>\n");
        break;
    case 503:
        SIM_PUT(body, "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this "
                      "request.\n</body></html>\n");
        break;
    default:
        SIM_PUT(body, "<html><head><title>");
        sim_text_i64(body, status);
        SIM_PUT(body, "</title></head><body><center><h1>");
        sim_text_i64(body, status);
        SIM_PUT(body, " Gateway</h1></center></body></html>\n");
    }
}

void sim_answer_500_json(struct sim_answer *answer, const char *inner_base, struct pncp_view path)
{
    begin(answer, 500, SIM_TYPE_JSON);
    SIM_PUT(answer->body, "{\"timestamp\":\"2026-09-16T01:23:20.830+00:00\",\"status\":500,\"error\":\"Internal Server "
                          "Error\",\"message\":\"Failed to obtain JDBC "
                          "Connection; nested exception is java.sql.SQLTransientConnectionException: HikariPool-1 - "
                          "Connection is not available, request timed out "
                          "after 30000ms.\",");
    put_path(answer->body, inner_base, path);
    SIM_PUT(answer->body, "}");
}

void sim_answer_500_text(struct sim_answer *answer)
{
    begin(answer, 500, SIM_TYPE_JSON); /* declared JSON, and is not */
    SIM_PUT(answer->body, "Erro na comunicação com o banco de dados.");
}
