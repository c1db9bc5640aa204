/*
 * Thrift compact protocol (thrift/doc/specs/thrift-compact-protocol.md), as far as Parquet footers need it: bounded
 * reading of untrusted bytes, and writing of what we change. A reader that fails stays failed: every call then gives
 * zero or false, so that callers check once.
 */
#ifndef PNCP_THRIFT_H
#define PNCP_THRIFT_H

#include "base/buf.h"

enum pncp_thrift_type {
    PNCP_THRIFT_STOP = 0,
    PNCP_THRIFT_TRUE = 1,
    PNCP_THRIFT_FALSE = 2,
    PNCP_THRIFT_BYTE = 3,
    PNCP_THRIFT_I16 = 4,
    PNCP_THRIFT_I32 = 5,
    PNCP_THRIFT_I64 = 6,
    PNCP_THRIFT_DOUBLE = 7,
    PNCP_THRIFT_BINARY = 8,
    PNCP_THRIFT_LIST = 9,
    PNCP_THRIFT_SET = 10,
    PNCP_THRIFT_MAP = 11,
    PNCP_THRIFT_STRUCT = 12,
};

#define PNCP_THRIFT_DEPTH_MAX 16 /* a Parquet footer nests 6 deep */

struct pncp_thrift_reader {
    const char *begin, *at, *end;
    bool failed;
};

struct pncp_thrift_field {
    int16_t id;
    enum pncp_thrift_type type;
    const char *header; /* where its header begins */
};

struct pncp_thrift_reader pncp_thrift_open(struct pncp_view bytes);
/* The next field of a struct whose last field was *field ({0} at the start); false at its end or on failure. */
bool pncp_thrift_next(struct pncp_thrift_reader *reader, struct pncp_thrift_field *field);
int64_t pncp_thrift_int(struct pncp_thrift_reader *reader,
                        enum pncp_thrift_type type); /* I16, I32, I64: checked range */
struct pncp_view pncp_thrift_binary(struct pncp_thrift_reader *reader);
size_t pncp_thrift_list(struct pncp_thrift_reader *reader, enum pncp_thrift_type *ret_element);
/* Pass over a value of that type (a boolean field has none). */
void pncp_thrift_skip(struct pncp_thrift_reader *reader, enum pncp_thrift_type type);

/* ---- writing --------------------------------------------------------------------------------- */

/* Appends to `out`; like the reader, one that failed stays failed: `rc` is checked once, at the end. */
struct pncp_thrift_writer {
    struct pncp_buf *out;
    int16_t last; /* id of the last field written in the present struct */
    enum pncp_code rc;
};

void pncp_thrift_put_raw(struct pncp_thrift_writer *writer,
                         struct pncp_view bytes);                           /* finished Thrift, copied through */
void pncp_thrift_put_int(struct pncp_thrift_writer *writer, int64_t value); /* I16, I32, I64: as a list's element */
void pncp_thrift_put_binary(struct pncp_thrift_writer *writer, struct pncp_view bytes);
void pncp_thrift_put_list(struct pncp_thrift_writer *writer, enum pncp_thrift_type element,
                          size_t count); /* then its elements */
/* Header of field `id`; its value follows. Ids ascend within a struct. */
void pncp_thrift_put_field(struct pncp_thrift_writer *writer, int16_t id, enum pncp_thrift_type type);
void pncp_thrift_put_int_field(struct pncp_thrift_writer *writer, int16_t id, enum pncp_thrift_type type,
                               int64_t value);
/* A struct: begin gives what end takes. */
int16_t pncp_thrift_struct_begin(struct pncp_thrift_writer *writer);
void pncp_thrift_struct_end(struct pncp_thrift_writer *writer, int16_t outer);

#endif
