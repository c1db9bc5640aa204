/*
 * Column descriptors: one static tree per kind of row. The same table drives JSON decoding, the Parquet schema, the
 * tests and docs/FORMATS.md. A schema is prepared once (pncp_schema_init) into a flat list of leaves with their Dremel
 * levels (Parquet format, "Nested Encoding"; a LIST is the standard three levels: <name> (LIST) / list / element).
 */
#ifndef PNCP_SCHEMA_H
#define PNCP_SCHEMA_H

#include "base/err.h"
#include "base/view.h"

enum pncp_type {
    PNCP_T_BOOL,
    PNCP_T_INT32,
    PNCP_T_INT64,
    PNCP_T_DEC18_4,  /* int64 of ten-thousandths, read from the number's text */
    PNCP_T_DATE,     /* int32 days since 1970-01-01 */
    PNCP_T_LOCAL_US, /* int64 µs of a civil time, no zone (TIMESTAMP(isAdjustedToUTC=false, MICROS)) */
    PNCP_T_UTC_US,   /* int64 µs since 1970-01-01 UTC (isAdjustedToUTC=true) */
    PNCP_T_TEXT,     /* UTF-8 */
    PNCP_T_STRUCT,   /* children: fields, one value each */
    PNCP_T_LIST,     /* children: fields of the element, which is a struct */
};

/* How the encoder treats a leaf. Statistics cost footer bytes and on free text break readers: keys, codes, dates,
 * amounts only. */
enum pncp_col_flag {
    PNCP_COL_REQUIRED = 1, /* never null */
    PNCP_COL_STATS = 2,    /* min/max/null count in the footer */
    PNCP_COL_DICT = 4,     /* dictionary encoding pays */
    PNCP_COL_DERIVED = 8,  /* not a field of the API object: filled in by the program */
    PNCP_COL_EXTRA = 16,   /* the JSON text of this level's unknown keys and misfit values */
    PNCP_COL_MISFITS = 32, /* how many values of the row are in an `extra` because they did not fit */
};
/* Among the flags: the schema version that a column came with, 2 or more; without it the column has been there from the
 * first on. What is below a column came with it or later. Columns are only ever added, at the end of their level, so
 * that an older schema is a beginning of each level. */
#define PNCP_COL_SINCE_SHIFT 8
#define PNCP_COL_SINCE(version) ((unsigned)(version) << PNCP_COL_SINCE_SHIFT)

struct pncp_col {
    const char *name; /* Parquet column and JSON key */
    enum pncp_type type;
    unsigned flags;
    const struct pncp_col *children; /* STRUCT and LIST only */
    size_t child_count;
    const char *source; /* where the field is documented */
};

/* One primitive column of the flattened tree, in depth-first order: the order of Parquet's column chunks. */
struct pncp_leaf_info {
    const struct pncp_col *col;
    enum pncp_type type;
    int16_t max_def, max_rep;
    unsigned since; /* schema version that it came with */
    char path[96];  /* dotted Parquet path: "orgaoEntidade.cnpj", "itens.list.element.descricao" */
};

#define PNCP_SCHEMA_LEAVES_MAX 160
#define PNCP_SCHEMA_NODES_MAX 256

/* A prepared tree. Node 0 is the root; children of a node are consecutive nodes. */
struct pncp_node {
    const struct pncp_col *col; /* NULL for the root */
    uint16_t first_child, child_count;
    uint16_t leaf;       /* first leaf below (itself for a primitive) */
    uint16_t leaf_count; /* leaves below: 1 for a primitive */
    int16_t def_null;    /* definition level when this node's parent is present and this node is null */
    int16_t def_present; /* when it is present (LIST: present but empty) */
    int16_t rep;         /* repetition level of repeated values inside it (LIST), else its parent's */
    uint16_t name_len;   /* of col->name */
    unsigned since;      /* schema version that it came with */
};

struct pncp_schema {
    struct pncp_node nodes[PNCP_SCHEMA_NODES_MAX];
    size_t node_count;
    struct pncp_leaf_info leaves[PNCP_SCHEMA_LEAVES_MAX];
    size_t leaf_count;
    unsigned version;
};

/* The versions of one kind of row: 1 … count, in this order. */
struct pncp_schema_versions {
    const struct pncp_schema *schemas;
    size_t count;
};

/* Prepare `cols` (static data, borrowed for the schema's life) with the columns of that version and those before it.
 * PNCP_E_LIMIT: more leaves or nodes than the ceilings. */
MUST_CHECK enum pncp_code pncp_schema_init_version(struct pncp_schema *schema, const struct pncp_col *cols,
                                                   size_t col_count, unsigned version, struct pncp_err *err);
/* The same with all of them. */
MUST_CHECK enum pncp_code pncp_schema_init(struct pncp_schema *schema, const struct pncp_col *cols, size_t col_count,
                                           struct pncp_err *err);

/* The newest version that a column of the tree came with. */
unsigned pncp_schema_newest(const struct pncp_col *cols, size_t col_count);

/* The `extra` among the children of a node, or NULL. */
const struct pncp_node *pncp_schema_extra(const struct pncp_schema *schema, const struct pncp_node *node);
/* Has the record or struct `node` got columns since `version`, in it or in a struct of it? What is in a list of it is
 * not its own. */
bool pncp_schema_has_grown(const struct pncp_schema *schema, const struct pncp_node *node, unsigned version);

/* The leaf with that dotted path, or -1. */
int pncp_schema_find(const struct pncp_schema *schema, const char *path);

#endif
