/*
 * Foreign files, between the files of parquet/ and their tests: what a column's values become (foreign_type.c), the
 * schema as a tree of JSON values (foreign_schema.c), one stored value as JSON (foreign_value.c), a column as a stream
 * of slots (foreign_column.c). foreign.c puts rows together.
 */
#ifndef PNCP_FOREIGN_INT_H
#define PNCP_FOREIGN_INT_H

#include "base/json_writer.h"
#include "parquet/foreign.h"
#include "parquet/thrift.h"

#include <carquet/carquet.h>

/* ---- schema ---------------------------------------------------------------------------------- */

/* 76 digits, the largest decimal that any writer knows (Arrow's decimal256). */
#define PNCP_FOREIGN_DECIMAL_MAX_BYTES 32
#define PNCP_FOREIGN_DECIMAL_MAX_SCALE 76

enum pncp_foreign_kind { /* what a stored value becomes */
                         PNCP_FOREIGN_BOOL,
                         PNCP_FOREIGN_INT,
                         PNCP_FOREIGN_UINT,
                         PNCP_FOREIGN_FLOAT,
                         PNCP_FOREIGN_DOUBLE,
                         PNCP_FOREIGN_TEXT,
                         PNCP_FOREIGN_DECIMAL,
                         PNCP_FOREIGN_DATE,
                         PNCP_FOREIGN_TIMESTAMP,
                         PNCP_FOREIGN_INT96,
};

struct pncp_foreign_type {
    enum pncp_foreign_kind kind;
    carquet_physical_type_t physical;
    int32_t width;            /* bytes of a stored value; 0: it has its own length */
    int32_t scale;            /* DECIMAL */
    int64_t ticks_per_second; /* TIMESTAMP */
    bool instant;             /* TIMESTAMP: isAdjustedToUTC */
};

/* One SchemaElement of the footer. */
struct pncp_foreign_element {
    struct pncp_view name; /* into the footer */
    int64_t physical;      /* parquet.thrift Type; -1: none, it is a group */
    int64_t width, repetition, children, scale;
    int logical;              /* field of the union LogicalType, also where only a ConvertedType says it; 0: none */
    int64_t ticks_per_second; /* of a timestamp */
    bool instant, is_unsigned;
};

/* The element at the reader, which fails when it is unsound. */
struct pncp_foreign_element pncp_foreign_element_read(struct pncp_thrift_reader *r);
bool pncp_foreign_element_is_list(const struct pncp_foreign_element *e); /* annotated LIST or MAP */
/* What the values of a column become; false: they cannot be shown as JSON. */
MUST_CHECK bool pncp_foreign_element_type(const struct pncp_foreign_element *e, struct pncp_foreign_type *ret_type);
/* Its type as a person knows it: "TIME stored as INT64". */
#define PNCP_FOREIGN_TYPE_TEXT_BYTES 64
void pncp_foreign_element_name_type(const struct pncp_foreign_element *e, char ret_text[PNCP_FOREIGN_TYPE_TEXT_BYTES]);

struct pncp_foreign_leaf { /* a column of the file */
    struct pncp_foreign_type type;
    int16_t max_def, max_rep;
    char *path; /* "fontesOrcamentarias.list.element.codigo", printable: for messages */
};

enum pncp_foreign_shape { PNCP_FOREIGN_LEAF, PNCP_FOREIGN_OBJECT, PNCP_FOREIGN_ARRAY };

/* A JSON value of each row. Nodes refer to each other by index; 0, the root, stands for none. */
struct pncp_foreign_node {
    struct pncp_view name; /* the member's key, into the footer */
    enum pncp_foreign_shape shape;
    uint16_t first_child, next; /* first member or the element; next member of the same object */
    uint16_t leaf, leaf_count;  /* columns below, one after the other (a dotted object: not) */
    int16_t def;                /* definition level from which it is not null */
    int16_t element_def, rep;   /* ARRAY: level from which it is not empty; repetition level of a further element */
    bool dotted;                /* OBJECT made of columns named "name.member": it has no levels of its own */
    uint16_t plain;             /* dotted: the column that has the bare name, which json_normalize writes for rows whose
                                 * object is null */
};

struct pncp_foreign_schema {
    struct pncp_foreign_node *nodes;
    size_t node_count, node_cap;
    struct pncp_foreign_leaf *leaves;
    size_t leaf_count;
};

/* From the schema's bytes in a footer that pncp_footer_read accepted; names stay there. Errors as pncp_foreign_open. */
MUST_CHECK enum pncp_code pncp_foreign_schema_init(struct pncp_foreign_schema *schema, const struct pncp_footer *footer,
                                                   struct pncp_err *err);
void pncp_foreign_schema_release(struct pncp_foreign_schema *schema);

/* ---- one value ------------------------------------------------------------------------------- */

/* The stored bytes of one value (native byte order as carquet gives them) as the writer's next value. *ret_null when
 * null was written. NULL, or why it cannot be done. */
MUST_CHECK const char *pncp_foreign_put_value(struct pncp_json_writer *w, const struct pncp_foreign_type *type,
                                              struct pncp_view stored, bool *ret_null);

/* ---- columns of one row group ---------------------------------------------------------------- */

/* Pages of a column are far apart: a larger buffer would read what is not wanted, and a cookie's stream reads a byte at
 * a time without one (glibc 2.36). */
#define PNCP_FOREIGN_BUFFER_BYTES ((size_t)16 * 1024)

/* The file as carquet sees it: its own bytes up to where its footer begins, then a footer of one row group only.
 * carquet reads the pages in place and never sees the other groups. */
struct pncp_foreign_file {
    int fd; /* borrowed */
    const struct pncp_footer *footer;
    struct pncp_buf tail; /* the small footer, length and magic */
    uint64_t tail_at;     /* where it lies */
    uint64_t at;          /* file position */
    uint64_t reads;       /* calls so far: a column that caused one has begun a page */
    struct pncp_err io;   /* the first failure; carquet would only say that it could not read */
    FILE *stream;
    char buffer[PNCP_FOREIGN_BUFFER_BYTES]; /* the stream's */
    carquet_reader_t *reader;
    size_t group;
};

/* Make `group` the row group that columns are read from. */
MUST_CHECK enum pncp_code pncp_foreign_file_turn(struct pncp_foreign_file *file, size_t group, struct pncp_err *err);
void pncp_foreign_file_release(struct pncp_foreign_file *file);

/* One column chunk as a stream of slots (a value, or a null at some level). */
struct pncp_foreign_column {
    struct pncp_foreign_file *file; /* borrowed */
    const struct pncp_foreign_leaf *leaf;
    size_t leaf_no;
    carquet_column_reader_t *reader;
    uint64_t slots, slots_read; /* of the chunk */
    uint64_t text_bytes;        /* given out since the reader was opened: about what it holds back */
    bool fresh, turned;         /* no batch since then; a page was begun after the first batch */
    size_t at, count, value_at; /* in the batch */
    int16_t def[PNCP_FOREIGN_BATCH_SLOTS], rep[PNCP_FOREIGN_BATCH_SLOTS];
    char *values; /* packed, without the nulls */
};

/* Storage for the batch. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_foreign_column_init(struct pncp_foreign_column *column, struct pncp_foreign_file *file,
                                                   const struct pncp_foreign_leaf *leaf, size_t leaf_no);
void pncp_foreign_column_release(struct pncp_foreign_column *column);
/* Begin with the chunk of the file's row group. PNCP_E_PARSE: it does not fit the group's rows. */
MUST_CHECK enum pncp_code pncp_foreign_column_turn(struct pncp_foreign_column *column, struct pncp_err *err);
/* Let go of the chunk (before the file turns to another group). */
void pncp_foreign_column_leave(struct pncp_foreign_column *column);
/* Is a slot there? Reads on when the batch is used up; *ret_more false at the end of the chunk. What was taken before
 * is no longer valid then. */
MUST_CHECK enum pncp_code pncp_foreign_column_more(struct pncp_foreign_column *column, bool *ret_more,
                                                   struct pncp_err *err);
/* The slot at hand, which must be there: its levels, and take it: its stored value (only when def is the leaf's
 * max_def). */
int16_t pncp_foreign_column_def(const struct pncp_foreign_column *column);
int16_t pncp_foreign_column_rep(const struct pncp_foreign_column *column);
struct pncp_view pncp_foreign_column_take(struct pncp_foreign_column *column);

#endif
