#include "parquet/foreign_int.h"

#include <stdio.h>

/* parquet.thrift: fields of the union LogicalType */
enum {
    LOGICAL_NONE = 0,
    LOGICAL_STRING = 1,
    LOGICAL_MAP = 2,
    LOGICAL_LIST = 3,
    LOGICAL_ENUM = 4,
    LOGICAL_DECIMAL = 5,
    LOGICAL_DATE = 6,
    LOGICAL_TIME = 7,
    LOGICAL_TIMESTAMP = 8,
    LOGICAL_INTEGER = 10,
    LOGICAL_UNKNOWN = 11, /* always null */
    LOGICAL_JSON = 12,
    LOGICAL_BSON = 13,
    LOGICAL_INTERVAL = 99, /* has a converted type only */
};

/* ---- one element ----------------------------------------------------------------------------- */

/* What a ConvertedType says in terms of LogicalType (LogicalTypes.md). A timestamp of this kind may be local or not:
 * writers of both sorts used it, so it is taken as it stands. */
static void apply_converted(struct pncp_foreign_element *e, int64_t converted)
{
    static const struct {
        int logical;
        bool is_unsigned;
        int32_t ticks;
    } meaning[] = {
        /* in the order of ConvertedType, from UTF8 = 0 */
        {LOGICAL_STRING, false, 0},
        {LOGICAL_MAP, false, 0},
        {LOGICAL_MAP, false, 0},
        {LOGICAL_LIST, false, 0},
        {LOGICAL_ENUM, false, 0},
        {LOGICAL_DECIMAL, false, 0},
        {LOGICAL_DATE, false, 0},
        {LOGICAL_TIME, false, 0},
        {LOGICAL_TIME, false, 0},
        {LOGICAL_TIMESTAMP, false, 1000},
        {LOGICAL_TIMESTAMP, false, 1000000},
        {LOGICAL_INTEGER, true, 0},
        {LOGICAL_INTEGER, true, 0},
        {LOGICAL_INTEGER, true, 0},
        {LOGICAL_INTEGER, true, 0},
        {LOGICAL_INTEGER, false, 0},
        {LOGICAL_INTEGER, false, 0},
        {LOGICAL_INTEGER, false, 0},
        {LOGICAL_INTEGER, false, 0},
        {LOGICAL_JSON, false, 0},
        {LOGICAL_BSON, false, 0},
        {LOGICAL_INTERVAL, false, 0},
    };
    if (converted < 0 || converted >= (int64_t)PNCP_ARRAY_LEN(meaning))
        return;
    e->logical = meaning[converted].logical;
    e->is_unsigned = meaning[converted].is_unsigned;
    e->ticks_per_second = meaning[converted].ticks;
}

static void read_time_unit(struct pncp_thrift_reader *r, struct pncp_foreign_element *e)
{
    struct pncp_thrift_field unit = {0};
    while (pncp_thrift_next(r, &unit)) {
        e->ticks_per_second = unit.id == 1 ? 1000 : unit.id == 2 ? 1000000 : 1000000000;
        pncp_thrift_skip(r, unit.type);
    }
}

static void read_logical(struct pncp_thrift_reader *r, struct pncp_foreign_element *e)
{
    struct pncp_thrift_field member = {0}, field;
    while (pncp_thrift_next(r, &member)) {
        e->logical = member.id;
        if (member.type != PNCP_THRIFT_STRUCT) {
            pncp_thrift_skip(r, member.type);
            continue;
        }
        field = (struct pncp_thrift_field){0};
        while (pncp_thrift_next(r, &field)) {
            bool timed = member.id == LOGICAL_TIMESTAMP || member.id == LOGICAL_TIME;
            if (timed && field.id == 1)
                e->instant = field.type == PNCP_THRIFT_TRUE;
            else if (member.id == LOGICAL_INTEGER && field.id == 2)
                e->is_unsigned = field.type == PNCP_THRIFT_FALSE;
            if (timed && field.id == 2 && field.type == PNCP_THRIFT_STRUCT)
                read_time_unit(r, e);
            else if (member.id == LOGICAL_DECIMAL && field.id == 1 && field.type == PNCP_THRIFT_I32)
                e->scale = pncp_thrift_int(r, field.type);
            else
                pncp_thrift_skip(r, field.type);
        }
    }
}

/* Where the number in field `id` of a SchemaElement goes; NULL: elsewhere. */
static int64_t *number_of(struct pncp_foreign_element *e, int16_t id, int64_t *converted, int64_t *scale)
{
    switch (id) {
    case 1:
        return &e->physical;
    case 2:
        return &e->width;
    case 3:
        return &e->repetition;
    case 5:
        return &e->children;
    case 6:
        return converted;
    case 7:
        return scale;
    default:
        return NULL;
    }
}

struct pncp_foreign_element pncp_foreign_element_read(struct pncp_thrift_reader *r)
{
    struct pncp_thrift_field field = {0};
    struct pncp_foreign_element e = {.physical = -1, .name = {"", 0}};
    int64_t converted = -1, scale = 0;
    bool has_logical = false;
    while (pncp_thrift_next(r, &field)) {
        int64_t *number = number_of(&e, field.id, &converted, &scale);
        if (number != NULL && field.type == PNCP_THRIFT_I32) {
            *number = pncp_thrift_int(r, field.type);
        } else if (field.id == 4 && field.type == PNCP_THRIFT_BINARY) {
            e.name = pncp_thrift_binary(r);
        } else if (field.id == 10 && field.type == PNCP_THRIFT_STRUCT) {
            has_logical = true;
            read_logical(r, &e);
        } else {
            pncp_thrift_skip(r, field.type);
        }
    }
    if (!has_logical) {
        apply_converted(&e, converted);
        e.scale = scale;
    }
    return e;
}

/* ---- what a column's values become ----------------------------------------------------------- */

static bool is_bytes(int64_t physical)
{
    return physical == CARQUET_PHYSICAL_BYTE_ARRAY || physical == CARQUET_PHYSICAL_FIXED_LEN_BYTE_ARRAY;
}

static bool is_int(int64_t physical)
{
    return physical == CARQUET_PHYSICAL_INT32 || physical == CARQUET_PHYSICAL_INT64;
}

/* By the physical type alone; false: there is no such type. */
static bool plain_kind(int64_t physical, enum pncp_foreign_kind *ret_kind)
{
    switch (physical) {
    case CARQUET_PHYSICAL_BOOLEAN:
        *ret_kind = PNCP_FOREIGN_BOOL;
        return true;
    case CARQUET_PHYSICAL_INT32:
    case CARQUET_PHYSICAL_INT64:
        *ret_kind = PNCP_FOREIGN_INT;
        return true;
    case CARQUET_PHYSICAL_INT96:
        *ret_kind = PNCP_FOREIGN_INT96;
        return true;
    case CARQUET_PHYSICAL_FLOAT:
        *ret_kind = PNCP_FOREIGN_FLOAT;
        return true;
    case CARQUET_PHYSICAL_DOUBLE:
        *ret_kind = PNCP_FOREIGN_DOUBLE;
        return true;
    case CARQUET_PHYSICAL_BYTE_ARRAY:
    case CARQUET_PHYSICAL_FIXED_LEN_BYTE_ARRAY:
        *ret_kind = PNCP_FOREIGN_TEXT;
        return true;
    default:
        return false;
    }
}

static bool find_kind(const struct pncp_foreign_element *e, enum pncp_foreign_kind *ret_kind)
{
    switch (e->logical) {
    case LOGICAL_NONE:
    case LOGICAL_UNKNOWN:
        return plain_kind(e->physical, ret_kind);
    case LOGICAL_STRING:
    case LOGICAL_ENUM:
    case LOGICAL_JSON:
        *ret_kind = PNCP_FOREIGN_TEXT;
        return is_bytes(e->physical);
    case LOGICAL_INTEGER:
        *ret_kind = e->is_unsigned ? PNCP_FOREIGN_UINT : PNCP_FOREIGN_INT;
        return is_int(e->physical);
    case LOGICAL_DECIMAL:
        *ret_kind = PNCP_FOREIGN_DECIMAL;
        return (is_int(e->physical) || is_bytes(e->physical)) && e->scale >= 0 &&
               e->scale <= PNCP_FOREIGN_DECIMAL_MAX_SCALE;
    case LOGICAL_DATE:
        *ret_kind = PNCP_FOREIGN_DATE;
        return e->physical == CARQUET_PHYSICAL_INT32;
    case LOGICAL_TIMESTAMP:
        *ret_kind = PNCP_FOREIGN_TIMESTAMP;
        return e->physical == CARQUET_PHYSICAL_INT64 && e->ticks_per_second > 0;
    default:
        return false;
    }
}

static int32_t stored_width(const struct pncp_foreign_element *e)
{
    static const int32_t widths[] = {
        [CARQUET_PHYSICAL_BOOLEAN] = 1,   [CARQUET_PHYSICAL_INT32] = 4, [CARQUET_PHYSICAL_INT64] = 8,
        [CARQUET_PHYSICAL_INT96] = 12,    [CARQUET_PHYSICAL_FLOAT] = 4, [CARQUET_PHYSICAL_DOUBLE] = 8,
        [CARQUET_PHYSICAL_BYTE_ARRAY] = 0};
    return e->physical == CARQUET_PHYSICAL_FIXED_LEN_BYTE_ARRAY ? (int32_t)e->width : widths[e->physical];
}

bool pncp_foreign_element_is_list(const struct pncp_foreign_element *e)
{
    return e->logical == LOGICAL_LIST || e->logical == LOGICAL_MAP;
}

bool pncp_foreign_element_type(const struct pncp_foreign_element *e, struct pncp_foreign_type *ret_type)
{
    enum pncp_foreign_kind kind;
    int64_t width_max = e->logical == LOGICAL_DECIMAL ? PNCP_FOREIGN_DECIMAL_MAX_BYTES : PNCP_FOREIGN_FIXED_MAX_BYTES;
    bool fixed = e->physical == CARQUET_PHYSICAL_FIXED_LEN_BYTE_ARRAY;
    if (!find_kind(e, &kind) || (fixed && (e->width < 1 || e->width > width_max)))
        return false;
    *ret_type = (struct pncp_foreign_type){.kind = kind,
                                           .physical = (carquet_physical_type_t)e->physical,
                                           .width = stored_width(e),
                                           .scale = (int32_t)e->scale,
                                           .ticks_per_second = e->ticks_per_second,
                                           .instant = e->instant};
    return true;
}

void pncp_foreign_element_name_type(const struct pncp_foreign_element *e, char ret_text[PNCP_FOREIGN_TYPE_TEXT_BYTES])
{
    static const char *const physical[] = {"BOOLEAN", "INT32",  "INT64",      "INT96",
                                           "FLOAT",   "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"};
    static const char *const logical[] = {"",     "STRING",    "MAP",     "LIST",     "ENUM",     "DECIMAL", "DATE",
                                          "TIME", "TIMESTAMP", "",        "INTEGER",  "UNKNOWN",  "JSON",    "BSON",
                                          "UUID", "FLOAT16",   "VARIANT", "GEOMETRY", "GEOGRAPHY"};
    const char *stored = e->physical >= 0 && e->physical < (int64_t)PNCP_ARRAY_LEN(physical) ? physical[e->physical]
                                                                                             : "a type without a name";
    const char *meant = e->logical == LOGICAL_INTERVAL                                 ? "INTERVAL"
                        : e->logical < (int)PNCP_ARRAY_LEN(logical) && e->logical >= 0 ? logical[e->logical]
                                                                                       : "";
    if (e->logical == LOGICAL_NONE && e->physical == CARQUET_PHYSICAL_FIXED_LEN_BYTE_ARRAY)
        (void)snprintf(ret_text, PNCP_FOREIGN_TYPE_TEXT_BYTES, "%s(%" PRId64 ")", stored, e->width);
    else if (e->logical == LOGICAL_NONE)
        (void)snprintf(ret_text, PNCP_FOREIGN_TYPE_TEXT_BYTES, "%s", stored);
    else if (*meant == '\0')
        (void)snprintf(ret_text, PNCP_FOREIGN_TYPE_TEXT_BYTES, "logical type %d stored as %s", e->logical, stored);
    else
        (void)snprintf(ret_text, PNCP_FOREIGN_TYPE_TEXT_BYTES, "%s stored as %s", meant, stored);
}
