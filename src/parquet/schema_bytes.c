#include "parquet/footer_int.h"

#include <string.h>

/* parquet.thrift: enum Type, ConvertedType */
enum { PHYSICAL_BOOLEAN = 0, PHYSICAL_INT32 = 1, PHYSICAL_INT64 = 2, PHYSICAL_BYTE_ARRAY = 6 };
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
static size_t put_children(struct pncp_thrift_writer *w, const struct pncp_schema *schema, const struct pncp_node *node)
{
    size_t written = 0;
    for (uint16_t i = 0; i < node->child_count; i++) {
        const struct pncp_node *child = &schema->nodes[node->first_child + i];
        const struct pncp_col *col = child->col;
        struct element element = {.name = col->name,
                                  .repetition = (col->flags & PNCP_COL_REQUIRED) != 0 ? PNCP_PARQUET_REQUIRED
                                                                                      : PNCP_PARQUET_OPTIONAL,
                                  .type = col->type};
        if (col->type == PNCP_T_LIST) {
            element.child_count = 1;
            put_element(w, &element);
            put_element(w, &(struct element){"list", PNCP_PARQUET_REPEATED, 1, PNCP_T_STRUCT});
            put_element(w, &(struct element){"element", PNCP_PARQUET_OPTIONAL, child->child_count, PNCP_T_STRUCT});
            written += 2;
        } else {
            element.child_count = child->child_count;
            put_element(w, &element);
        }
        written += 1 + put_children(w, schema, child);
    }
    return written;
}

enum pncp_code pncp_schema_put(const struct pncp_schema *schema, struct pncp_buf *out)
{
    AUTO(pncp_buf_release) struct pncp_buf elements = {0};
    const struct pncp_node *root = &schema->nodes[0];
    struct pncp_thrift_writer w = {.out = &elements};
    put_element(&w, &(struct element){"schema", -1, root->child_count, PNCP_T_STRUCT});
    size_t count = 1 + put_children(&w, schema, root);
    if (w.rc != PNCP_OK)
        return w.rc;
    struct pncp_thrift_writer list = {.out = out};
    pncp_thrift_put_list(&list, PNCP_THRIFT_STRUCT, count);
    pncp_thrift_put_raw(&list, pncp_buf_view(&elements));
    return list.rc;
}

enum pncp_code pncp_schema_put_orders(const struct pncp_schema *schema, struct pncp_buf *out)
{
    struct pncp_thrift_writer o = {.out = out};
    pncp_thrift_put_list(&o, PNCP_THRIFT_STRUCT, schema->leaf_count);
    for (size_t i = 0; i < schema->leaf_count; i++) { /* ColumnOrder: TYPE_ORDER, an empty struct */
        int16_t outer = pncp_thrift_struct_begin(&o);
        pncp_thrift_put_field(&o, 1, PNCP_THRIFT_STRUCT);
        pncp_thrift_struct_end(&o, pncp_thrift_struct_begin(&o));
        pncp_thrift_struct_end(&o, outer);
    }
    return o.rc;
}
