#include "tally.h"

#include "base/mem.h"
#include "mix.h"

static const char *const KIND_NAMES[SIM_KINDS] = {
    "listing", "compra", "itens", "arquivos", "quantidade_itens", "quantidade_arquivos", "other"};
static const char *const API_NAMES[SIM_APIS] = {"listing", "detail"};

static void index_release(struct sim_index *index)
{
    pncp_free(index->ids);
    pncp_free(index->numbers);
    *index = (struct sim_index){0};
}

static size_t index_slot(const struct sim_index *index, uint64_t id)
{
    size_t slot = (size_t)sim_mix(id) & (index->cap - 1);
    while (index->ids[slot] != 0 && index->ids[slot] != id)
        slot = (slot + 1) & (index->cap - 1);
    return slot;
}

/* The rows grow first: a failure behind that leaves them larger than needed, never smaller. */
static bool index_grow(struct sim_index *index, void **rows, size_t row_bytes)
{
    struct sim_index bigger = {.cap = index->cap == 0 ? 1024 : index->cap * 2, .len = index->len};

    void *bigger_rows = pncp_realloc(*rows, bigger.cap, row_bytes);
    if (bigger_rows == NULL)
        return false;
    *rows = bigger_rows;

    bigger.ids = pncp_calloc(bigger.cap, sizeof(*bigger.ids));
    bigger.numbers = pncp_calloc(bigger.cap, sizeof(*bigger.numbers));
    if (bigger.ids == NULL || bigger.numbers == NULL) {
        index_release(&bigger);
        return false;
    }
    for (size_t i = 0; i < index->cap; i++) {
        if (index->ids[i] == 0)
            continue;
        size_t slot = index_slot(&bigger, index->ids[i]);
        bigger.ids[slot] = index->ids[i];
        bigger.numbers[slot] = index->numbers[i];
    }
    index_release(index);
    *index = bigger;
    return true;
}

/* The number of `id`; *ret_new when it was given just now. `*rows`, the caller's array by number, is grown along.
 * False: no memory or past `max`. */
static bool index_number(struct sim_index *index, uint64_t id, size_t max, void **rows, size_t row_bytes,
                         uint32_t *ret_number, bool *ret_new)
{
    id |= id == 0;
    *ret_new = false;
    if (index->cap != 0) {
        size_t slot = index_slot(index, id);
        if (index->ids[slot] == id) {
            *ret_number = index->numbers[slot];
            return true;
        }
    }
    if (index->len >= max)
        return false;
    if (index->len * 2 >= index->cap && !index_grow(index, rows, row_bytes))
        return false;
    size_t slot = index_slot(index, id);
    index->ids[slot] = id;
    index->numbers[slot] = (uint32_t)index->len;
    *ret_number = (uint32_t)index->len++;
    *ret_new = true;
    return true;
}

void sim_tally_forget_attempts(struct sim_tally *tally)
{
    index_release(&tally->urls);
    pncp_free(tally->attempts);
    tally->attempts = NULL;
}

static void forget_keys(struct sim_tally *tally)
{
    index_release(&tally->keys);
    pncp_free(tally->key_rows);
    tally->key_rows = NULL;
}

static void forget_clients(struct sim_tally *tally)
{
    for (size_t i = 0; i < tally->clients_len; i++)
        for (int api = 0; api < SIM_APIS; api++)
            pncp_free(tally->clients[i].api[api].accepted_ms);
    tally->clients_len = 0;
}

void sim_tally_release(struct sim_tally *tally)
{
    sim_tally_forget_attempts(tally);
    forget_keys(tally);
    forget_clients(tally);
}

void sim_tally_reset(struct sim_tally *tally)
{
    memset(tally->requests, 0, sizeof(tally->requests));
    memset(tally->status, 0, sizeof(tally->status));
    memset(tally->faults, 0, sizeof(tally->faults));
    memset(tally->limited, 0, sizeof(tally->limited));
    tally->bytes = 0;
    tally->connections = 0;
    tally->in_flight_max = tally->in_flight;
    forget_keys(tally);
    forget_clients(tally);
}

static void count_key(struct sim_tally *tally, const struct sim_request *request)
{
    uint64_t id = sim_mix2(sim_mix_bytes(request->cnpj.data, request->cnpj.len, 0),
                           (uint64_t)request->ano << 32 | request->sequencial);
    void *rows = tally->key_rows;
    uint32_t number;
    bool is_new;

    bool found = index_number(&tally->keys, id, SIM_KEYS_MAX, &rows, sizeof(*tally->key_rows), &number, &is_new);
    tally->key_rows = rows;
    if (!found)
        return;
    struct sim_key_tally *row = &tally->key_rows[number];
    if (is_new) {
        *row = (struct sim_key_tally){.ano = request->ano, .sequencial = request->sequencial};
        memcpy(row->cnpj, request->cnpj.data, SIM_CNPJ_CHARS);
    }
    row->requests[request->kind]++;
}

uint32_t sim_tally_arrival(struct sim_tally *tally, const struct sim_request *request, uint64_t url_hash)
{
    void *rows = tally->attempts;
    uint32_t number;
    bool is_new;

    tally->requests[request->kind]++;
    tally->in_flight++;
    tally->in_flight_max = PNCP_MAX(tally->in_flight_max, tally->in_flight);
    if (request->key_ok)
        count_key(tally, request);

    bool found = index_number(&tally->urls, url_hash, SIM_URLS_MAX, &rows, sizeof(*tally->attempts), &number, &is_new);
    tally->attempts = rows;
    if (!found)
        return 1;
    if (is_new)
        tally->attempts[number] = 0;
    return ++tally->attempts[number];
}

static struct sim_client *find_client(struct sim_tally *tally, const char *address)
{
    for (size_t i = 0; i < tally->clients_len; i++)
        if (strcmp(tally->clients[i].address, address) == 0)
            return &tally->clients[i];
    if (tally->clients_len == SIM_CLIENTS_MAX)
        return &tally->clients[SIM_CLIENTS_MAX - 1]; /* shared by all that come later */
    struct sim_client *client = &tally->clients[tally->clients_len++];
    *client = (struct sim_client){0};
    memcpy(client->address, address, strnlen(address, sizeof(client->address) - 1));
    return client;
}

/* Requests per second in a ring, and the largest sum of 60 neighbours. */
static void count_window(struct sim_client_api *api, uint64_t now_ms)
{
    uint64_t second = now_ms / 1000;

    if (api->requests == 0 || second - api->second >= SIM_WINDOW_S) {
        memset(api->per_second, 0, sizeof(api->per_second));
        api->window_sum = 0;
        api->second = second;
    }
    while (api->second < second) {
        api->second++;
        api->window_sum -= api->per_second[api->second % SIM_WINDOW_S];
        api->per_second[api->second % SIM_WINDOW_S] = 0;
    }
    api->requests++;
    api->per_second[second % SIM_WINDOW_S]++;
    api->window_sum++;
    api->window_max = PNCP_MAX(api->window_max, api->window_sum);
}

static bool within_limit(struct sim_client_api *api, const struct sim_limit *limit, uint32_t recovery_s,
                         uint64_t now_ms)
{
    if (limit->requests == 0)
        return true;
    if (now_ms < api->blocked_until_ms)
        return false;
    if (api->accepted_cap != limit->requests) {
        pncp_free(api->accepted_ms);
        api->accepted_ms = pncp_calloc(limit->requests, sizeof(*api->accepted_ms));
        api->accepted_cap = api->accepted_ms == NULL ? 0 : limit->requests;
        api->accepted_len = api->accepted_at = 0;
        if (api->accepted_ms == NULL)
            return true; /* out of memory is no reason to refuse */
    }
    /* accepted_at is the oldest when the ring is full. */
    if (api->accepted_len == api->accepted_cap &&
        now_ms - api->accepted_ms[api->accepted_at] < limit->window_s * UINT64_C(1000)) {
        api->blocked_until_ms = now_ms + recovery_s * UINT64_C(1000);
        return false;
    }
    api->accepted_ms[api->accepted_at] = now_ms;
    api->accepted_at = (api->accepted_at + 1) % api->accepted_cap;
    api->accepted_len = PNCP_MIN(api->accepted_len + 1, api->accepted_cap);
    return true;
}

bool sim_tally_admit(struct sim_tally *tally, const char *address, enum sim_api api)
{
    struct sim_client_api *client = &find_client(tally, address)->api[api];
    uint64_t now_ms = pncp_clock_mono_ms();

    count_window(client, now_ms);
    if (within_limit(client, &tally->limit[api], tally->recovery_s, now_ms))
        return true;
    tally->limited[api]++;
    return false;
}

void sim_tally_answered(struct sim_tally *tally, int status, uint64_t body_bytes)
{
    tally->in_flight--;
    tally->bytes += body_bytes;
    if (status >= 0 && status < (int)PNCP_ARRAY_LEN(tally->status))
        tally->status[status]++;
}

static void put_count(struct sim_text *text, const char *name, uint64_t value, bool first)
{
    sim_text_str(text, first ? "\"" : ",\"");
    sim_text_str(text, name);
    SIM_PUT(text, "\":");
    sim_text_u64(text, value);
}

static void put_clients(const struct sim_tally *tally, struct sim_text *text)
{
    SIM_PUT(text, ",\"addresses\":{");
    for (size_t i = 0; i < tally->clients_len; i++) {
        const struct sim_client *client = &tally->clients[i];
        if (i != 0)
            SIM_PUT(text, ",");
        sim_text_string(text, pncp_view_of(client->address));
        SIM_PUT(text, ":{");
        for (int api = 0; api < SIM_APIS; api++) {
            sim_text_str(text, api == 0 ? "\"" : ",\"");
            sim_text_str(text, API_NAMES[api]);
            SIM_PUT(text, "\":{");
            put_count(text, "requests", client->api[api].requests, true);
            put_count(text, "max_per_60s", client->api[api].window_max, false);
            SIM_PUT(text, "}");
        }
        SIM_PUT(text, "}");
    }
    SIM_PUT(text, "}");
}

static void put_keys(const struct sim_tally *tally, struct sim_text *text)
{
    SIM_PUT(text, ",\"keys\":{");
    for (size_t i = 0; i < tally->keys.len; i++) {
        const struct sim_key_tally *row = &tally->key_rows[i];
        bool first = true;
        sim_text_str(text, i == 0 ? "\"" : ",\"");
        sim_text_str(text, row->cnpj);
        SIM_PUT(text, "|");
        sim_text_u64(text, row->ano);
        SIM_PUT(text, "|");
        sim_text_u64(text, row->sequencial);
        SIM_PUT(text, "\":{");
        for (int kind = 0; kind < SIM_KINDS; kind++) {
            if (row->requests[kind] == 0)
                continue;
            put_count(text, KIND_NAMES[kind], row->requests[kind], first);
            first = false;
        }
        SIM_PUT(text, "}");
    }
    SIM_PUT(text, "}");
}

void sim_tally_write(const struct sim_tally *tally, bool keys, struct sim_text *text)
{
    uint64_t total = 0;
    bool first = true;

    SIM_PUT(text, "{\"requests\":{");
    for (int i = 0; i < SIM_KINDS; i++) {
        put_count(text, KIND_NAMES[i], tally->requests[i], i == 0);
        total += tally->requests[i];
    }
    SIM_PUT(text, "}");
    put_count(text, "requests_total", total, false);
    SIM_PUT(text, ",\"status\":{");
    for (size_t i = 0; i < PNCP_ARRAY_LEN(tally->status); i++) {
        if (tally->status[i] == 0)
            continue;
        sim_text_str(text, first ? "\"" : ",\"");
        if (i == 0)
            SIM_PUT(text, "none");
        else
            sim_text_u64(text, i);
        SIM_PUT(text, "\":");
        sim_text_u64(text, tally->status[i]);
        first = false;
    }
    SIM_PUT(text, "},\"faults\":{");
    first = true;
    for (int i = 1; i < SIM_FAULTS; i++) {
        if (tally->faults[i] == 0)
            continue;
        put_count(text, SIM_FAULT_INFO[i].name, tally->faults[i], first);
        first = false;
    }
    SIM_PUT(text, "},\"limited\":{");
    for (int i = 0; i < SIM_APIS; i++)
        put_count(text, API_NAMES[i], tally->limited[i], i == 0);
    SIM_PUT(text, "}");
    put_count(text, "in_flight", tally->in_flight, false);
    put_count(text, "in_flight_max", tally->in_flight_max, false);
    put_count(text, "bytes", tally->bytes, false);
    put_count(text, "connections", tally->connections, false);
    put_count(text, "contratacoes_asked", tally->keys.len, false);
    put_clients(tally, text);
    if (keys)
        put_keys(tally, text);
    SIM_PUT(text, "}");
}
