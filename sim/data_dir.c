#include "data_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sys.h"

struct text_list {
    char **texts; /* compact JSON, NUL-terminated */
    uint32_t len, cap;
};

struct sim_record {
    char cnpj[SIM_CNPJ_CHARS + 1];
    uint32_t ano, sequencial;
    /* Without a contratação (only parts were captured) `listed` and `single` are NULL. */
    char *listed, *single;
    bool listed_whole, single_whole; /* came from a page; came from a single object: no other file replaces it */
    struct pncp_date day[SIM_ORDERS];
    uint32_t second[SIM_ORDERS];
    uint32_t modalidade, modo;
    char uf[4], ibge[8], unidade[32];
    struct text_list parts[SIM_PARTS];
    bool captured[SIM_PARTS];
    bool absent[SIM_PARTS]; /* not captured, and --data-missing 404 */
};

struct sim_data_dir {
    struct sim_record **records; /* sorted by key once loaded */
    size_t len, cap;
    struct sim_record **by_day[SIM_ORDERS]; /* those with a contratação, by day, modalidade, time, key */
    size_t by_day_len;
    size_t files;
    bool missing_404;
};

static int compare_key(const struct sim_record *a, const char *cnpj, uint32_t ano, uint32_t sequencial)
{
    int order = memcmp(a->cnpj, cnpj, SIM_CNPJ_CHARS);
    if (order != 0)
        return order;
    if (a->ano != ano)
        return a->ano < ano ? -1 : 1;
    return a->sequencial == sequencial ? 0 : a->sequencial < sequencial ? -1 : 1;
}

/* First index whose key is not less. */
static size_t lower_bound(const struct sim_data_dir *data, const char *cnpj, uint32_t ano, uint32_t sequencial)
{
    size_t low = 0, high = data->len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_key(data->records[middle], cnpj, ano, sequencial) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The record with that key, made when there is none; NULL: out of memory or past the ceiling. */
static struct sim_record *record_for(struct sim_data_dir *data, const char *cnpj, uint32_t ano, uint32_t sequencial,
                                     struct pncp_err *err)
{
    size_t at = lower_bound(data, cnpj, ano, sequencial);

    if (at < data->len && compare_key(data->records[at], cnpj, ano, sequencial) == 0)
        return data->records[at];
    if (data->len >= SIM_DATA_RECORDS_MAX) {
        pncp_err_set(err, PNCP_E_LIMIT, "more than %u records", SIM_DATA_RECORDS_MAX);
        return NULL;
    }
    if (data->len == data->cap) {
        size_t cap = pncp_grow(data->cap, data->len + 1);
        struct sim_record **bigger = pncp_realloc(data->records, cap, sizeof(*bigger));
        if (bigger != NULL) {
            data->records = bigger;
            data->cap = cap;
        }
    }
    struct sim_record *record = data->len == data->cap ? NULL : pncp_calloc(1, sizeof(*record));
    if (record == NULL) {
        pncp_err_set(err, PNCP_E_NOMEM, "no memory for captured records");
        return NULL;
    }
    memcpy(record->cnpj, cnpj, SIM_CNPJ_CHARS);
    record->ano = ano;
    record->sequencial = sequencial;
    memmove(data->records + at + 1, data->records + at, (data->len - at) * sizeof(struct sim_record *));
    data->records[at] = record;
    data->len++;
    return record;
}

static void list_release(struct text_list *list)
{
    for (uint32_t i = 0; i < list->len; i++)
        free(list->texts[i]); /* yyjson's */
    pncp_free(list->texts);
    *list = (struct text_list){0};
}

static void record_free(struct sim_record *record)
{
    free(record->listed);
    free(record->single);
    for (int part = 0; part < SIM_PARTS; part++)
        list_release(&record->parts[part]);
    pncp_free(record);
}

void sim_data_free(struct sim_data_dir *data)
{
    if (data == NULL)
        return;
    for (size_t i = 0; i < data->len; i++)
        record_free(data->records[i]);
    pncp_free(data->records);
    for (int order = 0; order < SIM_ORDERS; order++)
        pncp_free(data->by_day[order]);
    pncp_free(data);
}

/* "CNPJ-1-000008/2026" */
static bool parse_control_number(const char *text, char ret_cnpj[SIM_CNPJ_CHARS + 1], uint32_t *ret_ano,
                                 uint32_t *ret_sequencial)
{
    uint64_t sequencial, ano;
    const char *slash = text == NULL ? NULL : strchr(text, '/');

    if (slash == NULL || slash - text < SIM_CNPJ_CHARS + 4 || text[SIM_CNPJ_CHARS] != '-' ||
        text[SIM_CNPJ_CHARS + 2] != '-')
        return false;
    const char *number = text + SIM_CNPJ_CHARS + 3;
    if (!pncp_view_u64((struct pncp_view){number, (size_t)(slash - number)}, &sequencial) ||
        !pncp_view_u64(pncp_view_of(slash + 1), &ano) || sequencial > INT32_MAX || ano > 9999)
        return false;
    memcpy(ret_cnpj, text, SIM_CNPJ_CHARS);
    ret_cnpj[SIM_CNPJ_CHARS] = '\0';
    *ret_ano = (uint32_t)ano;
    *ret_sequencial = (uint32_t)sequencial;
    return true;
}

static uint32_t raw_u32(yyjson_val *value)
{
    uint64_t number;
    return yyjson_is_raw(value) &&
                   pncp_view_u64((struct pncp_view){yyjson_get_raw(value), yyjson_get_len(value)}, &number) &&
                   number <= UINT32_MAX
               ? (uint32_t)number
               : 0;
}

static bool parse_moment(yyjson_val *value, struct pncp_date *ret_day, uint32_t *ret_second)
{
    int64_t us;

    if (!yyjson_is_str(value) ||
        !pncp_datetime_parse((struct pncp_view){yyjson_get_str(value), yyjson_get_len(value)}, &us) || us < 0)
        return false;
    ret_day->days = (int32_t)(us / 86400000000);
    *ret_second = (uint32_t)(us / 1000000 % 86400);
    return true;
}

static void copy_text(yyjson_val *value, char *to, size_t cap)
{
    const char *text = yyjson_get_str(value);
    size_t len = text == NULL ? 0 : PNCP_MIN(yyjson_get_len(value), cap - 1);

    if (len != 0)
        memcpy(to, text, len);
    to[len] = '\0';
}

/* The object without the fields that only single objects have; NULL: out of memory. */
static char *write_listed(yyjson_val *object)
{
    static const char *const SINGLE_ONLY[] = {"orcamentoSigilosoCodigo", "orcamentoSigilosoDescricao",
                                              "existeResultado"};
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *copy = doc == NULL ? NULL : yyjson_val_mut_copy(doc, object);
    char *text = NULL;

    if (copy != NULL) {
        for (size_t i = 0; i < PNCP_ARRAY_LEN(SINGLE_ONLY); i++)
            (void)yyjson_mut_obj_remove_key(copy, SINGLE_ONLY[i]);
        text = yyjson_mut_val_write(copy, YYJSON_WRITE_NOFLAG, NULL);
    }
    yyjson_mut_doc_free(doc);
    return text;
}

static bool is_contratacao(yyjson_val *object)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    yyjson_val *key;

    /* By type too: a JSON schema has the same keys, with objects behind them. */
    if (!yyjson_is_str(yyjson_obj_get(object, "numeroControlePNCP")) ||
        !yyjson_is_raw(yyjson_obj_get(object, "modalidadeId")) ||
        !yyjson_is_str(yyjson_obj_get(object, "dataPublicacaoPncp")))
        return false;
    while ((key = yyjson_obj_iter_next(&iter)) != NULL) {
        const char *name = yyjson_get_str(key);
        if (name != NULL && name[0] == '_')
            return false;
    }
    return true;
}

static enum pncp_code add_contratacao(struct sim_data_dir *data, yyjson_val *object, struct pncp_err *err)
{
    char cnpj[SIM_CNPJ_CHARS + 1];
    uint32_t ano, sequencial, second[SIM_ORDERS];
    struct pncp_date day[SIM_ORDERS];
    bool single = yyjson_obj_get(object, "existeResultado") != NULL;
    uint32_t modalidade = raw_u32(yyjson_obj_get(object, "modalidadeId"));

    if (!parse_control_number(yyjson_get_str(yyjson_obj_get(object, "numeroControlePNCP")), cnpj, &ano, &sequencial) ||
        modalidade == 0 ||
        !parse_moment(yyjson_obj_get(object, "dataPublicacaoPncp"), &day[SIM_BY_PUBLICATION],
                      &second[SIM_BY_PUBLICATION]))
        return pncp_err_set(err, PNCP_E_PARSE, "a contratação without a usable key, modalidade or publication date");
    if (!parse_moment(yyjson_obj_get(object, "dataAtualizacaoGlobal"), &day[SIM_BY_UPDATE], &second[SIM_BY_UPDATE])) {
        day[SIM_BY_UPDATE] = day[SIM_BY_PUBLICATION];
        second[SIM_BY_UPDATE] = second[SIM_BY_PUBLICATION];
    }
    struct sim_record *record = record_for(data, cnpj, ano, sequencial, err);
    if (record == NULL)
        return err->code;

    char *text = yyjson_val_write(object, YYJSON_WRITE_NOFLAG, NULL);
    char *listed = text == NULL ? NULL : write_listed(object);
    if (listed == NULL) {
        free(text);
        return pncp_err_set(err, PNCP_E_NOMEM, "no memory for captured records");
    }
    /* The two texts are kept apart, each from the first file of its own kind, else from the first of the other. */
    if (record->single == NULL || (single && !record->single_whole)) {
        free(record->single);
        record->single = text;
        record->single_whole = single;
    } else {
        free(text);
    }
    if (record->listed != NULL && (single || record->listed_whole)) {
        free(listed);
        return PNCP_OK;
    }
    free(record->listed);
    record->listed = listed;
    record->listed_whole = !single;
    memcpy(record->day, day, sizeof(day));
    memcpy(record->second, second, sizeof(second));
    record->modalidade = modalidade;
    record->modo = raw_u32(yyjson_obj_get(object, "modoDisputaId"));
    yyjson_val *unidade = yyjson_obj_get(object, "unidadeOrgao");
    copy_text(yyjson_obj_get(unidade, "ufSigla"), record->uf, sizeof(record->uf));
    copy_text(yyjson_obj_get(unidade, "codigoIbge"), record->ibge, sizeof(record->ibge));
    copy_text(yyjson_obj_get(unidade, "codigoUnidade"), record->unidade, sizeof(record->unidade));
    return PNCP_OK;
}

/* Every contratação in `value`, at any depth that the reader let through. */
static enum pncp_code add_contratacoes(struct sim_data_dir *data, yyjson_val *value, unsigned depth,
                                       struct pncp_err *err)
{
    enum pncp_code rc = PNCP_OK;
    size_t i, max;
    yyjson_val *key, *inner;

    if (depth > SIM_DATA_DEPTH_MAX)
        return PNCP_OK;
    if (yyjson_is_arr(value)) {
        yyjson_arr_foreach(value, i, max, inner)
        {
            rc = add_contratacoes(data, inner, depth + 1, err);
            if (rc != PNCP_OK)
                return rc;
        }
    } else if (yyjson_is_obj(value) && is_contratacao(value)) {
        return add_contratacao(data, value, err);
    } else if (yyjson_is_obj(value)) {
        yyjson_obj_foreach(value, i, max, key, inner)
        {
            rc = add_contratacoes(data, inner, depth + 1, err);
            if (rc != PNCP_OK)
                return rc;
        }
    }
    return rc;
}

static enum pncp_code add_part(struct sim_data_dir *data, const char *cnpj, uint32_t ano, uint32_t sequencial,
                               enum sim_part part, yyjson_val *array, struct pncp_err *err)
{
    struct sim_record *record = record_for(data, cnpj, ano, sequencial, err);
    size_t i, max;
    yyjson_val *row;

    if (record == NULL)
        return err->code;
    if (record->captured[part])
        return PNCP_OK;
    record->captured[part] = true;
    struct text_list *list = &record->parts[part];
    if (yyjson_arr_size(array) > SIM_PART_ROWS_MAX)
        return pncp_err_set(err, PNCP_E_LIMIT, "a list of more than %u rows", SIM_PART_ROWS_MAX);
    list->texts = pncp_calloc(yyjson_arr_size(array) + 1, sizeof(*list->texts));
    if (list->texts == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "no memory for captured records");
    yyjson_arr_foreach(array, i, max, row)
    {
        list->texts[list->len] = yyjson_val_write(row, YYJSON_WRITE_NOFLAG, NULL);
        if (list->texts[list->len] == NULL)
            return pncp_err_set(err, PNCP_E_NOMEM, "no memory for captured records");
        list->len++;
    }
    return PNCP_OK;
}

/* "<prefix>CNPJ-ANO-SEQ" at the start of `text`. */
static bool parse_name_key(const char *text, const char *prefix, char ret_cnpj[SIM_CNPJ_CHARS + 1], uint32_t *ret_ano,
                           uint32_t *ret_sequencial)
{
    char *end;

    if (strncmp(text, prefix, strlen(prefix)) != 0)
        return false;
    text += strlen(prefix);
    if (strnlen(text, SIM_CNPJ_CHARS + 1) <= SIM_CNPJ_CHARS || text[SIM_CNPJ_CHARS] != '-')
        return false;
    memcpy(ret_cnpj, text, SIM_CNPJ_CHARS);
    ret_cnpj[SIM_CNPJ_CHARS] = '\0';
    unsigned long ano = strtoul(text + SIM_CNPJ_CHARS + 1, &end, 10);
    if (*end != '-' || ano == 0 || ano > 9999)
        return false;
    unsigned long sequencial = strtoul(end + 1, &end, 10);
    *ret_ano = (uint32_t)ano;
    *ret_sequencial = (uint32_t)sequencial;
    return (*end == '\0' || *end == '.') && sequencial != 0 && sequencial <= INT32_MAX;
}

/* Lists by the file's name: see the header. *ret_part_file is set when the file holds nothing but parts. */
static enum pncp_code add_parts(struct sim_data_dir *data, const char *folder, const char *name, yyjson_val *root,
                                bool *ret_part_file, struct pncp_err *err)
{
    static const struct {
        enum sim_part part;
        const char *prefix, *file, *word;
    } KINDS[] = {{SIM_ITENS, "itens-", "itens.json", "itens"},
                 {SIM_ARQUIVOS, "arquivos-", "arquivos.json", "arquivos"}};
    char cnpj[SIM_CNPJ_CHARS + 1];
    uint32_t ano, sequencial;
    enum pncp_code rc = PNCP_OK;

    *ret_part_file = false;
    for (size_t k = 0; k < PNCP_ARRAY_LEN(KINDS); k++) {
        bool by_name = parse_name_key(name, KINDS[k].prefix, cnpj, &ano, &sequencial) ||
                       (strcmp(name, KINDS[k].file) == 0 && parse_name_key(folder, "compra-", cnpj, &ano, &sequencial));
        if (by_name && yyjson_is_arr(root)) {
            *ret_part_file = true;
            return add_part(data, cnpj, ano, sequencial, KINDS[k].part, root, err);
        }
        if (!yyjson_is_obj(root) || strncmp(name, KINDS[k].word, strlen(KINDS[k].word)) != 0)
            continue;
        size_t i, max;
        yyjson_val *key, *array;
        yyjson_obj_foreach(root, i, max, key, array)
        {
            if (rc != PNCP_OK || !yyjson_is_arr(array) ||
                !parse_control_number(yyjson_get_str(key), cnpj, &ano, &sequencial))
                continue;
            *ret_part_file = true;
            rc = add_part(data, cnpj, ano, sequencial, KINDS[k].part, array, err);
        }
    }
    return rc;
}

static enum pncp_code load_file(struct sim_data_dir *data, int dir_fd, const char *folder, const char *name,
                                struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf buf = PNCP_BUF_INIT(SIM_DATA_FILE_MAX_BYTES);
    AUTO(pncp_fd_close) int fd = pncp_sys_openat(dir_fd, name, O_RDONLY | O_CLOEXEC, 0);
    yyjson_read_err read_err;
    bool part_file;

    if (fd == -1)
        return pncp_err_sys(err, errno, "%s", name);
    enum pncp_code rc = pncp_file_slurp(fd, &buf, name, err);
    if (rc != PNCP_OK)
        return rc;
    yyjson_doc *doc =
        buf.len == 0 ? NULL : yyjson_read_opts(buf.data, buf.len, YYJSON_READ_NUMBER_AS_RAW, NULL, &read_err);
    if (doc == NULL)
        return pncp_err_set(err, PNCP_E_PARSE, "%s: not JSON", name);
    rc = add_parts(data, folder, name, yyjson_doc_get_root(doc), &part_file, err);
    if (rc == PNCP_OK && !part_file)
        rc = add_contratacoes(data, yyjson_doc_get_root(doc), 0, err);
    yyjson_doc_free(doc);
    return rc == PNCP_OK ? rc : pncp_err_wrap(err, rc, "%s", name);
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Names in byte order, so that "the first file wins" is the same everywhere. */
static enum pncp_code load_folder(struct sim_data_dir *data, int dir_fd, const char *folder, unsigned depth,
                                  struct pncp_err *err)
{
    struct dirent **names;
    int count = scandirat(dir_fd, ".", &names, NULL, compare_names);
    enum pncp_code rc = PNCP_OK;

    if (count < 0)
        return pncp_err_sys(err, errno, "folder %s", folder);
    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name;
        struct stat info;
        if (rc != PNCP_OK || name[0] == '.' || pncp_sys_fstatat(dir_fd, name, &info, 0) != 0) {
            /* hidden, vanished, or after an error */
        } else if (S_ISDIR(info.st_mode) && depth < SIM_DATA_DEPTH_MAX) {
            AUTO(pncp_fd_close) int fd = pncp_sys_openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
            rc = fd == -1 ? pncp_err_sys(err, errno, "folder %s", name) : load_folder(data, fd, name, depth + 1, err);
        } else if (S_ISREG(info.st_mode) && pncp_view_ends(pncp_view_of(name), ".json")) {
            rc = ++data->files > SIM_DATA_FILES_MAX
                     ? pncp_err_set(err, PNCP_E_LIMIT, "more than %u files", SIM_DATA_FILES_MAX)
                     : load_file(data, dir_fd, folder, name, err);
        }
        free(names[i]);
    }
    free(names);
    return rc;
}

static int compare_by_day(const void *a, const void *b, void *arg)
{
    const struct sim_record *x = *(struct sim_record *const *)a, *y = *(struct sim_record *const *)b;
    int order = *(const int *)arg;

    if (x->day[order].days != y->day[order].days)
        return x->day[order].days < y->day[order].days ? -1 : 1;
    if (x->modalidade != y->modalidade)
        return x->modalidade < y->modalidade ? -1 : 1;
    if (x->second[order] != y->second[order])
        return x->second[order] < y->second[order] ? -1 : 1;
    return compare_key(x, y->cnpj, y->ano, y->sequencial);
}

static enum pncp_code make_day_index(struct sim_data_dir *data, struct pncp_err *err)
{
    for (int order = 0; order < SIM_ORDERS; order++) {
        data->by_day[order] = pncp_calloc(data->len + 1, sizeof(*data->by_day[order]));
        if (data->by_day[order] == NULL)
            return pncp_err_set(err, PNCP_E_NOMEM, "no memory for captured records");
        data->by_day_len = 0;
        for (size_t i = 0; i < data->len; i++)
            if (data->records[i]->listed != NULL)
                data->by_day[order][data->by_day_len++] = data->records[i];
        qsort_r(data->by_day[order], data->by_day_len, sizeof(*data->by_day[order]), compare_by_day, &order);
    }
    return data->by_day_len == 0 ? pncp_err_set(err, PNCP_E_NOTFOUND, "no contratação found") : PNCP_OK;
}

enum pncp_code sim_data_open(const char *path, bool missing_404, struct sim_data_dir **ret_data, struct pncp_err *err)
{
    AUTO(pncp_fd_close) int fd = pncp_sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

    if (fd == -1)
        return pncp_err_sys(err, errno, "--data %s", path);
    struct sim_data_dir *data = pncp_calloc(1, sizeof(*data));
    if (data == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "no memory for captured records");
    data->missing_404 = missing_404;
    enum pncp_code rc = load_folder(data, fd, path, 0, err);
    if (rc == PNCP_OK)
        rc = make_day_index(data, err);
    if (rc != PNCP_OK) {
        sim_data_free(data);
        return pncp_err_wrap(err, rc, "--data %s", path);
    }
    for (size_t i = 0; i < data->len; i++)
        for (int part = 0; part < SIM_PARTS; part++)
            data->records[i]->absent[part] = missing_404 && !data->records[i]->captured[part];
    *ret_data = data;
    return PNCP_OK;
}

/* First index in by_day not before (day, modalidade). */
static size_t day_bound(const struct sim_data_dir *data, enum sim_order order, struct pncp_date date,
                        uint32_t modalidade)
{
    size_t low = 0, high = data->by_day_len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct sim_record *record = data->by_day[order][middle];
        if (record->day[order].days < date.days ||
            (record->day[order].days == date.days && record->modalidade < modalidade))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool sim_data_day(const struct sim_data_dir *data, size_t index, struct pncp_date *ret_date, uint32_t *ret_rows)
{
    for (size_t at = 0; at < data->by_day_len;) {
        struct pncp_date date = data->by_day[SIM_BY_PUBLICATION][at]->day[SIM_BY_PUBLICATION];
        size_t next = day_bound(data, SIM_BY_PUBLICATION, (struct pncp_date){date.days + 1}, 0);
        if (index-- == 0) {
            *ret_date = date;
            *ret_rows = (uint32_t)(next - at);
            return true;
        }
        at = next;
    }
    return false;
}

uint32_t sim_data_count(const struct sim_data_dir *data, enum sim_order order, struct pncp_date date,
                        uint32_t modalidade)
{
    return (uint32_t)(day_bound(data, order, date, modalidade + 1) - day_bound(data, order, date, modalidade));
}

static void fill_row(const struct sim_record *record, struct sim_row *ret_row)
{
    *ret_row = (struct sim_row){
        .ano = record->ano,
        .sequencial = record->sequencial,
        .date = record->day[SIM_BY_PUBLICATION],
        .modalidade = record->modalidade,
        .part_rows = {record->parts[SIM_ITENS].len, record->parts[SIM_ARQUIVOS].len},
        .part_absent = {record->absent[SIM_ITENS], record->absent[SIM_ARQUIVOS]},
        .record = record,
    };
    memcpy(ret_row->cnpj, record->cnpj, sizeof(ret_row->cnpj));
}

void sim_data_row(const struct sim_data_dir *data, enum sim_order order, struct pncp_date date, uint32_t modalidade,
                  uint32_t position, struct sim_row *ret_row)
{
    fill_row(data->by_day[order][day_bound(data, order, date, modalidade) + position], ret_row);
}

bool sim_data_find(const struct sim_data_dir *data, struct pncp_view cnpj, uint32_t ano, uint32_t sequencial,
                   struct sim_row *ret_row)
{
    if (cnpj.len != SIM_CNPJ_CHARS)
        return false;
    size_t at = lower_bound(data, cnpj.data, ano, sequencial);
    if (at == data->len || compare_key(data->records[at], cnpj.data, ano, sequencial) != 0)
        return false;
    fill_row(data->records[at], ret_row);
    return true;
}

void sim_data_contratacao(const struct sim_row *row, bool single, struct sim_text *text)
{
    const char *json = single ? row->record->single : row->record->listed;
    if (json == NULL) /* only parts were captured */
        SIM_PUT(text, "{}");
    else
        sim_text_str(text, json);
}

void sim_data_part(const struct sim_row *row, enum sim_part part, uint32_t k, struct sim_text *text)
{
    sim_text_str(text, row->record->parts[part].texts[k]);
}

void sim_data_traits(const struct sim_row *row, struct sim_traits *ret_traits)
{
    *ret_traits = (struct sim_traits){
        .uf = pncp_view_of(row->record->uf),
        .ibge = pncp_view_of(row->record->ibge),
        .unidade = pncp_view_of(row->record->unidade),
        .modo = row->record->modo,
    };
}
