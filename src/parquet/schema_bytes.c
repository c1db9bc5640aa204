#include "parquet/footer_int.h"

#include <string.h>

/* parquet.thrift: enum Type, FieldRepetitionType, ConvertedType */
enum { PHYSICAL_BOOLEAN = 0, PHYSICAL_INT32 = 1, PHYSICAL_INT64 = 2, PHYSICAL_BYTE_ARRAY = 6 };
enum { REPETITION_REQUIRED = 0, REPETITION_OPTIONAL = 1, REPETITION_REPEATED = 2 };
enum {
    CONVERTED_NONE = -1,
    CONVERTED_UTF8 = 0,
    CONVERTED_LIST = 3,
    CONVERTED_DECIMAL = 5,
    CONVERTED_DATE = 6,
    CONVERTED_TIMESTAMP_MICROS = 10
};
/* fields of the union LogicalType */
enum {
    LOGICAL_NONE = 0,
    LOGICAL_STRING = 1,
    LOGICAL_LIST = 3,
    LOGICAL_DECIMAL = 5,
    LOGICAL_DATE = 6,
    LOGICAL_TIMESTAMP = 8
};

int32_t pncp_schema_physical(enum pncp_type type)
{
    switch (type) {
    case PNCP_T_BOOL:
        return PHYSICAL_BOOLEAN;
    case PNCP_T_INT32:
    case PNCP_T_DATE:
        return PHYSICAL_INT32;
    case PNCP_T_INT64:
    case PNCP_T_DEC18_4:
    case PNCP_T_LOCAL_US:
    case PNCP_T_UTC_US:
        return PHYSICAL_INT64;
    case PNCP_T_TEXT:
        return PHYSICAL_BYTE_ARRAY;
    case PNCP_T_STRUCT:
    case PNCP_T_LIST:
        break;
    }
    return -1;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* What a type is called besides its physical type. A local time has no converted type: TIMESTAMP_MICROS means UTC
 * (LogicalTypes.md, "Temporal types"). */
static int converted_type(enum pncp_type type)
{
    return type == PNCP_T_TEXT      ? CONVERTED_UTF8
           : type == PNCP_T_LIST    ? CONVERTED_LIST
           : type == PNCP_T_DEC18_4 ? CONVERTED_DECIMAL
           : type == PNCP_T_DATE    ? CONVERTED_DATE
           : type == PNCP_T_UTC_US  ? CONVERTED_TIMESTAMP_MICROS
                                    : CONVERTED_NONE;
}

static int16_t logical_type(enum pncp_type type)
{
    return type == PNCP_T_TEXT                                ? LOGICAL_STRING
           : type == PNCP_T_LIST                              ? LOGICAL_LIST
           : type == PNCP_T_DEC18_4                           ? LOGICAL_DECIMAL
           : type == PNCP_T_DATE                              ? LOGICAL_DATE
           : type == PNCP_T_UTC_US || type == PNCP_T_LOCAL_US ? LOGICAL_TIMESTAMP
                                                              : LOGICAL_NONE;
}

static void put_logical_type(struct pncp_thrift_writer *w, enum pncp_type type)
{
    pncp_thrift_put_field(w, 10, PNCP_THRIFT_STRUCT);
    int16_t element = pncp_thrift_struct_begin(w);
    pncp_thrift_put_field(w, logical_type(type), PNCP_THRIFT_STRUCT);
    int16_t union_last = pncp_thrift_struct_begin(w);
    if (type == PNCP_T_DEC18_4) {
        pncp_thrift_put_int_field(w, 1, PNCP_THRIFT_I32, 4);
        pncp_thrift_put_int_field(w, 2, PNCP_THRIFT_I32, 18);
    } else if (type == PNCP_T_UTC_US || type == PNCP_T_LOCAL_US) {
        pncp_thrift_put_field(w, 1, type == PNCP_T_UTC_US ? PNCP_THRIFT_TRUE : PNCP_THRIFT_FALSE); /* isAdjustedToUTC */
        pncp_thrift_put_field(w, 2, PNCP_THRIFT_STRUCT);
        int16_t unit = pncp_thrift_struct_begin(w);
        pncp_thrift_put_field(w, 2, PNCP_THRIFT_STRUCT); /* MICROS, an empty struct */
        pncp_thrift_struct_end(w, pncp_thrift_struct_begin(w));
        pncp_thrift_struct_end(w, unit);
    }
    pncp_thrift_struct_end(w, union_last);
    pncp_thrift_struct_end(w, element);
}

struct element {
    const char *name;
    int repetition;      /* -1: the root has none */
    size_t child_count;  /* 0: a leaf */
    enum pncp_type type; /* PNCP_T_STRUCT: no annotation */
};

static void put_element(struct pncp_thrift_writer *w, const struct element *element)
{
    int16_t outer = pncp_thrift_struct_begin(w);
    if (element->child_count == 0)
        pncp_thrift_put_int_field(w, 1, PNCP_THRIFT_I32, pncp_schema_physical(element->type));
    if (element->repetition >= 0)
        pncp_thrift_put_int_field(w, 3, PNCP_THRIFT_I32, element->repetition);
    pncp_thrift_put_field(w, 4, PNCP_THRIFT_BINARY);
    pncp_thrift_put_binary(w, pncp_view_of(element->name));
    if (element->child_count > 0)
        pncp_thrift_put_int_field(w, 5, PNCP_THRIFT_I32, (int64_t)element->child_count);
    if (converted_type(element->type) != CONVERTED_NONE)
        pncp_thrift_put_int_field(w, 6, PNCP_THRIFT_I32, converted_type(element->type));
    if (element->type == PNCP_T_DEC18_4) {
        pncp_thrift_put_int_field(w, 7, PNCP_THRIFT_I32, 4);
        pncp_thrift_put_int_field(w, 8, PNCP_THRIFT_I32, 18);
    }
    if (logical_type(element->type) != LOGICAL_NONE)
        put_logical_type(w, element->type);
    pncp_thrift_struct_end(w, outer);
}

/* Depth is that of the static column tables: two or three. Gives the number of elements written. */
static size_t put_children(struct pncp_thrift_writer *w, const struct pncp_col *cols, size_t count)
{
    size_t written = 0;
    for (size_t i = 0; i < count; i++) {
        const struct pncp_col *col = &cols[i];
        struct element element = {.name = col->name,
                                  .repetition =
                                      (col->flags & PNCP_COL_REQUIRED) != 0 ? REPETITION_REQUIRED : REPETITION_OPTIONAL,
                                  .type = col->type};
        if (col->type == PNCP_T_LIST) {
            element.child_count = 1;
            put_element(w, &element);
            put_element(w, &(struct element){"list", REPETITION_REPEATED, 1, PNCP_T_STRUCT});
            put_element(w, &(struct element){"element", REPETITION_OPTIONAL, col->child_count, PNCP_T_STRUCT});
            written += 2;
        } else {
            element.child_count = col->type == PNCP_T_STRUCT ? col->child_count : 0;
            put_element(w, &element);
        }
        written += 1 + put_children(w, col->children, col->child_count);
    }
    return written;
}

enum pncp_code pncp_schema_put(const struct pncp_schema *schema, struct pncp_buf *out, struct pncp_buf *orders)
{
    AUTO(pncp_buf_release) struct pncp_buf elements = {0};
    const struct pncp_node *root = &schema->nodes[0];
    struct pncp_thrift_writer w = {.out = &elements};
    /* children of a node are consecutive in the table they come from: the first one begins that table */
    const struct pncp_col *cols = root->child_count > 0 ? schema->nodes[root->first_child].col : NULL;
    put_element(&w, &(struct element){"schema", -1, root->child_count, PNCP_T_STRUCT});
    size_t count = 1 + put_children(&w, cols, root->child_count);
    if (w.rc != PNCP_OK)
        return w.rc;
    struct pncp_thrift_writer list = {.out = out};
    pncp_thrift_put_list(&list, PNCP_THRIFT_STRUCT, count);
    pncp_thrift_put_raw(&list, pncp_buf_view(&elements));
    if (list.rc != PNCP_OK)
        return list.rc;
    struct pncp_thrift_writer o = {.out = orders};
    pncp_thrift_put_list(&o, PNCP_THRIFT_STRUCT, schema->leaf_count);
    for (size_t i = 0; i < schema->leaf_count; i++) { /* ColumnOrder: TYPE_ORDER, an empty struct */
        int16_t outer = pncp_thrift_struct_begin(&o);
        pncp_thrift_put_field(&o, 1, PNCP_THRIFT_STRUCT);
        pncp_thrift_struct_end(&o, pncp_thrift_struct_begin(&o));
        pncp_thrift_struct_end(&o, outer);
    }
    return o.rc;
}

/* ---- one path of a schema -------------------------------------------------------------------- */

struct open_node {          /* an ancestor of the element at hand */
    struct pncp_view bytes; /* its SchemaElement */
    int64_t children_left;
    int64_t repetition;
};

static int64_t element_numbers(struct pncp_thrift_reader *r, int64_t *ret_repetition, int32_t *ret_physical)
{
    struct pncp_thrift_field field = {0};
    int64_t children = 0;
    *ret_repetition = REPETITION_REQUIRED;
    *ret_physical = -1;
    while (pncp_thrift_next(r, &field)) {
        if (field.type == PNCP_THRIFT_I32 && (field.id == 1 || field.id == 3 || field.id == 5)) {
            int64_t value = pncp_thrift_int(r, field.type);
            if (field.id == 1)
                *ret_physical = (int32_t)value;
            else
                *(field.id == 3 ? ret_repetition : &children) = value;
        } else {
            pncp_thrift_skip(r, field.type);
        }
    }
    return children;
}

/* A copy of the SchemaElement with one child instead of what it had. */
static void put_only_child(struct pncp_thrift_writer *w, struct pncp_view bytes)
{
    struct pncp_thrift_reader r = pncp_thrift_open(bytes);
    struct pncp_thrift_field field = {0};
    int16_t outer = pncp_thrift_struct_begin(w);
    while (pncp_thrift_next(&r, &field)) {
        const char *value = r.at;
        pncp_thrift_skip(&r, field.type);
        pncp_thrift_put_field(w, field.id, field.type);
        if (field.id == 5)
            pncp_thrift_put_int(w, 1);
        else
            pncp_thrift_put_raw(w, (struct pncp_view){value, (size_t)(r.at - value)});
    }
    pncp_thrift_struct_end(w, outer);
}

static enum pncp_code put_path(struct open_node *open, size_t depth, struct pncp_view leaf, struct pncp_buf *out)
{
    struct pncp_thrift_writer w = {.out = out};
    pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, depth + 1);
    for (size_t i = 0; i < depth; i++)
        put_only_child(&w, open[i].bytes);
    pncp_thrift_put_raw(&w, leaf);
    return w.rc;
}

enum pncp_code pncp_schema_put_path(struct pncp_view schema, size_t leaf, struct pncp_buf *out,
                                    struct pncp_schema_path *ret_path, struct pncp_err *err)
{
    struct pncp_thrift_reader r = pncp_thrift_open(schema);
    struct open_node open[PNCP_PARQUET_SCHEMA_DEPTH_MAX];
    size_t depth = 0, leaves = 0;
    enum pncp_thrift_type type;
    size_t count = pncp_thrift_list(&r, &type);
    for (size_t i = 0; i < count && !r.failed; i++) {
        while (depth > 0 && open[depth - 1].children_left == 0)
            depth--;
        if (depth > 0)
            open[depth - 1].children_left--;
        struct open_node node = {.bytes = {r.at, 0}};
        int32_t physical;
        node.children_left = element_numbers(&r, &node.repetition, &physical);
        if (r.failed)
            break;
        node.bytes.len = (size_t)(r.at - node.bytes.data);
        if (node.children_left > 0 || i == 0) {
            if (depth == PNCP_PARQUET_SCHEMA_DEPTH_MAX)
                break;
            open[depth++] = node;
            continue;
        }
        if (leaves++ != leaf)
            continue;
        struct pncp_schema_path path = {.physical = physical};
        for (size_t d = 1; d <= depth; d++) { /* the root has no level */
            int64_t repetition = d < depth ? open[d].repetition : node.repetition;
            path.max_def = (int16_t)(path.max_def + (repetition != REPETITION_REQUIRED));
            path.max_rep = (int16_t)(path.max_rep + (repetition == REPETITION_REPEATED));
        }
        *ret_path = path;
        return put_path(open, depth, node.bytes, out) == PNCP_OK ? PNCP_OK
                                                                 : pncp_err_set(err, PNCP_E_NOMEM, "out of memory");
    }
    return pncp_err_set(err, PNCP_E_PARSE, "damaged parquet footer: no column %zu in the schema", leaf);
}
