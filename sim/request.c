#include "request.h"

#include <string.h>

static const char *const PARAM_NAMES[SIM_PARAMS] = {
    [SIM_DATA_INICIAL] = "dataInicial",
    [SIM_DATA_FINAL] = "dataFinal",
    [SIM_MODALIDADE_CODE] = "codigoModalidadeContratacao",
    [SIM_MODO_CODE] = "codigoModoDisputa",
    [SIM_UF_FILTER] = "uf",
    [SIM_IBGE_FILTER] = "codigoMunicipioIbge",
    [SIM_CNPJ_FILTER] = "cnpj",
    [SIM_UNIDADE_FILTER] = "codigoUnidadeAdministrativa",
    [SIM_PAGINA] = "pagina",
    [SIM_TAMANHO] = "tamanhoPagina",
    [SIM_DATE] = "date",
    [SIM_KEYS] = "keys",
};

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t decode(struct pncp_view from, char *to, size_t cap)
{
    size_t len = 0;

    for (size_t i = 0; i < from.len && len + 1 < cap; i++) {
        char c = from.data[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%' && i + 2 < from.len && hex_value(from.data[i + 1]) >= 0 &&
                   hex_value(from.data[i + 2]) >= 0) {
            c = (char)(hex_value(from.data[i + 1]) * 16 + hex_value(from.data[i + 2]));
            i += 2;
        }
        to[len++] = c;
    }
    to[len] = '\0';
    return len;
}

/* Up to the first `sep` (not included); *rest goes on behind it, or is empty. */
static struct pncp_view cut_at(struct pncp_view *rest, char sep)
{
    const char *end = rest->len == 0 ? NULL : memchr(rest->data, sep, rest->len);
    struct pncp_view head = *rest;

    if (end == NULL) {
        *rest = (struct pncp_view){rest->data + rest->len, 0};
        return head;
    }
    head.len = (size_t)(end - head.data);
    *rest = (struct pncp_view){end + 1, rest->len - head.len - 1};
    return head;
}

bool sim_form_next(struct pncp_view *rest, char *ret_name, size_t name_cap, char *ret_value, size_t value_cap,
                   size_t *ret_value_len)
{
    while (rest->len != 0) {
        struct pncp_view value = cut_at(rest, '&');
        struct pncp_view name = cut_at(&value, '=');
        if (name.len == 0)
            continue;
        (void)decode(name, ret_name, name_cap);
        *ret_value_len = decode(value, ret_value, value_cap);
        return true;
    }
    return false;
}

static void parse_query(struct sim_request *request)
{
    struct pncp_view rest = request->query;
    char name[SIM_PARAM_CHARS + 1], value[SIM_PARAM_CHARS + 1];
    size_t len;

    while (sim_form_next(&rest, name, sizeof(name), value, sizeof(value), &len)) {
        for (int i = 0; i < SIM_PARAMS; i++) {
            if (strcmp(name, PARAM_NAMES[i]) != 0)
                continue;
            struct sim_param *param = &request->params[i];
            param->present = true;
            param->len = (uint8_t)len;
            memcpy(param->text, value, len + 1);
            break;
        }
    }
}

static bool drop_prefix(struct pncp_view *view, const char *prefix)
{
    if (!pncp_view_starts(*view, prefix))
        return false;
    size_t len = strlen(prefix);
    view->data += len;
    view->len -= len;
    return true;
}

static bool parse_number(struct pncp_view text, uint32_t *ret_value)
{
    uint64_t value;
    if (!pncp_view_u64(text, &value) || value > INT32_MAX)
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

static bool is_cnpj(struct pncp_view text)
{
    if (text.len != 14)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!((text.data[i] >= '0' && text.data[i] <= '9') || (text.data[i] >= 'A' && text.data[i] <= 'Z')))
            return false;
    return true;
}

/* "{cnpj}/compras/{ano}/{sequencial}[/suffix]"; false: not of that shape. */
static bool parse_compra_path(struct sim_request *request, struct pncp_view rest, struct pncp_view *ret_suffix)
{
    request->cnpj = cut_at(&rest, '/');
    if (!drop_prefix(&rest, "compras/"))
        return false;
    struct pncp_view ano = cut_at(&rest, '/');
    struct pncp_view sequencial = cut_at(&rest, '/');
    request->key_ok = is_cnpj(request->cnpj) && parse_number(ano, &request->ano) &&
                      parse_number(sequencial, &request->sequencial) && request->sequencial != 0;
    *ret_suffix = rest;
    return sequencial.len != 0;
}

static void set(struct sim_request *request, enum sim_endpoint endpoint, enum sim_kind kind)
{
    request->endpoint = endpoint;
    request->kind = kind;
}

static void route_consulta(struct sim_request *request)
{
    struct pncp_view rest = request->inner, suffix;

    if (pncp_view_eq_text(rest, "/v1/contratacoes/publicacao"))
        set(request, SIM_PUBLICACAO, SIM_KIND_LISTING);
    else if (pncp_view_eq_text(rest, "/v1/contratacoes/atualizacao"))
        set(request, SIM_ATUALIZACAO, SIM_KIND_LISTING);
    else if (pncp_view_eq_text(rest, "/v1/contratacoes/proposta"))
        set(request, SIM_PROPOSTA, SIM_KIND_LISTING);
    else if (drop_prefix(&rest, "/v1/orgaos/") && parse_compra_path(request, rest, &suffix) && suffix.len == 0)
        set(request, SIM_COMPRA, SIM_KIND_COMPRA);
}

static void route_detail(struct sim_request *request)
{
    struct pncp_view rest = request->inner, suffix;

    if (!drop_prefix(&rest, "/v1/orgaos/") || !parse_compra_path(request, rest, &suffix))
        return;
    if (suffix.len == 0)
        set(request, SIM_MOVED, SIM_KIND_OTHER);
    else if (pncp_view_eq_text(suffix, "itens"))
        set(request, SIM_LIST_ITENS, SIM_KIND_ITENS);
    else if (pncp_view_eq_text(suffix, "arquivos"))
        set(request, SIM_LIST_ARQUIVOS, SIM_KIND_ARQUIVOS);
    else if (pncp_view_eq_text(suffix, "itens/quantidade"))
        set(request, SIM_COUNT_ITENS, SIM_KIND_QUANTIDADE_ITENS);
    else if (pncp_view_eq_text(suffix, "arquivos/quantidade"))
        set(request, SIM_COUNT_ARQUIVOS, SIM_KIND_QUANTIDADE_ARQUIVOS);
}

void sim_request_parse(struct pncp_view target, struct sim_request *ret_request)
{
    struct pncp_view rest = target;

    *ret_request =
        (struct sim_request){.kind = SIM_KIND_OTHER, .api = SIM_API_DETAIL, .endpoint = SIM_UNKNOWN, .target = target};
    ret_request->path = cut_at(&rest, '?');
    ret_request->query = rest;
    ret_request->inner = ret_request->path;
    parse_query(ret_request);

    if (drop_prefix(&ret_request->inner, "/api/consulta")) {
        ret_request->api = SIM_API_LISTING;
        route_consulta(ret_request);
    } else if (drop_prefix(&ret_request->inner, "/api/pncp") || drop_prefix(&ret_request->inner, "/pncp-api")) {
        route_detail(ret_request);
    } else if (pncp_view_eq_text(ret_request->path, "/_control")) {
        set(ret_request, SIM_CONTROL, SIM_KIND_OWN);
    } else if (pncp_view_eq_text(ret_request->path, "/_stats")) {
        set(ret_request, SIM_STATS, SIM_KIND_OWN);
    } else if (pncp_view_eq_text(ret_request->path, "/_truth")) {
        set(ret_request, SIM_TRUTH, SIM_KIND_OWN);
    }
}

struct pncp_view sim_param_view(const struct sim_request *request, enum sim_param_name name)
{
    return (struct pncp_view){request->params[name].text, request->params[name].len};
}

bool sim_param_u32(const struct sim_request *request, enum sim_param_name name, uint32_t *ret_value)
{
    return parse_number(sim_param_view(request, name), ret_value);
}
